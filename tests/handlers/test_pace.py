"""The pace at which a chat may ask: a burst, then one in so many seconds, one word and silence."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import UserError
from handlers.services import BURST, CALM, IN_GROUP, SECONDS_A_COMMAND, Services

PERSON, GROUP = 1001, -1001
PACE = {PERSON: SECONDS_A_COMMAND, GROUP: SECONDS_A_COMMAND * IN_GROUP}


class Asked:
    """Questions of chats at a time of the test's, of which so many wait here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.waiting = 1000.0, 0
        monkeypatch.setattr("handlers.services.time.monotonic", lambda: self.now)
        self._of: Any = SimpleNamespace(buckets={}, waiting=lambda _chat: self.waiting)

    def __call__(self, chat: int) -> bool | timedelta:
        """Whether it may; the wait that it is told, where it is told one."""
        try:
            return Services.allow(self._of, chat)
        except UserError as told:
            wait = told.values["wait"]
            assert isinstance(wait, timedelta)
            return wait


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Nobody has asked yet."""
    return Asked(monkeypatch)


@pytest.mark.parametrize("chat", PACE)
def test_S14_G24_a_burst_is_answered_then_one_word_is_said_then_nothing(
    asked: Asked, chat: int
) -> None:
    """The wait named is kept: after it one more is answered; a group's is twice as long."""
    pace = PACE[chat]
    assert [asked(chat) for _ in range(BURST)] == [True] * BURST
    assert asked(chat) == timedelta(seconds=pace)
    assert [asked(chat) for _ in range(20)] == [False] * 20
    asked.now += pace
    assert asked(chat) is True
    assert asked(chat) is False, "it was told, and has not calmed down"


@pytest.mark.parametrize("chat", PACE)
def test_S14_G24_who_calmed_down_is_told_again(asked: Asked, chat: int) -> None:
    """Half of its burst later; not a moment sooner."""
    for _ in range(BURST + 1):
        asked(chat)
    asked.now += PACE[chat] * (CALM - 1)
    while (may := asked(chat)) is True:
        pass
    assert may is False
    asked.now += PACE[chat] * CALM
    while (may := asked(chat)) is True:
        pass
    assert isinstance(may, timedelta)


def test_S14_G24_who_asks_on_while_its_questions_wait_is_told_once(asked: Asked) -> None:
    """However slowly it asks: beyond a burst nothing more is taken in. Others are not concerned."""
    for waiting, may in (
        (BURST, True),
        (BURST + 1, timedelta(seconds=SECONDS_A_COMMAND)),
        (BURST + 2, False),
        (CALM + 1, True),
        (BURST + 3, False),
        (CALM, True),
        (BURST + 3, timedelta(seconds=3 * SECONDS_A_COMMAND)),
    ):
        asked.now += 60
        asked.waiting = waiting
        assert asked(PERSON) == may, waiting
    asked.waiting = 0
    assert asked(PERSON + 1) is True
