"""The demonstration's world on loopback: a bank, three agencies, a calendar that can be turned.

The rates are the National Bank's own; the stories are invented. As the real bank does on working
days, this one publishes in the afternoon for the next day, and from Saturday afternoon to Monday
afternoon says nothing new. (On a few Sundays in wild weeks the real bank set a rate out of turn;
those days are in the history and are not played.)

The first day is a Monday: the document of its afternoon has the rouble at a low, the next day's has
it 5.46 % up.
"""

from __future__ import annotations

import csv
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from email.utils import format_datetime
from functools import partial
from html import escape
from importlib.resources import files

from aiohttp import web

from bot.demo.injected import Injected
from bot.demo.stories import FEED_LENGTH, WEEK, ZONE, Published, published, read_stories
from bot.demo.stretch import Stretch
from bot.languages import LANGUAGES

__all__ = ["WEEK", "ZONE", "World", "read_stories"]

FIRST_DAY = date(2023, 8, 14)
PUBLISHED_AT = time(15)  # the bank sets tomorrow's rates
BEGINS_AT = time(16)  # both answers, today's and tomorrow's, are there
#: When something is due on every day: the morning's digest, the bank, what followed, the evening.
MOMENTS = (time(9), PUBLISHED_AT, BEGINS_AT, time(18))
LAST_MINUTE = time(23, 59)  # of the last day: a calendar that stops then still shows that day
#: The channels that the bot posts in, one in each language.
HERALDS = {code: -1002021102000 - index for index, code in enumerate(LANGUAGES)}

_STOP_GRACE = 0.1  # seconds an idle connection may keep `stop` waiting
_FOUR_PLACES = Decimal("0.0001")  # as the bank prints every rate
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """An agency; `key` is its section in the catalog, `name` is in its own language.

    `names` are in every language, its own too: a reader is shown none in foreign letters.
    """

    key: str
    name: str
    names: Mapping[str, str]
    language: str


#: By the names of their feeds: the three that report every day.
AGENCIES: Mapping[str, Agency] = {
    "en": Agency(
        language="en",
        key="alatoo",
        name="Ala-Too News",
        names={"en": "Ala-Too News", "ru": "Ала-Тоо Ньюс", "ky": "Ала-Тоо Ньюс"},
    ),
    "ru": Agency(
        language="ru",
        key="manas",
        name="Манас Пост",
        names={"en": "Manas Post", "ru": "Манас Пост", "ky": "Манас Пост"},
    ),
    "ky": Agency(
        language="ky",
        key="jailoo",
        name="Жайлоо Пресс",
        names={"en": "Jailoo Press", "ru": "Жайлоо Пресс", "ky": "Жайлоо Пресс"},
    ),
}


#: And one that speaks up only when something happens.
FEEDS: Mapping[str, Agency] = {
    **AGENCIES,
    "wire": Agency(
        language="ru",
        key="terskey",
        name="Терскей Инфо",
        names={"en": "Terskey Info", "ru": "Терскей Инфо", "ky": "Тескей Инфо"},
    ),
}


def read_rates() -> list[tuple[date, dict[str, Decimal]]]:
    """Som for one unit by effective day, oldest first; unchanged days have no entry."""
    text = files(__package__).joinpath("rates.csv").read_text("utf-8")
    found: list[tuple[date, dict[str, Decimal]]] = []
    for row in csv.DictReader(text.splitlines()):
        on = date.fromisoformat(row.pop("date"))
        rates = {}
        for code, value in row.items():
            rates[code] = Decimal(value).quantize(_FOUR_PLACES)
        found.append((on, rates))
    return found


def effective_day(now: datetime) -> date:
    """The day whose rates the bank shows: on a working day from three o'clock on it is tomorrow."""
    local = now.astimezone(ZONE)
    set_on = local.date()
    if local.time() < PUBLISHED_AT:
        set_on -= timedelta(days=1)
    while set_on.weekday() >= _SATURDAY:
        set_on -= timedelta(days=1)
    return set_on + timedelta(days=1)


