"""The contents of Telegram's answers: nothing in one is sure to be there, or to be of its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reasons import said
from bot.telegram.outcomes import BLOCKED, Ambiguous, Outcome, Rejected, Retry, Sent
from bot.telegram.results import (
    ChatCard,
    Posts,
    chat_of,
    description_of,
    file_path_of,
    member_of,
    photo_of,
    posts_of,
    updates_of,
    username_of,
)

READINGS: tuple[Callable[[Outcome], Any], ...] = (
    chat_of, description_of, file_path_of, member_of, photo_of, posts_of, updates_of, username_of,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = (
    "id", "type", "title", "username", "permissions", "status", "photo", "file_path", "url",
    "description", "pending_update_count", "last_error_date", "last_error_message",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON)
def test_no_answer_is_too_odd_to_be_read(result: Any) -> None:
    for reading in READINGS:
        reading(Sent(0, result))


@pytest.mark.parametrize(
    "outcome", [BLOCKED, Retry(said("x")), Rejected(said("x")), Ambiguous(said("x")), Sent(0, True)]
)
def test_what_brings_no_result_is_nothing(outcome: Outcome) -> None:
    assert [reading(outcome) for reading in READINGS] == [None] * len(READINGS)


def test_a_chat_needs_its_number_alone() -> None:
    """Members may write where nothing says otherwise."""
    bare = ChatCard(id=-7, type="", title="", username="", members_may_send=True)
    assert chat_of(Sent(0, {"id": -7})) == bare
    for number in (None, "-7", 7.5, 2**63):
        assert chat_of(Sent(0, {"id": number, "type": "channel"})) is None
    shut = chat_of(Sent(0, {"id": -7, "permissions": {"can_send_messages": False}}))
    assert shut is not None
    assert not shut.members_may_send


@pytest.mark.parametrize(
    ("result", "posts"),
    [
        ({}, Posts(url=None, waiting=0, failed_at=None, why="")),
        ({"url": ""}, Posts(url="", waiting=0, failed_at=None, why="")),
        (
            {
                "url": "https://x.example",
                "pending_update_count": 3,
                "last_error_date": 9,
                "last_error_message": "x",
                "allowed_updates": ["message"],
            },
            Posts(
                url="https://x.example",
                waiting=3,
                failed_at=9,
                why="x",
                kinds=frozenset({"message"}),
            ),
        ),
    ],
)
def test_posts_without_an_address_are_not_said_to_go_elsewhere(
    result: dict[str, Any], posts: Posts
) -> None:
    """An empty address is one: there is no webhook."""
    assert posts_of(Sent(0, result)) == posts


def test_the_largest_size_stands_for_a_picture() -> None:
    sizes = [{"file_id": "small"}, {"file_id": "large"}]
    assert photo_of(Sent(1, {"photo": sizes})) == "large"
    assert photo_of(Sent(1, {"photo": []})) is None


def test_an_empty_description_is_known_to_be_empty() -> None:
    assert description_of(Sent(0, {"description": ""})) == ""
    assert description_of(Sent(0, {})) == ""
    assert description_of(Sent(0, {"description": "Ours"})) == "Ours"
