"""The reader's language: its words, and numbers, days and names as it writes them.

`bot/languages/<language>/jarchy.po` are the source, English included; keys
are stable ids ("rates.today"). They are compiled in memory when a language is
first used, so nothing generated is kept in the tree.

Two things the languages do that a template cannot: Kyrgyz puts its case endings
on the month ("3-марттан бери", since 3 March; "2022-жылдын 3-марты", with a
year), so the catalogs carry the months in the forms they are needed in, behind a
hyphen at which no line breaks (U+2011); and a plural of a whole number has two
forms in English and Kyrgyz, three in Russian.
Numbers use the true minus sign, U+2212, as wide as the plus.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache, lru_cache
from gettext import GNUTranslations
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from bot.languages import FALLBACK, LANGUAGES
from bot.languages import language as spoken
from bot.languages.tables import NAMES

if TYPE_CHECKING:
    from babel.core import Locale

MINUS = "\u2212"
NO_BREAK = "\u00a0"  # a space at which no line breaks
PERCENT = f"{NO_BREAK}%"  # a sign alone on a phone's line says nothing
_COUNTED = re.compile(r"(?<=\d) (?=[^\W\d_])")  # the space between a figure and what it counts
#: What CLDR says of a language and nothing here asks: half of it, a megabyte for each. Of units
#: only those of time are asked for.
_UNASKED = (
    *("unit_display_names", "compound_unit_patterns", "scripts", "variants", "meta_zones"),
    *("compact_decimal_formats", "compact_currency_formats", "interval_formats"),
)
_OF_TIME = "duration-"  # begins a unit's name
#: Likewise of all languages together, two megabytes: for guesses at a language that is not known.
_GUESSES: tuple[Any, ...] = ("likely_subtags", "territory_languages", "windows_zone_mapping")


def t(msgid: str, language: str) -> str:
    """The words for `msgid`, a template with {names}: else English, KeyError without either."""
    for code in (language, FALLBACK):
        text = _text(msgid, code)
        if text != msgid:
            return text
    raise KeyError(msgid)


def tn(msgid: str, n: int, language: str) -> str:
    """The words for `n` of something, in the plural form for `n`; callers fill in {n}."""
    for catalog in (_catalog(language), _catalog(FALLBACK)):
        text = catalog.ngettext(msgid, msgid, n)
        if text != msgid:
            return text
    raise KeyError(msgid)


def problems() -> list[str]:
    """The languages that CLDR does not know: no figure and no date can be written in them."""
    from babel import localedata

    return [
        f"bot/languages/{code} is no language that CLDR knows by this code"
        for code in LANGUAGES
        if not localedata.exists(code)
    ]


def load_words(language: str) -> None:
    """Read a language's words now, and not when somebody waits for the first of them."""
    _catalog(language)
    _marks(language)


@cache
def cldr(language: str) -> Locale:
    """What CLDR knows of a language; what nobody here asks is let go of as soon as it is read."""
    from babel import localedata
    from babel.core import Locale, get_global

    for key in _GUESSES:
        cast("dict[str, object]", get_global(key)).clear()
    found = Locale.parse(language)
    data = localedata.load(language)
    data.update((key, {}) for key in _UNASKED)
    units = data["unit_patterns"]
    data["unit_patterns"] = {unit: units[unit] for unit in units if unit.startswith(_OF_TIME)}
    return found


def known(msgid: str, language: str = FALLBACK) -> bool:
    """Whether a language has words of its own for `msgid`; what English has, all can say."""
    return _text(msgid, language) != msgid


def _text(msgid: str, language: str) -> str:
    catalog = _catalog(language)
    text = catalog.gettext(msgid)
    if text == msgid:
        # One with plurals has keys of its own, and some releases of Python 3.11 (Debian 12's) do
        # not look there where no number is said.
        text = catalog.ngettext(msgid, msgid, 1)
    return text


def number(value: Decimal | int, language: str, digits: int | None = None) -> str:
    """A number as the language writes it: "1,234.50", "1 234,50"; exact, or rounded half up."""
    value = Decimal(value)
    if digits is not None:
        value = rounded(value, digits)
    point, group = _marks(language)
    text = f"{value.copy_abs():,f}"
    # both at once: a comma may become a point, and a point a comma
    text = text.translate({ord(","): group, ord("."): point})
    if value < 0:
        return MINUS + text
    return text


