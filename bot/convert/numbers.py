"""Numbers as people write them: "1 000,50", "1'000.5", "5к", "полтора миллиона", "2*(100+50)".

Exact throughout: fractions inside, a Decimal at the end. The words are each language's own, all of
them understood (`bot/languages/*/numbers.py`).

"1,500" and "1.500" have two readings. The one of the reader's own notation comes first (a decimal
comma in Russian and Kyrgyz, a point in English), except that nobody writes 1,5 with two zeros
behind it: three digits ending in zero are thousands first. The other reading is kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import Enum, auto
from fractions import Fraction
from functools import cache

from bot.errors import UserError
from bot.languages import languages
from bot.languages.letters import fold_typed
from bot.languages.parts import Numbers

MAX_DIGITS = 30  # of an amount as it is typed; we reckon with more
MAX_AMOUNT = Decimal(10) ** 15
_DEPTH = 12  # brackets within brackets
_EXACT = Context(prec=40)  # digits of a quotient that does not end
_GROUPED = re.compile(r"[0-9]{1,3}(?:(?P<mark>[ .,'])[0-9]{3})(?:(?P=mark)[0-9]{3})*")
# In the order of trying: space-grouped thousands, then whatever else digits and marks can be.
LITERAL = r"[0-9]{1,3}(?:\ [0-9]{3})+(?![0-9])(?:[.,][0-9]+)?|[0-9]+(?:[.,'][0-9]+)*½?|[.,][0-9]+|½"


class Sort(Enum):
    """The effect of a piece of a number on its neighbours."""

    LITERAL = auto()  # digits
    VALUE = auto()  # "five", "двадцать", "двести"
    HUNDRED = auto()  # "hundred", "жүз": multiplies what stands before it
    SCALE = auto()  # "thousand", "млн": likewise, and closes the group
    SHORT = auto()  # "к", "m": a scale after which nothing may follow
    HALF = auto()  # "половина", "жарым", "and a half"
    AND = auto()  # "two hundred and fifty"
    SIGN = auto()  # + - * / ( )


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a number; `other`: a literal's second reading, `room`: what may be added."""

    sort: Sort
    value: Fraction = Fraction(0)
    other: Fraction | None = None
    sign: str = ""
    room: int = 0


def to_decimal(value: Fraction) -> Decimal:
    """Give the decimal, exact where it ends within 40 digits."""
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def read_literal(text: str, *, comma: bool) -> Piece:
    """Read digits with their marks; `comma` tells that the language's decimal mark is the comma.

    Spaces must be plain ones and apostrophes straight. UserError when the marks make no sense.
    """
    half = text.endswith("½")
    body = text.removesuffix("½") or "0"
    # "1.5½" and "007" are no amounts that anybody means
    if (half and not body.isdigit()) or re.match(r"0[0-9]", body):
        raise _malformed(text)
    value, other = _readings(body, comma=comma)
    return Piece(Sort.LITERAL, value + Fraction(half, 2), other)


def _readings(text: str, *, comma: bool) -> tuple[Fraction, Fraction | None]:
    marks = re.findall(r"[ .,']", text)
    if not marks:
        return Fraction(text), None
    whole, last, tail = text.rpartition(marks[-1])
    grouped = _GROUPED.fullmatch(text) is not None and not text.startswith("0")
    thousands = None
    if grouped:
        thousands = Fraction(re.sub(r"[ .,']", "", text))
    # a space or an apostrophe never begins decimals, and two equal marks can only group
    if last in " '" or (len(marks) > 1 and thousands is not None):
        if thousands is None:
            raise _malformed(text)
        return thousands, None
    # 12.05.2024 is a date, 1,5,5 nothing
    if len(marks) > 1 and (last in whole or not _GROUPED.fullmatch(whole)):
        raise _malformed(text)
    decimal = Fraction(re.sub(r"[ ,.']", "", whole) + "." + tail)
    if thousands is None:
        return decimal, None
    own = (last == ",") == comma and not tail.endswith("0")
    if own:
        return decimal, thousands
    return thousands, decimal


def _malformed(text: str) -> UserError:
    return UserError("error.convert.amount", amount=text)


def _scale(value: int, sort: Sort = Sort.SCALE) -> Piece:
    return Piece(sort, Fraction(value))


