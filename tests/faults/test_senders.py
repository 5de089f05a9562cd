"""Senders that die, stand still, or lose their database while they send."""

from __future__ import annotations

import asyncio
import linecache
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, select
from structlog.testing import capture_logs

import storage.chats
import storage.connecting
import storage.db
from bot.deliver import claims, slots, upkeep
from bot.deliver.worker import IN_FLIGHT
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.telegram.api import Api
from bot.telegram.session import open_session
from bot.watch import LoopWatch, StoreWatch, keep_watch
from storage.opening import open_store
from storage.schema import delivery
from tests import forkserver
from tests.conftest import ROOT
from tests.e2e.program import Program
from tests.world import Sending, World, migrated_copy

READER = 3001
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


@asynccontextmanager
async def bench(url: str, *, readers: int = 1, rate: float = 500.0) -> AsyncIterator[World]:
    """A sender on this database with so many readers."""
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(open_chats=True))
        session = await stack.enter_async_context(open_session())
        store = await open_store(url)
        stack.push_async_callback(store.close)
        one = World(store)
        one.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN), rate=rate)
        numbers = range(READER, READER + readers)
        for number in numbers:
            emulator.add_private(emulator.add_user(number, "R", "en"))
        await one.readers(numbers)
        yield one


@pytest.mark.postgres
async def test_P2_one_of_three_senders_killed_at_full_rate_loses_nothing(
    migrated_postgres_url: str, tmp_path: Path
) -> None:
    """Everybody has it, nobody more than twice, and only what was in flight; the rate is never
    above what was set.
    """
    readers, rate, lease = 160, 40.0, 3.0
    async with bench(migrated_postgres_url, readers=readers) as one:
        numbers = range(READER, READER + readers)
        await one.alert()
        departures = tmp_path / "departures"
        arguments = (one.emulator.api_url, migrated_postgres_url, str(rate), str(lease))
        environment = {**ENVIRONMENT, "DEPARTURES": str(departures)}
        senders = [
            await forkserver.start(
                "tests.faults.sender_child", *arguments, cwd=ROOT, env=environment
            )
            for _ in range(3)
        ]
        try:
            await one.emulator.calls.wait(
                lambda call: call.method == "sendMessage" and call.number >= 60, timeout=40
            )
            senders[0].send_signal(signal.SIGKILL)
            async with asyncio.timeout(60):
                for number in numbers:
                    await one.emulator.calls.wait(
                        lambda call, number=number: call.chat_id == number, timeout=60
                    )
        finally:
            for sender in senders:
                if sender.returncode is None:
                    sender.kill()
                await sender.wait()
        sent = [
            call for call in one.emulator.calls if call.method == "sendMessage" and call.accepted
        ]
        copies = Counter(call.chat_id for call in sent)
        assert set(copies) == set(numbers), "I1"
        assert max(copies.values()) <= 2, "I2"
        assert sum(copies.values()) - readers <= IN_FLIGHT, "only what was in flight comes twice"
        # what arrives is bunched where this process is late to look, what leaves is not
        times = sorted(map(float, departures.read_text().split()))
        assert len(times) >= len(sent)
        busiest = max(
            sum(1 for at in times[first:] if at < begin + 1) for first, begin in enumerate(times)
        )
        assert busiest <= rate * 1.1, "I4"


async def test_P4_sigterm_in_a_broadcast_hands_the_rest_to_the_next_start(tmp_path: Path) -> None:
    """The whole program ends by itself with 0; after the next start everybody has it once."""
    readers = range(READER, READER + 60)
    async with bench(migrated_copy(tmp_path / "jarchy.db"), readers=len(readers)) as one:
        await one.alert(lasts=timedelta(days=4000))
        program = Program(tmp_path, one.emulator, "", SEND_RATE="20")
        await one.store.close()  # one process a file
        await program.start()
        await one.arrived(READER + 10)
        assert await program.end(signal.SIGTERM) == 0
        states = [(await one.rows(number) or [("pending", None)])[0][0] for number in readers]
        await one.store.close()
        assert set(states) == {"sent", "pending"}
        assert [one.accepted(number) for number in readers] == [
            int(state == "sent") for state in states
        ]
        await program.start()
        for number in readers:
            await one.arrived(number)
        assert await program.end(signal.SIGTERM) == 0
        assert [one.accepted(number) for number in readers] == [1] * len(readers)


async def states_of(one: World) -> dict[int, str]:
    """The state of each chat's only delivery."""
    async with one.store.reading() as db:
        rows = await db.execute(select(delivery.c.chat_id, delivery.c.state))
        return {row.chat_id: row.state for row in rows}


