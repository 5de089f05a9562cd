"""The catalog: sources and channels as data, so that a new feed is a line in a file and not a
change of the program.

Written by an operator by hand, so everything in it is checked at once and every
problem is named with its section, its key and what would be right. A typing
mistake in a key is a problem too: `langauge = "ky"` must not be ignored silently.

The `…Section` models are what the file may say; a spec (`bot/sources/specs.py`) is
what the program makes of a section. The values' own forms are in `bot/grammar.py`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from bot.errors import ConfigError
from bot.grammar import (
    Address,
    Duration,
    Language,
    Weekdays,
    Window,
    Zone,
    list_of,
    nearest,
    one_of,
    parse_address,
    parse_clock,
    parse_duration,
    parse_text,
    whole,
)
from bot.languages import LANGUAGES
from bot.model.chats import Style
from bot.model.rates import Pair, RateKind
from bot.sources import banks
from bot.sources.banks import SOURCES
from bot.sources.base import PLACEHOLDER
from bot.sources.selectors import RIGHT as RIGHT_SELECTOR
from bot.sources.selectors import xpath_of
from bot.sources.specs import (
    DEFAULT_ZONE,
    LAST_RANK,
    Catalog,
    ChannelSpec,
    FeedSpec,
    PageSpec,
    PollSpec,
    RateSpec,
)

__all__ = [
    "Catalog",
    "ChannelSpec",
    "FeedSpec",
    "PageSpec",
    "PollSpec",
    "RateSpec",
    "load_catalog",
    "parse_catalog",
    "parse_clock",
    "parse_duration",
]

LONGEST_CATALOG = 8 * 2**20  # bytes; ten thousand sources are a quarter of it

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_CHANNEL = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}|-?[1-9][0-9]{0,18}")
_TOPIC = re.compile(r"[a-z][a-z-]{1,31}")

#: The topics that have a name in every language.
TOPICS = ("security", "economy", "politics", "society", "world", "culture", "sport")

Holiday = date | tuple[int, int]


# ── values: each returns the value or raises ValueError("what would be right") ──


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - pydantic translates a ValueError, and all of these are one
    return value


def _table(value: object) -> object:
    if not isinstance(value, (dict, BaseModel)):
        raise ValueError('a table such as { every = "30m" }')  # noqa: TRY004 - likewise
    return value


def _names(value: object) -> dict[str, str]:
    right = f'a table of names by language ({", ".join(LANGUAGES)}), such as {{ en = "Name" }}'
    if not isinstance(value, dict) or not value or not set(value) <= set(LANGUAGES):
        raise ValueError(right)
    return {language: parse_text(name, right) for language, name in value.items()}


def _addresses(value: object) -> tuple[str, ...]:
    found = list_of(str, "a list of http or https addresses, each once")(value)
    if not found:
        raise ValueError("a list of http or https addresses, each once")
    for address in found:
        if set("{}") & set(PLACEHOLDER.sub("", address)):
            raise ValueError("addresses whose only braces are days such as {today:%d.%m.%Y}")
        parse_address(address if "{" not in address else PLACEHOLDER.sub("0", address))
    return found


def _topic(value: object) -> str:
    """A topic: one of ours, or a catalog's own word that is not one of ours mistyped."""
    if not isinstance(value, str) or not _TOPIC.fullmatch(value):
        raise ValueError("")
    if value not in TOPICS and (hint := nearest(value, TOPICS)):
        raise ValueError(hint)
    return value


def _pair(value: object) -> Pair:
    pair = Pair.parse(str(value))
    if pair.base == pair.quote:
        raise ValueError(f"; {pair} never moves")
    return pair


def _digest_times(value: object) -> tuple[time, ...]:
    return tuple(sorted(list_of(parse_clock, 'a list of times such as ["09:00", "18:00"]')(value)))


def _selector(value: object) -> str:
    selector = parse_text(value, RIGHT_SELECTOR)
    xpath_of(selector)
    return selector


def _holidays(value: object) -> frozenset[Holiday]:
    right = 'a list of days such as ["03-21", "2026-05-27"]'
    if not isinstance(value, list):
        raise ValueError(right)  # noqa: TRY004 - likewise
    return frozenset(_holiday(item, right) for item in value)


def _holiday(value: object, right: str) -> Holiday:
    if isinstance(value, date) and not isinstance(value, datetime):  # TOML has dates of its own
        return value
    text = parse_text(value, right)
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        day = date.fromisoformat(f"2024-{text}")  # a leap year, so that 29 February is a day
    except ValueError:
        raise ValueError(right) from None
    return day.month, day.day


