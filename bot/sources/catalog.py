"""The catalog: sources and channels as data, so that a new feed is a line in a file and not a change of the program.

Written by an operator by hand, so everything in it is checked at once and every
problem is named with its section, its key and what would be right. A typing
mistake in a key is a problem too: `langauge = "ky"` must not be ignored silently.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.errors import ConfigError
from bot.model.chats import LANGUAGES, Style
from bot.model.rates import Pair, RateKind
from bot.sources import SOURCES
from bot.sources.base import PLACEHOLDER, Parsed, RateSource, Request

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_ZONE = "Asia/Bishkek"
LONGEST_REST = 30  # days looked back for a day of publication: a catalog may name only holidays
_LAST_RANK = 100
_NO_PAIRS: tuple[Pair, ...] = ()
_NO_TEXTS: tuple[str, ...] = ()
_NO_NAMES: dict[str, str] = {}

T = TypeVar("T")
S = TypeVar("S")
E = TypeVar("E", bound=StrEnum)


# ── what the file says, typed ───────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSpec:
    """When to look: every so often, and when the publisher is expected to publish.

    `between` is the publisher's window of local time in `zone` on `days` (Monday is 0); None means all day.
    `holidays` are days without publication: single dates, and (month, day) of every year.
    """

    every: timedelta
    between: tuple[time, time] | None = None
    zone: str = DEFAULT_ZONE
    days: frozenset[int] = frozenset(range(7))
    holidays: frozenset[date | tuple[int, int]] = frozenset()

    def publishes_on(self, day: date) -> bool:
        """Whether the publisher works on that day of its own calendar."""
        return day.weekday() in self.days and day not in self.holidays and (day.month, day.day) not in self.holidays

    def last_window(self, now: datetime) -> date:
        """The latest day of publication whose window is over."""
        local = now.astimezone(ZoneInfo(self.zone))
        over = self.between is not None and local.time() >= self.between[1]
        day = local.date() if over else local.date() - timedelta(days=1)
        for _ in range(LONGEST_REST):
            if self.publishes_on(day):
                break
            day -= timedelta(days=1)
        return day

    def missed(self, newest: date, now: datetime) -> int:
        """How many days of publication after `newest` went by with nothing new, counted to a hundred."""
        days = (self.last_window(now) - newest).days
        return sum(self.publishes_on(newest + timedelta(days=ahead)) for ahead in range(1, min(days, 100) + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSpec:
    """A publisher of rates. `pairs` narrows what is kept of it (empty: all); the lowest `rank` leads for a currency.

    `archive` is a server asked for history instead of the publisher's own, at the same paths.
    """

    key: str
    parser: str
    names: Mapping[str, str]
    urls: tuple[str, ...]
    kind: RateKind
    poll: PollSpec
    terms: str | None = None
    page: str | None = None
    pairs: frozenset[Pair] = frozenset()
    rank: int = _LAST_RANK
    archive: str | None = None
    disabled: bool = False

    @property
    def source(self) -> RateSource:
        """How this publisher is asked and read."""
        return SOURCES[self.parser]

    @property
    def home(self) -> str:
        """The publisher's own currency."""
        return self.source.home

    def requests(self, today: date) -> tuple[Request, ...]:
        """What one poll asks for; `today` is the day in the source's zone."""
        return tuple(self.source.request(url, today) for url in self.urls)

    def parse(self, body: bytes, *, url: str | None = None) -> Parsed:
        """Read one answer; only the wanted pairs stay. Raises `ParseError`."""
        parsed = self.source.parse(body, source=self.key, url=url, kind=self.kind)
        if not self.pairs:
            return parsed
        return Parsed(rates=tuple(rate for rate in parsed.rates if rate.pair in self.pairs), problems=parsed.problems)

    def history(self, since: date, until: date) -> Sequence[Request]:
        """The requests of a backfill, the most wanted first; empty when the publisher has no history."""
        wanted = {code for pair in self.pairs for code in (pair.base, pair.quote)} - {self.home}
        asked = self.source.history_requests(since, until, wanted or None)
        if self.archive is None:
            return asked
        scheme, host, *_ = urlsplit(self.archive)
        return [replace(one, url=urlsplit(one.url)._replace(scheme=scheme, netloc=host).geturl()) for one in asked]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec:
    """One feed. `topics` are added to the detected ones.

    `trust` (1 official, 2 agency, 3 aggregator) and `style`, as much of its text as anybody is shown,
    are explained in `bot.sources.standing`.
    """

    key: str
    names: Mapping[str, str]
    url: str
    poll: PollSpec
    language: str | None = None
    trust: int = 2
    style: Style = Style.BRIEF
    topics: tuple[str, ...] = ()
    terms: str | None = None
    page: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpec(FeedSpec):
    """A list page read by CSS selectors: `item` is one entry, the others are looked for inside it.

    `body` is for the article page behind `link`; without it the extractor decides.
    """

    item: str
    link: str
    title: str | None = None
    time: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """A channel the bot posts to: "@name" or a numeric id; `digest` times are in the bot's own zone, sorted."""

    key: str
    language: str | None = None
    topics: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    digest: tuple[time, ...] = ()
    style: Style = Style.BRIEF
    disabled: bool = False

    @property
    def chat(self) -> int | str:
        """What Telegram calls it."""
        return self.key if self.key.startswith("@") else int(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All sections, in the order of the file; disabled entries are included."""

    rates: Mapping[str, RateSpec] = field(default_factory=dict)
    feeds: Mapping[str, FeedSpec] = field(default_factory=dict)
    pages: Mapping[str, PageSpec] = field(default_factory=dict)
    channels: Mapping[str, ChannelSpec] = field(default_factory=dict)

    @property
    def news(self) -> Mapping[str, FeedSpec]:
        """Who publishes stories, feeds and pages: by the key under which it is stored and named in commands.

        A page that shares its key with another section is `pages.KEY` there.
        """
        return {**self.feeds, **{spec.key: spec for spec in self.pages.values()}}

    @property
    def feed_names(self) -> dict[str, dict[str, str]]:
        """What those are called: key → language → name."""
        return {key: dict(spec.names) for key, spec in self.news.items()}

    @property
    def polled(self) -> tuple[RateSpec | FeedSpec, ...]:
        """Every source that is polled: rates first, by rank."""
        rates = sorted(self.rates.values(), key=lambda spec: spec.rank)
        every: list[RateSpec | FeedSpec] = [*rates, *self.news.values()]
        return tuple(spec for spec in every if not spec.disabled)

    def names(self, key: str, language: str) -> str:
        """A source's name in that language, else in English, else in any it has; the key when it has none."""
        spec = self.rates.get(key) or self.news.get(key)
        names = spec.names if spec is not None else {}
        return names.get(language) or names.get("en") or next(iter(names.values()), key)

    def leader(self, currency: str) -> RateSpec | None:
        """The enabled source that leads for a home currency: its own bank, the lowest rank first."""
        own = [spec for spec in self.rates.values() if spec.home == currency and not spec.disabled]
        return min(own, key=lambda spec: spec.rank, default=None)


# ── reading and checking ────────────────────────────────────────────────────

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_CHANNEL = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}|-?[1-9][0-9]{0,18}")
_TOPIC = re.compile(r"[a-z][a-z-]{1,31}")
_DURATION = re.compile(r"(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,7})s)?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")


