"""Quiet hours as people write them, in three languages; what is none is refused."""

from __future__ import annotations

import pytest

from bot.convert.quiet import EXAMPLE, parse_quiet
from bot.errors import UserError
from bot.render.quiet import OFFERED, packed


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23:00-07:00", "23:00-07:00"),
        ("23-7", "23:00-07:00"),
        ("23:00–07:00", "23:00-07:00"),
        ("23.30 — 7.15", "23:30-07:15"),
        ("22 7", "22:00-07:00"),
        ("0-8", "00:00-08:00"),
        ("13-15", "13:00-15:00"),
        ("24:00-8", "00:00-08:00"),
        ("from 11 pm to 7 am", "23:00-07:00"),
        ("11pm-7am", "23:00-07:00"),
        ("Between 10 PM and 6 AM", "22:00-06:00"),
        ("с 23 до 7", "23:00-07:00"),
        ("С 23:00 по 07:00.", "23:00-07:00"),
        ("с 11 вечера до 7 утра", "23:00-07:00"),
        ("с 12 ночи до 8 утра", "00:00-08:00"),
        ("с 22 часов до 6 ч", "22:00-06:00"),
        ("23төн 7ге чейин", "23:00-07:00"),
        ("23тон 7ге чейин", "23:00-07:00"),
        ("23:00дөн 07:00гө чейин", "23:00-07:00"),
        ("саат 23төн 7ге", "23:00-07:00"),
        ("кечки 11ден таңкы 7ге чейин", "23:00-07:00"),
        ("кечки 10дон эртең мененки 6га чейин", "22:00-06:00"),
        *[(one, one) for one in OFFERED],
        *[(packed(one), one) for one in OFFERED],
    ],
)
def test_two_hours_are_read_however_they_are_written(text: str, hours: str) -> None:
    assert str(parse_quiet(text)) == hours


@pytest.mark.parametrize("text", ["off", "OFF", "no", "выкл", "Отключить", "нет", "өчүр", "очур"])
def test_none_is_a_word(text: str) -> None:
    assert parse_quiet(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("23", "", "25-7", "23:60-7", "7-8-9", "²3-7", "-", "1" * 999, "23:00-07:00 " * 99),
        *("abc", "'; DROP TABLE chat", "off please", "\x00", "100 usd", "23-7 футбол"),
    ],
)
def test_what_is_no_span_is_answered_with_one_that_works(text: str) -> None:
    with pytest.raises(UserError) as found:
        parse_quiet(text)
    assert found.value.msgid == "error.quiet.span"
    assert len(str(found.value.values["text"])) <= 40
    assert str(parse_quiet(EXAMPLE.removeprefix("/quiet "))) == "23:00-07:00"


@pytest.mark.parametrize("text", ["23-23", "0-24", "00:00-00:00", "00:00-23:59", "с 7 до 6"])
def test_an_empty_span_and_one_of_the_whole_day_are_refused(text: str) -> None:
    """A waiting message has to come some time."""
    with pytest.raises(UserError) as found:
        parse_quiet(text)
    assert found.value.msgid == "error.quiet.day"
