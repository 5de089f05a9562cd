"""The figures beside the chats: the emulator's own counts, and what the bot has still to send."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from bot.demo.keeper import Keeper, State
from bot.demo.words import words
from bot.emulator import Emulator, Reading

GAUGE_LOOK = 0.5  # seconds between two looks
ANSWERS_WITHIN = 2.0  # seconds; a frozen bot does not answer
_WAITING = re.compile(rb"^jarchy_deliveries_waiting\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)


@dataclass(slots=True)
class Gauge:
    """The length of the bot's queue, asked again and again; None while the bot does not answer.

    Questions that wait for their answer are in it: they are not lost.
    """

    keeper: Keeper
    waiting: int | None = None

    def readings(self) -> list[Reading]:
        """The figures besides the emulator's own."""
        return [Reading(id="queue", label=words("demo.queue"), value=self.waiting)]

    async def run(self, emulator: Emulator) -> None:
        """Look until it is cancelled, and show on the pages what is new."""
        shown: object = None
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN)
        ) as session:
            while True:
                due = await self._look(session, emulator)
                tally = emulator.tally
                now = (self.waiting, due, tally and tally.json(), emulator.guides())
                if now != shown:
                    shown = now
                    emulator.refresh()
                await asyncio.sleep(GAUGE_LOOK)

    async def _look(
        self, session: aiohttp.ClientSession, emulator: Emulator
    ) -> tuple[datetime, str] | None:
        """Ask what waits, and whether anything is lost; what is due next."""
        before = None if emulator.tally is None else emulator.tally.before
        # first of all: an answer that is postponed is no question any more
        due = await self.keeper.foresee()
        unanswered, let_go = self.keeper.unanswered, self.keeper.let_go
        self.waiting = await self._ask(session)
        if self.waiting is not None:
            self.waiting += unanswered
        if emulator.tally is not None and before is not None:
            emulator.tally.let_go(let_go)
            kept = None if emulator.faults.active() else self.waiting
            emulator.tally.found(before, waiting=kept)
        return due

    async def _ask(self, session: aiohttp.ClientSession) -> int | None:
        if self.keeper.state is not State.AWAKE:
            return None
        with suppress(aiohttp.ClientError, TimeoutError):
            url = f"http://127.0.0.1:{self.keeper.port}/metrics"
            async with session.get(url) as answer:
                return sum(int(float(one)) for one in _WAITING.findall(await answer.read()))
        return None
