"""A private chat's 429 that another process met: an earlier one, or a replica."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

import storage.alerts
import storage.chats
import storage.pace
from bot.alerts.notices import alert as notice
from bot.deliver import claims
from bot.deliver.troubles import FLOODS_FOR_ALL
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.model.chats import ChatKind
from handlers import outgoing
from storage.db import Store, db_now
from storage.schema import chat, inbox
from tests.factories import NOW, a_notice
from tests.factories import chat as a_chat
from tests.handlers.conftest import CATALOG, GROUP, READER, RUSSIAN
from tests.handlers.test_refused_answers import refused
from tests.waiting import until
from tests.world import World, running


@pytest.mark.parametrize(
    ("wait", "longest"), [(4, 4.0), (5, 1.0)], ids=["waited out", "left to the outbox"]
)
@pytest.mark.cases
async def test_G21_a_private_chats_quiet_outlasts_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: int, longest: float
) -> None:
    """The next question is answered when its time is over, to the second."""
    monkeypatch.setattr(outgoing, "ANSWER", replace(outgoing.ANSWER, longest=longest))
    monkeypatch.chdir(tmp_path)
    now = datetime.now(UTC)
    async with Emulator(TEST_TOKEN, "jarchy_bot") as emulator:
        emulator.add_private(emulator.add_user(READER, "Aigul", "en"))
        async with running(tmp_path, emulator, CATALOG, now=now) as world:
            await world.ask("/help")
            emulator.faults.add(Fault.flood(wait, method="sendMessage", chat_id=READER, times=1))
            before = emulator.calls.total
            await emulator.send_text(READER, "/help")
            flood = await refused(world, before)
        async with running(tmp_path, emulator, CATALOG, now=now):
            await emulator.send_text(READER, "/privacy")
            sent = await emulator.calls.wait(
                lambda call: call.chat_id == READER and call.method == "sendMessage",
                after=flood.number,
                timeout=40,
            )
    assert wait <= sent.at - flood.at < wait + 6


@pytest.mark.postgres
async def test_G21_a_private_chats_quiet_is_kept_by_other_replicas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    """A wait that one replica was told is in the store, and whoever answers next looks there."""
    monkeypatch.chdir(tmp_path)
    now = datetime.now(UTC)
    async with Emulator(TEST_TOKEN, "jarchy_bot") as emulator:
        emulator.add_private(emulator.add_user(READER, "Aigul", "en"))
        async with running(
            tmp_path, emulator, CATALOG, now=now, database_url=postgres_url
        ) as world:
            await world.ask("/help")
            told = time.monotonic()  # the database's five seconds begin after it
            async with world.bot.store.writing() as db:
                await storage.chats.pause(db, READER, timedelta(seconds=5))
            await world.ask("/privacy")
            assert 4.9 <= time.monotonic() - told < 15


async def test_G21_a_burst_of_alerts_is_no_quiet(store: Store) -> None:
    """Only what Telegram asked for."""
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(READER), now=NOW)
        assert not await storage.pace.silence_left(db, READER)
        now = await db_now(db)
        full = now + storage.pace.PRIVATE_BURST + storage.pace.PRIVATE_EVERY
        await db.execute(update(chat).values(tat=full))
        assert not await storage.pace.silence_left(db, READER)
        await storage.chats.pause(db, READER, timedelta(seconds=9))
        assert 8.5 < (await storage.pace.silence_left(db, READER)).total_seconds() <= 9
        assert not await storage.pace.silence_left(db, READER + 1)


@pytest.mark.parametrize("by_alerts", [True, False], ids=["here", "by another process"])
async def test_G4_while_telegram_wants_nothing_of_the_bot_answers_wait_too(
    world: World, monkeypatch: pytest.MonkeyPatch, *, by_alerts: bool
) -> None:
    """Those of whom nobody was told to wait, and what ends a button's spinning."""
    menu = await world.ask("/settings")
    token, quiet = world.bot.worker.token_name, world.bot.services.quiet
    if by_alerts:
        # what is known here waits for no look into the store
        monkeypatch.setattr(claims, "HELD", timedelta.max)
        world.emulator.faults.add(Fault.flood(60, method="sendMessage", times=FLOODS_FOR_ALL))
        async with world.store.writing() as db:
            for number in range(2001, 2001 + FLOODS_FOR_ALL):
                await storage.chats.add(db, a_chat(number), now=NOW)
                told = a_notice("notice.gone", {"chat": str(number), "why": "blocked"})
                await storage.alerts.enqueue(db, notice(number, told, now=world.now))
        world.bot.worker.wake()
    else:
        async with world.store.writing() as db:
            await storage.pace.pause_token(db, token, timedelta(minutes=1))
    await until(lambda: quiet.left(READER) > 50)
    before = world.emulator.calls.total
    await world.emulator.send_text(RUSSIAN, "/help")
    with suppress(TimeoutError):
        await world.emulator.press(READER, menu["message_id"], "set:language", timeout=0.1)
    async with asyncio.timeout(20):
        while await left(world) != ["pending"] * 2:  # noqa: ASYNC110 - a commit makes no event here
            await asyncio.sleep(0.02)
    asked = {call.method for call in world.emulator.calls.since(before)}
    assert asked <= {"getUpdates"}


async def test_G21_nobody_stands_waiting_for_a_group_that_is_to_be_left_alone(
    world: World,
) -> None:
    """Questions in it are left to the outbox, one answer, and the next is taken."""
    async with world.bot.store.writing() as db:
        await storage.chats.add(db, a_chat(GROUP, kind=ChatKind.GROUP), now=NOW)
        await storage.chats.pause(db, GROUP, timedelta(minutes=10))
    for question in ("/rates", "/help"):
        await world.emulator.send_text(GROUP, question, user_id=READER)
    async with asyncio.timeout(20):
        # the second takes the first one's back before its own is given out
        while await undone(world) or await left(world) != ["pending"]:  # noqa: ASYNC110 - a commit makes no event here
            await asyncio.sleep(0.05)
    assert not [call for call in await world.calls("sendMessage") if call.chat_id == GROUP]


async def left(world: World) -> list[str]:
    """The states of the answers that nobody took back."""
    rows = await world.deliveries("answer")
    return [row.state for row in rows if row.state != "superseded"]


async def undone(world: World) -> int:
    """The number of questions that are still being handled."""
    handled = await world.stored(inbox)
    return len([row for row in handled if row.finished_at is None]) + (len(handled) < 2)
