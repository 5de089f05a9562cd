"""Whose fault a refusal is: a chat's, or everybody's."""

from __future__ import annotations

import pytest

from bot.deliver.troubles import (
    FLOODS_FOR_ALL,
    FLOODS_WHATEVER,
    SAME_TIME,
    TROUBLES_FOR_ALL,
    Floods,
    Refusals,
)


@pytest.mark.parametrize(
    ("chats", "apart", "for_all"),
    [
        (FLOODS_FOR_ALL - 1, 0.0, False),
        (FLOODS_FOR_ALL, 0.0, True),
        (FLOODS_FOR_ALL, SAME_TIME, False),
        (FLOODS_WHATEVER - 1, SAME_TIME, False),
        (FLOODS_WHATEVER, SAME_TIME, True),
    ],
)
def test_the_token_is_refused_when_many_chats_are_or_some_until_one_time(
    chats: int, apart: float, for_all: bool
) -> None:
    floods = Floods()
    for number in range(chats):
        floods.refused(number, 100.0 + number * apart)
    assert floods.for_all == for_all


def test_one_chat_refused_again_and_again_is_one() -> None:
    floods = Floods()
    for number in range(FLOODS_WHATEVER):
        floods.refused(1, float(number))
    assert not floods.for_all


def test_what_was_sent_ends_a_row_of_refused_chats() -> None:
    floods = Floods()
    for number in range(FLOODS_FOR_ALL):
        floods.refused(number, 100.0)
    floods.sent()
    assert not floods.for_all


def test_refusals_in_a_row_mean_that_nothing_is_sent_for_anybody() -> None:
    """The first alone is its delivery's own; what was sent ends the row."""
    refusals = Refusals()
    assert [refusals.refused(1.0) for _ in range(TROUBLES_FOR_ALL)] == [True, False, False]
    assert not refusals.down
    refusals.refused(1.0)
    assert refusals.down
    assert refusals.sent()
    assert not refusals.down
    assert not refusals.sent()
    assert refusals.refused(2.0)


def test_who_flew_beside_the_one_that_put_all_to_sleep_does_not_count() -> None:
    """Or a full pool of senders would count one trouble sixty times."""
    refusals = Refusals()
    assert refusals.sleep(1.0, 2.0)
    assert not refusals.sleep(2.0, 2.0)
    for _ in range(TROUBLES_FOR_ALL + 1):
        refusals.refused(2.5)
    assert not refusals.down
    assert refusals.sleep(3.0, 2.0)
