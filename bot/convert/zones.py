"""A time zone as people write it: by a city in any language, by an offset, or by its IANA name.

    Москва · в Москве · Moscow time · мск · Ош · New York · Кыргызстан · europe/moscow
    Джалал-Абад, as one word or two · Moscow, Russia · Россия, Москва
    +6 · UTC+5:30 · GMT+06:00

Names of the zones' own cities, and of countries that have one zone, are CLDR's through Babel. Other
cities people here live in or phone are ours, because the tz database has one city a zone: Osh keeps
Bishkek's time, Kazan Moscow's.

An offset becomes a zone without summer time: whole hours are `Etc/GMT-6` (whose sign is turned
round: POSIX), the few others are a place that keeps that offset all year.
"""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from bot.convert.plain import plain_text
from bot.i18n import cldr
from bot.languages import LANGUAGES, languages, values_of, words_of
from bot.languages.letters import fold

LONGEST_ZONE_NAME = 60  # letters of a name
# keys of the tz database that are no place
_NOT_ZONES = frozenset({"localtime", "Factory", "posixrules"})
#: Minutes east of Greenwich that are no whole hour → a place that keeps them all year.
_ODD_OFFSETS = {
    -570: "Pacific/Marquesas", 210: "Asia/Tehran", 270: "Asia/Kabul", 330: "Asia/Kolkata",
    345: "Asia/Kathmandu", 390: "Asia/Yangon", 525: "Australia/Eucla", 570: "Australia/Darwin",
}  # fmt: skip
_WEST, _EAST = -12, 14  # whole hours that `Etc/GMT±n` knows
_MOSCOW = 180  # minutes: "мск+4"
_APART = re.compile(r"[,;()]")  # between a city and its country


def read_zone(text: str) -> str | None:
    """The IANA key of the time zone that a text names; None when it names none.

    The first call reads the names of all zones, some tenths of a second: call it beside the loop.
    """
    if not 0 < len(text) <= LONGEST_ZONE_NAME:
        return None
    plain = plain_text(text).strip(" .!?")
    # before all else: "Etc/GMT+6" is a key, and not an offset of six hours east
    if "/" in plain and (exact := _keys().get(plain.lower())) is not None:
        return exact
    offset = _offset().fullmatch(plain.lower())
    if offset is not None:
        return _at_offset(offset)
    if "+" in plain:
        return None  # an offset that cannot be read
    parts = [part for part in _APART.split(plain) if part.strip()]
    if len(parts) == 2:
        return _in_a_country(*parts) or _in_a_country(*reversed(parts))
    return _named(plain)


def _named(plain: str) -> str | None:
    """The zone of a city, or of a country that has one."""
    name = _folded(plain)
    short = " ".join(_beside().sub(" ", name).split())
    names = _names()
    found = names.get(name) or names.get(short) or _keys().get(plain.lower()) or _in_a_case(short)
    if found is not None:
        return found
    # one word or two: "Джалалабад", "Алма Ата"
    joined = short.replace(" ", "")
    return _joined_names().get(joined) or _in_a_case(joined, _joined_names())


def _in_a_country(city: str, country: str) -> str | None:
    """The zone of a city with its country beside it; None where it is another country's."""
    key = _named(city)
    if key is None or key not in {*_zones_of(country), _named(country)}:
        return None
    return key


def _zones_of(country: str) -> frozenset[str]:
    """The zones of a country that has several, by its name."""
    name = " ".join(_beside().sub(" ", _folded(country)).split())
    keys = _countries().get(name)
    if not keys and (stem := _stem(name)) is not None:
        keys = _countries().get(stem)
    return keys or frozenset()


