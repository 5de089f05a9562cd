"""A country as a time zone: one that has a single zone is that zone, the zones of others are
offered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.convert import country_zones, read_zone
from bot.convert.question import parse_question

WINTER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["Россия", "россия", "России", "в России", "РФ", "Russia", "Орусия"]
)
def test_russia_is_offered_from_kaliningrad_to_kamchatka(said: str) -> None:
    found = country_zones(said, WINTER)
    assert len(found) == 11
    assert {
        "Europe/Kaliningrad",
        "Europe/Moscow",
        "Asia/Omsk",
        "Asia/Yakutsk",
        "Asia/Vladivostok",
    } <= set(found)
    assert read_zone(said) is None
    offsets = [WINTER.astimezone(ZoneInfo(key)).utcoffset() for key in found]
    assert offsets == sorted(set(offsets))  # west to east, each offset once


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("США", "America/Denver"),
        ("АКШ", "America/New_York"),
        ("the USA", "Pacific/Honolulu"),
        ("Канада", "America/Toronto"),
        ("Canada", "America/Vancouver"),
        ("Australia", "Australia/Sydney"),
        ("Бразилия", "America/Sao_Paulo"),
        ("Mexico", "America/Mexico_City"),
    ],
)
def test_the_cities_people_know_are_offered(said: str, known: str) -> None:
    assert known in country_zones(said, WINTER)


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("Кыргызстан", "Asia/Bishkek"),
        ("Казахстан", "Asia/Almaty"),
        ("Japan", "Asia/Tokyo"),
        ("Молдова", "Europe/Chisinau"),
    ],
)
def test_a_country_with_one_zone_asks_nothing(said: str, zone: str) -> None:
    assert country_zones(said, WINTER) == ()
    assert read_zone(said) == zone


@pytest.mark.parametrize(
    "said", ["", "Мордор", "x" * 100, "Moscow", "Europe/Moscow", "UTC+6", "+6", "\0", "Ош"]
)
def test_what_is_no_country_offers_nothing(said: str) -> None:
    assert country_zones(said, WINTER) == ()


@pytest.mark.parametrize(
    "text",
    ["сколько сом в $100", "сколько сом в 100 долларах", "how many som in $100", "$100 канча сом"],
)
def test_how_many_som_are_in_an_amount(text: str) -> None:
    question = parse_question(text)
    assert (question.amount, question.source, question.target) == (100, "USD", "KGS")


@pytest.mark.parametrize("text", ["$100-USD", "100$-USD", "$100 - usd"])
def test_a_dash_between_two_names_of_one_currency_is_nothing(text: str) -> None:
    question = parse_question(text)
    assert (question.amount, question.source, question.target) == (100, "USD", None)
