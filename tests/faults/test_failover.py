"""A PostgreSQL that dies for good, and its standby that takes over; the address names both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.deliver import claims
from bot.emulator import Emulator
from tests.e2e.program import READER, Program
from tests.faults.server import Server, servers
from tests.faults.test_replicas import catalog
from tests.faults.test_server import READERS, bench, everybody_has_it, states
from tests.postgres import Shared
from tests.publishers import QUIET, TODAY, Publishers, daily, rss
from tests.world import Sending, World

pytestmark = pytest.mark.postgres


@pytest.fixture
def pair(postgres: Shared) -> Iterator[tuple[Server, Server]]:
    """A running primary and the standby that copies it."""
    with servers() as (primary, standby):
        primary.make(postgres.empty())
        primary.start()
        standby.follow(primary)
        standby.start()
        yield primary, standby


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim whose commit nobody heard of is free again before a test's patience ends."""
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=5))
    monkeypatch.setattr(claims, "LEASE_MARGIN", 2.0)


def address(pair: tuple[Server, Server]) -> str:
    """Both servers, as the README writes it."""
    first, second = pair
    hosts = f"host={first.host}&host={second.host}"
    return f"postgresql://postgres@/postgres?{hosts}&target_session_attrs=read-write"


def wait_for_standbys(primary: Server) -> None:
    """From now on a commit is on the standby too before it is one."""
    primary.tell(
        "ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()"
    )
    while primary.tell("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
        pass


async def test_P15_a_synchronous_standby_takes_over_and_nothing_is_lost(
    pair: tuple[Server, Server], short_leases: None
) -> None:
    """The sender finds the new primary by itself; the broadcast ends, the next one too; nobody gets
    three.
    """
    wait_for_standbys(pair[0])
    async with bench(address(pair), rate=20.0) as one:
        await one.alert()
        async with Sending(one):
            await one.arrived(READERS[5])
            pair[0].kill()
            pair[1].promote()
            await everybody_has_it(one)
            await one.alert()
            await asyncio.gather(*[one.arrived(number, 2) for number in READERS])
        assert await states(one) == {"sent"}
        assert all(2 <= one.accepted(number) <= 3 for number in READERS)


async def all_written_down(one: World, count: int) -> None:
    """Wait until so many deliveries are sent and none is open."""
    async with asyncio.timeout(60):
        while True:
            rows = [state for number in READERS for state, _ in await one.rows(number)]
            if rows == ["sent"] * count:
                return
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_P18_an_asynchronous_standby_that_lags_costs_a_copy_and_what_is_found_again(
    pair: tuple[Server, Server], short_leases: None
) -> None:
    """The marks and the alert of the last moments are gone: a second copy at most, and the next
    poll finds it again.
    """
    primary, standby = pair
    async with bench(address(pair), rate=20.0) as one:
        await one.alert()
        async with Sending(one):
            await one.arrived(READERS[5])
            primary.replicated()
            standby.tell("ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
            while standby.tell("SELECT 1 FROM pg_stat_wal_receiver"):
                pass
            await one.alert()
            await one.arrived(READERS[12])
            primary.kill()
            standby.promote()
            await one.alert(again=True)
            await all_written_down(one, 2 * len(READERS))
        assert all(2 <= one.accepted(number) <= 4 for number in READERS)
        assert sum(one.accepted(number) for number in READERS) < 4 * len(READERS)


@pytest.mark.slow  # its senders after one: above
async def test_P15_the_whole_program_goes_on_after_a_failover(
    pair: tuple[Server, Server], emulator: Emulator, tmp_path: Path
) -> None:
    """Updates, polls and alerts, in the same process, with nobody's help."""
    wait_for_standbys(pair[0])
    async with Publishers() as publishers:
        publishers.put(
            "/daily.xml",
            daily(f"{TODAY - timedelta(days=1):%d.%m.%Y}", "84,7935", "98,8523", "1,1948"),
        )
        publishers.put("/feed.xml", rss(QUIET))
        program = Program(tmp_path, emulator, catalog(publishers.url), DATABASE_URL=address(pair))
        await program.start()
        await publishers.asked_again("/daily.xml", 2)
        asked = await emulator.send_text(READER, "/start")
        menu = await emulator.wait_message(
            READER, lambda m: "reply_markup" in m, after=asked, timeout=20
        )
        await emulator.press(READER, menu["message_id"], "cur:USD")
        pair[0].kill()
        asked = await emulator.send_text(READER, "/help")
        pair[1].promote()
        await emulator.wait_message(READER, lambda _: True, after=asked, timeout=30)
        publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8523", "1,1948"))
        await emulator.wait_message(
            READER, lambda m: "89.9" in m.get("text", ""), after=asked, timeout=30
        )
        await publishers.asked_again("/daily.xml", 2)
        assert sum("89.9" in m.get("text", "") for m in emulator.messages(READER)) == 1
        assert await program.end() == 0
