"""A currency where it stands in a command's words, by whatever name people call it.

`/rates доллар США`, `/chart €`, `/alert рублём < 1`, `/rates usd/kgs`: every command reads a
currency by this one function, with the same names as the converter's questions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_uppercase

from bot.convert.currencies import (
    LONGEST_NAME,
    find_name,
    initials,
    sign_pattern,
    signs,
    split_pair,
    suffix_form,
)
from bot.convert.plain import LETTERS, plain_text

_WORD = re.compile(rf"{LETTERS}(?:'{LETTERS})*")
_BETWEEN = re.compile(r" +|-|\. *")  # of one name: "доллар США", "доллар-США", "долл. США"
_ANYTHING = re.compile(rf"{LETTERS}|[^\w\s]")
_FLAGS = "\U0001f1e6-\U0001f1ff"
_FLAG = re.compile(f"[{_FLAGS}]{{2}}")
#: Unicode has no flags, only twenty-six letters of a script of their own, A the first of them.
_FLAG_LETTERS = {0x1F1E6 + index: letter for index, letter in enumerate(ascii_uppercase)}
#: Flags that people type for a currency, by the letters they are made of.
_FLAG_CODES = {
    "US": "USD", "EU": "EUR", "RU": "RUB", "KG": "KGS", "KZ": "KZT", "UZ": "UZS", "TJ": "TJS",
    "CN": "CNY", "GB": "GBP", "TR": "TRY", "JP": "JPY", "CH": "CHF", "KR": "KRW", "IN": "INR",
    "AE": "AED", "UA": "UAH", "GE": "GEL", "AM": "AMD", "AZ": "AZN", "BY": "BYN", "MN": "MNT",
    "CA": "CAD", "AU": "AUD", "PL": "PLN", "TM": "TMT", "IR": "IRR", "AF": "AFN",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One or two currency codes (two for "usdkgs") and the place in the text behind them."""

    codes: tuple[str, ...]
    end: int


def currencies_in(text: str) -> frozenset[str]:
    """The codes of all currencies that a text names."""
    plain = plain_text(text)
    found: set[str] = set()
    for word in _ANYTHING.finditer(plain):
        mention = currency_at(plain, word.start())
        if mention is not None:
            found.update(mention.codes)
    return frozenset(found)


def currency_at(text: str, at: int) -> Mention | None:
    """The currency that begins at `at` of a plain text, by its longest name; None when none does.

    A full stop of an abbreviation ("руб.") and a Kyrgyz ending behind a sign ("$га") belong to it.
    """
    sign = re.compile(sign_pattern()).match(text, at)
    if sign is not None:
        return Mention(codes=(signs()[sign.group()],), end=_behind_sign(text, sign.end()))
    flag = _FLAG.match(text, at)
    if flag is not None:
        return _flagged(flag)
    words = _run(text, at)
    for length in range(len(words), 0, -1):
        name = tuple(word.group().lower() for word in words[:length])
        end = words[length - 1].end()
        found = find_name(name)
        if found is not None:
            return Mention(codes=(found.code,), end=_behind_stop(text, end))
    if not words:
        return None
    return _short_form(text, words[0])


def _short_form(text: str, word: re.Match[str]) -> Mention | None:
    """The currency of a lone letter ("р."), or the two of a pair without a mark between them."""
    initial = initials().get(word.group().lower())
    if initial is not None and initial.sure:
        return Mention(codes=(initial.code,), end=_behind_stop(text, word.end()))
    pair = split_pair(word.group().lower())
    if pair is None:
        return None
    return Mention(codes=(pair[0].code, pair[1].code), end=word.end())


def _flagged(flag: re.Match[str]) -> Mention | None:
    """The currency of the country whose flag that is: two letters in a script of their own."""
    country = flag.group().translate(_FLAG_LETTERS)
    if country not in _FLAG_CODES:
        return None
    return Mention(codes=(_FLAG_CODES[country],), end=flag.end())


def _run(text: str, at: int) -> list[re.Match[str]]:
    """The words from `at` that one name could be made of."""
    found: list[re.Match[str]] = []
    while len(found) < LONGEST_NAME and (word := _WORD.match(text, at)) is not None:
        found.append(word)
        gap = _BETWEEN.match(text, word.end())
        if gap is None:
            break
        at = gap.end()
    return found


def _behind_sign(text: str, end: int) -> int:
    ending = _WORD.match(text, end)
    if ending is None or suffix_form(ending.group().lower()) is None:
        return end
    return ending.end()


def _behind_stop(text: str, end: int) -> int:
    """Behind the full stop of an abbreviation, but not into "usd.5"."""
    if re.match(r"\.(?!\d)", text[end : end + 2]):
        return end + 1
    return end
