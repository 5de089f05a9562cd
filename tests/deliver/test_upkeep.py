"""Upkeep of the outbox between claims: what is over for many chats is ended without a pause."""

from __future__ import annotations

from typing import cast

import pytest
from sqlalchemy import select, update

import storage.lapsed
import storage.quiet
from bot.deliver.claims import LEASE
from bot.deliver.marks import Marks
from bot.deliver.unread import UnreadAlerts
from bot.deliver.upkeep import Upkeep
from storage.db import Store, db_now
from storage.schema import chat, delivery
from tests.storage.test_quiet import brought, people, quiet
from tests.storage.test_withheld import CAREFUL, EDITOR, posts, report, withheld_story


class NoMarks:
    """Nothing was sent."""

    async def write(self) -> None:
        """Nothing to write."""


async def no_trouble(*_: object) -> None:
    """Nobody is told."""


def upkeep_of(store: Store) -> Upkeep:
    """The upkeep of an outbox from which nothing was sent."""
    return Upkeep(store, cast("Marks", NoMarks()), set, UnreadAlerts(no_trouble), EDITOR)


async def test_the_quiet_hours_of_very_many_end_in_pieces_without_a_pause(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At seven in the morning they are over for all at once."""
    monkeypatch.setattr(storage.quiet, "CHATS_AT_ONCE", 3)
    async with store.writing() as db:
        await people(db, *range(1, 8))
        for number in range(1, 8):
            await quiet(db, number)
        await brought(db, "a")
        await db.execute(update(chat).values(quiet_ends_at=await db_now(db)))
    upkeep = upkeep_of(store)
    looks = [await upkeep.tidy(1000.0, lease=LEASE) for _ in range(4)]
    assert looks == [True, True, False, False]
    async with store.reading() as db:
        states = (await db.execute(select(delivery.c.state))).scalars().all()
    assert states == ["collected"] * 7


async def test_quiet_hours_that_a_turned_clock_ended_are_seen_to_as_soon_as_it_is_said(
    store: Store,
) -> None:
    """Otherwise nobody looks twice within a moment."""
    upkeep = upkeep_of(store)
    await upkeep.tidy(1000.0, lease=LEASE)
    async with store.writing() as db:
        await people(db, 1)
        await quiet(db, 1)
        await brought(db, "a")
        await db.execute(update(chat).values(quiet_ends_at=await db_now(db)))
    for state in ("held", "collected"):
        await upkeep.tidy(1000.5, lease=LEASE)
        async with store.reading() as db:
            assert (await db.execute(select(delivery.c.state))).scalars().all() == [state]
        upkeep.tidy_soon()


async def test_what_expired_of_very_many_is_closed_in_pieces_without_a_pause(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage it may be a million."""
    monkeypatch.setattr(storage.lapsed, "CLOSED_AT_ONCE", 3)
    async with store.writing() as db:
        await people(db, *range(1, 4))
        await brought(db, "a")
        await db.execute(update(delivery).values(expires_at=await db_now(db)))
    upkeep = upkeep_of(store)
    assert [await upkeep.tidy(1000.0, lease=LEASE) for _ in range(3)] == [True, False, False]
    async with store.reading() as db:
        states = (await db.execute(select(delivery.c.state))).scalars().all()
    assert states == ["expired"] * 3


async def test_upkeep_looks_for_what_channels_keep_back_for_no_reason_any_more(
    store: Store,
) -> None:
    """Posts that no report's own transaction let go leave by this."""
    async with store.writing() as db:
        story, _ = await withheld_story(db)
        await report(db, "two", story)
    upkeep = upkeep_of(store)
    await upkeep.tidy(1000.0, lease=LEASE)
    async with store.reading() as db:
        assert (await posts(db))[CAREFUL] == "pending"