def ungrouped(shown: str, language: str) -> str:
    """A number as `number` wrote it, without the marks between thousands."""
    return shown.replace(_marks(language)[1], "")


def decimal_mark(language: str) -> str:
    """The mark before the decimals: a point, or a comma."""
    return _marks(language)[0]


def percent(value: Decimal, language: str, digits: int = 2) -> str:
    """A change in percent with its sign: "+0.02 %", "−2,40 %"; "0.00 %" when too small."""
    value = rounded(value, digits)
    if value > 0:
        return f"+{share(value, language)}"
    return share(value, language)


def share(value: Decimal, language: str, digits: int | None = None) -> str:
    """A share in percent, with a sign only below nothing: "0.1 %", "0,51 %"."""
    return number(value, language, digits) + PERCENT


def unbroken(said: str) -> str:
    """A text with no line broken behind a figure: "5 ноября" and "8 часов" stay whole."""
    return _COUNTED.sub(NO_BREAK, said)


def rounded(value: Decimal, digits: int) -> Decimal:
    """Half up, as readers learnt at school: 0.125 is 0.13, and never "−0.00"."""
    # the usual 28 digits would raise InvalidOperation at a long number with decimals
    with localcontext(prec=60):
        result = value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    if result == 0:
        return result.copy_abs()  # Decimal knows a negative zero
    return result


def day(on: date, language: str, *, today: date | None = None) -> str:
    """A date: "20 Oct", "20 октября", "20-октябрь"; with its year when that is not `today`'s."""
    return _day(on, language, "months.day", "months.year", today)


def day_since(on: date, language: str, *, today: date | None = None) -> str:
    """A day in words, as it stands after the word "since": "3 March", "3 марта", "3-марттан"."""
    return _day(on, language, "months.since", "months.since_year", today)


def day_at(on: date, language: str, *, today: date | None = None) -> str:
    """The day of something, before its name: "15 Aug", "15 августа", "15-августтагы" (курс)."""
    return _day(on, language, "months.at", "months.at_year", today)


def day_until(on: date, language: str) -> str:
    """A date after "until": "31 Dec 2026", "31 декабря 2026 года", "2026-жылдын 31-декабрына"."""
    return _day(on, language, "months.until_year", "months.until_year", date.min)


def weekday_of(on: date, language: str) -> str:
    """The weekday as it stands before "rate": "Saturday's", "субботу" (курс на …), "ишембинин"."""
    return t("weekdays.of", language).split()[on.weekday()]


def clock(at: datetime | time, zone: str | None = None) -> str:
    """The hour as "15:12", moved to `zone` when `at` is a moment; alike in all languages."""
    if isinstance(at, datetime) and zone:
        at = at.astimezone(ZoneInfo(zone))
    return f"{at.hour:02}:{at.minute:02}"


def moment(at: datetime, language: str, zone: str, *, now: datetime | None = None) -> str:
    """Day and hour in `zone`, "20 октября в 15:12"; the hour alone on the day of `now` there."""
    local = at.astimezone(ZoneInfo(zone))
    today = None
    if now is not None:
        today = now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return clock(local)
    on = day(local.date(), language, today=today)
    return t("date.moment", language).format(day=on, time=clock(local))


def ago(age: timedelta, language: str) -> str:
    """A time ago: "5 minutes ago", "5 минут назад"; "just now" under a minute."""
    from babel.dates import format_timedelta

    if age < timedelta(minutes=1):
        return t("time.just_now", language)
    # a unit from 1.5 of the larger one on: "90 minutes" is "2 hours"
    said = format_timedelta(-age, locale=cldr(language), add_direction=True, threshold=1.5)
    return unbroken(said)


def span(length: timedelta, language: str) -> str:
    """A length of time: "5 minutes", "5 минут", "5 мүнөт"."""
    from babel.dates import format_timedelta

    return unbroken(format_timedelta(length, locale=cldr(language), threshold=1.5))


def city(zone: str, language: str) -> str:
    """The city a time zone is named for, as the language calls it: `Europe/Moscow` is Москва."""
    from babel.dates import get_timezone_location

    return get_timezone_location(zone, locale=cldr(language), return_city=True)


