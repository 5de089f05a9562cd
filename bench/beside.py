"""A reader's wait while a broadcast goes out at a thousand a second, against the wait at rest.

Everything real but Telegram: the update is stored, handled and answered over HTTP to the counting
server, from the same process and over the same session as the broadcast.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from bench import reply, sending, stub, world
from bench.figure import Figure, Goal
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.intake.inbox import Inbox
from bot.running import process_name
from bot.telegram.api import Api
from bot.telegram.session import open_session

LIMIT = 1000
ASKED = 0.02  # seconds between two questions


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """The 99th percentile of both."""
    count = 150 if quick else 500
    async with stub.running() as url, world.sqlite_store() as store, open_session() as session:
        await world.add_rates(store, 20_000, until=datetime.now(UTC).date())
        await world.add_subscribers(store, int(count * ASKED * LIMIT * 2.5))
        api = Api(session, url=url, token=sending.TOKEN)
        async with reply.ours(store, reply.Handing()) as (services, handle):
            services.api = api
            answered = asyncio.Event()

            async def noting(raw: dict[str, Any]) -> None:
                await handle(raw)
                answered.set()

            inbox = Inbox(store, noting, holder="bench", alone=True)
            marking = asyncio.create_task(inbox.run())
            numbers = iter(range(1, 10**6))

            async def ask() -> None:
                answered.clear()
                await inbox.receive([reply.incoming(next(numbers))])
                await answered.wait()

            for _ in range(reply.CHATS):
                await ask()
            gc.freeze()  # as the program does when it is ready
            rest = await _percentile(ask, count)
            worker = Worker(
                store=store,
                api=api,
                composer=Composer(store, world.catalog()),
                editor=ChannelEditor(feeds=world.catalog().news),
                unread=UnreadAlerts(sending.trouble),
                token_name=sending.BOT_ID,
                holder=process_name(),
                rate=LIMIT,
                on_trouble=sending.trouble,
            )
            services.turn = worker.turn
            async with store.writing() as db:
                await world.add_alert(db, "beside")
            await world.fan_out(store)
            broadcast = asyncio.create_task(worker.run())
            await asyncio.sleep(1)
            beside = await _percentile(ask, count)
            assert not broadcast.done()
            worker.stop()
            await broadcast
            marking.cancel()
    return [
        Figure(
            name=f"p99 of a reply beside {LIMIT}/s",
            value=beside * 1000,
            unit="ms",
            baseline=rest * 1000,
            goal=Goal(of="ratio", most=2),
            note="the same at rest",
        )
    ]


async def _percentile(ask: Callable[[], Awaitable[None]], count: int) -> float:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - start)
        await asyncio.sleep(ASKED)
    return sorted(times)[int(count * 0.99)]