def parse_duration(text: str) -> timedelta:
    """Read "30s", "5m", "1h30m" or "2d"; ValueError for anything else, also for nothing at all."""
    found = _DURATION.fullmatch(text.strip())
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    every = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not every:
        raise ValueError('a duration such as "30s", "5m" or "1h30m"')
    return every


def parse_clock(text: str) -> time:
    """Read "09:00"; ValueError for anything else."""
    found = _CLOCK.fullmatch(text)
    if not found:
        raise ValueError('a time such as "09:00"')
    return time(int(found[1]), int(found[2]))


def load_catalog(path: Path | None = None) -> Catalog:
    """The catalog in `path`, or the packaged one.

    Raises `ConfigError` with every problem in the file, each with its section, key
    and what would be right.
    """
    try:
        raw = path.read_bytes() if path is not None else files(__package__).joinpath("catalog.toml").read_bytes()
    except OSError:
        raise ConfigError(f"CATALOG: cannot read {path}") from None
    try:
        return parse_catalog(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigError(f"CATALOG: {path} is not UTF-8 text") from None


def parse_catalog(text: str) -> Catalog:
    """The catalog in a TOML text; raises `ConfigError` as `load_catalog` does."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # its message is made for the person who typed it, with line and column
        raise ConfigError(f"CATALOG: not TOML: {error}") from None
    problems: list[str] = []
    rates = _sections(document, "rates", _rate, RateSpec, problems)
    feeds = _sections(document, "feeds", _feed, FeedSpec, problems)
    pages = _sections(document, "pages", _page, PageSpec, problems)
    taken = pages.keys() & (rates.keys() | feeds.keys())
    catalog = Catalog(
        rates=rates,
        feeds=feeds,
        pages={key: replace(spec, key=f"pages.{key}") if key in taken else spec for key, spec in pages.items()},
        channels=_sections(document, "channels", _channel, ChannelSpec, problems),
    )
    problems += [
        f"[{name}]: unknown section; rates, feeds, pages and channels are known"
        for name in document
        if name not in ("rates", "feeds", "pages", "channels")
    ]
    problems += _twice(catalog)
    if problems:
        raise ConfigError(problems)
    return catalog


def _twice(catalog: Catalog) -> Iterable[str]:
    """Rates and feeds share one space of keys: storage and commands name a source by its key alone."""
    seen: dict[str, str] = {}
    for section, keys in (("rates", catalog.rates), ("feeds", catalog.feeds)):
        for key in keys:
            if key in seen:
                yield f"[{section}.{key}]: the key is already used by [{seen[key]}.{key}]; choose another"
            seen.setdefault(key, section)


class Table:
    """One section while it is read: takes known keys, collects what is wrong, names what is left over."""

    def __init__(self, where: str, key: str, values: Mapping[str, object], problems: list[str]) -> None:
        self.where, self.key, self.problems = where, key, problems
        self._left = dict(values)

    def take(self, key: str, read: Callable[[object], T], default: T) -> T:
        """The key's value, or the default when it is absent or wrong."""
        if key not in self._left:
            return default
        try:
            return read(self._left.pop(key))
        except ValueError as error:
            self.problems.append(f"[{self.where}] {key}: should be {error}")
            return default

    def need(self, key: str, read: Callable[[object], T], default: T) -> T:
        """Like `take`, but absence is a problem."""
        if key not in self._left:
            self.problems.append(f"[{self.where}] {key}: missing")
        return self.take(key, read, default)

    def finish(self, known: Collection[str]) -> None:
        """Every key must have been taken."""
        for key in self._left:
            near = get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
            self.problems.append(f"[{self.where}] {key}: unknown key{hint}")


def _sections(
    document: Mapping[str, object],
    section: str,
    read: Callable[[Table], S],
    spec: type[S],
    problems: list[str],
) -> dict[str, S]:
    tables = document.get(section, {})
    if not isinstance(tables, dict):
        problems.append(f"[{section}]: should be tables such as [{section}.key]")
        return {}
    known = _keys_of(spec)
    found: dict[str, S] = {}
    for key, values in tables.items():
        where = f'{section}."{key}"' if section == "channels" else f"{section}.{key}"
        if not isinstance(values, dict):
            problems.append(f"[{where}]: should be a table of settings")
            continue
        allowed, right = _KEYS[section == "channels"]
        if not allowed.fullmatch(key):
            problems.append(f"[{where}]: the key should be {right}")
        table = Table(where, key, values, problems)
        found[key] = read(table)
        table.finish(known)
    return found


_KEYS = {
    False: (_KEY, "at most 40 Latin letters, digits, -, _ and ."),
    True: (_CHANNEL, 'a public name such as "@example" or a numeric id such as "-1001234567890"'),
}


def _keys_of(spec: type[object]) -> tuple[str, ...]:
    """The keys a section may have: the fields of what it becomes, under the names they have in the file."""
    names = {"names": "name", "key": ""}
    found = [names.get(one.name, one.name) for one in fields(spec)]  # type: ignore[arg-type]  # specs are dataclasses
    return tuple(name for name in found if name) + (("holidays",) if spec is RateSpec else ())


def _rate(table: Table) -> RateSpec:
    own = table.key if table.key in SOURCES else ""
    parser = table.take("parser", _parser, own) if own else table.need("parser", _parser, "")
    holidays: frozenset[date | tuple[int, int]] = table.take("holidays", _holidays, frozenset())
    return RateSpec(
        key=table.key,
        parser=parser,
        names=table.need("name", _names, {}),
        urls=table.need("urls", _urls, ()),
        kind=table.take("kind", _one_of(RateKind), SOURCES[parser].kind if parser else RateKind.OFFICIAL),
        poll=_poll(table, timedelta(minutes=30), holidays),
        terms=table.take("terms", _url, None),
        page=table.take("page", _url, None),
        pairs=frozenset(table.take("pairs", _pairs, _NO_PAIRS)),
        rank=table.take("rank", _whole(1, 1000), _LAST_RANK),
        archive=table.take("archive", _url, None),
        disabled=table.take("disabled", _flag, False),  # noqa: FBT003 - a default
    )


def _feed(table: Table) -> FeedSpec:
    return FeedSpec(**_common(table, timedelta(minutes=5)))


def _page(table: Table) -> PageSpec:
    return PageSpec(
        **_common(table, timedelta(minutes=15)),
        item=table.need("item", _selector, ""),
        link=table.need("link", _selector, ""),
        title=table.take("title", _selector, None),
        time=table.take("time", _selector, None),
        body=table.take("body", _selector, None),
    )


def _common(table: Table, every: timedelta) -> dict[str, Any]:
    """The keys that feeds and pages share."""
    return {
        "key": table.key,
        "names": table.take("name", _names, _NO_NAMES),
        "url": table.need("url", _url, ""),
        "language": table.take("language", _language, None),
        "trust": table.take("trust", _whole(1, 3), 2),
        "style": table.take("style", _one_of(Style), Style.BRIEF),
        "topics": table.take("topics", _topics, _NO_TEXTS),
        "terms": table.take("terms", _url, None),
        "page": table.take("page", _url, None),
        "poll": _poll(table, every, frozenset()),
        "disabled": table.take("disabled", _flag, False),  # noqa: FBT003 - a default
    }


def _channel(table: Table) -> ChannelSpec:
    return ChannelSpec(
        key=table.key,
        language=table.take("language", _language, None),
        topics=table.take("topics", _topics, _NO_TEXTS),
        pairs=table.take("pairs", _pairs, _NO_PAIRS),
        digest=table.take("digest", _digest, ()),
        style=table.take("style", _one_of(Style), Style.BRIEF),
        disabled=table.take("disabled", _flag, False),  # noqa: FBT003 - a default
    )


def _poll(table: Table, every: timedelta, holidays: frozenset[date | tuple[int, int]]) -> PollSpec:
    nothing: dict[str, object] = {}
    values = table.take("poll", _table, nothing)
    poll = Table(f"{table.where}.poll", "", values, table.problems)
    spec = PollSpec(
        every=poll.take("every", _duration, every),
        between=poll.take("between", _between, None),
        zone=poll.take("zone", _zone, DEFAULT_ZONE),
        days=poll.take("days", _days, frozenset(range(7))),
        holidays=holidays,
    )
    poll.finish(("every", "between", "zone", "days"))
    return spec


# ── values: each returns the value or raises ValueError("what would be right") ──


def _text(value: object, right: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(right)
    return value.strip()


def _texts(value: object, right: str) -> list[str]:
    if not isinstance(value, list) or len(set(map(str, value))) != len(value):
        raise ValueError(right)
    return [_text(item, right) for item in value]


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError('a table such as { every = "30m" }')  # noqa: TRY004 - all of these are one kind of answer
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - likewise
    return value


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def _one_of(kinds: type[E]) -> Callable[[object], E]:
    def read(value: object) -> E:
        right = "one of " + ", ".join(kinds)
        try:
            return kinds(_text(value, right))
        except ValueError:
            raise ValueError(right) from None

    return read


def _names(value: object) -> dict[str, str]:
    right = f'a table of names by language ({", ".join(LANGUAGES)}), such as {{ en = "Name" }}'
    if not isinstance(value, dict) or not value or not set(value) <= set(LANGUAGES):
        raise ValueError(right)
    return {language: _text(name, right) for language, name in value.items()}


def _language(value: object) -> str:
    right = f"one of {', '.join(LANGUAGES)}"
    if _text(value, right) not in LANGUAGES:
        raise ValueError(right)
    return _text(value, right)


def _parser(value: object) -> str:
    right = f"one of {', '.join(SOURCES)}"
    if _text(value, right) not in SOURCES:
        raise ValueError(right)
    return _text(value, right)


def _url(value: object) -> str:
    right = "an http or https address without a password in it"
    text = _text(value, right)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # both raise on nonsense
    except ValueError:
        raise ValueError(right) from None
    if parts.scheme not in ("http", "https") or not host or not _HOST.fullmatch(parts.netloc) or " " in text:
        raise ValueError(right)
    return text


def _urls(value: object) -> tuple[str, ...]:
    right = "a list of http or https addresses, each once"
    found = _texts(value, right)
    if not found:
        raise ValueError(right)
    if any(set("{}") & set(PLACEHOLDER.sub("", text)) for text in found):
        raise ValueError("addresses whose only braces are days such as {today:%d.%m.%Y}")
    return tuple(_url(text) for text in found)


def _topics(value: object) -> tuple[str, ...]:
    right = 'a list of topics such as ["security"]'
    found = _texts(value, right)
    if not all(_TOPIC.fullmatch(topic) for topic in found):
        raise ValueError(right)
    return tuple(found)


def _pairs(value: object) -> tuple[Pair, ...]:
    right = 'a list of pairs such as ["USD/KGS"]'
    try:
        return tuple(Pair.parse(text) for text in _texts(value, right))
    except ValueError:
        raise ValueError(right) from None


def _digest(value: object) -> tuple[time, ...]:
    right = 'a list of times such as ["09:00", "18:00"]'
    try:
        return tuple(sorted(parse_clock(text) for text in _texts(value, right)))
    except ValueError:
        raise ValueError(right) from None


def _selector(value: object) -> str:
    return _text(value, 'a CSS selector such as ".news .title a"')


def _duration(value: object) -> timedelta:
    return parse_duration(_text(value, 'a duration such as "30s", "5m" or "1h30m"'))


def _between(value: object) -> tuple[time, time]:
    right = 'local hours such as "14:00-19:00", the earlier first'
    start, _, end = _text(value, right).partition("-")
    try:
        window = parse_clock(start.strip()), parse_clock(end.strip())
    except ValueError:
        raise ValueError(right) from None
    if window[0] >= window[1]:
        raise ValueError(right)
    return window


def _zone(value: object) -> str:
    right = 'a time zone such as "Asia/Bishkek"'
    name = _text(value, right)
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a name that is no zone, a folder of zones, a path that leaves them
        raise ValueError(right) from None
    return name


def _days(value: object) -> frozenset[int]:
    right = 'days such as "mon-fri" or "tue,sat"'
    found: set[int] = set()
    for part in _text(value, right).lower().split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise ValueError(right)
        start = WEEKDAYS.index(first)
        length = (WEEKDAYS.index(last) - start) % 7 if dash else 0
        found.update((start + step) % 7 for step in range(length + 1))
    return frozenset(found)


def _holidays(value: object) -> frozenset[date | tuple[int, int]]:
    right = 'a list of days such as ["03-21", "2026-05-27"]'
    return frozenset(_holiday(item, right) for item in (value if isinstance(value, list) else [None]))


def _holiday(value: object, right: str) -> date | tuple[int, int]:
    if isinstance(value, date) and not isinstance(value, datetime):  # TOML has dates of its own
        return value
    text = _text(value, right)
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        day = date.fromisoformat(f"2024-{text}")  # a leap year, so that 29 February is a day
    except ValueError:
        raise ValueError(right) from None
    return day.month, day.day
