"""The catalog: sources and channels as data. A new feed is a line in a file, no change of code.

Written by an operator by hand, so everything in it is checked at once and every
problem is named with its section, its key and what would be right. A typing
mistake in a key is a problem too: `langauge = "ky"` must not be ignored silently.

What the file may say is in `bot/sources/sections.py` and, for other sources than banks,
`bot/sources/kinds/`; what must not stand side by side, in `bot/sources/clashes.py`.
"""

from __future__ import annotations

import gc
import pickle
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from bot.errors import ConfigError
from bot.found import nearest
from bot.sources import banks, kinds
from bot.sources.banks import SOURCES
from bot.sources.clashes import (
    KEY,
    asked_twice,
    brought_by_nobody,
    named_alike,
    places_alike,
    slower_than_slowest,
    used_twice,
    where_of,
    within_nothing,
)
from bot.sources.houses import publishers_of
from bot.sources.kinds import KINDS
from bot.sources.sections import (
    ChannelSection,
    NewsSection,
    PlaceSection,
    PollSection,
    RateSection,
    Section,
    SourceSection,
)
from bot.sources.specs import Catalog, NewsSpec, SourceSpec

LONG_CATALOG = 100_000  # characters: a thousand sources
LONGEST_CATALOG = 8 * 2**20  # bytes; ten thousand sources are a quarter of it
#: The sections of the file, in the order in which they are named to an operator.
SECTIONS = ("rates", *KINDS, "channels", "places")

_CHANNEL = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}|-?[1-9][0-9]{0,15}")  # ids have 52 bits

AnySection = TypeVar("AnySection", bound=Section)


def load_catalog(path: Path | None = None) -> Catalog:
    """The catalog in `path`, or the packaged one.

    Raises `ConfigError` with every problem in the file, each with its section, key
    and what would be right; and with what a module of a bank or of a kind of source lacks.
    """
    if wrong := banks.problems() + kinds.problems():
        raise ConfigError(wrong)
    if path is None:
        return parse_catalog(_packaged_text())
    shown = str(path)
    if len(shown) > 200:  # whatever was pasted into the setting
        shown = f"{shown[:200]}…"
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_CATALOG + 1)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        raise ConfigError(f"CATALOG: cannot read {shown}") from None
    if len(raw) > LONGEST_CATALOG:
        raise ConfigError(f"CATALOG: {shown} is larger than {LONGEST_CATALOG // 2**20} MiB")
    try:
        return _read_whole(raw.decode("utf-8-sig"))  # editors of Windows begin it with a mark
    except UnicodeDecodeError:
        raise ConfigError(f"CATALOG: {shown} is not UTF-8 text") from None


def _read_whole(text: str) -> Catalog:
    """The catalog in a file's text. What reading a long one needs lies between what stays of it,
    which would hold 20 MB of ten thousand sources: it is written down, and read again afterwards.
    """
    if len(text) < LONG_CATALOG:
        return parse_catalog(text)
    written = pickle.dumps(parse_catalog(text), pickle.HIGHEST_PROTOCOL)
    gc.collect()  # some of what was read holds itself
    found: Catalog = pickle.loads(written)  # noqa: S301 - what we have just written
    return found


def _packaged_text() -> str:
    return files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8")


def unasked(catalog: Catalog) -> list[str]:
    """The banks that nobody could ask, a sentence each: neither this catalog nor the packaged one
    has a section of theirs. What an operator left out of their own is no mistake.
    """
    asked = {spec.parser for spec in catalog.rates.values()}
    found: list[str] = []
    packaged = ""
    for name in sorted(SOURCES.keys() - asked):
        # looked for in its text: what reading it whole leaves is 5 MB of every bot with its own
        packaged = packaged or _packaged_text()
        if f"[rates.{name}]" not in packaged and f'parser = "{name}"' not in packaged:
            found.append(f"bank {name}: bot/sources/catalog.toml lacks its section, [rates.{name}]")
    return found


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
    # Every reader adds what it finds wrong and goes on: an operator hears of all mistakes at once.
    rates = _read(document, "rates", RateSection, problems)
    others: dict[str, dict[str, SourceSection]] = {}
    for name, kind in KINDS.items():
        others[name] = _read(document, name, kind.section, problems)
    news = _of_stories(others)
    channels = _read(document, "channels", ChannelSection, problems)
    places = _read(document, "places", PlaceSection, problems)
    problems += _unknown_sections(document)
    problems += within_nothing(places)
    problems += places_alike(places)
    problems += used_twice(document)
    problems += named_alike({"rates": rates, **news})
    problems += slower_than_slowest({"rates": rates, **others})
    problems += asked_twice(news)
    problems += brought_by_nobody(channels, news.values())
    if problems:
        raise ConfigError(problems)
    return Catalog(
        rates={key: section.spec(key) for key, section in rates.items()},
        kinds=_published(_specs(others, taken=set(rates)), publishers_of(news)),
        channels={key: section.spec(key) for key, section in channels.items()},
        places={key: section.spec(key) for key, section in places.items()},
    )


