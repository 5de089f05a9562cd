"""The questions about money in one message: one, or several, of today or of another day.

    100 usd, 50 eur и 3000 руб         several amounts
    100 usd eur rub, 100 usd в сомах и тенге   one amount in several currencies
    доллар вчера, 100 usd 1 августа    of a day in words

Whatever is one question by itself is never cut. A list is as strict as a question: each amount of
it is a question of its own, and a list of currencies follows an amount in one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from bot.convert.currencies import LONGEST_NAME
from bot.convert.dates import DayFound, day_at
from bot.convert.mentions import currency_at
from bot.convert.plain import plain_text
from bot.convert.question import Question, parse_question, says_amount
from bot.convert.tokens import MAX_LENGTH
from bot.errors import UserError
from bot.languages import any_of, phrases_of

MOST_QUESTIONS = 10  # lines of one answer
#: What stands between the amounts of a list; a comma inside a number is none.
_COMMAS = re.compile(r"(?:(?<!\d),|,(?!\d)|[;\n])+")
_WORD = re.compile(r"[^\W_]+")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """The questions of a message, in order; `on` is the day whose rates are meant, if not today."""

    questions: tuple[Question, ...]
    on: date | None = None


def parse_inquiry(
    text: str, *, language: str | None = None, home: str = "KGS", today: date
) -> Inquiry:
    """Read what a message asks about money; UserError "error.convert.…" when it asks nothing.

    "error.date" when it is a question about a day that there is not.
    """

    def ask(part: str) -> Question:
        return parse_question(part, language=language, home=home)

    try:
        return Inquiry(questions=(ask(text),))
    except UserError as error:
        reason = error
    if len(text) > MAX_LENGTH:
        raise reason
    plain = plain_text(text)
    rest, on = _without_day(plain, ask, today)
    questions = (rest != plain and _one(rest, ask)) or _targets(rest, ask) or _amounts(rest, ask)
    if not questions:
        raise reason
    return Inquiry(questions=questions, on=None if on == today else on)


Ask = Callable[[str], Question]


def _one(text: str, ask: Ask) -> tuple[Question, ...]:
    try:
        return (ask(text),)
    except UserError:
        return ()


# --- the words between them (`bot/languages/*/questions.py`) --------------------------------------


@cache
def _words() -> re.Pattern[str]:
    """The separators between the amounts of a list: marks, and words of every language."""
    words = any_of(phrases_of(lambda spoken: spoken.questions.between_amounts))
    return re.compile(rf"(?:(?<!\d),|,(?!\d)|[;\n+&]|(?<!\w)(?:{words})(?!\w))+", re.IGNORECASE)


@cache
def _before_target() -> re.Pattern[str]:
    """The words right before a currency of a list: "100 usd в сомах и в тенге"."""
    words = any_of(phrases_of(lambda spoken: spoken.questions.between_targets))
    return re.compile(rf"(?:[\s,;/&+]|(?<!\w)(?:{words})(?!\w))+$", re.IGNORECASE)


@cache
def _before_day() -> re.Pattern[str]:
    words = any_of(phrases_of(lambda spoken: spoken.questions.before_day))
    return re.compile(rf"(?<!\w)(?:{words})\s+$", re.IGNORECASE)


@cache
def _behind_day() -> re.Pattern[str]:
    words = any_of(phrases_of(lambda spoken: spoken.questions.behind_day))
    return re.compile(rf"\s*(?:{words})?(?!\w)", re.IGNORECASE)


# --- lists ----------------------------------------------------------------------------------------


def _amounts(text: str, ask: Ask) -> tuple[Question, ...]:
    """Several amounts, each with its currency; a target behind the last one is that of all."""
    for between in (_COMMAS, _words()):
        parts = [part.strip() for part in between.split(text) if part.strip()]
        if not 2 <= len(parts) <= MOST_QUESTIONS:
            continue
        questions: list[Question] = []
        for part in parts:
            if says_amount(part):
                questions += _one(part, ask)
        if len(questions) < len(parts):
            continue
        *first, last = questions
        if last.target is not None and all(one.target is None for one in first):
            shared = [replace(one, target=last.target) for one in first]
            # "5 eur and 10 usd in eur" asks for no euros in euros: each is asked for as it stands
            if all(one.source != one.target for one in shared):
                questions = [*shared, last]
        return tuple(questions)
    return ()


def _targets(text: str, ask: Ask) -> tuple[Question, ...]:
    """One amount in several currencies: the last ones taken off, until the rest is a question."""
    head, more = text.strip(" .?!"), list[str]()
    while len(more) < MOST_QUESTIONS:
        if more and (asked := _one(head, ask)):
            (first,) = asked
            if first.target is None or not says_amount(head):
                return ()
            codes = dict.fromkeys([first.target, *more])
            codes.pop(first.source, None)
            return tuple(replace(first, target=code) for code in codes)
        cut = _last_currency(head)
        if cut is None:
            return ()
        code, at = cut
        more.insert(0, code)
        head = _before_target().sub("", head[:at])
    return ()


def _last_currency(text: str) -> tuple[str, int] | None:
    """The currency that a text ends with, and where its name begins."""
    starts = [word.start() for word in re.finditer(r"[^\s,;/&+]+", text)][-LONGEST_NAME:]
    for at in starts:
        found = currency_at(text, at)
        if found is not None and len(found.codes) == 1 and found.end == len(text):
            return found.codes[0], at
    return None


# --- the day --------------------------------------------------------------------------------------


def _without_day(text: str, ask: Ask, today: date) -> tuple[str, date | None]:
    """A text without the one day that it names in words, and that day.

    Figures alone are no day here: "12.05 usd" may be an amount.
    """
    for word in _WORD.finditer(text):
        at = word.start()
        try:
            found = day_at(text, at, today=today)
        except UserError as error:
            wrong = str(error.values.get("text", ""))
            if _LETTER.search(wrong) and _one(_cut(text, at, at + len(wrong)), ask):
                raise
            continue
        if found is not None and _in_words(text, at, found):
            return _cut(text, at, found.end), found.on
    return text, None


def _in_words(text: str, at: int, found: DayFound) -> bool:
    return _LETTER.search(text, at, found.end) is not None


def _cut(text: str, at: int, end: int) -> str:
    """A text without what stands between, and without the words that tie it to the rest."""
    behind = _behind_day().match(text, end)
    if behind is not None:
        end = behind.end()
    return f"{_before_day().sub('', text[:at])} {text[end:]}".strip(" ,")