def _value(number: int, *, ten: int = 0) -> Piece:
    """A number below a thousand: tens behind a hundred, ones behind twenty, in Kyrgyz also ten."""
    room = 0
    if number >= 100:
        room = 100
    elif number >= 20:
        room = 10
    elif number == 10:
        room = ten
    return Piece(Sort.VALUE, Fraction(number), room=room)


@cache
def number_words() -> dict[str, Piece]:
    """Every word that is a number or a piece of one, in lower case."""
    words: dict[str, Piece] = {}
    for spoken in reversed(languages()):
        words |= _pieces(spoken.numbers)
    return words


def _pieces(numbers: Numbers) -> dict[str, Piece]:
    """The pieces of one language; a word for a scale goes before that word for a small number."""
    pieces: dict[str, Piece] = {}
    ten = 0
    if numbers.ten_joins:
        ten = 10
    for number, words in numbers.words.items():
        pieces |= dict.fromkeys(words.split(), _value(number, ten=ten))
    for scale, names in numbers.scales.items():
        pieces |= dict.fromkeys(names.split(), _scale(scale))
    for scale, names in numbers.half_of.items():
        pieces |= dict.fromkeys(names.split(), _scale(scale // 2, Sort.VALUE))
    pieces |= dict.fromkeys(numbers.hundred.split(), _scale(100, Sort.HUNDRED))
    pieces |= dict.fromkeys(numbers.a_hundred.split(), _scale(100, Sort.VALUE))
    pieces |= dict.fromkeys(numbers.one_and_half.split(), Piece(Sort.VALUE, Fraction(3, 2)))
    pieces |= dict.fromkeys(numbers.half.split(), Piece(Sort.HALF, Fraction(1, 2)))
    pieces |= dict.fromkeys(numbers.plus.split(), Piece(Sort.AND))
    # as foreign keyboards type it too; a word that is written so already means what it means
    typed = {fold_typed(word): piece for word, piece in pieces.items()}
    return typed | pieces


@cache
def short_scales() -> dict[str, Piece]:
    """The letters that mean thousands and more, only right after a number."""
    pieces: dict[str, Piece] = {}
    for spoken in reversed(languages()):
        for scale, letters in spoken.numbers.short_scales.items():
            pieces |= dict.fromkeys(letters.split(), _scale(scale, Sort.SHORT))
    return pieces


@cache
def plus_before() -> Mapping[str, str]:
    """Words that join a number only to one other word, by that word: "с" before "половиной"."""
    found: dict[str, str] = {}
    for spoken in reversed(languages()):
        found |= spoken.numbers.plus_before
    return found


def _starts_number(piece: Piece | None) -> bool:
    return piece is not None and piece.sign in {"", "("}


@dataclass(slots=True)
class _Reader:
    """A reader of "2*(150+50) тыс" over pieces; it stops where a number cannot go on."""

    pieces: Sequence[Piece | None]
    second: bool  # take each ambiguous literal's second reading
    position: int = 0
    depth: int = 0

    def _peek(self, ahead: int = 0) -> Piece | None:
        at = self.position + ahead
        if at >= len(self.pieces):
            return None
        return self.pieces[at]

    def _sign(self, signs: str) -> str:
        """Take one of these signs if a number follows it: a dash before a word is not ours."""
        piece, following = self._peek(), self._peek(1)
        if (
            piece is None
            or not piece.sign
            or piece.sign not in signs
            or not _starts_number(following)
        ):
            return ""
        self.position += 1
        return piece.sign

    def sum(self) -> Fraction:
        total = self.product()
        while sign := self._sign("+-"):
            term = self.product()
            if sign == "+":
                total += term
            else:
                total -= term
        return total

    def product(self) -> Fraction:
        total = self.factor()
        while sign := self._sign("*/"):
            factor = self.factor()
            if sign == "*":
                total *= factor
            elif factor:
                total /= factor
            else:
                raise UserError("error.convert.zero")
        return total

    def factor(self) -> Fraction:
        piece = self._peek()
        if piece is None or not _starts_number(piece):
            raise UserError("error.convert.unclear")
        if piece.sign == "(":
            return self._brackets()
        return self._phrase()

    def _brackets(self) -> Fraction:
        # counted, because each bracket is a call: a message of brackets must not end the stack
        self.depth += 1
        if self.depth > _DEPTH:
            raise UserError("error.convert.unclear")
        self.position += 1
        value = self.sum()
        closing = self._peek()
        if closing is None or closing.sign != ")":
            raise UserError("error.convert.unclear")
        self.position += 1
        self.depth -= 1
        following = self._peek()
        if following is not None and following.sort in {Sort.SCALE, Sort.SHORT}:
            self.position += 1
            value *= following.value
        return value

    def _phrase(self) -> Fraction:
        phrase = _Phrase(second=self.second)
        while (piece := self._peek()) is not None and not piece.sign:
            # it ties a number to a number only: behind "five and" something else begins
            if piece.sort is Sort.AND:
                following = self._peek(1)
                if (
                    phrase.empty
                    or following is None
                    or following.sort not in {Sort.VALUE, Sort.HALF, Sort.HUNDRED}
                ):
                    break
            elif not phrase.take(piece):
                break
            self.position += 1
        if phrase.empty:
            raise UserError("error.convert.unclear")
        return phrase.value


@dataclass(slots=True)
class _Phrase:
    """A number told in pieces, large to small: closed groups in `total`, one open in `group`."""

    second: bool
    total: Fraction = Fraction(0)
    group: Fraction | None = None
    room: int = 0  # the open group takes only values below this
    ceiling: Fraction | None = None  # the next scale must be below this
    closed: bool = False

    @property
    def empty(self) -> bool:
        return self.group is None and self.ceiling is None

    @property
    def value(self) -> Fraction:
        return self.total + (self.group or 0)

    def take(self, piece: Piece) -> bool:
        """Add a piece; False when it cannot follow."""
        if self.closed:
            return False
        if piece.sort is Sort.LITERAL:
            value = piece.value
            if self.second and piece.other is not None:
                value = piece.other
            return self._open(value, 0)
        if piece.sort is Sort.VALUE:
            return self._value(piece)
        if piece.sort is Sort.HUNDRED:
            return self._hundred()
        if piece.sort is Sort.HALF:
            return self._half()
        return self._scale(piece)

    def _open(self, value: Fraction, room: int) -> bool:
        if self.group is not None or (self.ceiling is not None and value >= self.ceiling):
            return False
        self.group, self.room = value, room
        return True

    def _value(self, piece: Piece) -> bool:
        if self.group is None:
            return self._open(piece.value, piece.room)
        if not 0 < piece.value < self.room:
            return False
        self.group, self.room = self.group + piece.value, piece.room
        return True

    def _hundred(self) -> bool:
        if self.group is None:
            return self._open(Fraction(100), 100)
        if not 0 < self.group < 100:
            return False
        self.group, self.room = self.group * 100, 100
        return True

    def _half(self) -> bool:
        half = Fraction(1, 2)
        if self.group is None:
            if self.ceiling is None:
                return self._open(half, 0)
            self.total += self.ceiling / 2  # "миллион с половиной"
            self.closed = True
            return True
        if self.group.denominator != 1:
            return False
        self.group, self.room = self.group + half, 0
        return True

    def _scale(self, piece: Piece) -> bool:
        if self.ceiling is not None and (self.group is None or piece.value >= self.ceiling):
            return False
        group = self.group
        if group is None:  # "тысяча" by itself is one thousand
            group = Fraction(1)
        self.total += group * piece.value
        self.group, self.ceiling = None, piece.value
        self.closed = piece.sort is Sort.SHORT
        return True


def read_number(pieces: Sequence[Piece | None], start: int) -> tuple[Decimal, Decimal | None, int]:
    """Read the number that begins at `start`: its first reading, the other one or None, its end.

    None among the pieces is something that is no number. UserError: brackets that do not match, a
    division by zero, an amount that is not above zero or is too large.
    """
    reader = _Reader(pieces, second=False, position=start)
    amount = _checked(reader.sum())
    end = reader.position
    if all(piece is None or piece.other is None for piece in pieces[start:end]):
        return amount, None, end
    try:
        other = _checked(_Reader(pieces, second=True, position=start).sum())
    except UserError:  # the second reading makes no sense, so there is only one
        return amount, None, end
    if other == amount:
        return amount, None, end
    return amount, other, end


def _checked(value: Fraction) -> Decimal:
    if value <= 0:
        raise UserError("error.convert.amount", amount=str(to_decimal(value)))
    if value > MAX_AMOUNT:
        raise UserError("error.convert.large", limit=MAX_AMOUNT)
    return to_decimal(value)