def country_zones(text: str, now: datetime) -> tuple[str, ...]:
    """The time zones of a country that has several, one for each offset it keeps now, west first.

    Empty when the text names no such country. The first call is slow, as that of `read_zone`.
    """
    if not 0 < len(text) <= LONGEST_ZONE_NAME:
        return ()
    name = " ".join(_beside().sub(" ", _folded(text)).split())
    keys = _zones_of(text)
    if not keys or name in _names():
        return ()
    ours: set[str] = set()
    for spoken in languages():
        ours.update(spoken.zones.cities)
    found: dict[timedelta, str] = {}
    # of several zones with one offset, one whose city we have words for in every language
    for key in sorted(keys, key=lambda key: (key not in ours, key)):
        found.setdefault(now.astimezone(zoneinfo.ZoneInfo(key)).utcoffset() or timedelta(), key)
    return tuple(found[offset] for offset in sorted(found))


def wide_countries() -> frozenset[str]:
    """The codes of countries with several time zones, which alone are asked for by name."""
    return frozenset(code for code, keys in _zones_of_territories().items() if len(keys) > 1)


@cache
def _countries() -> Mapping[str, frozenset[str]]:
    """Names of countries with several zones, and what cases leave of them."""
    found: dict[str, frozenset[str]] = {}
    for spoken in languages():
        names = cldr(spoken.code).territories
        ours = spoken.zones.countries
        for territory, keys in _zones_of_territories().items():
            if len(keys) == 1:
                continue
            for name in [str(names.get(territory, "")), *ours.get(territory, "").split(",")]:
                folded = _folded(name)
                if folded:
                    found.setdefault(folded, keys)
                if (stem := _stem(folded)) is not None:
                    found.setdefault(stem, keys)
    return found


def _at_offset(match: re.Match[str]) -> str | None:
    origin = match["from"]
    if match["sign"] is None and origin is None:
        return None  # a bare number may be anything
    # "+5.5" and "+5.30" are the same half hour, by a fraction and by the clock
    parts = {None: 0, "5": 30, "50": 30, "25": 15, "75": 45}
    minutes = int(match["minutes"] or match["glued"] or parts[match["part"]])
    if minutes >= 60:
        return None
    east = int(match["hours"]) * 60 + minutes
    if match["sign"] == "-":
        east = -east
    if origin in _origins("moscow"):
        east += _MOSCOW
    hours, rest = divmod(east, 60)
    if rest:
        return _ODD_OFFSETS.get(east)
    if hours == 0:
        return "Etc/UTC"
    if not _WEST <= hours <= _EAST:
        return None
    # POSIX counts hours west of Greenwich
    return f"Etc/GMT{-hours:+d}"


def _in_a_case(name: str, names: Mapping[str, str] | None = None) -> str | None:
    """The zone of a city in a case: "Москве", "Бишкекте", "московское"."""
    names = names or _names()
    for ending in _city_endings():
        shorter = ending.sub("", name)
        if shorter != name and shorter in names:
            return names[shorter]
    if (stem := _stem(name)) is None:
        return None
    return _stems().get(stem)


def _stem(name: str) -> str | None:
    """A name without the last vowels, which a case changes; None of one that no case does."""
    for declined, vowels in _declensions():
        if declined.fullmatch(name):
            return name.rstrip(vowels)
    return None