@pytest.mark.postgres
async def test_P3_a_sender_frozen_past_its_lease_sends_nothing_twice_when_it_wakes(
    migrated_postgres_url: str,
) -> None:
    """Another sends what it held; awake again it begins nothing of it, and its marks change no
    row.
    """
    rate, lease = 8.0, 2.0
    readers = range(READER, READER + 24)
    async with bench(migrated_postgres_url, readers=len(readers)) as one, AsyncExitStack() as stack:
        await one.alert()

        async def start() -> forkserver.Process | asyncio.subprocess.Process:
            arguments = (one.emulator.api_url, migrated_postgres_url, str(rate), str(lease))
            sender = await forkserver.start(
                "tests.faults.sender_child", *arguments, cwd=ROOT, env=ENVIRONMENT
            )
            stack.push_async_callback(sender.wait)
            stack.callback(lambda: sender.kill() if sender.returncode is None else None)
            return sender

        frozen = await start()
        await one.arrived(READER + 2)
        while True:  # between two slots: what is in flight when a process dies may come twice
            frozen.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.05)
            told = {call.chat_id for call in one.emulator.calls.of("sendMessage") if call.accepted}
            states = await states_of(one)
            held = [number for number in readers if states[number] == "leased"]
            if held and told == {number for number in readers if states[number] == "sent"}:
                break
            assert "pending" in states.values() or held, "it was never frozen with work in hand"
            frozen.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.02)
        await start()
        async with asyncio.timeout(90):
            for number in readers:
                # frozen inside a transaction, it holds the budget until the server ends that
                await one.arrived(number, timeout=60)
            while set((await states_of(one)).values()) != {"sent"}:  # noqa: ASYNC110 - rows
                await asyncio.sleep(0.05)
        before = [await one.rows(number) for number in readers]
        frozen.send_signal(signal.SIGCONT)
        await one.alert()
        async with asyncio.timeout(60):
            for number in readers:
                await one.arrived(number, 2)
        assert [one.accepted(number) for number in readers] == [2] * len(readers)
        assert [(await one.rows(number))[:1] for number in readers] == before


async def test_P7_a_mark_waits_for_a_database_that_another_program_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than we wait for it, again and again: the mark is kept and nothing is sent twice."""
    for module in (storage.db, storage.connecting):
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
    async with bench(migrated_copy(tmp_path / "jarchy.db")) as one:
        one.emulator.faults.add(Fault.slow(0.3, chat_id=READER, times=1))
        await one.alert()
        with (
            closing(sqlite3.connect(tmp_path / "jarchy.db", isolation_level=None)) as other,
            capture_logs() as said,
        ):
            async with Sending(one):
                await one.asked(READER)
                other.execute("BEGIN IMMEDIATE")
                await one.arrived(READER)
                while not any(line["event"] == "marks wait for the database" for line in said):  # noqa: ASYNC110 - a log
                    await asyncio.sleep(0.05)
                assert await one.rows(READER) == [("leased", None)]
                assert "another program holds it" in str(one.store.trouble)
                other.execute("COMMIT")
                while (await one.rows(READER))[0][0] != "sent":  # noqa: ASYNC110 - a row
                    await asyncio.sleep(0.05)
    assert one.accepted(READER) == 1


async def test_P7_a_read_that_turns_into_a_write_does_not_fail_beside_a_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses such at once, without waiting; our transactions are writers from their
    beginning.
    """
    for module in (storage.db, storage.connecting):
        monkeypatch.setattr(module, "BUSY_SECONDS", 5)
    async with bench(migrated_copy(tmp_path / "jarchy.db")) as one:
        with closing(sqlite3.connect(tmp_path / "jarchy.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE chat SET title = 'other'")

            async def change() -> None:
                async with one.store.writing() as db:
                    found = await storage.chats.get(db, READER)
                    assert found is not None
                    await storage.chats.change(db, READER, title=f"{found.title}, then ours")

            begun = asyncio.Event()
            event.listen(
                one.store._writer.sync_engine, "before_cursor_execute", lambda *_: begun.set()
            )
            changing = asyncio.create_task(change())
            await begun.wait()
            for _ in range(5):  # had it begun as a reader, it would have read by now, as these do
                async with one.store.reading() as db:
                    await storage.chats.get(db, READER)
            other.execute("COMMIT")
            await changing
        async with one.store.reading() as db:
            found = await storage.chats.get(db, READER)
    assert found is not None
    assert found.title == "other, then ours"


@pytest.mark.parametrize(
    "fault",
    [Fault.server_error, Fault.reset, partial(Fault.flood, 3)],
    ids=["502", "reset", "429"],
)
async def test_P7_G20_the_operators_hear_of_a_locked_database_once_though_it_cannot_hold_the_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Fault]
) -> None:
    """Straight from Telegram, again when that refuses it, and then when it says; a database that
    works again is said to do so in the log.
    """
    for module in (storage.db, storage.connecting):
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr("bot.watch.TROUBLE_PATIENCE", 0.0)
    monkeypatch.setattr("bot.watch.TRIAL_EVERY", 0.0)
    async with bench(migrated_copy(tmp_path / "jarchy.db")) as one:
        watch = StoreWatch(one.store, one.worker.api, (READER,), "en")
        one.emulator.faults.add(fault(times=1))
        with (
            closing(sqlite3.connect(tmp_path / "jarchy.db", isolation_level=None)) as other,
            capture_logs() as said,
        ):
            await watch.look()
            other.execute("BEGIN IMMEDIATE")
            for _ in range(4):
                await watch.look()
            await one.emulator.wait_message(READER, timeout=20)
            await watch.look()
            other.execute("COMMIT")
            await watch.look()
        (told,) = one.emulator.messages(READER)
        assert "another program holds it" in told["text"]
        refused, again = one.emulator.calls.of("sendMessage", READER)
        assert again.at - refused.at >= (3 if refused.code == 429 else 0)
        assert said[-1]["event"] == "the database can be written again"
        assert one.store.trouble is None