Flag = Annotated[bool, PlainValidator(_flag)]
Names = Annotated[dict[str, str], PlainValidator(_names)]
Selector = Annotated[str, PlainValidator(_selector)]
Topics = Annotated[
    tuple[str, ...], PlainValidator(list_of(_topic, 'a list of topics such as ["security"]'))
]
Pairs = Annotated[
    tuple[Pair, ...], PlainValidator(list_of(_pair, 'a list of pairs such as ["USD/KGS"]'))
]
StyleName = Annotated[str, PlainValidator(one_of(Style))]


# ── sections: what the file may say ─────────────────────────────────────────


class Section(BaseModel):
    """A table of the file: known keys alone, each with a value of its form."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys of such a section by their names in the file, its own before every source's."""
        names = sorted(cls.model_fields, key=lambda name: name in SourceSection.model_fields)
        return tuple(cls.model_fields[name].alias or name for name in names)


class PollSection(Section):
    """When a source is looked at; `every` has a default of its own in each kind of section."""

    every: Duration | None = None
    between: Window | None = None
    zone: Zone = DEFAULT_ZONE
    days: Weekdays = frozenset(range(7))


class SourceSection(Section):
    """The keys that every polled source may have."""

    DEFAULT_EVERY: ClassVar[timedelta]

    poll: Annotated[PollSection, BeforeValidator(_table)] = PollSection()
    terms: Address | None = None
    page: Address | None = None
    disabled: Flag = False

    def common(self, holidays: frozenset[Holiday] = frozenset()) -> dict[str, Any]:
        """The fields of a spec that every source has, from this section."""
        poll = PollSpec(
            every=self.poll.every or self.DEFAULT_EVERY,
            between=self.poll.between,
            zone=self.poll.zone,
            days=self.poll.days,
            holidays=holidays,
        )
        return {"poll": poll, "terms": self.terms, "page": self.page, "disabled": self.disabled}


class RateSection(SourceSection):
    """`[rates.KEY]`: a publisher of rates. Where the key is a parser's name, that is its parser."""

    DEFAULT_EVERY = timedelta(minutes=30)

    parser: Annotated[str, PlainValidator(one_of(SOURCES))]
    names: Names = Field(alias="name")
    urls: Annotated[tuple[str, ...], PlainValidator(_addresses)]
    kind: Annotated[str, PlainValidator(one_of(RateKind))] | None = None
    holidays: Annotated[frozenset[Holiday], PlainValidator(_holidays)] = frozenset()
    pairs: Pairs = ()
    rank: Annotated[int, PlainValidator(whole(1, 1000))] = LAST_RANK
    archive: Address | None = None

    def spec(self, key: str) -> RateSpec:
        """The source that this section describes."""
        return RateSpec(
            key=key,
            parser=self.parser,
            names=self.names,
            urls=self.urls,
            kind=RateKind(self.kind) if self.kind else SOURCES[self.parser].kind,
            pairs=frozenset(self.pairs),
            rank=self.rank,
            archive=self.archive,
            **self.common(self.holidays),
        )


class FeedSection(SourceSection):
    """`[feeds.KEY]`: RSS, Atom, RDF or JSON Feed."""

    DEFAULT_EVERY = timedelta(minutes=5)

    names: Names = Field({}, alias="name")
    url: Address
    language: Language | None = None
    trust: Annotated[int, PlainValidator(whole(1, 3))] = 2
    style: StyleName = Style.BRIEF
    topics: Topics = ()

    def described(self, key: str) -> dict[str, Any]:
        """The fields of a spec that feeds and pages share."""
        return {
            "key": key,
            "names": self.names,
            "url": self.url,
            "language": self.language,
            "trust": self.trust,
            "style": Style(self.style),
            "topics": self.topics,
            **self.common(),
        }

    def spec(self, key: str) -> FeedSpec:
        """The source that this section describes."""
        return FeedSpec(**self.described(key))


class PageSection(FeedSection):
    """`[pages.KEY]`: a list page and the articles behind it, by CSS selectors."""

    DEFAULT_EVERY = timedelta(minutes=15)

    item: Selector
    link: Selector
    title: Selector | None = None
    time: Selector | None = None
    body: Selector | None = None

    def spec(self, key: str) -> PageSpec:
        """The source that this section describes."""
        selectors = {
            name: getattr(self, name) for name in ("item", "link", "title", "time", "body")
        }
        return PageSpec(**self.described(key), **selectors)


