"""A card of a bank's rates around its day: which hold, which come, of when it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.detect.cards import CURRENCIES_SHOWN, chosen, row, seen_as_published, shown
from bot.errors import UserError
from bot.model.rates import CardRow, Pair, SeenRate
from tests.factories import seen_rate

DAY = date(2021, 10, 20)
BISHKEK = ZoneInfo("Asia/Bishkek")


def line(*days: int) -> list[SeenRate]:
    """A dollar of each of these days of the month, oldest first."""
    return [seen_rate(value=f"84.{day:02}", on=f"2021-10-{day:02}") for day in days]


def days_of(found: CardRow) -> tuple[int | None, int | None, int | None]:
    """The days of a row's rates: before, held, announced."""
    rates = (found.previous, found.today, found.tomorrow)
    before, held, announced = (rate and rate.effective_on.day for rate in rates)
    return before, held, announced


@pytest.mark.parametrize(
    ("days", "before", "held", "announced"),
    [
        ((19, 20, 21), 19, 20, 21),
        ((18, 19, 21), 18, 19, 21),  # nothing was set for the day: the rate before goes on
        ((17, 19, 20), 19, 20, None),  # the one just before, not the oldest
        ((20,), None, 20, None),
        ((19, 20, 24), 19, 20, 24),  # behind a long weekend
        ((19, 20, 25), 19, 20, None),  # no day that comes next
        ((21,), None, None, 21),
        ((20, 21, 22), None, 20, 21),  # the first that comes
    ],
)
def test_a_row_shows_what_holds_what_held_before_and_what_comes_next(
    days: tuple[int, ...], before: int | None, held: int | None, announced: int | None
) -> None:
    found = row(line(*days), DAY, past=False)
    assert days_of(found) == (before, held, announced)
    assert found.pair == Pair("USD", "KGS")


def test_beside_a_past_day_nothing_is_announced() -> None:
    assert days_of(row(line(19, 20, 21), DAY, past=True)) == (19, 20, None)


def test_a_card_is_of_the_latest_day_that_it_shows() -> None:
    """Of what is announced, where anything is."""
    today = shown([row(line(18), DAY, past=False), row(line(19, 20), DAY, past=False)])
    assert today.newest == seen_rate(value="84.20", on="2021-10-20")
    assert (today.holds_from, today.next_on) == (DAY, None)
    ahead = shown([row(line(20), DAY, past=False), row(line(19, 21), DAY, past=False)])
    assert ahead.newest == seen_rate(value="84.21", on="2021-10-21")
    assert (ahead.holds_from, ahead.next_on) == (DAY, date(2021, 10, 21))
    empty = shown([CardRow(pair=Pair("USD", "KGS"))])
    assert (empty.newest, empty.holds_from, empty.next_on) == (None, None, None)


def test_a_card_has_what_is_asked_for_else_the_usual_else_a_few() -> None:
    known = {code: line(20) for code in ("USD", "AAA", "BBB", "CCC", "DDD", "EEE", "EUR")}
    assert chosen(["EUR", "AAA"], known, usual=["USD"]) == ["EUR", "AAA"]
    assert chosen([], known, usual=["USD", "RUB", "EUR"]) == ["USD", "EUR"]
    few = chosen([], known, usual=["RUB"])
    assert few == ["AAA", "BBB", "CCC", "DDD", "EEE"]
    assert len(few) == CURRENCIES_SHOWN


def test_a_currency_without_a_rate_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(UserError) as refused:
        chosen(["USD", "XXX"], {"USD": line(20), "EUR": line(20)}, usual=[])
    assert refused.value.msgid == "error.currency"
    assert refused.value.values == {"code": "XXX", "known": "EUR, USD"}
    with pytest.raises(UserError) as nothing:
        chosen(["USD"], {}, usual=[])
    assert nothing.value.msgid == "error.no_rates"


@pytest.mark.parametrize(
    ("seen_at", "published"),
    [
        (datetime(2021, 10, 19, 10, tzinfo=UTC), True),  # the day before it counts
        (datetime(2021, 10, 20, 17, tzinfo=UTC), True),  # 23:00 in Bishkek
        (datetime(2021, 10, 20, 19, tzinfo=UTC), False),  # already the next day there
    ],
)
def test_a_rate_that_came_after_its_day_was_not_seen_as_it_was_published(
    seen_at: datetime, published: bool
) -> None:
    """By the calendar of its bank."""
    newest = seen_rate(on="2021-10-20", seen_at=seen_at)
    assert seen_as_published(newest, BISHKEK) is published