def zone_name(zone: str) -> str:
    """A time zone as shown: its key, but "UTC+6" for `Etc/GMT-6`, whose sign is turned round."""
    if not zone.startswith("Etc/GMT") or zone[7:] in {"", "0", "+0", "-0"}:
        return zone
    sign = MINUS
    if zone[7] == "-":  # POSIX counts to the west: Etc/GMT-6 is six hours ahead
        sign = "+"
    return f"UTC{sign}{zone[8:]}"


def zone_place(zone: str, language: str) -> str:
    """A chat's time zone as its reader calls it: by its city, an offset as "UTC+6"."""
    if "/" not in zone or zone.startswith("Etc/"):
        return zone_name(zone)
    return city(zone, language)


def language_name(code: str, language: str) -> str:
    """The name of a language in another one, by CLDR; in itself where CLDR has none."""
    return cldr(_ours(language)).languages.get(code) or t("language.name", code)


def currency_name(code: str, language: str) -> str:
    """A currency's name: ours where people here say another (сом, сум), else CLDR's, its code."""
    if known(f"currency.{code}"):
        return t(f"currency.{code}", language)
    from babel.numbers import get_currency_name

    return get_currency_name(code, locale=cldr(language))


def place_name(said: str, language: str) -> str | None:
    """A place's name, by its key among the places that are found in texts, or by how institutes
    spell it in English; None of one that nobody here knows.
    """
    key = _spelt(said)
    for code in dict.fromkeys((_ours(language), FALLBACK)):
        names, countries = _places(code)
        if key in names:
            return names[key]
        if (country := countries.get(key)) is not None:
            return country
    return None


def name_of(names: Mapping[str, str], language: str) -> str:
    """A source's name in the language, else in English, else in whatever there is."""
    return names.get(language) or names.get(FALLBACK) or next(iter(names.values()), "")


def _day(on: date, language: str, months: str, months_with_year: str, today: date | None) -> str:
    template = t("date.day", language)
    if today is not None and on.year != today.year:
        # a year changes the month's form: "20 Oct", but "2021-жылдын 20-октябры"
        months, template = months_with_year, t("date.year", language)
    month = t(months, language).split()[on.month - 1]
    return unbroken(template.format(day=on.day, month=month, year=on.year))


def _ours(language: str) -> str:
    """The language, or the one that is said where it is none of ours."""
    if language in LANGUAGES:
        return language
    return FALLBACK


@lru_cache(maxsize=len(LANGUAGES) + 1)
def _catalog(language: str) -> GNUTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    chosen = _ours(language)
    compiled = io.BytesIO()
    # msgfmt's work, done here: a catalog compiled beside its source would one day be another
    write_mo(compiled, read_po(io.BytesIO(spoken(chosen).texts.read_bytes()), locale=chosen))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _spelt(said: str) -> str:
    """Letters and figures alone, without their accents: "Gul’cha" is gulcha."""
    plain = unicodedata.normalize("NFKD", said.casefold())
    return "".join(one for one in plain if one.isalnum() or one == "_")


@lru_cache(maxsize=len(LANGUAGES) + 1)
def _places(language: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The names of places, and CLDR's names of countries, by their codes and English names."""
    names: dict[str, str] = {}
    for keys, name in spoken(language).rows(NAMES):
        names |= dict.fromkeys(keys.split(", "), name)
    countries: dict[str, str] = {}
    called = cldr(language).territories
    for code, english in cldr(FALLBACK).territories.items():
        if code.isalpha() and code in called:  # the others are continents
            countries[code.lower()] = countries[_spelt(english)] = called[code]
    return names, countries


@cache
def demo_texts(language: str) -> Mapping[str, str]:
    """The demonstration's texts in a language, by key; none in one without that part."""
    from babel.messages.pofile import read_po

    path = spoken(language).demo_texts
    if not path.exists():
        return {}
    said: dict[str, str] = {}
    for message in read_po(io.BytesIO(path.read_bytes())):
        if message.id and message.string:
            said[str(message.id)] = str(message.string)
    return said


@lru_cache(maxsize=len(LANGUAGES) + 1)
def _marks(language: str) -> tuple[str, str]:
    """The decimal and the group mark, from CLDR."""
    symbols = cldr(_ours(language)).number_symbols["latn"]
    return str(symbols["decimal"]), str(symbols["group"])
