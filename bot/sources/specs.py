"""Sources and channels as they are once the catalog is read; frozen.

Plain dataclasses without pydantic, because the worker processes that read pages get a spec with
their work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import cached_property, partial
from urllib.parse import urlsplit

from bot.model.chats import Style
from bot.model.news import Entry, Verdict
from bot.model.places import Place
from bot.model.quiet import QuietHours
from bot.model.rates import Pair, Rate, RateKind
from bot.proxy_address import secrets_in
from bot.sources.banks import SOURCES
from bot.sources.base import Parsed, RateSource, Request
from bot.sources.links import origin
from bot.sources.listed import ArticleReader, EntryReader, ListReader, read_all
from bot.sources.timetable import PollSpec

LAST_RANK = 100  # of a source that the catalog gives none
#: Headers whose values are no secrets; whatever a host invents for its keys is none of these.
OPEN_HEADERS = frozenset({
    "accept", "accept-language", "cache-control", "dnt", "origin", "pragma", "referer",
    "x-requested-with",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """The manner in which a source is asked: what its host wants to hear, and through which proxy.

    Neither headers nor a proxy's address are ever printed with a spec: keys may be in them.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    user_agent: str | None = None
    proxy: str | None = field(default=None, repr=False)

    def as_asked(self, request: Request, *, home: str | None = None) -> Request:
        """The request with what the catalog says of this source.

        Headers are for the source's own host: with `home`, the address it is configured by, only
        for what lies on the same origin.
        """
        headers = dict(request.headers)
        if home is None or origin(home) == origin(request.url):
            headers |= self.headers
        if self.user_agent is not None:
            headers["User-Agent"] = self.user_agent
        return replace(request, headers=headers, proxy=self.proxy)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no log may show: those of headers with a key, and a proxy's password."""
        found: list[str] = []
        for name, value in self.headers.items():
            # what stands behind "Bearer" or "Basic" is a secret by itself, too
            if name.lower() not in OPEN_HEADERS:
                found += [value, *value.split()[1:]]
        if self.proxy is not None:
            found += secrets_in(self.proxy)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec(Manner):
    """The facts of every source: its key, its names, when it is asked, and whether at all."""

    key: str
    names: Mapping[str, str]
    poll: PollSpec
    terms: str | None = None
    page: str | None = None
    disabled: bool = False
    verified: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSpec(SourceSpec):
    """A publisher of rates.

    `pairs` narrows what is kept of it (empty: all); the lowest `rank` leads for a currency.
    `archive` is a server asked for history instead of the publisher's own, at the same paths.
    """

    parser: str
    urls: tuple[str, ...]
    kind: RateKind
    pairs: frozenset[Pair] = frozenset()
    rank: int = LAST_RANK
    archive: str | None = None

    @property
    def host(self) -> str | None:
        """The host that is asked first; a bank's documents mostly have one."""
        return urlsplit(self.urls[0]).hostname

    @property
    def source(self) -> RateSource:
        """The publisher: how it is asked and read."""
        return SOURCES[self.parser]

    @property
    def home(self) -> str:
        """The publisher's own currency."""
        return self.source.home

    def requests(self, today: date) -> tuple[Request, ...]:
        """The requests of one poll; `today` is the day in the source's zone."""
        return tuple(self.as_asked(self.source.request(url, today)) for url in self.urls)

    def parse(self, body: bytes, *, url: str | None = None) -> Parsed:
        """Read one answer; only the wanted pairs stay. Raises `ParseError`."""
        parsed = self.source.parse(body, source=self.key, url=url, kind=self.kind)
        if not self.pairs:
            return parsed
        wanted: list[Rate] = []
        for rate in parsed.rates:
            if rate.pair in self.pairs:
                wanted.append(rate)
        return replace(parsed, rates=tuple(wanted))

    def history(self, since: date, until: date) -> Sequence[Request]:
        """The requests of a backfill, most wanted first; none when there is no history."""
        wanted: set[str] = set()
        for pair in self.pairs:
            wanted.update({pair.base, pair.quote})
        wanted.discard(self.home)  # every rate of the publisher is against it
        history = self.source.history_requests(since, until, wanted or None)
        asked = [self.as_asked(one) for one in history]
        if self.archive is None:
            return asked
        scheme, host, *_ = urlsplit(self.archive)
        moved: list[Request] = []
        for one in asked:
            parts = urlsplit(one.url)._replace(scheme=scheme, netloc=host)
            moved.append(replace(one, url=parts.geturl()))
        return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsSpec(SourceSpec, ABC):
    """A publisher of stories, of any kind. `topics` are added to the detected ones.

    `trust` (1 official, 2 agency, 3 aggregator), `style`, as much of its text as anybody is shown,
    and `pictures`, whether those of its pages may be, are explained in `bot.sources.standing`.
    Feeds of one `publisher` are one source where two are asked for (`bot.sources.houses`).
    """

    url: str
    language: str | None = None
    trust: int = 2
    publisher: str | None = None
    style: Style = Style.BRIEF
    pictures: bool = False
    topics: tuple[str, ...] = ()

    @property
    def host(self) -> str | None:
        """The host that is asked."""
        return urlsplit(self.url).hostname

    @property
    def request(self) -> Request:
        """The request of one poll."""
        return self.as_asked(Request(url=self.url))

    def behind(self, link: str) -> Request:
        """The request for the article behind an entry's link."""
        return self.as_asked(Request(url=link), home=self.url)

    @abstractmethod
    def entries(self, now: datetime) -> EntryReader:
        """The reader of its document; `now` dates what the publisher dates by the hour alone."""

    def listed(self, now: datetime, known: bytes) -> ListReader:  # noqa: ARG002 - few kinds skip
        """The reader of its document again, without the items whose hashes are `known`."""
        return partial(read_all, self.entries(now))

    def verdict(self, item: Entry) -> Verdict | None:  # noqa: ARG002 - others are judged by words
        """The verdict on an entry without reading its words; None where only they tell."""
        return None

    @property
    def measures(self) -> bool:
        """Whether its entries are values that an institute measured."""
        return False

    def told_at(self, item: Entry) -> datetime | None:
        """The moment that says whether an entry is still news; None where nobody told it."""
        return item.published_at

    def taken_back(self, item: Entry) -> Entry:
        """A stored entry as one that its publisher has withdrawn."""
        return item

    @property
    def speaks_often(self) -> bool:
        """Whether silence of weeks means trouble: not where it tells of rare events alone."""
        return True

    @property
    def article(self) -> ArticleReader | None:
        """The reader of the text behind an entry's link; None where the entries have their text."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """A channel to post to: "@name" or a number; `digest` times are sorted, in the bot's zone.

    Its currencies stand in the order of `pairs`. With a `board` rates and the last stories stand in
    a pinned message, edited in place.
    """

    key: str
    language: str | None = None
    topics: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    digest: tuple[time, ...] = ()
    style: Style = Style.BRIEF
    quiet: QuietHours | None = None
    board: bool = False
    disabled: bool = False

    @property
    def chat(self) -> int | str:
        """The channel's name or number, as Telegram takes it."""
        if self.key.startswith("@"):
            return self.key
        return int(self.key)


