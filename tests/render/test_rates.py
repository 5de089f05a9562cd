"""The rate card shows what is valid today and tomorrow, whose number it is, of which day, and how
fresh.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from bot.i18n import name_of
from bot.model.rates import Dispute, Freshness, RateKind
from bot.render import rates
from bot.render.numbers import as_printed, change, money, short
from bot.render.text import units
from tests.factories import rate, seen_rate
from tests.languages.expected import WHOLE, expected
from tests.render.world import BANK, TODAY, marked, rate_card, row


@pytest.mark.parametrize("language", WHOLE)
def test_on_a_weekday_evening_the_card_shows_today_and_tomorrow(language: str) -> None:
    shown = rates.card(rate_card(), language, today=TODAY)
    assert shown.text == expected("rates.evening", language)
    assert [(e.type, e.url) for e in shown.entities] == [
        ("text_link", "https://bank.example/rates"),
        ("bold", None),
        ("pre", None),
        ("date_time", None),
    ]
    assert marked(shown, "bold") == [name_of(BANK, language)]
    assert marked(shown, "pre") == ["\n".join(expected("rates.evening", language).split("\n")[1:5])]


@pytest.mark.parametrize("language", WHOLE)
def test_a_source_that_missed_its_window_is_called_late(language: str) -> None:
    rows = (
        row("USD", "84.7935", None, "84.7935"),
        row("EUR", "98.8523", None, "98.1000"),
        row("KZT", None),
    )
    card = rate_card(*rows, freshness=Freshness.LATE, expected_by=time(16))
    assert rates.card(card, language, today=TODAY).text == expected("rates.late", language)


@pytest.mark.parametrize("language", WHOLE)
def test_after_a_weekend_the_card_says_whose_rate_still_holds(language: str) -> None:
    monday = date(2021, 10, 25)
    card = rate_card(
        row("USD", "84.7935", None, "84.7000"),
        on=monday,
        holds_from=date(2021, 10, 23),
        freshness=Freshness.RESTING,
        seen_at=datetime(2021, 10, 22, 9, 12, tzinfo=UTC),
    )
    assert rates.card(card, language, today=monday).text == expected("rates.resting", language)


def test_a_rate_that_holds_for_weeks_is_called_by_its_date() -> None:
    card = rate_card(
        row("USD", "84.7935"),
        on=date(2022, 1, 10),
        holds_from=date(2021, 12, 31),
        freshness=Freshness.RESTING,
    )
    shown = rates.card(card, "en", today=date(2022, 1, 10)).text
    assert shown.endswith("the rate of 31\u00a0Dec 2021 still holds")


@pytest.mark.parametrize("language", WHOLE)
def test_a_past_days_card_is_titled_with_its_date(language: str) -> None:
    title = expected("rates.past_title", language)
    shown = rates.card(rate_card(), language, today=date(2022, 5, 1)).text
    assert shown.split("\n")[0] == title
    assert shown.split("\n")[-1].startswith("RUB")  # its day is said once
    for word in ("today", "tomorrow", "сегодня", "завтра", "бүгүн", "эртең"):
        assert word not in shown


@pytest.mark.parametrize("language", WHOLE)
def test_the_table_fits_a_phone(language: str) -> None:
    card = rate_card(row("USD", "128.7935", "128.8100"), row("RUB", "1.1948", "1.3902"))
    table = marked(rates.card(card, language), "pre")[0]
    assert max(units(line) for line in table.split("\n")) <= 34


@pytest.mark.parametrize("language", WHOLE)
def test_R8_both_words_on_a_disputed_pair_stand_below_the_card(language: str) -> None:
    last = expected("rates.disputed", language)
    one = row("USD", "84.7935", "84.8100")
    assert one.tomorrow is not None
    theirs = seen_rate("USD/KGS", "89.9000", "2021-10-21", source="other")
    dispute = Dispute(ours=one.tomorrow, theirs=theirs, names={"en": "Other"})
    assert rates.card(rate_card(one, disputes=(dispute,)), language).text.split("\n")[-1] == last


def test_a_currency_without_any_rate_says_so() -> None:
    table = marked(
        rates.card(rate_card(row("KZT", None), row("USD", "84.7935", "84.81")), "en"), "pre"
    )[0]
    assert table.split("\n")[1:] == [
        "KZT  no rate   no rate",
        "USD  84.7935     84.81 ▲ +0.02\u00a0%",
    ]


def test_decimal_marks_stand_one_below_the_other() -> None:
    card = rate_card(row("USD", "1.1638"), row("JPY", "132.5"), row("IDR", "16421"))
    table = marked(rates.card(card, "ru"), "pre")[0]
    assert table.split("\n")[1:] == ["USD       1,1638", "JPY     132,5", "IDR  16\u00a0421"]


def test_when_the_next_rate_is_not_tomorrows_its_date_stands_above_it() -> None:
    shown = rates.card(rate_card(next_on=date(2021, 10, 23)), "en", today=TODAY).text
    assert "today   23\u00a0Oct" in shown


def test_kinds_are_named_and_our_own_arithmetic_is_called_ours() -> None:
    for kind in RateKind:
        assert rates.kind_name(kind, "en") in rates.card(rate_card(kind=kind), "en").text
    assert "our calculation" in rates.kind_name(RateKind.CROSS, "en")


@pytest.mark.parametrize(
    ("value", "printed", "in_digest"),
    [
        ("84.7935", "84.7935", "84.79"),
        ("98.8523", "98.8523", "98.85"),
        ("1.1948", "1.1948", "1.19"),
        ("84.8100", "84.8100", "84.81"),
        ("84.795", "84.795", "84.80"),
        ("16421", "16,421", "16,421.00"),
        ("0.1992", "0.1992", "0.20"),
        ("0.0079", "0.0079", "0.0079"),
        ("0.00791", "0.00791", "0.0079"),
        ("0.8369557276533557", "0.836956", "0.84"),
    ],
)
def test_a_card_keeps_every_digit_and_a_digest_two(
    value: str, printed: str, in_digest: str
) -> None:
    assert as_printed(Decimal(value), "en") == printed
    assert short(Decimal(value), "en") == in_digest


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.019", "▲ +0.02\u00a0%"),
        ("-0.254", "▼ −0.25\u00a0%"),
        ("0", "   0.00\u00a0%"),
        ("-0.001", "   0.00\u00a0%"),
    ],
)
def test_an_arrow_always_comes_with_a_sign(value: str, shown: str) -> None:
    assert change(Decimal(value), "en") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("100", "100"),
        ("8479.35", "8,479.35"),
        ("0.5", "0.50"),
        ("0.00123", "0.0012"),
        ("1E+3", "1,000"),
    ],
)
def test_money_is_shown_without_needless_digits(value: str, shown: str) -> None:
    assert money(Decimal(value), "en") == shown


def test_a_conversion_says_by_which_rate_and_of_which_day() -> None:
    equation = rates.Equation(
        amount=Decimal(100), base="USD", result=Decimal("8479.35"), quote="KGS", path=[rate()]
    )
    shown = rates.conversion([equation], "ru", names={"nbkr": BANK}, today={"nbkr": TODAY})
    assert shown.text == (
        "100 USD = 8\u00a0479,35 KGS\n1 USD = 84,7935 KGS\nНациональный банк · официальный курс · "
        "20\u00a0октября"
    )
    assert marked(shown, "bold") == ["100 USD = 8\u00a0479,35 KGS"]


def test_a_conversion_through_a_third_currency_is_called_ours() -> None:
    path = [rate(), rate("RUB/KGS", "1.1948", "2021-10-19")]
    equation = rates.Equation(
        amount=Decimal(1), base="USD", result=Decimal("70.9688"), quote="RUB", path=path
    )
    shown = rates.conversion([equation], "en", names={"nbkr": BANK})
    assert shown.text == (
        "1 USD = 70.97 RUB\n1 USD = 84.7935 KGS, 1 RUB = 1.1948 KGS\n"
        "National Bank · cross rate, our calculation · 19\u00a0Oct"
    )


def test_several_conversions_say_each_rate_and_whose_they_are_once() -> None:
    """Below all of them, a source's together."""
    dollar, rouble = rate(), rate("RUB/KGS", "1.1948")
    euro = rate("EUR/KGS", "98.8523", source="cbr")
    equations = [
        rates.Equation(amount=Decimal(100), base="USD", result=Decimal(1), quote=quote, path=path)
        for quote, path in (("RUB", [dollar, rouble]), ("EUR", [euro]), ("KZT", [dollar, rouble]))
    ]
    shown = rates.conversion(equations, "en", names={"nbkr": BANK})
    assert shown.text.split("\n") == [
        "100 USD = 1 RUB",
        "100 USD = 1 EUR",
        "100 USD = 1 KZT",
        "1 USD = 84.7935 KGS, 1 RUB = 1.1948 KGS",
        "National Bank · cross rate, our calculation · 20\u00a0Oct",
        "1 EUR = 98.8523 KGS",
        "cbr · official rate · 20\u00a0Oct",
    ]
