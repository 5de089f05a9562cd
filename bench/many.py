"""Ten thousand sources of which two in a hundred changed, and a flood of one, in a process of their
own: processor, memory, and how long the loop was held.

`python -m bench.many PORT SOURCES` polls them and prints a line of figures a round. The baseline of
a source's cost is four hundred sources, the first of the same ones.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from bench.figure import Figure, Goal
from bench.polls import catalog, polling, publish, publishers
from bot import log
from bot.sources.specs import NewsSpec, RateSpec

MANY_SOURCES, SOME_SOURCES, FEW_SOURCES = 10_000, 2_000, 400
ENTRIES = 2  # of a feed at first: storing them is not what is measured
EVERY = 50  # one in so many changed
ROUND = 900.0  # seconds in which all are due once
LOOP_LOOK = 0.005  # seconds between looks at the loop


class _Held:
    """The longest time that the loop was held."""

    def __init__(self) -> None:
        self.longest = 0.0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look while something goes on."""
        self.longest = 0.0
        look = asyncio.create_task(self._look())
        try:
            yield
        finally:
            look.cancel()

    async def _look(self) -> None:
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(LOOP_LOOK)
            self.longest = max(self.longest, time.perf_counter() - asked - LOOP_LOOK)


def _most_memory() -> float:
    """Megabytes that this process has had at its most.

    Not `ru_maxrss`, which a process has from its parent, here a benchmark with its own past.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("Linux alone says how much memory a process had at its most")


def _processor() -> float:
    """Seconds that this process has had; those of its workers are not among them."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    return mine.ru_utime + mine.ru_stime


#: Begins as the program does: without what libraries bring and nobody asks for.
AS_THE_PROGRAM = """
import runpy
from bot.__main__ import leave_out
leave_out()
runpy.run_module("bench.many", run_name="__main__", alter_sys=True)
"""


async def _rounds(port: int, count: int) -> None:
    known = catalog(port, count)
    held = _Held()
    async with polling(known) as poll_all:
        gc.freeze()  # as the program does when it is ready

        async def round_of(specs: Sequence[RateSpec | NewsSpec]) -> dict[str, float]:
            before = _processor()
            async with held.watched():
                await poll_all(specs)
            spent = (_processor() - before) / len(specs)
            return {"seconds": spent, "held": held.longest, "memory": _most_memory()}

        said: dict[str, dict[str, float]] = {"first": await round_of(known.polled)}
        await publish(port, 1, every=EVERY)
        said["few"] = await round_of(known.polled[:FEW_SOURCES])
        await publish(port, 2, every=EVERY)
        said["many"] = await round_of(known.polled)
        await publish(port, 3, every=EVERY)
        again = await round_of(known.polled[:FEW_SOURCES])
        said["few"]["seconds"] = (said["few"]["seconds"] + again["seconds"]) / 2
    print(json.dumps(said), flush=True)


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """The cost of many sources."""
    count = SOME_SOURCES if quick else MANY_SOURCES
    async with publishers(count, entries=ENTRIES) as port:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", AS_THE_PROGRAM, str(port), str(count)), stdout=PIPE
        )
        try:
            answer, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    said = json.loads(answer)
    many, few = said["many"], said["few"]
    note = f"{count} sources, 2 % changed"
    return [
        Figure(
            name="many sources, processor",
            value=100 * many["seconds"] * MANY_SOURCES / ROUND,
            unit="% of a core",
            goal=Goal(of="figure", most=30.0),
            note=f"{note}; {MANY_SOURCES} due every {ROUND / 60:.0f} min, without the workers",
        ),
        Figure(
            name="many sources, each",
            value=1000 * many["seconds"],
            unit="ms",
            baseline=1000 * few["seconds"],
            goal=Goal(of="ratio", most=1.2),
            note=f"{note}; {FEW_SOURCES} of them",
        ),
        Figure(
            name="many sources, memory",
            value=many["memory"],
            unit="MB",
            goal=Goal(of="figure", most=160.0),
            note=f"{note}; at its most",
        ),
        Figure(
            name="many sources, loop held",
            value=1000 * many["held"],
            unit="ms",
            goal=Goal(of="figure", most=50.0),
            note=note,
        ),
    ]


if __name__ == "__main__":
    log.set_up("json", "error")
    uvloop.run(_rounds(int(sys.argv[1]), int(sys.argv[2])))
