"""After an outage of Telegram: how soon the first urgent message leaves, and how fast the rest.

`--quick` takes 20 seconds of outage instead of 95. The baseline is what the program did before: 71
s after 95 s.
"""

from __future__ import annotations

import asyncio

from bench import world
from bench.figure import Figure, Goal
from bench.sending import trouble
from bot.clock import boottime
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.emulator.faults import Kind
from bot.running import process_name
from bot.telegram.api import Api
from bot.telegram.session import open_session

READERS = 200
RATE = 25.0
BEFORE = 71.0  # seconds to the first delivery after 95, once


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - as the others
    """The outage begins before the alert is decided and ends while everything waits."""
    span = 20.0 if quick else 95.0
    async with (
        world.sqlite_store() as store,
        Emulator(TEST_TOKEN, open_chats=True) as emulator,
        open_session() as session,
    ):
        await world.add_subscribers(store, READERS)
        worker = Worker(
            store=store,
            api=Api(session, url=emulator.api_url, token=TEST_TOKEN),
            composer=Composer(store, world.catalog()),
            editor=ChannelEditor(feeds=world.catalog().news),
            unread=UnreadAlerts(trouble),
            token_name=TEST_TOKEN.partition(":")[0],
            holder=process_name(),
            rate=RATE,
            on_trouble=trouble,
        )
        emulator.faults.add(Fault(Kind.HTML, code=502, seconds=span))
        ends = boottime() + span
        async with store.writing() as db:
            await world.add_alert(db, "outage")
        running = asyncio.create_task(worker.run())
        calls = emulator.calls
        accepted = []
        after = 0
        for _ in range(READERS):
            call = await calls.wait(
                lambda c: c.method == "sendMessage" and c.accepted, after=after, timeout=200
            )
            after = call.number
            accepted.append(call.wall)
        now = boottime()
        last = now - (accepted[-1] - accepted[0])
        worker.stop()
        await running
    first = last - ends
    pace = (READERS - 1) / (accepted[-1] - accepted[0])
    note = f"after {span:g} s of 502"
    return [
        Figure(
            name="first urgent delivery after an outage",
            value=first,
            unit="s",
            baseline=BEFORE,
            goal=Goal(of="figure", most=5),
            note=note,
        ),
        Figure(
            name="pace after an outage",
            value=pace,
            unit="/s",
            baseline=RATE,
            goal=Goal(of="ratio", least=0.9),
            note=note,
        ),
    ]
