"""The things of this room that a language's words name: currencies, the parts of a question, a
chart's ranges, countries.

A name that nothing here has would be read as something else or never, and the reader be told that
the word is not understood.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from bot.convert.commands import SPANS, UNITS
from bot.convert.currencies import codes
from bot.convert.items import SPOKEN_PARTS
from bot.convert.zones import wide_countries
from bot.found import nearest
from bot.languages import Language, languages
from bot.languages.parts import Money


def problems() -> list[str]:
    """The names that mean nothing, a sentence each."""
    found: list[str] = []
    for spoken in languages():
        for part, field, wrong in _wrong(spoken):
            label = f"language {spoken.code}: bot/languages/{spoken.code}/{part}.py"
            found.append(f"{label}: {field}: {wrong}")
    return found


def _wrong(spoken: Language) -> Iterator[tuple[str, str, str]]:
    """The part, the field, and what is wrong with a name in it."""
    money, commands = spoken.money, spoken.commands
    for field, named in _currencies(money):
        yield from (("money", field, one) for one in _none(named, codes(), "code of a currency"))
    for letter in money.sure_initials.split():
        if letter not in money.initials:
            yield "money", "sure_initials", f"{letter} is none of its `initials`"
    parts = f"part of a question: {', '.join(SPOKEN_PARTS)}"
    yield from (
        ("questions", "words", one) for one in _none(spoken.questions.words, SPOKEN_PARTS, parts)
    )
    for field, ranges, days in (
        ("ranges", commands.ranges, sorted(UNITS.values())),
        ("one_range", commands.one_range, sorted(SPANS)),
    ):
        for one in ranges:
            if one not in days:
                shown = ", ".join(map(str, days))
                yield "commands", field, f"{one} is no unit of a chart's range, in days: {shown}"
    known, what = wide_countries(), "code of a country with several time zones"
    yield from (("zones", "countries", one) for one in _none(spoken.zones.countries, known, what))


def _currencies(money: Money) -> Iterator[tuple[str, Iterable[str]]]:
    """The fields that name currencies, and what each names."""
    yield "short_forms", money.short_forms.values()
    yield "initials", money.initials.values()
    yield "names", money.names
    yield "abbreviations", " ".join(money.abbreviations.values()).split()
    yield "heads", (head.code for head in money.heads() if head.code)  # without: of several


def _none(named: Iterable[str], known: Collection[str], right: str) -> Iterator[str]:
    """Each name that is not known, once, with the nearest."""
    for name in dict.fromkeys(named):
        if name not in known:
            hint = nearest(name, known) if len(name) > 1 else ""
            yield f"{name} is no {right}{hint}"
