"""The tokens of a question: what stands in the text, before anybody asks what it means.

One kind of space, apostrophe and dash; numbers read, articles and the stops behind words dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bot.convert.currencies import find_name, initials, sign_pattern, split_pair
from bot.convert.numbers import (
    LITERAL,
    MAX_DIGITS,
    Piece,
    Sort,
    number_words,
    read_literal,
    short_scales,
)
from bot.convert.plain import LETTERS, plain_text
from bot.errors import UserError
from bot.i18n import decimal_mark
from bot.languages import words_of

MAX_LENGTH = 200  # characters of a text that may be a question


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A run of the text: a number, a word (in lower case), a currency sign, or another mark."""

    kind: str  # literal, word, money, mark
    text: str
    raw: str
    glued: bool  # no space before it
    dotted: bool = False  # a full stop behind it: "руб."


def readable(text: str) -> str:
    """The text with one kind of space, apostrophe and dash; refuses what is empty or too long."""
    if len(text) > MAX_LENGTH:
        raise UserError("error.convert.long", limit=MAX_LENGTH)
    plain = re.sub(rf"({LETTERS})-(?={LETTERS})", r"\1 ", plain_text(text)).strip(" \n\r!")
    # "$100 (USD)" names a currency, "(2+3)" is arithmetic
    plain = re.sub(r"\(([^()\d]+)\)", r" \1 ", plain).strip()
    if not plain:
        raise UserError("error.convert.empty")
    if "%" in plain:
        raise UserError("error.convert.percent")
    if sum(letter.isdigit() for letter in plain) > MAX_DIGITS:
        raise UserError("error.convert.digits", limit=MAX_DIGITS)
    return plain


def decimal_comma(text: str, language: str | None) -> bool:
    """Whether CLDR's decimal mark is a comma; the text's script tells where no language is said."""
    if language is None:
        return re.search(r"[\u0400-\u04ff]", text) is not None
    return decimal_mark(language[:2].lower()) == ","


@cache
def _lexer() -> re.Pattern[str]:
    return re.compile(
        rf"(?P<space>[ \n\r]+)|(?P<money>{sign_pattern()})|(?P<literal>{LITERAL})"
        rf"|(?P<word>{LETTERS}(?:'{LETTERS})*)|(?P<arrow>[-=]>)|(?P<mark>[-+*/×÷()=>?!.,])"
    )


def tokens_of(text: str, *, comma: bool) -> list[tuple[Token, Piece | None]]:
    """The tokens of a text, literals with their reading; articles and words' stops are dropped."""
    found: list[tuple[Token, Piece | None]] = []
    at, spaced = 0, True
    while at < len(text):
        match = _lexer().match(text, at)
        if match is None:
            raise UserError("error.convert.word", word=text[at])
        kind, raw = match.lastgroup or "", match.group()
        at = match.end()
        if kind == "space":
            spaced = True
            continue
        token = Token(kind=kind, text=raw.lower(), raw=raw, glued=not spaced)
        spaced = False
        if kind == "arrow":
            token = replace(token, kind="mark", text=">")
        if raw in ".!" and found and (found[-1][0].kind in {"word", "money"} or at == len(text)):
            found[-1] = (replace(found[-1][0], dotted=True), found[-1][1])
            continue
        if token.text in _articles():
            continue
        piece = None
        if kind == "literal":
            piece = read_literal(raw, comma=comma)
        found.append((token, piece))
    return found


@cache
def _articles() -> frozenset[str]:
    return frozenset(words_of(lambda spoken: spoken.questions.articles))


def unglued(
    tokens: Sequence[tuple[Token, Piece | None]],
) -> Iterator[tuple[Token, Piece | None]]:
    """Cut a scale from the name that follows it without a space: "5круб", "10млнсум"."""
    behind_number = False
    for token, piece in tokens:
        cut = ""
        if behind_number and token.glued and token.kind == "word":
            cut = _scale_ahead(token.text)
        if cut:
            yield replace(token, text=cut, raw=token.raw[: len(cut)]), None
            rest = token.text[len(cut) :]
            yield replace(token, text=rest, raw=token.raw[len(cut) :]), None
        else:
            yield token, piece
        behind_number = token.kind == "literal"


def _scale_ahead(word: str) -> str:
    """The scale a word begins with, when what remains names a currency and the whole does not."""
    if is_money(word) or word in number_words():
        return ""
    for scale in _scales():
        if word.startswith(scale) and is_money(word[len(scale) :]):
            return scale
    return ""


@cache
def _scales() -> tuple[str, ...]:
    """The words for a thousand and more, of all languages, longest first."""
    found = set(short_scales())
    for word, piece in number_words().items():
        if piece.sort is Sort.SCALE:
            found.add(word)
    return tuple(sorted(found, key=len, reverse=True))


def is_money(word: str) -> bool:
    """Whether a word in lower case names a currency, or two ("usdkgs")."""
    initial = initials().get(word)
    if initial is not None and initial.sure:
        return True
    return find_name((word,)) is not None or split_pair(word) is not None
