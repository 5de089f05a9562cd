"""Time goes wrong: no system zones, a night asleep."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import storage.chats
import storage.sources
from bot.app import run
from bot.config import load_settings
from bot.digests import enqueue_digests
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.recurring import JOBS
from bot.running import Running
from bot.sources.catalog import parse_catalog
from storage.db import Store
from storage.schema import alert
from tests import forkserver
from tests.factories import chat
from tests.faults.test_replicas import catalog
from tests.faults.test_senders import READER, bench
from tests.publishers import QUIET, Publishers, daily, rss
from tests.world import Sending, migrated_copy

EVENING = datetime(2021, 10, 20, 16, 0, tzinfo=UTC)  # 22:00 in Bishkek
RENAMED = ("Europe/Kiev", "Asia/Calcutta", "US/Eastern", "America/Buenos_Aires", "Asia/Rangoon")


def test_T3_without_the_systems_zones_old_names_still_load(tmp_path: Path) -> None:
    """The package brings its own: settings, digests and dates work where the machine has none."""
    script = (
        "import json, sys, zoneinfo; from datetime import *; from bot.digests import due_digest;"
        "from bot.model.subjects import digests_of; from bot.__main__ import main;"
        "zoneinfo.reset_tzpath(()); zoneinfo.ZoneInfo.clear_cache();"
        "now = datetime(2021, 10, 20, 12, tzinfo=UTC);"
        "print(json.dumps([zoneinfo.TZPATH, [str(zoneinfo.ZoneInfo(n).utcoffset(now)) for n in "
        "sys.argv[1:]],"
        "due_digest(*digests_of(['digest:15:00@Europe/Kiev']), now=now) is not None]));"
        "sys.argv = ['jarchy', 'db', 'upgrade']; main()"
    )
    settings = {"DATABASE_URL": "sqlite:///x.db", "TIME_ZONE": "Europe/Kiev"}
    environment = {**forkserver.PLAIN, **settings}
    done = forkserver.run("-c", script, *RENAMED, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.db").exists()
    path, offsets, due = json.loads(done.stdout.splitlines()[0])
    assert path == []
    assert offsets == ["3:00:00", "5:30:00", "-1 day, 20:00:00", "-1 day, 21:00:00", "6:30:00"]
    assert due is True


async def test_T3_a_zone_nobody_knows_any_more_silences_only_its_own_digest(store: Store) -> None:
    """The others are sent on time."""
    async with store.writing() as db:
        for number, zone in ((1, "Asia/Atlantis"), (2, "Asia/Bishkek")):
            await storage.chats.add(db, chat(number), now=EVENING - timedelta(days=1))
            await storage.chats.subscribe(
                db, number, [f"digest:22:00@{zone}"], now=EVENING - timedelta(days=1)
            )
    assert await enqueue_digests(store, now=EVENING) == 1
    async with store.reading() as db:
        assert list((await db.execute(select(alert.c.audience_key))).scalars()) == [
            "digest:22:00@Asia/Bishkek"
        ]


@pytest.mark.parametrize("hours", [1, -1, 24])
async def test_T1_a_clock_that_jumps_stops_no_sending_and_ends_leases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Set back an hour, what was paced, retried or leased until then does not wait an hour; nothing
    comes twice.
    """
    readers = range(READER, READER + 6)
    for stage in ("claims", "slots", "upkeep"):
        monkeypatch.setattr(f"bot.deliver.{stage}.IDLE", 0.1)
    monkeypatch.setattr("bot.deliver.upkeep.TIDY", 0.1)
    async with bench(migrated_copy(tmp_path / "jarchy.db"), readers=len(readers)) as one:
        one.emulator.faults.add(Fault.server_error(502, chat_id=READER, times=1))
        async with Sending(one):
            await one.alert()
            for number in readers[1:]:
                await one.arrived(number)
            await one.emulator.calls.wait(lambda call: call.chat_id == READER and not call.accepted)
            jump = timedelta(hours=hours)
            monkeypatch.setattr("storage.db._machine_now", lambda: datetime.now(UTC) + jump)
            await one.alert()
            for number in readers:
                await one.arrived(number, 2)
        assert [one.accepted(number) for number in readers] == [2] * len(readers)


@pytest.fixture
async def publishers() -> AsyncIterator[Publishers]:
    """A bank and a feed."""
    async with Publishers() as server:
        server.put("/daily.xml", daily("20.10.2021", "84,7935", "98,8523", "1,1948"))
        server.put("/feed.xml", rss(QUIET))
        yield server


async def polled(bot: Running) -> set[str]:
    """The sources whose poll came to its end."""
    async with bot.store.reading() as db:
        return {
            key
            for key, state in (await storage.sources.states(db)).items()
            if state.last_ok_at is not None
        }


async def test_T4_after_eight_hours_asleep_each_job_is_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publishers: Publishers
) -> None:
    """One poll of each source, one digest, one backup: not one for each time that was missed."""
    monkeypatch.chdir(tmp_path)
    now = EVENING
    path = tmp_path / "jarchy.db"
    every = catalog(publishers.url).replace('every = "1s"', 'every = "5m"')
    async with Emulator(TEST_TOKEN, "jarchy_bot", open_chats=True) as emulator:
        settings = load_settings(
            bot_token=TEST_TOKEN,
            bot_api_url=emulator.api_url,
            database_url=f"sqlite:///{path}",
            ops_listen="off",
        )
        ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        turns: asyncio.Queue[None] = asyncio.Queue()

        async def turn(store: Store, *, now: datetime) -> int:
            turns.put_nowait(None)
            return await enqueue_digests(store, now=now)

        often = {"poll": 1.0, "backups": 1.0, "digests": 1.0}
        jobs = [replace(job, every=often.get(job.name, job.every), after=None) for job in JOBS]
        monkeypatch.setattr("bot.background.JOBS", jobs)
        monkeypatch.setattr("bot.recurring.enqueue_digests", turn)
        running = asyncio.create_task(
            run(
                settings,
                parse_catalog(every),
                clock=lambda: now,
                stop=stop,
                on_ready=ready.set_result,
            )
        )
        bot = await ready
        async with bot.store.writing() as db:
            await storage.chats.add(db, chat(1), now=EVENING - timedelta(days=1))
            for at in ("05:45", "06:00"):
                await storage.chats.subscribe(
                    db, 1, [f"digest:{at}@Asia/Bishkek"], now=EVENING - timedelta(days=1)
                )
        while await polled(bot) < {"nbkr", "test"} or not list(tmp_path.glob("backups/*.db")):  # noqa: ASYNC110 - files
            await asyncio.sleep(0.05)
        before = len(publishers.asked)
        now = EVENING + timedelta(hours=8)  # 6:00 of the next day
        await publishers.asked_again("/daily.xml")
        await emulator.wait_message(1, lambda m: "20" in m.get("text", ""), timeout=20)
        while len(list(tmp_path.glob("backups/*.db"))) < 2:  # noqa: ASYNC110 - files
            await asyncio.sleep(0.05)
        while not turns.empty():
            turns.get_nowait()
        # the slowest loop turns twice more, and the others with it: nothing else may come of them
        for _ in range(3):
            await turns.get()
        stop.set()
        await running
        assert sorted(publishers.asked[before:]) == ["/daily.xml", "/feed.xml"]
        assert len(emulator.messages(1)) == 2, "one for each of its two planned times"
        assert sorted(one.name for one in tmp_path.glob("backups/*.db")) == [
            "jarchy-2021-10-20.db",
            "jarchy-2021-10-21.db",
        ]
