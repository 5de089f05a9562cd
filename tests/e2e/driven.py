"""A day driven through the real program: polls that go well and fail, a move, a story, a question.

What the operator's figures, alarms and pictures must show is looked at after it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bot.emulator import TEST_TOKEN, Emulator
from tests.e2e.program import CHANNEL, READER, Program
from tests.publishers import ATTACK, QUIET, TODAY, Publishers, agency_at, bank_at, daily, rss

OPERATOR = 1002
YESTERDAY = TODAY - timedelta(days=1)
MOVED = "89,9000"
PATIENCE = 60.0  # seconds for what was done to be counted, on a busy machine


def catalog(url: str) -> str:
    """A bank, an agency, one that is not there, and a channel."""
    return f"""{bank_at(url, name="National <Bank>")}
{agency_at(url)}
[feeds.broken]
name = {{ en = "Broken agency" }}
url = "{url}/nothing.xml"
language = "en"

[channels."{CHANNEL}"]
language = "ru"
topics = ["security"]
pairs = ["USD/KGS"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The program after its day, still running, and those around it.

    `begun` is what /metrics showed before anything happened: no source had answered yet.
    """

    program: Program
    emulator: Emulator
    publishers: Publishers
    address: str
    begun: list[Sample] = field(default_factory=list)

    async def get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], str]:
        """Status, headers, text of one of the operator's addresses."""
        limit = aiohttp.ClientTimeout(total=30)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(f"http://{self.address}{path}", headers=headers) as answer,
        ):
            return answer.status, answer.headers, await answer.text()

    async def samples(self) -> Sequence[Sample]:
        """The samples that /metrics shows now."""
        return read_samples((await self.get("/metrics"))[2])

    async def counted(self, fits: Callable[[Sequence[Sample]], bool]) -> Sequence[Sample]:
        """The samples once they are as wanted: a figure is a moment behind what others see."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.samples()
                if fits(found):
                    return found
                await asyncio.sleep(0.2)


def read_samples(text: str) -> Sequence[Sample]:
    """The samples of a page in Prometheus's text form."""
    found: list[Sample] = []
    for family in text_string_to_metric_families(text):
        found += family.samples
    return found


def value(samples: Sequence[Sample], name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels; 0 where there is none."""
    total = 0.0
    for sample in samples:
        if sample.name == name and labels.items() <= sample.labels.items():
            total += sample.value
    return total


@asynccontextmanager
async def driven_day(folder: Path, database_url: str, **settings: str) -> AsyncIterator[Day]:
    """Start the program, drive its day, and end it."""
    async with Emulator(TEST_TOKEN, "jarchy_bot") as emulator, Publishers() as publishers:
        for user, name in ((READER, "Aigul"), (OPERATOR, "Bakyt")):
            emulator.add_private(emulator.add_user(user, name, "en"))
        emulator.add_channel(CHANNEL, "Herald", "herald")
        publishers.put("/daily.xml", daily(f"{YESTERDAY:%d.%m.%Y}", "84,7935", "98,8523", "1,1948"))
        publishers.put("/feed.xml", rss(QUIET))
        program = Program(
            folder,
            emulator,
            catalog(publishers.url),
            DATABASE_URL=database_url,
            ADMIN_IDS=str(OPERATOR),
            **settings,
        )
        # until the first look
        held = dict.fromkeys(("/daily.xml", "/feed.xml", "/nothing.xml"), asyncio.Event())
        publishers.held.update(held)
        try:
            await program.start()
            said = json.loads(await program.said(lambda line: '"event": "listening"' in line))
            day = Day(
                program=program, emulator=emulator, publishers=publishers, address=said["address"]
            )
            day.begun.extend(await day.samples())
            for event in held.values():
                event.set()
            await _drive(day)
            yield day
            assert await program.end() == 0, "".join(program.log)
        finally:  # of a test that failed: the loop of the browser's tests would wait for its pipe
            await program.kill()


async def _drive(day: Day) -> None:
    emulator, publishers = day.emulator, day.publishers
    for source in ("nbkr", "test", "broken"):
        await day.program.said(
            lambda line, source=source: '"event": "polled"' in line and f'"{source}"' in line
        )
    asked = await emulator.send_text(READER, "/start")
    menu = await emulator.wait_message(
        READER, lambda m: "reply_markup" in m, after=asked, timeout=PATIENCE
    )
    for data in ("cur:USD", "top:security"):
        await emulator.press(READER, menu["message_id"], data)
    await emulator.send_text(READER, "/rates USD")
    publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", MOVED, "98,8600", "1,1950"))
    publishers.put("/feed.xml", rss(ATTACK, QUIET))
    for chat in (READER, CHANNEL):
        for words in ("USD/KGS", "border post"):
            await emulator.wait_message(
                chat, lambda m, words=words: words in m.get("text", ""), timeout=PATIENCE
            )