class World:
    """The calendar and the server; `clock` is the real time, on which the calendar runs.

    ValueError for a first day before the first known rates.
    """

    def __init__(
        self,
        first_day: date = FIRST_DAY,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._first_day = first_day
        self.ends_at: datetime | None = None  # the end of what is replayed, where it has one
        self._clock = clock
        self._rates = read_rates()
        self._days = [day for day, _ in self._rates]
        self._stories = read_stories()
        if first_day < self._days[0]:
            raise ValueError(f"the rates of this world begin on {self._days[0]}")
        self._runner: web.AppRunner | None = None
        self._url = ""
        # of each source, by its path: its key, what it says now, and as what
        self._documents: dict[str, tuple[str, Callable[[], bytes], str]] = {
            "/nbkr/daily.xml": ("nbkr", self._rates_now, "application/xml"),
            "/quakes.geojson": ("seismo", self._quakes_now, "application/json"),
        }
        for name, agency in FEEDS.items():
            feed = partial(self._feed_now, name)
            self._documents[f"/feeds/{name}.xml"] = (agency.key, feed, "application/rss+xml")
        self._told: dict[str, str] = {}  # the tag of what was answered last, by path
        self.injected = Injected()  # what was let happen by a button
        self.ahead = timedelta()  # of the real time
        self.turn_to(self._begins)

    # ── the calendar ────────────────────────────────────────────────────────

    def now(self) -> datetime:
        """The demonstration's time, in Bishkek: from 16:00 of the first day it runs as ours."""
        return (self._clock() + self.ahead).astimezone(ZONE)

    def upcoming(self) -> datetime:
        """The next moment at which something is due."""
        now = self.now()
        for day in (now.date(), now.date() + timedelta(days=1)):
            for at in MOMENTS:
                if (moment := datetime.combine(day, at, ZONE)) > now:
                    return moment
        raise AssertionError("a day has moments")

    def turn_to(self, moment: datetime) -> None:
        """Make it that moment; from there on time runs as ours."""
        self.ahead = moment - self._clock()

    def fresh(self) -> set[str]:
        """The sources, by key, that would answer something else now than they did last."""
        found: set[str] = set()
        for path, (key, document, _) in self._documents.items():
            if _tag(document()) != self._told.get(path):
                found.add(key)
        return found

    # ── what the bot starts with ────────────────────────────────────────────

    def history(self) -> list[tuple[date, dict[str, Decimal]]]:
        """Rates effective up to and on the first day, oldest first; som for a unit, by currency."""
        return self._rates[: bisect_right(self._days, self._first_day)]

    def catalog(self) -> str:
        """The catalog (TOML) that points at this world; RuntimeError before `start`."""
        if not self._url:
            raise RuntimeError("the world has no address before it is started")
        feeds = []
        for name, agency in FEEDS.items():
            feeds.append(f"""
[feeds.{agency.key}]
name = {{ {_names(agency)} }}
url = "{self._url}/feeds/{name}.xml"
language = "{agency.language}"
trust = 2
style = "brief"
poll = {{ every = "2s" }}
""")
        channels = "".join(_channel(code, number) for code, number in HERALDS.items())
        # every two seconds: who presses "Next day" waits for it, and it is all on this machine
        return f"""[rates.nbkr]
parser = "nbkr"
name = {{ en = "National Bank", ru = "Национальный банк", ky = "Улуттук банк" }}
urls = ["{self._url}/nbkr/daily.xml"]
kind = "official"
poll = {{ every = "2s", between = "14:00-19:00", days = "mon-fri", zone = "{ZONE.key}" }}
{"".join(feeds)}
[hazards.seismo]
name = {{ en = "Seismology Institute", ru = "Институт сейсмологии", ky = "Сейсмология институту" }}
url = "{self._url}/quakes.geojson"
format = "usgs"
near = {{ latitude = 42.87, longitude = 74.59, radius_km = 600 }}
at_least = 4.5
poll = {{ every = "2s" }}
{channels}"""

    # ── the server ──────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Serve on a free port of 127.0.0.1; the calendar starts to run."""
        application = web.Application()
        for path in self._documents:
            application.router.add_get(path, self._serve_document)
        application.router.add_get("/stories/{id}", self._serve_story)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_STOP_GRACE)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"http://{host}:{port}"
        self.turn_to(self._begins)

    @property
    def known(self) -> tuple[date, date]:
        """The first and the last day whose rates are known."""
        return self._days[0], self._days[-1]

    def begin(self, stretch: Stretch) -> None:
        """Begin anew on another day, as though nothing had happened yet."""
        self._first_day, self.injected, self.ends_at = stretch.first, Injected(), None
        if stretch.last is not None:
            self.ends_at = datetime.combine(stretch.last, LAST_MINUTE, ZONE)
        self.turn_to(self._begins)

    @property
    def _begins(self) -> datetime:
        return datetime.combine(self._first_day, BEGINS_AT, ZONE)

    async def stop(self) -> None:
        """Stop serving; harmless when nothing was started."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _rates_now(self) -> bytes:
        day = effective_day(self.now())
        return _bank_document(day, self._rates[bisect_right(self._days, day) - 1][1])

    def _quakes_now(self) -> bytes:
        return self.injected.quakes(self.now())

    def _feed_now(self, name: str) -> bytes:
        return _feed(name, self._reports(name), self._url)

    async def _serve_document(self, request: web.Request) -> web.Response:
        _, document, content_type = self._documents[request.path]
        body = document()
        self._told[request.path] = _tag(body)
        return _answer(request, body, content_type)

    async def _serve_story(self, request: web.Request) -> web.Response:
        for name, agency in FEEDS.items():
            for item in self._reports(name):
                if item.id == request.match_info["id"]:
                    return _answer(request, _page(item, agency), "text/html")
        raise web.HTTPNotFound

    def _reports(self, name: str) -> list[Published]:
        """The feed of an agency as it is now, newest first."""
        now = self.now()
        day = published(self._stories, name, self._first_day, now)
        return [*self.injected.reports(name, now), *day][:FEED_LENGTH]


# ── documents ───────────────────────────────────────────────────────────────


def _answer(request: web.Request, body: bytes, content_type: str) -> web.Response:
    """A document, or 304 for who has it."""
    tag = _tag(body)
    known = any(etag.value in (tag, "*") for etag in request.if_none_match or ())
    response = web.Response(status=304)
    if not known:
        response = web.Response(body=body, content_type=content_type)
    response.etag = tag
    return response


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _names(agency: Agency) -> str:
    return ", ".join(f'{key} = "{name}"' for key, name in agency.names.items())


def _channel(code: str, number: int) -> str:
    return f"""
