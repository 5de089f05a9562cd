"""The sender at full speed, and at Telegram's paid thousand a second.

The baseline posts the same bodies over the same session in a bare loop: no store, no claim, no
marks.
"""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import orjson
from telegram import Bot
from telegram.request import HTTPXRequest

from bench import stub, world
from bench.figure import Figure, Goal
from bot.alerts.notices import Notice
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import IN_FLIGHT, Worker
from bot.reasons import Reason
from bot.running import process_name
from bot.telegram.api import Api
from bot.telegram.line import chat_body
from bot.telegram.outcomes import Outcome, Sent
from bot.telegram.request import JSON_HEADERS
from bot.telegram.session import open_session
from storage.db import Store

BOT_ID = "123456789"
TOKEN = f"{BOT_ID}:{'A' * 35}"  # opens nothing
LIMIT = 1000  # messages a second
UNPACED = 2e4  # likewise: more than can leave; the gate keeps a second of them in mind


class Counting(Api):
    """The real transport; says when so many bodies were answered, and keeps one."""

    body = b""
    left = 0
    worker: Worker | None = None

    async def post(self, method: str, body: bytes) -> Outcome:
        """Send; after the last one the worker may stop."""
        outcome = await super().post(method, body)
        assert isinstance(outcome, Sent), outcome
        self.body = body
        self.left -= 1
        if self.left == 0 and self.worker is not None:
            self.worker.stop()
        return outcome


async def _send(store: Store, url: str, *, count: int, rate: float) -> tuple[float, float, bytes]:
    """Send what the outbox holds; seconds from the first claim to the last mark, of wall and
    processor, and a body.
    """
    async with open_session() as session:
        api = Counting(session, url=url, token=TOKEN)
        worker = Worker(
            store=store,
            api=api,
            composer=Composer(store, world.catalog()),
            editor=ChannelEditor(feeds=world.catalog().news),
            unread=UnreadAlerts(trouble),
            token_name=BOT_ID,
            holder=process_name(),
            rate=rate,
            on_trouble=trouble,
        )
        api.worker, api.left = worker, count
        start, used = time.perf_counter(), time.process_time()
        await worker.run()
        return time.perf_counter() - start, time.process_time() - used, api.body


async def trouble(told: Notice, *_why: Reason) -> None:
    """A measurement goes well or stops."""
    raise AssertionError(told)


async def _post(
    url: str, body: bytes, *, count: int, rate: float | None = None
) -> tuple[float, float]:
    """The bare loop: `count` posts, as many at once as the worker has; seconds of wall and
    processor.
    """
    rest = b"{" + body.partition(b",")[2]
    numbers = iter(range(1, count + 1))
    base = time.perf_counter()
    async with open_session() as session:

        async def poster() -> None:
            for number in numbers:
                if rate is not None:
                    await asyncio.sleep(max(0.0, base + number / rate - time.perf_counter()))
                async with session.post(
                    f"{url}/bot{TOKEN}/sendMessage",
                    data=chat_body(number, rest),
                    headers=JSON_HEADERS,
                ) as answer:
                    assert orjson.loads(await answer.read())["ok"]

        start, used = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(IN_FLIGHT):
                tasks.create_task(poster())
        return time.perf_counter() - start, time.process_time() - used


async def _ready(store: Store, name: str, count: int) -> None:
    async with store.writing() as db:
        await world.add_alert(db, name)
    assert await world.fan_out(store) == count


