"""Worker processes of a program that is killed."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import PIPE
from contextlib import suppress

import psutil
import pytest

from tests import forkserver
from tests.conftest import ROOT

_PROGRAM = """
import asyncio, sys
from bot.workers import Workers
from tests.faults.jobs import rest, spin

async def main():
    async with Workers(size=2) as workers:
        await asyncio.gather(workers.run(rest, timeout=20), workers.run(rest, timeout=20))
        jobs = []
        for _ in range(int(sys.argv[1])):
            jobs.append(asyncio.create_task(workers.run(spin, timeout=600)))
        await asyncio.sleep(0.05)
        print(*workers.processes, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def end_of(pid: int) -> None:
    """Return when a process is no more."""
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - not our child
            await asyncio.sleep(0.02)


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize("busy", [0, 2, 1])
async def test_P23_the_workers_of_a_killed_program_end_without_a_word(busy: int) -> None:
    """Idle or in the middle of a job, time after time: none is left, and none said anything."""
    for _ in range(3):
        program = await forkserver.start(
            "-c",
            _PROGRAM,
            str(busy),
            cwd=ROOT,
            env=forkserver.PLAIN,
            stdout=PIPE,
            stderr=PIPE,
        )
        assert program.stdout is not None
        assert program.stderr is not None
        workers = [int(word) for word in (await program.stdout.readline()).split()]
        assert len(workers) == 2
        program.send_signal(signal.SIGKILL)
        async with asyncio.timeout(30):
            for pid in workers:
                await end_of(pid)
            words = await program.stderr.read()  # ends when nobody can say anything any more
        await program.wait()
        assert words == b""
