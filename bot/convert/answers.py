"""The answers to a question about money: each reading of it, each way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.convert.exchange import Answer, convert
from bot.convert.question import Question
from bot.errors import UserError
from bot.model.rates import Rate
from bot.model.subjects import CURRENCIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One equation of an answer: `amount` of `base` in `quote`."""

    amount: Decimal
    base: str
    quote: str
    answer: Answer


def conversions(
    asked: Question,
    rates: Sequence[Rate],
    *,
    home: str,
    must_know: Callable[[Sequence[str]], None],
    usual: Sequence[str] = CURRENCIES,
) -> list[Conversion]:
    """A question's answers: each reading of its amount, and without a target the way back too.

    `must_know` refuses currencies that nobody gives a rate of; UserError also when no source
    relates the two.
    """
    found = []
    for base, quote in asked.ways(home, usual=usual):
        must_know([base, quote])
        for amount in asked.readings:
            answer = convert(amount, base, quote, rates, home)
            if answer is None:
                raise UserError("error.no_conversion", base=base, quote=quote)
            found.append(Conversion(amount=amount, base=base, quote=quote, answer=answer))
    return found
