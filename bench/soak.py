"""Half an hour of the whole program under load: what it keeps in memory, and what went wrong.

`python -m bench.soak [MINUTES]`: `jarchy run` on SQLite in a process, asked fifty times a second by
a hundred people, polling a bank and a feed that change each few seconds, with a broadcast to all in
the middle. Before it another stands a minute without anybody, polling as seldom as real ones do. No
part of `make bench`, which is bounded by minutes; the figures are of the bot's main process.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
import uvloop

from bench.figure import Figure, Goal, table
from bench.processes import PLAIN
from bench.start import MEGABYTE, ROOT, process
from bot import log
from bot.emulator import TEST_TOKEN, Emulator
from tests.publishers import Publishers, agency_at, bank_at, bank_page, rss

PEOPLE = 100
FIRST = 1001
LEAST, USUAL, MOST = 1, 30.0, 24 * 60  # minutes of the load
RATE = 50  # updates a second
IDLE = 60.0  # seconds without anybody
SETTLE = 10.0  # seconds from "ready" on: menus, first polls
WARM = 300.0  # seconds until memory may grow no more
MEMORY_LOOK = 10.0  # seconds between looks at the memory
CHANGE = 5.0  # seconds between two changes of what publishers say
SELDOM = 900.0  # seconds between two polls of a bot at rest
WORDS = ("/rates", "100 usd", "/news", "/alerts", "5000 сом в рублях", "/status", "/rates EUR")
#: What stories are made of.
WHO = (
    *("Growers", "Teachers", "Drivers", "Bakers", "Herders", "Students", "Engineers", "Traders"),
    *("Doctors", "Weavers", "Painters", "Beekeepers"),
)
DO = (
    *("expect a good year", "ask for new desks", "learn a third language", "repair the old bridge"),
    *("open a school of music", "paint the market hall", "count the swans on the lake"),
    *("plant ten thousand apple trees", "sell cheese abroad", "meet for a chess cup"),
    *("ride to the summer pastures", "build a playground", "write a cookbook"),
)
WHERE = (
    *("Talas", "Naryn", "Osh", "Batken", "Karakol", "Kant", "Tokmok", "Uzgen", "Balykchy"),
    *("Cholpon-Ata", "Kara-Balta", "Isfana", "At-Bashy"),
)
_BROADCAST = "broadcast", "--to", "all", "--file", "words.txt"


@dataclass(slots=True)
class Course:
    """The memory of the bot's process, in megabytes by seconds, and its log's errors."""

    megabytes: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: int = 0

    def most(self, after: float, before: float) -> float:
        """The most between two moments."""
        return max(size for at, size in self.megabytes if after <= at <= before)


async def soak(minutes: float) -> list[Figure]:
    """The figures of one run."""
    with tempfile.TemporaryDirectory(prefix="jarchy-soak-") as name:
        folder = Path(name)
        telegram = Emulator(TEST_TOKEN, keep_messages=50, keep_calls=1000, open_chats=True)
        async with telegram, Publishers() as publishers:
            for number in range(PEOPLE):
                telegram.add_private(telegram.add_user(FIRST + number, f"Reader {number}", "en"))
            _publish(publishers, 0)
            _polls(folder, publishers.url, every=SELDOM)
            (folder / "words.txt").write_text("Tonight the bot moves to another machine.")
            env = environment(folder, telegram)
            # the process that migrates keeps what does that in memory
            async with process("-m", "bot", "db", "upgrade", folder=folder, env=env) as upgrade:
                await upgrade.wait()
            async with process("-m", "bot", "run", folder=folder, env=env) as bot:
                figures = await _at_rest(bot)
            _polls(folder, publishers.url, every=CHANGE)
            async with process("-m", "bot", "run", folder=folder, env=env) as bot:
                figures += await _watched(bot, telegram, publishers, folder, env, minutes * 60)
            return figures


def _polls(folder: Path, url: str, *, every: float) -> None:
    """Let a bank and a feed be polled after so many seconds."""
    span = f"{every:.0f}s"
    (folder / "catalog.toml").write_text(bank_at(url, every=span) + agency_at(url, every=span))


async def _at_rest(bot: asyncio.subprocess.Process) -> list[Figure]:
    """What a bot needs that nobody asks."""
    ready = asyncio.Event()
    reading = asyncio.create_task(_read(bot, Course(), ready))
    try:
        async with asyncio.timeout(60):
            await ready.wait()
        await asyncio.sleep(SETTLE)
        main = psutil.Process(bot.pid)
        share = await share_of_a_core(main, IDLE)
        megabytes = main.memory_info().rss / MEGABYTE
    finally:
        reading.cancel()
    return [
        Figure(name="memory at rest", value=megabytes, unit="MB", goal=Goal(of="figure", most=110)),
        Figure(name="processor at rest", value=share, unit="%", goal=Goal(of="figure", most=1)),
    ]


async def _watched(
    bot: asyncio.subprocess.Process,
    telegram: Emulator,
    publishers: Publishers,
    folder: Path,
    env: Mapping[str, str],
    lasts: float,
) -> list[Figure]:
    course, ready = Course(), asyncio.Event()
    reading = asyncio.create_task(_read(bot, course, ready))
    try:
        async with asyncio.timeout(60):
            await ready.wait()
        main = psutil.Process(bot.pid)
        answered = telegram.calls.total
        begun = time.monotonic()
        async with asyncio.TaskGroup() as load:
            load.create_task(_ask(telegram, course, begun + lasts))
            load.create_task(_change(publishers, begun + lasts))
            load.create_task(_look(main, course, begun, lasts))
            load.create_task(_write_to_all(folder, env, lasts / 2))
        answered = telegram.calls.total - answered
    finally:
        reading.cancel()
    return _figures(course, answered=answered, lasts=lasts)


def _figures(course: Course, *, answered: int, lasts: float) -> list[Figure]:
    warm = min(WARM, lasts / 2)
    grown = course.most(warm, lasts + MEMORY_LOOK) - course.most(warm - 60, warm)
    return [
        Figure(name="updates", value=course.asked / lasts, unit="/s", note=f"{lasts / 60:.0f} min"),
        Figure(name="calls of the bot", value=answered / lasts, unit="/s"),
        Figure(
            name="memory gained after five minutes",
            value=grown,
            unit="MB",
            goal=Goal(of="figure", most=5),
            note=" ".join(f"{size:.0f}" for _, size in course.megabytes[:: int(60 / MEMORY_LOOK)]),
        ),
        Figure(
            name="lines of trouble in the log",
            value=len(course.errors),
            unit="",
            goal=Goal(of="figure", most=0),
            note="; ".join(course.errors[:3]),
        ),
    ]


async def _read(bot: asyncio.subprocess.Process, course: Course, ready: asyncio.Event) -> None:
    assert bot.stderr is not None
    async for raw in bot.stderr:
        line = raw.decode()
        if '"event": "ready"' in line:
            ready.set()
        if '"level": "error"' in line or '"level": "critical"' in line or "Traceback" in line:
            course.errors.append(line.strip())


async def share_of_a_core(one: psutil.Process, seconds: float) -> float:
    """The percent of a core that a process has for so many seconds from now."""
    before = one.cpu_times()
    await asyncio.sleep(seconds)
    after = one.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / seconds


async def _ask(telegram: Emulator, course: Course, until: float) -> None:
    """At an even pace; what is late is asked at once."""
    begun = time.monotonic()
    for number in itertools.count():
        due = begun + number / RATE
        if due >= until:
            return
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        words = WORDS[(number // PEOPLE) % len(WORDS)]
        await telegram.send_text(FIRST + number % PEOPLE, words)
        course.asked += 1


async def _change(publishers: Publishers, until: float) -> None:
    for number in itertools.count(1):
        if time.monotonic() >= until:
            return
        _publish(publishers, number)
        await asyncio.sleep(CHANGE)


async def _look(one: psutil.Process, course: Course, begun: float, lasts: float) -> None:
    while (at := time.monotonic() - begun) < lasts:
        course.megabytes.append((at, one.memory_info().rss / MEGABYTE))
        await asyncio.sleep(MEMORY_LOOK)


async def _write_to_all(folder: Path, env: Mapping[str, str], after: float) -> None:
    await asyncio.sleep(after)
    async with process("-m", "bot", *_BROADCAST, folder=folder, env=env) as verb:
        _, told = await verb.communicate(b"yes\n")
    assert verb.returncode == 0, told.decode()


def _publish(publishers: Publishers, number: int) -> None:
    """Rates that move by a hundredth, and a story more."""
    today = datetime.now(UTC).date()
    values = {"USD": f"84,{79 + number % 9}35", "EUR": f"98,{85 + number % 7}23", "RUB": "1,1948"}
    publishers.put("/daily.xml", bank_page(today, values))
    items = [(f"g{one}", *_story(one)) for one in range(max(0, number - 30), number + 1)]
    publishers.put("/feed.xml", rss(*items))


def _story(number: int) -> tuple[str, str]:
    """A headline and a text: as news are, most have few words in common with the others."""
    who, do = WHO[number % len(WHO)], DO[number * 5 % len(DO)]
    where = WHERE[number // len(WHO) % len(WHERE)]
    return f"{who} of {where} {do}", f"{where} has {number % 90 + 10} {who.lower()}, and most {do}."


def environment(folder: Path, telegram: Emulator) -> dict[str, str]:
    """The settings of a program in a folder, whose page has a port of its own."""
    return {
        **PLAIN,
        "PYTHONPATH": str(ROOT),
        "BOT_TOKEN": TEST_TOKEN,
        "BOT_API_URL": telegram.api_url,
        "DATABASE_URL": f"sqlite:///{folder / 'jarchy.db'}",
        "CATALOG": str(folder / "catalog.toml"),
        "OPS_LISTEN": "127.0.0.1:0",
        "SEND_RATE": "100",  # what is asked is answered, and the broadcast besides
        "PAID_BROADCAST": "true",
        "LOG_FORMAT": "json",
    }


def minutes(written: str) -> float:
    """The minutes that a command line asks for; ArgumentTypeError says what would be right."""
    try:
        asked = float(written)
    except ValueError:
        asked = math.nan
    if not LEAST <= asked <= MOST:  # nor is it what is no number
        raise argparse.ArgumentTypeError(
            f"should be a number from {LEAST} to {MOST}: memory is looked at every "
            f"{MEMORY_LOOK:.0f} seconds, before and after it is warm"
        )
    return asked


def main() -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=minutes, default=USUAL, metavar="MINUTES")
    asked = parser.parse_args().minutes
    log.set_up("json", "error")
    os.chdir(ROOT)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(soak(asked))
    print(table(figures))
    return int(any(one.verdict == "over" for one in figures))


if __name__ == "__main__":
    sys.exit(main())
