"""Sections of a catalog that are right by themselves and wrong together, a sentence a problem."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from bot.languages import FALLBACK, LANGUAGES
from bot.sources.kinds import KINDS
from bot.sources.sections import (
    ChannelSection,
    NewsSection,
    PlaceSection,
    RateSection,
    SourceSection,
)
from bot.sources.values import TOPICS

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


def where_of(kind: str, key: str) -> str:
    """A section's name as it stands in the file."""
    # TOML takes letters, digits, - and _ bare; a point would make tables inside each other.
    if kind != "channels" and KEY.fullmatch(key) and "." not in key:
        return f"{kind}.{key}"
    return f'{kind}."{key}"'


def used_twice(document: Mapping[str, object]) -> Iterator[str]:
    """Problems of sources that would share what is stored of them, and of channels that are one.

    Storage and commands name a source by its key alone. Banks and the kinds that do not give way
    share one space of keys; a kind that does is stored as `kind.KEY` where the key is taken.
    Telegram takes no notice of capitals in a channel's name.
    """
    sharing = ["rates", *(name for name, kind in KINDS.items() if not kind.gives_way)]
    seen: dict[str, str] = {}
    for name in sharing:
        for key in _keys(document, name):
            if key in seen:
                first, place = seen[key], where_of(name, key)
                yield f"[{place}]: the key is already used by [{first}]; choose another"
            seen.setdefault(key, where_of(name, key))
    yield from _alike_but_for_capitals(document, sharing)
    for name, kind in KINDS.items():
        if kind.gives_way:
            yield from _stored_twice(name, _keys(document, name), seen)
            yield from _alike_but_for_capitals(document, [name])
    yield from _one_channel(_keys(document, "channels"))


def _stored_twice(name: str, keys: Sequence[str], seen: dict[str, str]) -> Iterator[str]:
    """Problems of a kind that gives way, whose stored names are taken too; `seen` grows by it."""
    stored: dict[str, str] = {}
    for key in keys:
        if key not in seen:
            stored[key] = where_of(name, key)
            continue
        own = f"{name}.{key}"
        stored[own] = where_of(name, key)
        if own in seen or own in keys:
            problem = f"its stored name {own} is another source's key; choose another"
            yield f"[{where_of(name, key)}]: {problem}"
    seen.update(stored)


def _one_channel(keys: Iterable[str]) -> Iterator[str]:
    channels: dict[str, str] = {}
    for key in keys:
        if key.lower() in channels:
            yield f'[channels."{key}"]: is the channel of [channels."{channels[key.lower()]}"] too'
        channels.setdefault(key.lower(), key)


def _alike_but_for_capitals(document: Mapping[str, object], kinds: Iterable[str]) -> Iterator[str]:
    """Problems of keys that are mistaken for each other in commands and logs."""
    seen: dict[str, tuple[str, str]] = {}
    for kind in kinds:
        for key in _keys(document, kind):
            first, first_key = seen.setdefault(key.lower(), (kind, key))
            if first_key != key:
                other = where_of(first, first_key)
                problem = f"differs from [{other}] by capitals alone; choose another key"
                yield f"[{where_of(kind, key)}]: {problem}"


def named_alike(kinds: Mapping[str, Mapping[str, RateSection | NewsSection]]) -> Iterator[str]:
    """Problems of sources of one name: a reader could not tell whose word it is.

    Disabled ones are not asked. What one house publishes may share its name, and a source without
    one is called by its key, which is its own.
    """
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for kind, sections in kinds.items():
        for key, section in sections.items():
            if section.disabled:
                continue
            where = where_of(kind, key)
            house = where  # a bank shares its name with nobody
            if isinstance(section, NewsSection):
                house = section.house
            told: set[str] = set()
            for language, name in _readings(section.names or {FALLBACK: _stored(kind, key, kinds)}):
                other, others_house = seen.setdefault((language, name), (where, house))
                if others_house != house and other not in told:
                    told.add(other)
                    yield _alike(where, language, section.names, other)


