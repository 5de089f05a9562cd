"""Reasons in the reader's language: why a story was told, why a rate is doubted, what went wrong.

Every reason that has a text, `reason.CODE`, is said, but those of `UNSAID`. A code without either
is named when the program starts (`bot.cli.whole`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bot.i18n import day_at, day_since, known, number, percent, share, t
from bot.languages import FALLBACK
from bot.languages.letters import fold
from bot.log import redact
from bot.model.text import comparable
from bot.reasons import (
    ChatNumber,
    Figure,
    Percent,
    Printed,
    Quote,
    Reason,
    Share,
    Since,
    SourceKey,
    Term,
    between,
)
from bot.render.numbers import as_printed
from bot.render.phrases import counted, phrase
from bot.render.text import Rich, join, one_line, placeholders

#: Reasons that no reader is told as reasons of a story.
UNSAID = frozenset(
    {
        "grave",  # the kinds of words that were found say what is grave about it
        "against",  # why something was not told; operators hear it
        "worded_otherwise",  # likewise
        "foreign",  # likewise
    }
)
#: Reasons of a move or a chat's own rule, told in the words of that alert.
OF_ALERTS = frozenset(
    {
        *("fixing", "drift", "drift_first", "high", "low", "usual", "revised"),
        *("above", "below", "since"),
    }
)
#: Reasons whose words are made of what they found.
OF_FINDINGS = frozenset({"found", "dead"})
#: Kinds of words that are found, the gravest first.
GRAVEST = (
    *("conflict", "terror", "border", "disaster", "emergency"),
    *("crime", "police", "services", "alliance"),
)
MOST_SAID = 3  # reasons: what is read of a *Why?* on a phone
#: What sources and chats are called, by their key and number.
Names = Mapping[str | int, str]
NO_NAMES: Names = {}
# a word of a pattern; the star says that it is only how one begins
_STEM = re.compile(r"([^\W_]+)(\*?)")
_WORD = re.compile(r"[^\W_]+")


def textless(codes: Iterable[str]) -> list[str]:
    """The codes whose text is lacking, which nobody would ever be told."""
    otherwise = UNSAID | OF_ALERTS | OF_FINDINGS
    return [code for code in codes if code not in otherwise and not known(f"reason.{code}")]


def said(
    reasons: Sequence[Reason],
    language: str,
    texts: Sequence[str],
    *,
    most: int = MOST_SAID,
    today: date | None = None,
) -> list[Rich]:
    """A line for each reason for telling a story, the gravest first, `most` at most.

    The kinds of words that were found, each with those that stand in the `texts`: what another
    language's report says would explain nothing to whoever reads this one. What is `UNSAID` is left
    out, and what another version of the program stored and this one has no text for.
    """
    dead: list[Rich] = []
    others: list[Rich] = []
    found: dict[str, list[str]] = {}
    for reason in reasons:
        # a kind that another version of the program stored may have no words in ours
        if reason.code == "found" and known(f"reason.{reason.figure('kind')}"):
            kind, pattern = str(reason.figure("kind")), str(reason.figure("pattern"))
            found.setdefault(kind, []).append(_as_written(pattern, texts))
        elif reason.code == "dead":
            dead.append(counted("reason.dead", int(str(reason.figure("n"))), language))
        elif _is_said(reason, language):
            others.append(told(reason, language, today=today))
    kinds = sorted(found, key=lambda kind: (*GRAVEST, kind).index(kind))
    return [*dead, *(_kind(kind, found[kind], language) for kind in kinds), *others][:most]


def _is_said(reason: Reason, language: str) -> bool:
    """Whether a reason is said by its own text."""
    return reason.code not in UNSAID | OF_FINDINGS and _has_text(reason, language)


def _has_text(reason: Reason, language: str) -> bool:
    """Whether there is a text for a reason, with a place for each of its figures."""
    msgid = f"reason.{reason.code}"
    names = frozenset(name for name, _ in reason.figures)
    return known(msgid) and placeholders(t(msgid, language)) == names


def _kind(kind: str, words: Sequence[str], language: str) -> Rich:
    """A kind of words that were found, with the words; alone where they say no more than it."""
    once = list(dict.fromkeys(filter(None, words)))
    label = t(f"reason.{kind}", language)
    if not once or once == [label]:
        return Rich(label)
    return phrase("reason.found", language, kind=label, words=", ".join(once))


def because(
    reasons: Sequence[Reason],
    language: str,
    *,
    today: date | None = None,
    texts: Sequence[str] = (),
) -> Rich:
    """All reasons of a decision in one line, those against it too, for the operator who judges."""
    shown = said(reasons, language, texts, most=len(reasons), today=today)
    against = []
    for reason in reasons:
        if reason.code == "against":
            pattern = str(reason.figure("pattern"))
            against.append(_as_written(pattern, texts) or pattern.replace("*", "…"))
        elif reason.code not in OF_FINDINGS | {"grave"} and not _is_said(reason, language):
            shown.append(told(reason, language, today=today))
    if against:
        words = ", ".join(dict.fromkeys(against))
        shown.append(phrase("reason.against", language, words=words))
    return join("; ", shown)


def told(reason: Reason, language: str, *, today: date | None = None) -> Rich:
    """One reason in the reader's words, each figure as they write it.

    What another version of the program gave as a reason, and this one has no text for, or one for
    other figures, is its code with the figures.
    """
    if not _has_text(reason, language):
        return Rich(redact(str(reason)))
    figures: dict[str, Rich | str] = {}
    for name, figure in reason.figures:
        figures[name] = figure_told(figure, language, today=today)
    return phrase(f"reason.{reason.code}", language, **figures)


def in_english(reason: Reason | None) -> str | None:
    """A stored reason for whoever reads a verb's output or a log; None where there is none."""
    if reason is None:
        return None
    return told(reason, FALLBACK).text


def figure_told(
    figure: Figure,
    language: str,
    *,
    today: date | None = None,
    names: Names = NO_NAMES,
) -> Rich | str:
    """A figure as the reader writes it, by its type; a source or a chat by its name, where the
    `names` have it.
    """
    if isinstance(figure, Reason):
        return told(figure, language, today=today)
    if isinstance(figure, tuple):
        each = [figure_told(one, language, today=today, names=names) for one in figure]
        return join(between(figure), each)
    if isinstance(figure, date):
        since_or_at = day_since if isinstance(figure, Since) else day_at
        return since_or_at(figure, language, today=today)
    if isinstance(figure, SourceKey | ChatNumber):
        return names.get(figure, str(figure))
    return _WRITERS.get(type(figure), _in_one_line)(figure, language)


def _in_one_line(text: object, language: str) -> str:  # noqa: ARG001 - words of no language of ours
    """Anybody's words: a server may repeat what it was asked, a token's address or a key."""
    return one_line(redact(str(text)))


def _as_it_is(figure: object, language: str) -> str:  # noqa: ARG001 - alike in all languages
    return str(figure)


#: How other figures are written, by their type.
_WRITERS: Mapping[type, Callable[[Any, str], str]] = {
    Decimal: number,
    Percent: percent,
    Share: share,
    Printed: as_printed,
    int: _as_it_is,
    Quote: _as_it_is,
    Term: t,
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