class ChannelSection(Section):
    """`[channels."@name"]`: a channel the bot posts to."""

    language: Language | None = None
    topics: Topics = ()
    pairs: Pairs = ()
    digest: Annotated[tuple[time, ...], PlainValidator(_digest_times)] = ()
    style: StyleName = Style.BRIEF
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
            disabled=self.disabled,
        )


SECTIONS: dict[str, type[RateSection | FeedSection | ChannelSection]] = {
    "rates": RateSection,
    "feeds": FeedSection,
    "pages": PageSection,
    "channels": ChannelSection,
}

AnySection = TypeVar("AnySection", RateSection, FeedSection, PageSection, ChannelSection)


# ── reading and checking ────────────────────────────────────────────────────


def load_catalog(path: Path | None = None) -> Catalog:
    """The catalog in `path`, or the packaged one.

    Raises `ConfigError` with every problem in the file, each with its section, key
    and what would be right; and with what a bank's module lacks.
    """
    if wrong := banks.problems():
        raise ConfigError(wrong)
    if path is None:
        return parse_catalog(
            files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8")
        )
    shown = str(path) if len(str(path)) <= 200 else f"{str(path)[:200]}…"
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_CATALOG + 1)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        raise ConfigError(f"CATALOG: cannot read {shown}") from None
    if len(raw) > LONGEST_CATALOG:
        raise ConfigError(f"CATALOG: {shown} is larger than {LONGEST_CATALOG // 2**20} MiB")
    try:
        return parse_catalog(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"CATALOG: {shown} is not UTF-8 text") from None


def parse_catalog(text: str) -> Catalog:
    """The catalog in a TOML text; raises `ConfigError` as `load_catalog` does."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # its message is made for the person who typed it, with line and column
        raise ConfigError(f"CATALOG: not TOML: {error}") from None
    except RecursionError:
        raise ConfigError("CATALOG: not TOML: brackets nested too deeply") from None
    except ValueError:  # Python reads no numbers of more than 4,300 digits
        raise ConfigError("CATALOG: not TOML: a number with too many digits") from None
    problems: list[str] = []
    rates = _read(document, "rates", RateSection, problems)
    feeds = _read(document, "feeds", FeedSection, problems)
    pages = _read(document, "pages", PageSection, problems)
    channels = _read(document, "channels", ChannelSection, problems)
    for name in document:
        if name not in SECTIONS:
            hint = nearest(name, SECTIONS) or "; rates, feeds, pages and channels are known"
            problems.append(f"[{name}]: unknown section{hint}")
    problems += _used_twice(document)
    problems += _named_alike({"rates": rates, "feeds": feeds, "pages": pages})
    problems += _brought_by_nobody(channels, feeds, pages)
    if problems:
        raise ConfigError(problems)
    taken = pages.keys() & (rates.keys() | feeds.keys())
    return Catalog(
        rates={key: section.spec(key) for key, section in rates.items()},
        feeds={key: section.spec(key) for key, section in feeds.items()},
        pages={
            key: section.spec(f"pages.{key}" if key in taken else key)
            for key, section in pages.items()
        },
        channels={key: section.spec(key) for key, section in channels.items()},
    )


def _read(
    document: Mapping[str, object], kind: str, model: type[AnySection], problems: list[str]
) -> dict[str, AnySection]:
    """The right sections of one kind, by key; what is wrong with others goes to `problems`."""
    tables = document.get(kind, {})
    if not isinstance(tables, dict):
        problems.append(f"[{kind}]: should be tables such as [{kind}.key]")
        return {}
    found: dict[str, AnySection] = {}
    for key, values in tables.items():
        where = _where(kind, key)
        if not isinstance(values, dict):
            problems.append(_no_table(kind, key, where, model))
            continue
        problems += _wrong_key(kind, key, where)
        own_parser: dict[str, object] = (
            {"parser": key} if kind == "rates" and key in SOURCES else {}
        )
        try:
            found[key] = model.model_validate(own_parser | values)
        except ValidationError as error:
            problems += [_explain(where, key, model, item) for item in error.errors()]
    return found


def _no_table(kind: str, key: str, where: str, model: type[Section]) -> str:
    known = model.keys()
    if key in known:
        example = '[channels."@example"]' if kind == "channels" else f"[{kind}.example]"
        return f"[{kind}] {key}: belongs into a section of its own such as {example}"
    return f"[{where}]: should be a table of settings"


def _where(kind: str, key: str) -> str:
    """A section's name as it stands in the file."""
    return (
        f"{kind}.{key}"
        if kind != "channels" and _KEY.fullmatch(key) and "." not in key
        else f'{kind}."{key}"'
    )


