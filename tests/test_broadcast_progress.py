"""The progress of a broadcast: looked at as often as that costs little, written when it may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

import bot.broadcasts
import storage.alerts
import storage.broadcasts
import storage.deliveries
from bot.broadcasts import Looks, pause, show_progress
from bot.model.alerts import EVERYBODY, State
from bot.model.broadcasts import Progress, Step
from bot.telegram.api import BotApi
from bot.telegram.outcomes import Outcome, Sent
from storage.db import Store
from storage.deliveries import Mark
from tests.storage.test_broadcasts import claim, people, sent_to

Turn = Callable[[int], Awaitable[float]]


class Told:
    """A Bot API that takes all, and what it was told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def call(self, method: str, **parameters: Any) -> Outcome:
        """Only a message is edited here."""
        assert method == "editMessageText"
        self.texts.append(parameters["text"])
        return Sent(message_id=9, result={})


async def free(_chat: int) -> float:
    """It is the chat's turn."""
    return 0.0


async def busy(_chat: int) -> float:
    """The chat is to be left alone for some seconds."""
    return 5.0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The alerts whose deliveries were counted."""
    seen: list[int] = []
    real = storage.broadcasts.progress

    async def count(db: Any, pk: int) -> Progress:
        seen.append(pk)
        return await real(db, pk)

    monkeypatch.setattr("storage.broadcasts.progress", count)
    return seen


async def under_way(store: Store, reach: int) -> int:
    """A broadcast to five chats that was confirmed for so many; its alert."""
    async with store.writing() as db:
        await people(db)
        number = await storage.broadcasts.begin(db, 1)
    pk, _ = await sent_to(store, EVERYBODY)
    async with store.writing() as db:
        values = {"alert_id": pk, "message_id": 9, "reach": reach}
        await storage.broadcasts.change(db, number, Step.SENDING, **values)
    return pk


async def look(store: Store, told: Told, looks: Looks, turn: Turn = free) -> None:
    """One look of the job."""
    await show_progress(store, cast("BotApi", told), turn, looks)


async def arrives(store: Store, count: int) -> None:
    """Let it reach `count` more readers."""
    given = (await claim(store, count)).deliveries
    async with store.writing() as db:
        await storage.deliveries.finish(
            db, [Mark(one.id, one.fence, State.SENT, 7) for one in given]
        )


async def test_a_large_broadcast_is_counted_seldom_and_a_stopped_one_at_once(
    store: Store, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count reads all its deliveries; who stops it waits for the word that it is so."""
    now = 1_000.0
    monkeypatch.setattr(bot.broadcasts, "boottime", lambda: now)
    pk, told, looks = await under_way(store, 500_000), Told(), Looks()
    await look(store, told, looks)
    await arrives(store, 1)
    for _ in range(10):
        await look(store, told, looks)
    assert (len(counted), len(told.texts)) == (1, 1)
    now += pause(500_000)
    await look(store, told, looks)
    assert (len(counted), len(told.texts)) == (2, 2)
    async with store.writing() as db:
        await storage.broadcasts.stop(db, pk)
    await look(store, told, looks)
    assert len(counted) == 3
    assert "1" in told.texts[-1]
    async with store.reading() as db:
        assert await storage.broadcasts.sending(db) == []
    await look(store, told, looks)
    assert looks == {}


def test_a_look_comes_after_a_second_for_each_ten_thousand_and_a_minute_at_most() -> None:
    assert [pause(reach) for reach in (0, 10_000, 200_000, 10_000_000)] == [0.0, 1.0, 20.0, 60.0]


async def test_what_could_not_be_written_yet_is_not_taken_for_written(store: Store) -> None:
    """The operator's chat is to be left alone: neither the progress nor the end is passed over."""
    await under_way(store, 5)
    told, looks = Told(), Looks()
    await arrives(store, 5)
    await look(store, told, looks, busy)
    async with store.reading() as db:
        (left,) = await storage.broadcasts.sending(db)
    assert (left.shown, told.texts) == (None, [])
    await look(store, told, looks)
    assert len(told.texts) == 1
    async with store.reading() as db:
        assert await storage.broadcasts.sending(db) == []
