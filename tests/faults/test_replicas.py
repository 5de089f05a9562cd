"""Several replicas of the real program on one PostgreSQL, before one emulated Telegram."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.samples import Sample
from sqlalchemy import func, select

from bot.emulator import Emulator
from storage.db import Store
from storage.opening import open_store
from storage.schema import inbox
from tests.e2e.driven import read_samples, value
from tests.e2e.program import READER, Program
from tests.e2e.test_metrics import owners
from tests.publishers import TODAY, Publishers, agency_at, bank_at, daily

pytestmark = pytest.mark.postgres
TAKEN = '"event": "role taken"'


def catalog(url: str) -> str:
    """One bank, one feed."""
    return bank_at(url) + agency_at(url)


@asynccontextmanager
async def two(
    folder: Path, emulator: Emulator, publishers: Publishers, url: str
) -> AsyncIterator[list[Program]]:
    """Two replicas, both started at once."""
    started = []
    for name in ("a", "b"):
        (folder / name).mkdir()
        started.append(Program(folder / name, emulator, catalog(publishers.url), DATABASE_URL=url))
    await asyncio.gather(*[program.start() for program in started])
    try:
        yield started
    finally:
        for program in started:
            await program.end()


def said(program: Program, words: str) -> bool:
    """Whether its log has a line with these words."""
    return any(words in line for line in program.log)


async def holder(replicas: list[Program]) -> tuple[Program, Program]:
    """The replica that receives the updates, and the one that waits."""
    looks = [asyncio.create_task(one.said(lambda line: TAKEN in line)) for one in replicas]
    await asyncio.wait(looks, return_when=asyncio.FIRST_COMPLETED)
    for look in looks:
        look.cancel()
    first, second = replicas
    return (first, second) if said(first, TAKEN) else (second, first)


async def shown_by(program: Program) -> Sequence[Sample]:
    """What a replica's /metrics shows."""
    said = json.loads(await program.said(lambda line: '"event": "listening"' in line))
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{said['address']}/metrics") as answer,
    ):
        return read_samples(await answer.text())


async def all_handled(url: str) -> None:
    """Until every question that was asked is marked as handled."""
    store = await open_store(url)
    try:
        async with asyncio.timeout(20):
            while await unfinished(store):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)
    finally:
        await store.close()


async def unfinished(store: Store) -> int:
    """The number of questions that are not answered yet."""
    async with store.reading() as db:
        query = select(func.count()).where(inbox.c.finished_at.is_(None))
        return (await db.execute(query)).scalar_one()


async def test_G3_a_second_poller_takes_over_at_once_from_one_that_is_stopped(
    tmp_path: Path, emulator: Emulator, publishers: Publishers, postgres_url: str
) -> None:
    """After SIGTERM the second answers what is asked from then on; both had found the database
    empty. Their figures say who receives, and alike what is in the database.
    """
    async with two(tmp_path, emulator, publishers, postgres_url) as replicas:
        first, second = await holder(replicas)
        figures = [await shown_by(one) for one in (first, second)]
        assert [value(some, "jarchy_role", role="updates") for some in figures] == [1, 0]
        assert any(one.name == "jarchy_role" for one in figures[1])
        of_all = {name for name, of in owners().items() if of == "database"}
        same = [[one for one in some if one.name in of_all] for some in figures]
        assert same[0] == same[1] != []
        await first.end(signal.SIGTERM)
        asked = await emulator.send_text(READER, "/help")
        async with asyncio.timeout(1.0):  # the promise
            await second.said(lambda line: TAKEN in line)
        await emulator.wait_message(READER, lambda _: True, after=asked, timeout=20)


async def test_G3_a_second_poller_waits_for_its_lease_and_a_move_is_told_once(
    tmp_path: Path, emulator: Emulator, publishers: Publishers, migrated_postgres_url: str
) -> None:
    """Nobody fights over 409; what is asked after the first one's end is answered by the second,
    and the polls and alerts of a killed replica go on in it.
    """
    async with two(tmp_path, emulator, publishers, migrated_postgres_url) as replicas:
        first, second = await holder(replicas)
        await publishers.asked_again("/daily.xml", 2)
        asked = await emulator.send_text(READER, "/start")
        menu = await emulator.wait_message(
            READER, lambda m: "reply_markup" in m, after=asked, timeout=20
        )
        await emulator.press(READER, menu["message_id"], "cur:USD")
        asked = await emulator.send_text(READER, "/help")  # a chat's order is kept
        await emulator.wait_message(READER, lambda _: True, after=asked, timeout=20)
        assert not said(second, TAKEN)
        assert not any(said(one, '"event": "no updates"') for one in replicas)
        await all_handled(
            migrated_postgres_url
        )  # or the next question would wait for this one's lease
        await first.end(signal.SIGKILL)
        asked = await emulator.send_text(READER, "/help")
        async with asyncio.timeout(10.0):  # the promise
            await second.said(lambda line: TAKEN in line)
        await emulator.wait_message(READER, lambda _: True, after=asked, timeout=20)
        publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8523", "1,1948"))
        await publishers.asked_again("/daily.xml", 2)
        move = await emulator.wait_message(
            READER, lambda m: "USD/KGS" in m.get("text", ""), after=asked, timeout=30
        )
        assert "89.9" in move["text"]
        await publishers.asked_again("/daily.xml", 3)
        told = [m for m in emulator.messages(READER) if "89.9" in m.get("text", "")]
        assert len(told) == 1


@pytest.fixture
def shifted() -> dict[str, str]:
    """The environment of a process whose wall clock is half a minute ahead."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail("faketime is missing: apt-get install faketime")
        pytest.skip("faketime is not here")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": "+30s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.mark.slow  # the database's clock counts: test_clock.py
async def test_T5_replicas_whose_clocks_differ_by_30_seconds_work_as_one(
    tmp_path: Path,
    emulator: Emulator,
    publishers: Publishers,
    postgres_url: str,
    shifted: dict[str, str],
) -> None:
    """The database's clock rules: who follows the dollar by the one is told once what the other
    finds.
    """
    replicas, begun = [], datetime.now(UTC)
    for name, environment in (("ahead", shifted), ("right", {})):
        (tmp_path / name).mkdir()
        program = Program(
            tmp_path / name,
            emulator,
            catalog(publishers.url),
            DATABASE_URL=postgres_url,
            **environment,
        )
        await program.start()
        replicas.append(program)
    ahead, right = replicas
    await ahead.said(lambda line: TAKEN in line)
    assert min(times_of(ahead)) - begun > timedelta(seconds=25)
    assert max(times_of(right)) <= datetime.now(UTC)
    await publishers.asked_again("/daily.xml")
    asked = await emulator.send_text(READER, "/start")
    menu = await emulator.wait_message(
        READER, lambda m: "reply_markup" in m, after=asked, timeout=20
    )
    await emulator.press(READER, menu["message_id"], "cur:USD")
    publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8523", "1,1948"))
    await emulator.wait_message(
        READER, lambda m: "89.9" in m.get("text", ""), after=asked, timeout=30
    )
    await publishers.asked_again("/daily.xml", 2)
    assert sum("89.9" in m.get("text", "") for m in emulator.messages(READER)) == 1
    assert not said(right, TAKEN)
    assert [await program.end() for program in replicas] == [0, 0]


def times_of(program: Program) -> list[datetime]:
    """When its lines were written, by its own clock."""
    return [
        datetime.fromisoformat(json.loads(line)["timestamp"])
        for line in program.log
        if line.startswith("{")
    ]
