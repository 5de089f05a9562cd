"""What a token is in a question, as a letter: an amount, a currency, a word with a part in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import takewhile

from bot.convert.currencies import (
    LONGEST_NAME,
    Named,
    find_name,
    initials,
    signs,
    split_pair,
    suffix_form,
)
from bot.convert.numbers import Piece, Sort, number_words, plus_before, read_number, short_scales
from bot.convert.tokens import Token, is_money, unglued
from bot.errors import UserError
from bot.languages import languages

#: Marks with a part in a question, by their letter.
_SIGNED = {"=": "e", ">": "e", "/": "/", "-": "-", "?": "?", ",": ","}
_ARITHMETIC = {"×": "*", "÷": "/", "x": "*", "х": "*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a token is in the question, as a letter of the shapes in question.py.

    N amount; S C W currency by sign, code, name; q question, Q counting question ("how many" right
    before a currency); t towards, T towards for certain, / e towards by a sign; f from; and until
    they are dropped: r rate, i command, x verb or time, p politeness, comma, dash, question mark.
    """

    letter: str
    named: Named | None = None
    raw: str = ""
    amount: Decimal = Decimal(1)
    other: Decimal | None = None


def items_of(tokens: Sequence[tuple[Token, Piece | None]]) -> Iterator[Item]:
    """Say what each token is: numbers first, because "к" and "с" mean something else behind one."""
    tokens = list(unglued(tokens))
    words = [token for token, _ in tokens]
    pieces = _pieces(tokens)
    at = 0
    previous = ""
    while at < len(words):
        items, at = _next_items(words, pieces, at, after_number=previous == "N")
        previous = items[-1].letter
        yield from items


def _pieces(tokens: Sequence[tuple[Token, Piece | None]]) -> list[Piece | None]:
    """What each token is in a number, or None."""
    pieces: list[Piece | None] = []
    for at, (token, literal) in enumerate(tokens):
        before = pieces[-1] if pieces else None
        pieces.append(literal or _piece(token, before, tokens[at + 1 : at + 2]))
    return pieces


def _piece(
    token: Token, before: Piece | None, after: Sequence[tuple[Token, Piece | None]]
) -> Piece | None:
    numeric = before is not None and (not before.sign or before.sign == ")")
    sign = _ARITHMETIC.get(token.text, token.text)
    if token.text in {"x", "х"} and not (numeric and after and after[0][0].kind == "literal"):
        return None
    if sign in {"+", "-", "*", "/", "(", ")"}:
        return Piece(Sort.SIGN, sign=sign)
    following = after[0][0].text if after else ""
    if following and plus_before().get(following) == token.text:
        return Piece(Sort.AND)
    if (
        token.text == ","
        and before is not None
        and before.sort is Sort.SCALE
        and following in number_words()
    ):
        return Piece(Sort.AND)  # "one thousand, two hundred"
    if numeric and token.text in short_scales():
        return short_scales()[token.text]
    return number_words().get(token.text) if token.kind == "word" else None


def _next_items(
    words: Sequence[Token], pieces: Sequence[Piece | None], at: int, *, after_number: bool
) -> tuple[tuple[Item, ...], int]:
    """What begins at `at` (several items only for "usdkgs"), and where the next begins."""
    token, piece = words[at], pieces[at]
    if after_number and token.text in initials() and (single := _initial(words, at)):
        return (single,), at + 1
    if piece is not None and piece.sort is not Sort.AND and piece.sign in {"", "("}:
        amount, other, end = read_number(pieces, at)
        return (Item(letter="N", amount=amount, other=other),), end
    if token.kind == "money":
        return _signed(words, at)
    if token.kind == "mark" and token.text in _SIGNED:
        return (Item(letter=_SIGNED[token.text]),), at + 1
    return _word(words, at)


def _initial(words: Sequence[Token], at: int) -> Item | None:
    """A currency by its first letter; an unsure one ("10 с") needs money beside it."""
    token = words[at]
    initial = initials()[token.text]
    sure = initial.sure or token.glued or token.dotted
    if not sure and not any(is_money(word.text) or word.kind == "money" for word in words):
        return None
    return Item(letter="W", named=Named(code=initial.code))


def _signed(words: Sequence[Token], at: int) -> tuple[tuple[Item, ...], int]:
    """A sign, with the Kyrgyz ending that may hang on it."""
    raw = words[at].raw
    named = Named(code=signs()[raw])
    following = words[at + 1] if at + 1 < len(words) else None
    if (
        following is not None
        and following.glued
        and (ending := suffix_form(following.text)) is not None
    ):
        return (Item(letter="S", named=replace(named, form=ending), raw=raw),), at + 2
    return (Item(letter="S", named=named, raw=raw),), at + 1


def _word(words: Sequence[Token], at: int) -> tuple[tuple[Item, ...], int]:
    """A currency by its longest name, or a word with a part in the question."""
    ahead = takewhile(lambda token: token.kind == "word", words[at : at + LONGEST_NAME])
    run = tuple(token.text for token in ahead)
    for length in range(len(run), 0, -1):
        key = run[:length]
        if (named := find_name(key)) is not None:
            letter = "C" if key == (named.code.lower(),) else "W"
            return (Item(letter=letter, named=named, raw=words[at].raw),), at + length
        if (letter := _functions().get(key, "")) != "":
            return (Item(letter=letter, raw=run[0]),), at + length
    if run and (pair := split_pair(run[0])) is not None:
        first, second = (Item(letter="C", named=named) for named in pair)
        return (first, Item(letter="/"), second), at + 1
    raise UserError("error.convert.word", word=words[at].raw)


@cache
def _functions() -> dict[tuple[str, ...], str]:
    """Each phrase with a part in a question, word by word, and the letter of that part."""
    found: dict[tuple[str, ...], str] = {}
    for spoken in reversed(languages()):
        for letter, phrases in spoken.questions.words.items():
            found |= {tuple(phrase.split()): letter for phrase in phrases.split(",")}
    return found