def _wrong_key(kind: str, key: str, where: str) -> Iterator[str]:
    if kind == "channels" and not _CHANNEL.fullmatch(key):
        right = 'a public name such as "@example" or a numeric id such as "-1001234567890"'
        yield f"[{where}]: the key should be {right}"
    elif kind != "channels" and not _KEY.fullmatch(key):
        yield f"[{where}]: the key should be at most 40 Latin letters, digits, -, _ and ."


def _explain(where: str, key: str, model: type[Section], item: Any) -> str:  # noqa: ANN401 - pydantic's error details
    """One problem that pydantic found, in our words: section, key, and what would be right."""
    *outer, name = (str(part) for part in item["loc"])
    place = ".".join([where, *outer])
    known = (PollSection if outer else model).keys()
    if item["type"] == "extra_forbidden":
        hint = nearest(name, known) or f"; known are {', '.join(known)}"
        return f"[{place}] {name}: unknown key{hint}"
    if item["type"] == "missing":
        hint = nearest(key, SOURCES) if name == "parser" else ""
        return f"[{place}] {name}: missing{hint}"
    return f"[{place}] {name}: should be {str(item['msg']).removeprefix('Value error, ')}"


def _used_twice(document: Mapping[str, object]) -> Iterable[str]:
    """Sources that would share what is stored of them, and channels that are one.

    Rates and feeds share one space of keys: storage and commands name a source by its key alone. A
    page gives way: its key becomes `pages.KEY` there. Telegram takes no notice of capitals in a
    channel's name.
    """
    seen: dict[str, str] = {}
    for kind in ("rates", "feeds"):
        for key in _keys(document, kind):
            if key in seen:
                first = seen[key]
                yield f"[{_where(kind, key)}]: the key is already used by [{first}]; choose another"
            seen.setdefault(key, _where(kind, key))
    pages = _keys(document, "pages")
    for key in pages:
        stored = f"pages.{key}"
        if key in seen and (stored in seen or stored in pages):
            problem = f"its stored name {stored} is another source's key; choose another"
            yield f"[{_where('pages', key)}]: {problem}"
    for kinds in (("rates", "feeds"), ("pages",)):
        yield from _alike_but_for_capitals(
            [(kind, key) for kind in kinds for key in _keys(document, kind)]
        )
    channels: dict[str, str] = {}
    for key in _keys(document, "channels"):
        if key.lower() in channels:
            yield f'[channels."{key}"]: is the channel of [channels."{channels[key.lower()]}"] too'
        channels.setdefault(key.lower(), key)


def _alike_but_for_capitals(sections: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Keys that are mistaken for each other: commands and logs name a source by its key."""
    seen: dict[str, tuple[str, str]] = {}
    for kind, key in sections:
        first, first_key = seen.setdefault(key.lower(), (kind, key))
        if first_key != key:
            other = _where(first, first_key)
            problem = f"differs from [{other}] by capitals alone; choose another key"
            yield f"[{_where(kind, key)}]: {problem}"


def _named_alike(kinds: Mapping[str, Mapping[str, RateSection | FeedSection]]) -> Iterator[str]:
    """Sources of one name: a reader could not tell whose word it is. Disabled ones are not asked.

    Feeds and pages of one host may share their publisher's name.
    """
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for kind, sections in kinds.items():
        for key, section in sections.items():
            if section.disabled:
                continue
            where = _where(kind, key)
            host = (
                urlsplit(section.url).netloc.lower() if isinstance(section, FeedSection) else where
            )
            for language, name in section.names.items():
                other, others_host = seen.setdefault((language, name.casefold()), (where, host))
                if others_host != host:
                    yield f"[{where}] name: {language} is the name of [{other}] too; choose another"


def _brought_by_nobody(
    channels: Mapping[str, ChannelSection],
    feeds: Mapping[str, FeedSection],
    pages: Mapping[str, FeedSection],
) -> Iterator[str]:
    """Problems of channels' topics that no story will have: neither ours nor any source's."""
    own = {
        topic
        for sections in (feeds, pages)
        for section in sections.values()
        for topic in section.topics
    }
    known = (*TOPICS, *sorted(own - set(TOPICS)))
    for key, section in channels.items():
        for topic in section.topics:
            if topic not in known:
                problem = f"{topic} is no topic; known are {', '.join(known)}"
                yield f"[{_where('channels', key)}] topics: {problem}"


def _keys(document: Mapping[str, object], kind: str) -> list[str]:
    tables = document.get(kind)
    return list(tables) if isinstance(tables, dict) else []
