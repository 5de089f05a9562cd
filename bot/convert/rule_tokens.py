"""The tokens of a rule as people write it: what stands there, before anybody asks what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache

from bot.convert.numbers import Sort, number_words, short_scales
from bot.convert.plain import plain_text
from bot.languages import languages, values_of
from bot.languages.parts import RuleWords
from bot.model.rates import RateKind
from bot.model.rules import Direction

TO, BY = "to", "by"
_NUMBER = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"


@cache
def parts() -> Mapping[str, tuple[str, str]]:
    """Each phrase with a part in a rule: what it is, and which."""
    found: dict[str, tuple[str, str]] = {}
    for spoken in reversed(languages()):
        # of two languages that have a phrase, the earlier one of menus comes last, and keeps it
        for kind, phrases in spoken.rules.kinds.items():
            found |= dict.fromkeys(phrases.split(","), ("kind", RateKind(kind).value))
        for days, phrases in spoken.rules.one_span.items():
            found |= dict.fromkeys(phrases.split(","), ("span", str(days)))
        for role, value, phrases in _roles(spoken.rules):
            found |= dict.fromkeys(phrases.split(","), (role, value))
    found.pop("", None)  # of a stub's empty part
    return found


def _roles(words: RuleWords) -> tuple[tuple[str, str, str], ...]:
    """Roles with value and phrases; a word of between-currencies is a filler anywhere else."""
    return (
        ("side", Direction.DOWN.value, words.below),
        ("side", Direction.UP.value, words.above),
        ("once", "", words.once),
        ("until", "", words.until),
        ("link", "", words.link),
        ("filler", "", words.filler),
        ("filler", "", words.tell),
        ("move", Direction.UP.value, words.rises),
        ("move", Direction.DOWN.value, words.falls),
    )


@cache
def amount_roles() -> Mapping[str, str]:
    """The words before a figure that make it a level, `TO`, or the size of a move, `BY`."""
    found: dict[str, str] = {}
    for spoken in reversed(languages()):
        found |= dict.fromkeys(spoken.rules.to.split(","), TO)
        found |= dict.fromkeys(spoken.rules.by.split(","), BY)
    found.pop("", None)
    return found


@cache
def spans() -> Mapping[str, int]:
    """The words for days, weeks and months, and how many days each is."""
    found: dict[str, int] = {}
    for spoken in reversed(languages()):
        for days, words in spoken.rules.days.items():
            found |= dict.fromkeys(words.split(), days)
    return found


@cache
def token() -> re.Pattern[str]:
    """The next piece of a rule: words of every language, those of several words first."""
    units = "|".join(sorted(spans(), key=len, reverse=True))
    ending = "|".join(values_of(lambda spoken: spoken.rules.number_ending))
    percent = "|".join(("%", *values_of(lambda spoken: spoken.rules.percent)))
    several = []
    for phrase in parts():
        if " " in phrase:
            several.append(re.escape(phrase))
    phrases = "|".join(several)
    # a lone letter is a scale only at its number: "85 к рублю" is another "к"
    short = "|".join(map(re.escape, sorted(short_scales(), key=len, reverse=True)))
    scale = "|".join(map(re.escape, sorted(_long_scales(), key=len, reverse=True)))
    # the order is that of trying: a date before the numbers in it, a span before its number
    return re.compile(
        rf"""(?P<date>\d{{4}}-\d\d-\d\d|\d{{1,2}}\.\d{{1,2}}\.\d{{4}})
           |(?P<span>\d+)\s?(?P<unit>{units})(?!\w)
           |(?P<number>{_NUMBER})(?:
               (?:(?P<short>{short})|\ ?(?P<scale>{scale})(?:\.|{ending})?)(?!\w)
              |(?P<ending>{ending})?(?![\d.,]*\d))
           |(?P<percent>{percent})
           |(?P<link>\s*/\s*|-(?=[^\W\d_]))
           |(?P<sign>\+/-|[+\-−±])
           |(?P<side><=|>=|=<|=>|[<>≤≥])
           |(?P<phrase>{phrases})(?!\w)
           |(?P<word>[^\W\d_]+)
           |(?P<mark>\S)""",
        re.VERBOSE | re.IGNORECASE,
    )


@cache
def _long_scales() -> Mapping[str, Fraction]:
    """The words for a thousand and more, of all languages."""
    found: dict[str, Fraction] = {}
    for word, piece in number_words().items():
        if piece.sort is Sort.SCALE:
            found[word] = piece.value
    return found


def scale_of(match: re.Match[str]) -> Fraction:
    """The factor between a number and its amount: a thousand in "1,2к"."""
    if match["short"]:
        return short_scales()[match["short"].lower()].value
    if match["scale"]:
        return _long_scales()[match["scale"].lower()]
    return Fraction(1)


def speaks_of_rule(text: str) -> bool:
    """Whether a text has words of a rule: it asks to be told, or names a side or a move."""
    return asks_to_be_told(text) or _has(text, _sided())


def speaks_of_a_move(text: str) -> bool:
    """Whether a text says that something rises or falls."""
    return _has(text, _moving())


def speaks_of_a_moment(text: str) -> bool:
    """Whether a text speaks of what is to come: "when the dollar is 90"."""
    return _has(text, _awaiting())


def asks_to_be_told(text: str) -> bool:
    """Whether a text asks to be told of something: "warn me when the dollar is 90"."""
    return _has(text, _telling())


def _has(text: str, phrases: re.Pattern[str]) -> bool:
    return phrases.search(plain_text(text).lower()) is not None


@cache
def _telling() -> re.Pattern[str]:
    return _any_of([spoken.rules.tell for spoken in languages()])


@cache
def _awaiting() -> re.Pattern[str]:
    return _any_of([spoken.rules.when for spoken in languages()])


@cache
def _moving() -> re.Pattern[str]:
    return _any_of([listed for one in languages() for listed in (one.rules.rises, one.rules.falls)])


@cache
def _sided() -> re.Pattern[str]:
    lists: list[str] = []
    for spoken in languages():
        words = spoken.rules
        lists += [words.below, words.above, words.rises, words.falls]
    return _any_of(lists)


def _any_of(lists: list[str]) -> re.Pattern[str]:
    """A pattern of the phrases of several lists; of none, one that nothing has."""
    phrases: set[str] = set()
    for one in lists:
        phrases.update(filter(None, one.split(",")))
    ordered = sorted(map(re.escape, phrases), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(ordered) or '(?!)'})(?!\w)")