async def test_P7_a_database_that_works_again_before_telegram_does_is_not_complained_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a look wait for Telegram: nothing would notice the database meanwhile."""
    for module in (storage.db, storage.connecting):
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr("bot.watch.TROUBLE_PATIENCE", 0.0)
    monkeypatch.setattr("bot.watch.TRIAL_EVERY", 0.0)
    async with bench(migrated_copy(tmp_path / "jarchy.db")) as one:
        watch = StoreWatch(one.store, one.worker.api, (READER,), "en")
        silent = one.emulator.faults.add(Fault.hang())
        with closing(sqlite3.connect(tmp_path / "jarchy.db", isolation_level=None)) as other:
            await watch.look()
            other.execute("BEGIN IMMEDIATE")
            async with asyncio.timeout(2):
                await watch.look()
            async with asyncio.timeout(20):
                while not silent.hits:  # noqa: ASYNC110 - it says nothing when it is hit
                    await asyncio.sleep(0.01)
            other.execute("COMMIT")
            await watch.look()
        assert watch._telling is None
        assert one.store.trouble is None
        assert one.emulator.messages(READER) == []


async def test_P14_an_event_loop_that_stands_still_past_its_leases_sends_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed deliveries are given back, those in flight marked first; the log says where."""
    lease, stall = 1.0, 1.5
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=lease))
    monkeypatch.setattr(claims, "LEASE_MARGIN", lease / 3)
    monkeypatch.setattr(upkeep, "STALL_GRACE", lease / 2)
    for stage in (claims, slots, upkeep):
        monkeypatch.setattr(stage, "IDLE", 0.2)
    monkeypatch.setattr(upkeep, "TIDY", 0.2)
    readers = range(READER, READER + 20)
    async with bench(migrated_copy(tmp_path / "jarchy.db"), readers=20, rate=40.0) as one:
        stopping = asyncio.Event()
        watch = StoreWatch(one.store, one.worker.api, (), "en")
        with capture_logs() as said:
            watching = asyncio.create_task(
                keep_watch(watch, LoopWatch(stall=0.4), stopping, lambda: asyncio.sleep(0.1))
            )
            await one.alert()
            async with Sending(one):
                await one.arrived(READER + 2)
                linecache.clearcache()
                time.sleep(stall)  # noqa: ASYNC251 - that is the fault
                for number in readers:
                    await one.arrived(number)
            stopping.set()
            await watching
        assert [one.accepted(number) for number in readers] == [1] * len(readers)
        assert {(await one.rows(number))[0][0] for number in readers} == {"sent"}
    still = next(line for line in said if line["event"] == "event loop stands still")
    assert "test_senders.py" in still["at"][-1]
    assert not linecache.cache  # to say where, no file was read and kept
    assert any(
        line["event"] == "event loop runs again" and line["stood"] >= stall / 2 for line in said
    )
