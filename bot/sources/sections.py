"""The sections of a catalog: what the file may say, and the spec that each section describes.

A spec (`bot/sources/specs.py`) is what the program makes of a section.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.grammar import Address, Duration, Language, Quiet, Weekdays, Window, Zone
from bot.model.chats import Style
from bot.model.places import Place
from bot.model.rates import RateKind
from bot.sources.banks import SOURCES
from bot.sources.specs import LAST_RANK, ChannelSpec, NewsSpec, RateSpec, SourceSpec
from bot.sources.timetable import DEFAULT_ZONE, PollSpec
from bot.sources.values import (
    Addresses,
    DigestTimes,
    Flag,
    Headers,
    Holiday,
    Holidays,
    Kind,
    Latitude,
    Longitude,
    Names,
    Pairs,
    Parser,
    PlaceKey,
    Proxy,
    PublisherName,
    Rank,
    StyleName,
    Topics,
    Trust,
    UserAgent,
    parse_table,
)


class Section(BaseModel):
    """A table of the file: known keys alone, each with a value of its form."""

    # a misspelt key would else be one that is left out
    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys of such a section by their names in the file, its own before every source's."""
        # pydantic lists a parent's fields first; an operator looks for the section's own.
        common = SourceSection.model_fields.keys() - {"names"}
        names = sorted(cls.model_fields, key=lambda name: name in common)
        return tuple(cls.model_fields[name].alias or name for name in names)


class PollSection(Section):
    """The times at which a source is polled; each kind of section has its own `DEFAULT_EVERY`."""

    every: Duration | None = None
    slowest: Duration | None = None
    between: Window | None = None
    zone: Zone = DEFAULT_ZONE
    days: Weekdays = frozenset(range(7))


class SourceSection(Section):
    """The keys that every polled source may have."""

    #: How often a source is asked whose section does not say: its publisher's usual pace.
    DEFAULT_EVERY: ClassVar[timedelta]

    names: Names = Field({}, alias="name")
    poll: Annotated[PollSection, BeforeValidator(parse_table)] = PollSection()
    terms: Address | None = None
    page: Address | None = None
    disabled: Flag = False
    verified: Flag = True
    # never printed with a section: keys and passwords may be in them
    headers: Headers = Field({}, repr=False)
    user_agent: UserAgent | None = None
    proxy: Proxy | None = Field(None, repr=False)

    @property
    def pause(self) -> timedelta:
        """The longest pause between two polls of it, where it brings something."""
        return self.poll.every or self.DEFAULT_EVERY

    @abstractmethod
    def spec(self, key: str) -> SourceSpec:
        """The source that this section describes."""

    def common(self, key: str, holidays: frozenset[Holiday] = frozenset()) -> dict[str, Any]:
        """The fields of a spec that every source has, from this section."""
        poll = PollSpec(
            every=self.pause,
            slowest=self.poll.slowest,
            between=self.poll.between,
            zone=self.poll.zone,
            days=self.poll.days,
            holidays=holidays,
        )
        return {
            "key": key,
            "names": self.names,
            "poll": poll,
            "terms": self.terms,
            "page": self.page,
            "disabled": self.disabled,
            "verified": self.verified,
            "headers": self.headers,
            "user_agent": self.user_agent,
            "proxy": self.proxy,
        }


class RateSection(SourceSection):
    """`[rates.KEY]`: a publisher of rates. Where the key is a parser's name, that is its parser."""

    DEFAULT_EVERY = timedelta(minutes=30)

    parser: Parser
    names: Names = Field(alias="name")
    urls: Addresses
    kind: Kind | None = None
    holidays: Holidays = frozenset()
    pairs: Pairs = ()
    rank: Rank = LAST_RANK
    archive: Address | None = None

    def spec(self, key: str) -> RateSpec:
        """The source that this section describes."""
        kind = SOURCES[self.parser].kind
        if self.kind:
            kind = RateKind(self.kind)
        return RateSpec(
            parser=self.parser,
            urls=self.urls,
            kind=kind,
            pairs=frozenset(self.pairs),
            rank=self.rank,
            archive=self.archive,
            **self.common(key, self.holidays),
        )


class NewsSection(SourceSection):
    """The keys that every publisher of stories may have; `bot/sources/kinds/` has the kinds."""

    url: Address
    language: Language | None = None
    trust: Trust = 2
    publisher: PublisherName | None = None
    style: StyleName = Style.BRIEF
    pictures: Flag = False
    topics: Topics = ()

    @property
    def house(self) -> str:
        """The house of a source, by its host: what one house publishes may have one name."""
        parts = urlsplit(self.url)
        host = (parts.hostname or "").removeprefix("www.")
        return host if parts.port in {None, 80, 443} else f"{host}:{parts.port}"

    def described(self, key: str) -> dict[str, Any]:
        """The fields of a spec that every publisher of stories has, from this section."""
        return {
            "url": self.url,
            "language": self.language,
            "trust": self.trust,
            "publisher": self.publisher,
            "style": Style(self.style),
            "pictures": self.pictures,
            "topics": self.topics,
            **self.common(key),
        }

    @abstractmethod
    def spec(self, key: str) -> NewsSpec:
        """The source that this section describes."""


class PlaceSection(Section):
    """`[places.KEY]`: a place that readers may choose as near to them."""

    names: Names = Field(alias="name")
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    within: PlaceKey | None = None

    def spec(self, key: str) -> Place:
        """The place that this section describes."""
        return Place(
            key=key,
            names=self.names,
            latitude=self.latitude,
            longitude=self.longitude,
            within=self.within,
        )


class ChannelSection(Section):
    """`[channels."@name"]`: a channel the bot posts to."""

    language: Language | None = None
    topics: Topics = ()
    pairs: Pairs = ()
    digest: DigestTimes = ()
    style: StyleName = Style.BRIEF
    quiet: Quiet = None
    board: Flag = False
    disabled: Flag = False

    def spec(self, key: str) -> ChannelSpec:
        """The channel that this section describes."""
        return ChannelSpec(
            key=key,
            language=self.language,
            topics=self.topics,
            pairs=self.pairs,
            digest=self.digest,
            style=Style(self.style),
            quiet=self.quiet,
            board=self.board,
            disabled=self.disabled,
        )
