"""The bot of the demonstration in a process of its own, which may be frozen and killed.

It is the whole bot; only its clock is the demonstration's. `Subject` is the other side of its
pipes, which carry a line of JSON each: the first says with what to begin, the next ones how far the
clock is turned. One with a `turn` wants an answer once what is then due has been done, and says
which sources have something `fresh`. One with `foresee` asks when something is due next. Without
the demonstration, at the end of its input, the bot stops.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson

import storage.inbox
import storage.overview
import storage.quiet
import storage.retention
import storage.sources
from bot import log, recurring
from bot.app import run
from bot.clock import TurnedClock
from bot.config import GivenSettings, Settings
from bot.demo.foresight import foresee
from bot.errors import StorageError
from bot.fetch import Limits
from bot.running import Running
from bot.sources.catalog import parse_catalog

MOST_UNANSWERED = 100  # questions that are counted
SILENCE = 0.1  # seconds until a source that did not answer is asked again
GLANCE = 0.02  # seconds between glances at whether the bot has written anything
EVER = datetime.min.replace(tzinfo=UTC)
Order = dict[str, Any]


def settings_of(first: Order) -> Settings:
    """The settings of the demonstration's bot, by its first line: a real bot's may be in the
    environment, and this one must not speak for it, nor lay its copies among that one's.
    """
    return GivenSettings(
        bot_token=first["token"],
        bot_api_url=first["api_url"],
        database_url=first["database_url"],
        # at the first start a free port: the bot itself, or another demo, may have the usual one
        ops_listen=f"127.0.0.1:{first['port']}",
        # whoever turns the clock waits for what comes of it
        poll_every=timedelta(seconds=2),
    )


async def be(orders: asyncio.StreamReader) -> None:
    """The bot, by the orders of the demonstration, until they end."""
    first: Order = orjson.loads(await orders.readline())
    clock = TurnedClock(timedelta(seconds=first["ahead"]))
    stop = asyncio.Event()
    settings = settings_of(first)
    tasks: list[asyncio.Task[None]] = []

    def begun(bot: Running) -> None:
        tasks.append(asyncio.create_task(greet(bot)))
        tasks.append(asyncio.create_task(obey(bot, orders, clock, stop)))

    try:
        await run(
            settings,
            parse_catalog(first["catalog"]),
            clock=clock,
            stop=stop,
            on_ready=begun,
            limits=Limits(pause=0.0),  # all sources are on this machine, and made for this
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def obey(
    bot: Running, orders: asyncio.StreamReader, clock: TurnedClock, stop: asyncio.Event
) -> None:
    """Turn the clock as told; say when what is then due has been done."""
    settling: asyncio.Task[None] | None = None
    while line := await orders.readline():
        order: Order = orjson.loads(line)
        if "foresee" in order:
            await tell_due(bot)
            continue
        clock.ahead = timedelta(seconds=order["ahead"])
        if "turn" in order:
            if settling is not None:
                settling.cancel()
            settling = asyncio.create_task(settle(bot, order))
    stop.set()


async def settle(bot: Running, order: Order) -> None:
    """Do what is due at the clock's time, and say so.

    Nothing waits for a loop's next look, whose second would be hours of the demonstration's time:
    the sources and the digests are asked for here. The sender is woken by either.
    """
    await hear(bot, order["fresh"], since=bot.clock())
    await recurring.digests(bot)
    await forget_clues(bot)
    if await is_quiet_over(bot):
        bot.worker.tidy_soon()
    looked: int | None = None
    while not bot.stopping.is_set():
        written = bot.store.version()
        if written is None or written != looked:
            looked = written
            if await is_settled(bot):
                say({"settled": order["turn"]})
                return
        await bot.pause(GLANCE)


async def forget_clues(bot: Running) -> None:
    """Forget the stories of weeks before, which a bot tidies away by the hour: told in the same
    words again, today's would be looked for among them.
    """
    async with bot.store.writing() as db:
        while await storage.retention.forget_clues(db, bot.clock()):
            pass


async def is_settled(bot: Running) -> bool:
    """Whether nothing that is due by now has still to be sent."""
    async with bot.store.reading() as db:
        lanes = await storage.overview.lanes(db, now=bot.clock())
    if any(lane.waiting for lane in lanes):
        return False
    return not await is_quiet_over(bot)  # else what it held is still to come


async def is_quiet_over(bot: Running) -> bool:
    """Whether some chat's quiet hours have ended, and what they held has not been told."""
    async with bot.store.reading() as db:
        ends = await storage.quiet.first_end(db)
    return ends is not None and ends <= bot.clock()


async def tell_due(bot: Running) -> None:
    """Say when something is due next for a chat, and what; how many questions wait, and what was
    let go.
    """
    due, waiting, let_go = None, 0, {}
    with suppress(StorageError):
        due = await foresee(bot.store, now=bot.clock())
        async with bot.store.reading() as db:
            waiting = len(await storage.inbox.unfinished(db, after=0, limit=MOST_UNANSWERED))
            let_go = await storage.overview.let_go(db)
    counts = {str(chat): count for chat, count in let_go.items()}
    say({"foreseen": True, "due": due, "unanswered": waiting, "let_go": counts})


async def greet(bot: Running) -> None:
    """Say that the bot is ready once it has heard every source: earlier answers are half ones."""
    await hear(bot, bot.catalog.by_key, since=EVER)
    if not bot.stopping.is_set():
        say({"ready": bot.ops_port})


async def hear(bot: Running, keys: Iterable[str], *, since: datetime) -> None:
    """Ask sources, by their keys, until each has answered since a moment."""
    silent = set(keys)
    while silent and not bot.stopping.is_set():
        await asyncio.gather(*[recurring.poll(bot, key) for key in silent])
        async with bot.store.reading() as db:
            known = await storage.sources.states(db, silent)
        for key, state in known.items():
            if state.last_ok_at is not None and state.last_ok_at >= since:
                silent.discard(key)
        if silent:
            await bot.pause(SILENCE)


def say(what: Order) -> None:
    """Write a line for the demonstration."""
    sys.stdout.buffer.write(orjson.dumps(what, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


async def main() -> None:
    """Run the bot by the orders of stdin, until they end."""
    # turning the clock is no trouble to speak of
    log.set_up(None, "error")
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        partial(asyncio.StreamReaderProtocol, orders), sys.stdin
    )
    await be(orders)


if __name__ == "__main__":
    asyncio.run(main())