async def throughput(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Messages a second without pacing, claim to mark included; rounds in turn with the bare
    loop, both warm: a bot that runs has compiled its statements.
    """
    count, rounds = (3_000, 2) if quick else (10_000, 7)
    ours: list[float] = []
    bare: list[float] = []
    async with stub.running() as url, world.sqlite_store() as store:
        await world.add_subscribers(store, count)
        for number in range(1 + rounds):  # the first warms up
            await _ready(store, f"round {number}", count)
            wall, _, body = await _send(store, url, count=count, rate=UNPACED)
            ours.append(count / wall)
            assert len(await stub.arrivals(url)) == count
            wall, _ = await _post(url, body, count=count)
            assert len(await stub.arrivals(url)) == count
            bare.append(count / wall)
    return [
        Figure(
            name="throughput, unpaced",
            value=median(ours[1:]),
            unit="/s",
            baseline=median(bare[1:]),
            goal=Goal(of="ratio", least=0.85),
            note="a bare aiohttp loop posting the same bodies",
        )
    ]


async def libraries(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Processor time a message of other libraries' own `send_message`, beside ours with claim and
    mark; all warm.
    """
    count = 1_000 if quick else 4_000
    async with stub.running() as url:
        ours, body = 0.0, b""
        for size in (count // 4, count):  # the first warms up
            async with world.sqlite_store() as store:
                await world.add_subscribers(store, size)
                await _ready(store, "libraries", size)
                _, ours, body = await _send(store, url, count=size, rate=UNPACED)
        words = orjson.loads(body)["text"]
        telegram = await _python_telegram_bot(url, words, count)
        aiogram = await _aiogram(url, words, count)
    compared = [
        ("processor a message", telegram, 1 / 10, "python-telegram-bot's"),
        ("  beside aiogram", aiogram, 1 / 3, "aiogram's"),
    ]
    return [
        Figure(
            name=name,
            value=ours / count * 1e6,
            unit="µs",
            baseline=theirs / count * 1e6,
            goal=Goal(of="ratio", most=most),
            note=f"{whose} send_message, its own transport, {IN_FLIGHT} at once",
        )
        for name, theirs, most, whose in compared
        if theirs is not None
    ]


async def _python_telegram_bot(url: str, words: str, count: int) -> float:
    pool = HTTPXRequest(connection_pool_size=IN_FLIGHT, pool_timeout=60)
    bot = Bot(TOKEN, base_url=f"{url}/bot", request=pool, get_updates_request=pool)
    await pool.initialize()

    async def send(numbers: Iterator[int]) -> None:
        for number in numbers:
            await bot.send_message(number, words)

    async def all_of(numbers: Iterator[int]) -> float:
        used = time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(IN_FLIGHT):
                tasks.create_task(send(numbers))
        return time.process_time() - used

    await all_of(iter(range(1, count // 4)))
    theirs = await all_of(iter(range(1, count + 1)))
    await pool.shutdown()
    return theirs


async def _aiogram(url: str, words: str, count: int) -> float | None:
    """None where `make bench` did not prepare its environment."""
    python = Path(sys.prefix) / "aiogram" / "bin" / "python"
    if not python.exists():
        return None
    script = Path(__file__).parent / "aiogram" / "loop.py"
    process = await asyncio.create_subprocess_exec(
        *(python, script, url, TOKEN, str(count), str(IN_FLIGHT)), stdin=PIPE, stdout=PIPE
    )
    printed, _ = await process.communicate(words.encode())
    assert process.returncode == 0
    return float(printed)


async def pace(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """At a thousand a second: what arrives in any second, and what it costs."""
    seconds = 5 if quick else 10
    count = LIMIT * seconds
    async with stub.running() as url, world.sqlite_store() as store:
        await world.add_subscribers(store, count)
        await _ready(store, "paced", count)
        wall, used, body = await _send(store, url, count=count, rate=LIMIT)
        times = await stub.arrivals(url)
        bare_wall, bare_used = await _post(url, body, count=LIMIT * 5, rate=LIMIT)
    assert len(times) == count
    return [
        Figure(
            name=f"paced at {LIMIT}/s: most in any second",
            value=most_in_a_second(times),
            unit="/s",
            goal=Goal(of="figure", most=LIMIT),
        ),
        Figure(
            name="  mean",
            value=(count - 1) / (times[-1] - times[0]) / LIMIT,
            unit="of the limit",
            goal=Goal(of="figure", least=0.99, most=1.0),
        ),
        Figure(
            name="  processor",
            value=used / wall * 100,
            unit="%",
            baseline=bare_used / bare_wall * 100,
            goal=Goal(of="figure", most=35),
            note="a bare aiohttp loop at the same pace",
        ),
    ]


def most_in_a_second(times: list[float]) -> int:
    """The largest number of arrivals in any window [t, t + 1)."""
    times = sorted(times)
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