@dataclass(frozen=True, kw_only=True)  # no slots: what is put together of ten thousand is kept
class Catalog:
    """All sections, in the order of the file; disabled entries are included."""

    rates: Mapping[str, RateSpec] = field(default_factory=dict)
    #: The other sources, by the kind of their section and their key in it.
    kinds: Mapping[str, Mapping[str, SourceSpec]] = field(default_factory=dict)
    channels: Mapping[str, ChannelSpec] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)

    @cached_property
    def news(self) -> Mapping[str, NewsSpec]:
        """Publishers of stories, by the key under which each is stored and named in commands.

        One of a kind that gives way, whose key another source has, is `kind.KEY` there.
        """
        every: dict[str, NewsSpec] = {}
        for of_kind in self.kinds.values():
            for spec in of_kind.values():
                if isinstance(spec, NewsSpec):
                    every[spec.key] = spec
        return every

    @cached_property
    def kin(self) -> Mapping[str, str]:
        """Each further feed of a publisher → the first, which stands for all."""
        first: dict[str, str] = {}
        for key, spec in self.news.items():
            if spec.publisher is not None:
                first.setdefault(spec.publisher, key)
        found: dict[str, str] = {}
        for key, spec in self.news.items():
            if spec.publisher is not None and first[spec.publisher] != key:
                found[key] = first[spec.publisher]
        return found

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of any source, enabled or not, that no log may show."""
        found: list[str] = []
        for of_kind in (self.rates, *self.kinds.values()):
            for spec in of_kind.values():
                found += spec.secrets
        return tuple(found)

    @cached_property
    def feed_names(self) -> dict[str, dict[str, str]]:
        """The names of publishers of stories: key → language → name."""
        return {key: dict(spec.names) for key, spec in self.news.items()}

    @cached_property
    def polled(self) -> tuple[RateSpec | NewsSpec, ...]:
        """Every source that is polled: rates first, by rank."""
        rates = sorted(self.rates.values(), key=lambda spec: spec.rank)
        every: list[RateSpec | NewsSpec] = [*rates, *self.news.values()]
        return tuple(spec for spec in every if not spec.disabled)

    @cached_property
    def by_key(self) -> Mapping[str, RateSpec | NewsSpec]:
        """Every source that is polled, by its key."""
        return {spec.key: spec for spec in self.polled}

    def names(self, key: str, language: str) -> str:
        """A source's name in that language, else in English, else in any; at last its key."""
        spec = self.rates.get(key) or self.news.get(key)
        if spec is None:  # removed from the catalog; what it told is stored and still shown
            return key
        names = spec.names
        return names.get(language) or names.get("en") or next(iter(names.values()), key)

    def leader(self, currency: str) -> RateSpec | None:
        """The enabled source that leads for a home currency: its own bank's, lowest rank."""
        return self._leaders.get(currency)

    def leading(self, currency: str) -> RateSpec | None:
        """The source that leads where one must: the leader, else the first that is enabled."""
        return self.leader(currency) or next(iter(self.enabled_rates), None)

    @cached_property
    def enabled_rates(self) -> tuple[RateSpec, ...]:
        """The sources of rates that are enabled, in the catalog's order."""
        return tuple(spec for spec in self.rates.values() if not spec.disabled)

    @cached_property
    def _leaders(self) -> Mapping[str, RateSpec]:
        """Home currency → its leader; every question asks for one."""
        leaders: dict[str, RateSpec] = {}
        for spec in self.rates.values():
            before = leaders.get(spec.home)
            if not spec.disabled and (before is None or spec.rank < before.rank):
                leaders[spec.home] = spec
        return leaders
