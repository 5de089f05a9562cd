"""We read back what we write, and a bank's unit changes nothing that a reader is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.moves import move
from bot.convert import convert, parse_question
from bot.convert.rules import parse_rule
from bot.detect.moves import Moved
from bot.i18n import rounded
from bot.languages import LANGUAGES
from bot.model.rates import Move, Rate, rate_from_json, rate_to_json
from bot.render.numbers import as_printed, money
from bot.render.rates import Equation, conversion
from bot.sources.base import positive
from tests.factories import rate

AMOUNTS = st.decimals(min_value=Decimal("0.01"), max_value=10**12, places=2).map(
    lambda a: a.quantize(Decimal("0.01"))
)
PRICES = st.decimals(min_value=Decimal("0.0001"), max_value=99999, places=4).map(
    lambda p: p.quantize(Decimal("0.0001"))
)
CODES = st.sampled_from(["USD", "KGS", "RUB", "UZS", "TRY", "CNY"])
SPEECH = st.sampled_from(LANGUAGES)


@given(amount=AMOUNTS, code=CODES, language=SPEECH)
def test_an_amount_as_we_write_it_is_read_as_the_same_amount(
    amount: Decimal, code: str, language: str
) -> None:
    """Text to number to text to number: with the marks of every language, also the left side of our
    own answer.
    """
    asked = parse_question(f"{money(amount, language)} {code}", language=language)
    assert (asked.amount, asked.source) == (amount, code)
    again = parse_question(f"{money(asked.amount, language)} {asked.source}", language=language)
    assert again == asked
    quote = "EUR" if code != "EUR" else "KGS"
    equation = Equation(amount=amount, base=code, result=Decimal(1), quote=quote, path=[rate()])
    answer = conversion([equation], language, names={})
    left, _, _ = answer.text.partition(" = ")
    assert parse_question(left, language=language).amount == amount


@given(price=PRICES, language=SPEECH)
def test_a_rate_as_we_write_it_is_read_as_the_same_rate(price: Decimal, language: str) -> None:
    """Digit for digit, its zeros too, and through the stored form of an alert."""
    assert str(positive(as_printed(price, language))) == str(price)
    stored = rate(value=str(price), units=100)
    assert rate_from_json(rate_to_json(stored)) == stored


@given(
    old=PRICES,
    new=PRICES,
    old_power=st.integers(0, 4),
    new_power=st.integers(0, 4),
    language=SPEECH,
)
def test_units_never_change_a_move_nor_what_is_said_of_it(
    old: Decimal, new: Decimal, old_power: int, new_power: int, language: str
) -> None:
    """Per 1 or per 10,000, and also when the bank changes it in between."""
    one = (priced(old, 0, "2021-10-19"), priced(new, 0, "2021-10-20"))
    many = (priced(old, old_power, "2021-10-19"), priced(new, new_power, "2021-10-20"))
    assert Move(old=one[0], new=one[1]).percent == Move(old=many[0], new=many[1]).percent
    assert said(*one, language) == said(*many, language)


def priced(price: Decimal, power: int, on: str) -> Rate:
    """A price as a bank prints it for a power of ten units."""
    return rate(value=f"{price.scaleb(power):f}", on=on, units=10**power)


def said(old: Rate, new: Rate, language: str) -> str:
    """The message of a move."""
    moved = Moved(baseline=old, previous=old, new=new, rules=("fixing",), usual=Decimal("0.5"))
    return move(moved, alert=1, language=language, source_names={}).text


@given(amount=AMOUNTS, prices=st.tuples(PRICES, PRICES), units=st.sampled_from([1, 10, 100, 1000]))
def test_a_conversion_there_and_back_is_the_amount_to_the_tiyin(
    amount: Decimal, prices: tuple[Decimal, Decimal], units: int
) -> None:
    """Direct, turned round and crossed, as shown to the reader."""
    rates = [rate(value=str(prices[0])), replace(rate("RUB/KGS", str(prices[1])), units=units)]
    for pair in (("USD", "KGS"), ("KGS", "RUB"), ("USD", "RUB"), ("RUB", "USD")):
        there = convert(amount, *pair, rates)
        assert there is not None
        back = convert(there.result, *reversed(pair), rates)
        assert back is not None
        assert rounded(back.result, 2) == amount


@given(
    level=PRICES,
    sign=st.sampled_from([">", "<", ">=", "<="]),
    code=st.sampled_from(["USD", "RUB", "KZT"]),
    tail=st.sampled_from(["", " once", " until 2026-12-31"]),
)
def test_a_rule_as_we_write_it_is_read_as_the_same_rule(
    level: Decimal, sign: str, code: str, tail: str
) -> None:
    """A rule as `/alerts` shows it can be typed again."""
    own = parse_rule(f"{code} {sign} {level}{tail}", home="KGS")
    assert parse_rule(str(own), home="KGS") == own
    assert own.until in {None, date(2026, 12, 31)}