def _unknown_sections(document: Mapping[str, object]) -> Iterator[str]:
    for name in document:
        if name not in SECTIONS:
            *others, last = SECTIONS
            hint = nearest(name, SECTIONS) or f"; {', '.join(others)} and {last} are known"
            yield f"[{name}]: unknown section{hint}"


def _of_stories(
    sections: Mapping[str, Mapping[str, SourceSection]],
) -> dict[str, dict[str, NewsSection]]:
    """The sections of publishers of stories, by kind and key."""
    found: dict[str, dict[str, NewsSection]] = {}
    for kind, of_kind in sections.items():
        found[kind] = {}
        for key, section in of_kind.items():
            if isinstance(section, NewsSection):
                found[kind][key] = section
    return found


def _specs(
    sections: Mapping[str, Mapping[str, SourceSection]], *, taken: set[str]
) -> dict[str, dict[str, SourceSpec]]:
    """The sources of these sections by kind and key, each under a stored name of its own."""
    found: dict[str, dict[str, SourceSpec]] = {}
    for kind, of_kind in sections.items():
        specs: dict[str, SourceSpec] = {}
        for key, section in of_kind.items():
            stored_as = key
            if key in taken:
                stored_as = f"{kind}.{key}"
            specs[key] = section.spec(stored_as)
        # only now: the keys of one kind are in nobody's way but the next kind's
        taken = taken.union(spec.key for spec in specs.values())
        found[kind] = specs
    return found


def _published(
    kinds: dict[str, dict[str, SourceSpec]], publishers: Mapping[tuple[str, str], str]
) -> dict[str, dict[str, SourceSpec]]:
    """The sources with their publishers, by kind and key, where their addresses say who that is."""
    for (kind, key), publisher in publishers.items():
        spec = kinds[kind][key]
        if isinstance(spec, NewsSpec):
            kinds[kind][key] = replace(spec, publisher=publisher)
    return kinds


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
        where = where_of(kind, key)
        if not isinstance(values, dict):
            problems.append(_no_table(kind, key, where, model))
            continue
        problems += _wrong_key(kind, key, where)
        told: dict[str, object] = dict(values)
        if kind == "rates" and key in SOURCES:
            told.setdefault("parser", key)  # [rates.nbkr] is read by the parser nbkr
        try:
            found[key] = model.model_validate(told)
        except ValidationError as error:
            problems += [_explain(where, key, model, item) for item in error.errors()]
    return found


def _no_table(kind: str, key: str, where: str, model: type[Section]) -> str:
    known = model.keys()
    if key not in known:
        return f"[{where}]: should be a table of settings"
    example = f"[{kind}.example]"
    if kind == "channels":  # its name begins with @, which TOML wants in quotation marks
        example = '[channels."@example"]'
    return f"[{kind}] {key}: belongs into a section of its own such as {example}"


def _wrong_key(kind: str, key: str, where: str) -> Iterator[str]:
    if kind == "channels" and not _CHANNEL.fullmatch(key):
        right = 'a public name such as "@example" or a numeric id such as "-1001234567890"'
        yield f"[{where}]: the key should be {right}"
    elif kind != "channels" and not KEY.fullmatch(key):
        yield f"[{where}]: the key should be at most 40 Latin letters, digits, -, _ and ."


def _explain(where: str, key: str, model: type[Section], item: Any) -> str:  # noqa: ANN401 - pydantic's error details
    """One problem that pydantic found, in our words: section, key, and what would be right."""
    *outer, name = map(str, item["loc"])
    place = ".".join([where, *outer])
    known = model.keys()
    if outer:  # `poll` is the only table inside a section
        known = PollSection.keys()
    if item["type"] == "extra_forbidden":
        hint = nearest(name, known) or f"; known are {', '.join(known)}"
        return f"[{place}] {name}: unknown key{hint}"
    if item["type"] == "missing":
        hint = ""
        if name == "parser":  # [rates.nbrk]: the key itself is probably a parser mistyped
            hint = nearest(key, SOURCES)
        return f"[{place}] {name}: missing{hint}"
    return f"[{place}] {name}: should be {str(item['msg']).removeprefix('Value error, ')}"
