"""A token's part in a question, as a letter: an amount, a currency, a word with a part in it."""

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
    shared_by,
    signs,
    split_pair,
    suffix_form,
)
from bot.convert.numbers import Piece, Sort, number_words, plus_before, read_number, short_scales
from bot.convert.tokens import Token, is_money, unglued
from bot.errors import UserError
from bot.languages import languages
from bot.languages.letters import in_cyrillic

#: Marks with a part in a question, by their letter.
_SIGNED = {"=": "e", ">": "e", "/": "/", "-": "-", "?": "?", ",": ","}
#: A times sign between two figures, in the layout of either alphabet: "2x50".
_LETTER_X = frozenset({"x", in_cyrillic("x")})
_ARITHMETIC = {"×": "*", "÷": "/", **dict.fromkeys(_LETTER_X, "*")}
#: The letters whose words a language brings (`Item`); "w" is heeded at the currency before it.
SPOKEN_PARTS = tuple("qQtTfrixpw")
#: What stands behind the last token.
_NOTHING = Token(kind="", text="", raw="", glued=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A token's part in a question, as a letter of the shapes in question.py.

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
    """Each token's part in a number; None where it has none."""
    pieces: list[Piece | None] = []
    before: Piece | None = None
    for at, (token, literal) in enumerate(tokens):
        after = _NOTHING
        if at + 1 < len(tokens):
            after = tokens[at + 1][0]
        before = literal or _piece(token, before, after)
        pieces.append(before)
    return pieces


def _piece(token: Token, before: Piece | None, after: Token) -> Piece | None:
    numeric = before is not None and (not before.sign or before.sign == ")")
    sign = _ARITHMETIC.get(token.text, token.text)
    if token.text in _LETTER_X and not (numeric and after.kind == "literal"):
        return None
    if sign in {"+", "-", "*", "/", "(", ")"}:
        return Piece(Sort.SIGN, sign=sign)
    if _joins(token, before, after):
        return Piece(Sort.AND)
    if numeric and token.text in short_scales():
        return short_scales()[token.text]
    if token.kind != "word":
        return None
    return number_words().get(token.text)


def _joins(token: Token, before: Piece | None, after: Token) -> bool:
    """Whether a word or a comma is the "and" of a number: "one thousand, two hundred"."""
    if token.text == ",":
        return before is not None and before.sort is Sort.SCALE and after.text in number_words()
    return plus_before().get(after.text) == token.text


def _next_items(
    words: Sequence[Token], pieces: Sequence[Piece | None], at: int, *, after_number: bool
) -> tuple[tuple[Item, ...], int]:
    """The items that begin at `at` (several only for "usdkgs"), and where the next begins."""
    token, piece = words[at], pieces[at]
    # right behind a figure a letter may be a currency ("10 с"), anywhere else it is a word
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
    if at + 1 < len(words) and words[at + 1].glued:
        ending = suffix_form(words[at + 1].text)
        if ending is not None:
            return (Item(letter="S", named=replace(named, form=ending), raw=raw),), at + 2
    return (Item(letter="S", named=named, raw=raw),), at + 1


def _word(words: Sequence[Token], at: int) -> tuple[tuple[Item, ...], int]:
    """A currency by its longest name, or a word with a part in the question."""
    ahead = takewhile(lambda token: token.kind == "word", words[at : at + LONGEST_NAME])
    run = tuple(token.text for token in ahead)
    # the longest first: a name of three words may begin with one of one
    for length in range(len(run), 0, -1):
        key = run[:length]
        named = find_name(key)
        if named is not None:
            letter = "W"
            if key == (named.code.lower(),):
                letter = "C"
            return (Item(letter=letter, named=named, raw=words[at].raw),), at + length
        if key in _functions():
            return (Item(letter=_functions()[key], raw=run[0]),), at + length
    if run and (pair := split_pair(run[0])) is not None:
        first, second = pair
        between = Item(letter="/")
        return (Item(letter="C", named=first), between, Item(letter="C", named=second)), at + 1
    if run and shared_by(run[0]):  # as a sign, which needs a code beside it
        return (Item(letter="S", named=Named(code=""), raw=words[at].raw),), at + 1
    raise UserError("error.convert.word", word=words[at].raw)


@cache
def _functions() -> dict[tuple[str, ...], str]:
    """Each phrase with a part in a question, word by word, and the letter of that part."""
    found: dict[tuple[str, ...], str] = {}
    for spoken in reversed(languages()):
        for letter, phrases in spoken.questions.words.items():
            for phrase in phrases.split(","):
                found[tuple(phrase.split())] = letter
    return found
