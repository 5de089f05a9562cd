"""Reasons in the reader's language: why a story was told, why a rate is doubted.

"grave" is said by none of them: the kinds of words that were found say what is grave about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from bot.i18n import day_at, known, number, percent, share, t
from bot.languages.letters import fold
from bot.model.reasons import Reason
from bot.model.text import comparable
from bot.render.phrases import counted, phrase
from bot.render.text import Rich, join

# said as `reason.CODE`
_PLAIN = frozenset({"danger", "near", "calm", "worded", "official", "aggregators"})
#: Kinds of words that are found, the gravest first.
GRAVEST = (
    *("conflict", "terror", "border", "disaster", "emergency"),
    *("crime", "police", "services", "alliance"),
)
MOST_SAID = 3  # reasons: what is read of a *Why?* on a phone
# a word of a pattern; the star says that it is only how one begins
_STEM = re.compile(r"([^\W_]+)(\*?)")
_WORD = re.compile(r"[^\W_]+")


def said(
    reasons: Sequence[Reason], language: str, texts: Sequence[str], *, most: int = MOST_SAID
) -> list[Rich]:
    """A line for each reason for telling a story, the gravest first, `most` at most.

    The kinds of words that were found, each with those that stand in the `texts`: what another
    language's report says would explain nothing to whoever reads this one. Reasons against are left
    out: they explain why something was not told.
    """
    dead: list[Rich] = []
    others: list[Rich] = []
    found: dict[str, list[str]] = {}
    for reason in reasons:
        # a kind that another version of the program stored may have no words in ours
        if reason.code == "found" and known(f"reason.{reason.values[0]}"):
            kind, pattern = reason.values
            found.setdefault(kind, []).append(_as_written(pattern, texts))
        elif reason.code == "dead":
            dead.append(counted("reason.dead", int(reason.values[0]), language))
        elif reason.code in _PLAIN:
            others.append(phrase(f"reason.{reason.code}", language))
    kinds = sorted(found, key=lambda kind: (*GRAVEST, kind).index(kind))
    return [*dead, *(_kind(kind, found[kind], language) for kind in kinds), *others][:most]


def _kind(kind: str, words: Sequence[str], language: str) -> Rich:
    """A kind of words that were found, with the words; alone where they say no more than it."""
    once = list(dict.fromkeys(filter(None, words)))
    label = t(f"reason.{kind}", language).partition(":")[0]
    if not once or once == [label]:
        return Rich(label)
    return phrase(f"reason.{kind}", language, words=", ".join(once))


def because(
    reasons: Sequence[Reason], language: str, *, today: date, texts: Sequence[str] = ()
) -> Rich:
    """All reasons of a decision in one line, those against it too, for the operator who judges.

    What a later or earlier program gave as a reason, and this one has no words for, stays English.
    """
    shown = said(reasons, language, texts, most=len(reasons))
    against = []
    for reason in reasons:
        if reason.code == "against":
            pattern = reason.values[1]
            against.append(_as_written(pattern, texts) or pattern.replace("*", "…"))
        elif reason.code in _DOUBTS:
            values = _DOUBTS[reason.code](reason.values, language, today)
            shown.append(phrase(f"reason.{reason.code}", language, **values))
        elif reason.code not in _PLAIN | {"found", "dead", "grave"}:
            shown.append(Rich(str(reason)))
    if against:
        words = ", ".join(dict.fromkeys(against))
        shown.append(phrase("reason.against", language, words=words))
    return join("; ", shown)


def _figures(values: Sequence[str], language: str) -> list[str]:
    return [number(Decimal(value), language) for value in values]


def _day(value: str, language: str, today: date) -> str:
    return day_at(date.fromisoformat(value), language, today=today)


def _no_price(values: Sequence[str], language: str, today: date) -> dict[str, str]:  # noqa: ARG001 - no day in it
    value, units = _figures(values, language)
    return {"value": value, "units": units}


def _shift(values: Sequence[str], language: str, today: date) -> dict[str, str]:
    (times,) = _figures(values[:1], language)
    return {"times": times, "day": _day(values[1], language, today)}


def _units(values: Sequence[str], language: str, today: date) -> dict[str, str]:  # noqa: ARG001 - no day in it
    old, new = _figures(values, language)
    return {"old": old, "new": new}


def _leap(values: Sequence[str], language: str, today: date) -> dict[str, str]:
    size, on, most = values
    return {
        "percent": percent(Decimal(size), language),
        "day": _day(on, language, today),
        "most": share(Decimal(most), language),
    }


_Values = Callable[[Sequence[str], str, date], dict[str, str]]
#: Why a rate is doubted: the code of the reason → how its values are written.
_DOUBTS: dict[str, _Values] = {
    "far_day": lambda values, language, today: {"day": _day(values[0], language, today)},
    "no_price": _no_price,
    "agrees": lambda values, language, today: {"source": values[0]},  # noqa: ARG005 - a name
    "shift": _shift,
    "units": _units,
    "swapped": lambda values, language, today: {"pair": values[0]},  # noqa: ARG005 - codes
    "leap": _leap,
}


def _as_written(pattern: str, texts: Sequence[str]) -> str:
    """The words of a story that a pattern ("evacuat*", "border guard*") found; "" where no text
    has them.
    """
    wanted = _STEM.findall(pattern)
    for text in texts:
        tokens = _WORD.findall(comparable(text))
        for at in range(len(tokens) - len(wanted) + 1):
            window = tokens[at : at + len(wanted)]
            if all(map(_found_by, window, wanted)):
                return " ".join(window).lower()
    return ""


def _found_by(token: str, wanted: tuple[str, str]) -> bool:
    """Whether a word of a text is the word of a pattern, or begins like its stem."""
    word, star = wanted
    if star:
        return fold(token).startswith(fold(word))
    return fold(token) == fold(word)