[channels."{number}"]
language = "{code}"
topics = ["security"]
pairs = ["USD/KGS", "EUR/KGS", "RUB/KGS"]
digest = ["09:00", "18:00"]
style = "brief"
"""


def _bank_document(day: date, rates: Mapping[str, Decimal]) -> bytes:
    # as the real one: windows-1251, decimal commas, and the effective day as the document's date
    rows = []
    for code in ("USD", "EUR", "KZT", "RUB"):
        value = str(rates[code]).replace(".", ",")
        rows.append(
            f'<Currency ISOCode="{code}"><Nominal>1</Nominal><Value>{value}</Value></Currency>\n'
        )
    return (
        '<?xml version="1.0" encoding="windows-1251"?>\n'
        f'<CurrencyRates Name="Daily Exchange Rates" '
        f'Date="{day:%d.%m.%Y}">\n{"".join(rows)}</CurrencyRates>\n'
    ).encode("windows-1251")


def _feed(feed: str, items: list[Published], url: str) -> bytes:
    # No lastBuildDate: the bytes, and with them the ETag, change only when a story comes.
    name, language = escape(FEEDS[feed].name), FEEDS[feed].language
    entries = "".join(_feed_item(item, url) for item in items)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<rss version="2.0"><channel><title>{name}</title><link>{url}/feeds/{feed}.xml</link>'
        f"<description>{name}</description><language>{language}</language>\n"
        f"{entries}</channel></rss>\n"
    ).encode()


def _feed_item(item: Published, url: str) -> str:
    return (
        f"<item><title>{escape(item.story.headline)}</title><link>{url}/stories/{item.id}</link>"
        f'<guid isPermaLink="false">{item.id}</guid><pubDate>{format_datetime(item.at)}</pubDate>'
        f"<description>{escape(item.story.text)}</description></item>\n"
    )


def _page(item: Published, agency: Agency) -> bytes:
    story = item.story
    return (
        f'<!doctype html>\n<html lang="{agency.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><style>'
        "body{max-width:38em;margin:3em auto;padding:0 1em;font:1.1em/1.6 "
        "serif;color:#222;background:#fffdf8}"
        f"time,p.agency{{color:#666}}</style><title>{escape(story.headline)}</title></head>\n"
        f'<body><p class="agency">{escape(agency.name)}</p>'
        f"<article><h1>{escape(story.headline)}</h1>"
        f'<time datetime="{item.at.isoformat()}">{item.at:%d.%m.%Y %H:%M}</time>'
        f"<p>{escape(story.text)}</p></article></body></html>\n"
    ).encode()