@cache
def _declensions() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The names that cases change, and the vowels they change, of each language that has such."""
    found: list[tuple[re.Pattern[str], str]] = []
    for spoken in languages():
        if spoken.zones.declined:
            found.append((re.compile(spoken.zones.declined), spoken.zones.vowels))
    return tuple(found)


def _origins(part: Literal["utc", "moscow"]) -> tuple[str, ...]:
    """The words that an offset is counted from ("UTC", "Moscow"), in every language."""
    return tuple(words_of(lambda spoken: getattr(spoken.zones, part)))


@cache
def _offset() -> re.Pattern[str]:
    """An offset in hours, with what it is counted from and a word for hours."""
    origins = "|".join((*_origins("utc"), *_origins("moscow")))
    hours = "|".join(values_of(lambda spoken: spoken.zones.hours))
    return re.compile(
        rf"(?P<from>{origins})? ?(?P<sign>[+-])? ?(?P<hours>\d{{1,2}})"
        rf"(?: ?: ?(?P<minutes>\d\d)|(?P<glued>\d\d)|[.,](?P<part>5|50|25|75))?(?: ?(?:{hours}))?"
    )


@cache
def _beside() -> re.Pattern[str]:
    """Words that may stand beside the name of a city."""
    words = "|".join(words_of(lambda spoken: spoken.zones.beside))
    return re.compile(rf"(?<!\S)(?:{words})(?!\S)")


@cache
def _city_endings() -> tuple[re.Pattern[str], ...]:
    endings: list[str] = []
    for spoken in reversed(languages()):
        endings += spoken.zones.city_endings
    return tuple(re.compile(f"(?:{ending})$") for ending in endings)


@cache
def _keys() -> Mapping[str, str]:
    """Every key of the tz database by its lower case."""
    return {key.lower(): key for key in sorted(zoneinfo.available_timezones() - _NOT_ZONES)}


@cache
def _names() -> Mapping[str, str]:
    """Folded names of cities and of countries with one zone, to keys; ours before CLDR's."""
    found: dict[str, str] = {}
    for spoken in reversed(languages()):
        for key, names in spoken.zones.cities.items():
            found |= dict.fromkeys(names.split(","), key)
    for name, key in _cldr_names():
        found.setdefault(name, key)
    # last of all the keys themselves, "europe moscow" and "moscow": CLDR does not list every one
    for key in _keys().values():
        found.setdefault(_folded(key), key)
        found.setdefault(_folded(key.rpartition("/")[2]), key)
    return found


@cache
def _joined_names() -> Mapping[str, str]:
    """Names of several words as one word, where that is one zone's."""
    found: dict[str, set[str]] = {}
    for name, key in _names().items():
        found.setdefault(name.replace(" ", ""), set()).add(key)
    alone: dict[str, str] = {}
    for joined, keys in found.items():
        if len(keys) == 1:
            (alone[joined],) = keys
    return alone


def _cldr_names() -> Iterator[tuple[str, str]]:
    known = _keys()
    alone: dict[str, str] = {}  # countries with one zone, which their name is enough for
    for territory, keys in _zones_of_territories().items():
        if len(keys) == 1:
            (alone[territory],) = keys
    for language in LANGUAGES:
        locale = cldr(language)
        for key, names in locale.time_zones.items():
            if key.lower() in known and "city" in names:
                yield _folded(names["city"]), known[key.lower()]
            if key.lower() in known:
                yield _folded(key.rpartition("/")[2]), known[key.lower()]
        for territory, key in alone.items():
            if territory in locale.territories:
                yield _folded(locale.territories[territory]), key


@cache
def _zones_of_territories() -> Mapping[str, frozenset[str]]:
    """Codes of countries to their zones, without other names of a zone."""
    from babel.core import get_global

    territories: Mapping[str, str] = get_global("zone_territories")
    known = _keys()
    # English alone would not do: CLDR lists there only the cities that are called otherwise than
    # their keys. One of our languages has each.
    listed: set[str] = set()
    for language in LANGUAGES:
        listed.update(map(str, cldr(language).time_zones))
    found: dict[str, set[str]] = {}
    for key in sorted(listed):
        if key in territories and key.lower() in known:
            found.setdefault(territories[key], set()).add(key)
    return {territory: frozenset(keys) for territory, keys in found.items()}


@cache
def _stems() -> Mapping[str, str]:
    """Names without their last vowels, where that leaves one zone."""
    found: dict[str, set[str]] = {}
    for name, key in {**_joined_names(), **_names()}.items():
        if (stem := _stem(name)) is not None:
            found.setdefault(stem, set()).add(key)
    alone: dict[str, str] = {}
    for stem, keys in found.items():
        # shorter ones are beginnings of anything
        if len(keys) == 1 and len(stem) >= 3:
            (alone[stem],) = keys
    return alone


def _folded(name: str) -> str:
    """One spelling of a name: lower case, ё as е, Latin without accents, single spaces."""
    plain = unicodedata.normalize("NFD", fold(plain_text(name)))
    plain = unicodedata.normalize("NFC", re.sub(r"(?<=[a-z])[\u0300-\u036f]+", "", plain))
    return " ".join(re.sub(r"[^\w]+|_", " ", plain).split())
