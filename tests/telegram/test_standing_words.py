"""A member's object on the right to write, and the words of an outcome on itself."""

from __future__ import annotations

from typing import Any

import pytest

from bot.reasons import said
from bot.telegram import results
from bot.telegram.outcomes import (
    BLOCKED,
    KICKED,
    NO_RIGHT,
    Ambiguous,
    Gone,
    Migrated,
    Outcome,
    Rejected,
    Retry,
    Sent,
    answers,
    why,
)


@pytest.mark.parametrize(
    ("member", "wanted"),
    [
        ({"status": "left"}, KICKED),
        ({"status": "kicked", "can_post_messages": True}, KICKED),
        ({"status": "administrator"}, None),
        ({"status": "administrator", "can_post_messages": True}, None),
        ({"status": "administrator", "can_post_messages": False}, NO_RIGHT),
        ({"status": "administrator", "can_send_messages": False}, None),
        ({"status": "restricted"}, None),
        ({"status": "restricted", "can_send_messages": True, "is_member": True}, None),
        ({"status": "restricted", "can_send_messages": False, "is_member": True}, NO_RIGHT),
        ({"status": "restricted", "can_send_messages": True, "is_member": False}, NO_RIGHT),
        ({"status": "restricted", "can_post_messages": False}, None),
        (
            {
                "status": "member",
                "can_send_messages": False,
                "can_post_messages": False,
                "is_member": False,
            },
            None,
        ),
        ({"status": "creator"}, None),
        ({"can_send_messages": False}, None),
        ({}, None),
    ],
)
def test_a_right_is_lacking_only_where_it_is_said_to_be(
    member: dict[str, Any], wanted: Gone | None
) -> None:
    """A channel's right counts for an administrator, a group's for somebody restricted; what is not
    said is there.
    """
    assert results.member(member).lacks == wanted
    assert (str(KICKED.why), str(NO_RIGHT.why)) == ("kicked", "no right to write")


@pytest.mark.parametrize(
    ("outcome", "answered", "words"),
    [
        (Sent(1), True, "Sent"),
        (Migrated(-100), True, "Migrated"),
        (BLOCKED, True, "blocked"),
        (Rejected(said("text is empty")), True, "text is empty"),
        (Retry(said("Too Many Requests"), flood=True), True, "Too Many Requests"),
        (Retry(said("slow mode"), after=0.0), True, "slow mode"),
        (Retry(said("Bad Gateway")), False, "Bad Gateway"),
        (Ambiguous(said("timeout")), False, "timeout"),
    ],
)
def test_an_outcome_says_whether_telegram_answered_and_what(
    outcome: Outcome, answered: bool, words: str
) -> None:
    """A proxy before Telegram says neither how long to wait nor that one must."""
    assert answers(outcome) is answered
    assert str(why(outcome)) == words