def _stored(kind: str, key: str, kinds: Mapping[str, Mapping[str, object]]) -> str:
    """The key that a source is stored under: one of a kind that gives way to a taken key has its
    kind's name before it.
    """
    taken = any(key in sections for name, sections in kinds.items() if name != kind)
    if taken and kind in KINDS and KINDS[kind].gives_way:
        return f"{kind}.{key}"
    return key


def _readings(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The names as readers of each language read them, of those first that have one of their own.

    The others read what `bot.i18n.name_of` chooses for them.
    """
    instead = names.get(FALLBACK) or next(iter(names.values()))
    for language in dict.fromkeys((*names, *LANGUAGES)):
        yield language, _as_read(names.get(language, instead))


def _alike(where: str, language: str, names: Mapping[str, str], other: str) -> str:
    if language in names:
        return f"[{where}] name: {language} is the name of [{other}] too; choose another"
    return f"[{where}] name: in {language} it reads as that of [{other}]; say another in {language}"


def _as_read(name: str) -> str:
    """A name as a reader tells it from others: not by capitals, kinds of spaces or their number."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def slower_than_slowest(kinds: Mapping[str, Mapping[str, SourceSection]]) -> Iterator[str]:
    """Problems of sources whose longest pause is shorter than their usual one."""
    for kind, sections in kinds.items():
        for key, section in sections.items():
            slowest = section.poll.slowest
            if slowest is not None and slowest < section.pause:
                yield f"[{where_of(kind, key)}.poll] slowest: should be no less than every"


def asked_twice(news: Mapping[str, Mapping[str, NewsSection]]) -> Iterator[str]:
    """Problems of feeds at one address, whose every story would be there twice; pages likewise.

    Of one list page several sections may take other items. Disabled ones are not asked.
    """
    seen: dict[tuple[str, str, str], str] = {}
    for kind, sections in news.items():
        for key, section in sections.items():
            if section.disabled:
                continue
            where, parts = where_of(kind, key), urlsplit(section.url)
            # a fragment is never sent, and no path is the path /
            sent = parts._replace(netloc=parts.netloc.lower(), path=parts.path or "/", fragment="")
            items = section.model_dump(include={"item"})
            other = seen.setdefault((kind, sent.geturl(), str(items)), where)
            if other != where:
                yield f"[{where}] url: is the address of [{other}] too"


def brought_by_nobody(
    channels: Mapping[str, ChannelSection], news: Iterable[Mapping[str, NewsSection]]
) -> Iterator[str]:
    """Problems of channels' topics that no story will have: neither ours nor any source's."""
    own: set[str] = set()
    for sections in news:
        for section in sections.values():
            own.update(section.topics)
    known = (*TOPICS, *sorted(own - set(TOPICS)))
    for key, channel in channels.items():
        for topic in channel.topics:
            if topic not in known:
                problem = f"{topic} is no topic; known are {', '.join(known)}"
                yield f"[{where_of('channels', key)}] topics: {problem}"


def places_alike(places: Mapping[str, PlaceSection]) -> Iterator[str]:
    """Problems of places of one name that are offered side by side: nobody could tell which.

    Villages of two provinces may be called alike.
    """
    seen: dict[tuple[str | None, str, str], str] = {}
    for key, place in places.items():
        where = where_of("places", key)
        told: set[str] = set()
        for language, name in _readings(place.names):
            other = seen.setdefault((place.within, language, name), where)
            if other != where and other not in told:
                told.add(other)
                yield _alike(where, language, place.names, other)


def within_nothing(places: Mapping[str, PlaceSection]) -> Iterator[str]:
    """Problems of places with half a point, or offered under one that is not offered by itself."""
    for key, place in places.items():
        where = where_of("places", key)
        if (place.latitude is None) != (place.longitude is None):
            yield f"[{where}]: latitude and longitude go together"
        around = places.get(place.within) if place.within is not None else None
        if place.within is not None and (around is None or around.within is not None):
            yield f"[{where}] within: should be the key of a place that is within no other"


def _keys(document: Mapping[str, object], kind: str) -> list[str]:
    tables = document.get(kind)
    if not isinstance(tables, dict):  # told already, by who reads the sections
        return []
    return list(tables)
