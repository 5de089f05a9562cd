"""The running program: what runs beside one another, and how it stops.

A crash in one task stops them all. On a signal nothing new is begun, what is in flight ends, the
rest is given back.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import Any

import structlog

import storage.backup
from bot.assembly import USUAL, Clock, opened
from bot.background import background
from bot.clock import utc_now
from bot.config import Settings
from bot.errors import BotError, first_of
from bot.fetch import Limits
from bot.listening import listen, until_revoked
from bot.running import Running
from bot.sources.specs import Catalog
from bot.watch import left_to_watch, watch_the_stop

log = structlog.get_logger(__name__)

DRAIN = 5.0  # seconds for what is in flight at a stop, before it is cut off


async def run(
    settings: Settings,
    catalog: Catalog,
    *,
    clock: Clock = utc_now,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[Running], None] | None = None,
    limits: Limits = USUAL,
) -> None:
    """The bot, until SIGTERM, SIGINT or `stop`; `limits` are those of what it fetches."""
    stop = stop or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        watched = stack.enter_context(ExitStack())  # until everything is closed
        bot = await stack.enter_async_context(opened(settings, catalog, clock, limits))
        try:
            async with asyncio.TaskGroup() as tasks:
                stopping = bot.stopping

                def begin(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
                    left = left_to_watch(work, store=bot.store, stopping=stopping)
                    return tasks.create_task(left, name=name)

                running = [begin(task, name=name) for name, task in background(bot).items()]
                listening = begin(listen(bot, on_ready), name="talk")
                sender = begin(bot.worker.run(), name="worker")
                marker = begin(bot.inbox.run(), name="inbox")
                guard = begin(until_revoked(bot.revoked), name="token")
                await stop.wait()
                # a stop during the start: what never began could not be broken off
                await asyncio.sleep(0)
                log.info("stopping")
                watched.enter_context(watch_the_stop())
                stopping.set()
                bot.worker.stop()
                listening.cancel()
                await asyncio.wait([sender, *running], timeout=DRAIN)
                for one in (sender, marker, guard, *running):
                    one.cancel()
        except* BotError as group:
            raise first_of(group) from None
        finally:
            await bot.inbox.close()
            if bot.store.lost:
                with suppress(BotError):  # said by whoever watches the store
                    await storage.backup.rescue(bot.store)
