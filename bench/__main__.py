"""The measurements, each against a named baseline of the same run: `python -m bench [--quick]
[--only NAME]`.

Everything is on loopback and bounded in time. What is a tenth worse than `bench/expected.toml` says
is named; `--write` expects what was found, `--json FILE` keeps a run. Exits 1 when a goal was
missed; figures of a busy machine say little.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import uvloop

from bench import (
    archive,
    beside,
    card,
    chaos,
    chart,
    expected,
    fan_out,
    lanes,
    many,
    many_replicas,
    moves_replay,
    outage,
    page,
    polls,
    replicas,
    reply,
    sending,
    start,
    stories,
)
from bench.figure import Figure, table
from bot import log

LONGEST = 300.0  # seconds for one measurement

MEASUREMENTS: dict[str, Callable[[bool], Awaitable[list[Figure]]]] = {
    "reply": reply.measure,
    "start": start.measure,
    "throughput": sending.throughput,
    "pace": sending.pace,
    "libraries": sending.libraries,
    "beside": beside.measure,
    "lanes": lanes.measure,
    "fan-out": fan_out.measure,
    "archive": archive.measure,
    "card": card.measure,
    "killed": replicas.killed,
    "bad-day": replicas.bad_day,
    "frozen": replicas.frozen,
    "stopped": replicas.stopped,
    "chaos": chaos.measure,
    "moves": moves_replay.measure,
    "chart": chart.measure,
    "outage": outage.measure,
    "polls": polls.measure,
    "many": many.measure,
    "many-replicas": many_replicas.measure,
    "page": page.measure,
    "stories": stories.measure,
}


def main() -> int:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers, for a look")
    parser.add_argument(
        "--only",
        action="append",
        choices=MEASUREMENTS,
        metavar="NAME",
        help=", ".join(MEASUREMENTS),
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the run there")
    parser.add_argument("--write", action="store_true", help="expect these figures from now on")
    arguments = parser.parse_args()
    log.set_up("json", "error")
    measured: dict[str, list[Figure]] = {}
    for name in arguments.only or MEASUREMENTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        gc.freeze()  # as the program does when it is ready, for ours and the baselines alike
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            measured[name] = runner.run(_bounded(MEASUREMENTS[name](arguments.quick)))
    today, figures = datetime.now(UTC).date(), list(chain.from_iterable(measured.values()))
    print(f"{today}, {expected.machine()}\n\n{table(figures)}")
    for line in expected.worse(measured, expected.read(), here=expected.machine()):
        print(f"worse: {line}")
    if arguments.json:
        run = json.dumps(expected.as_json(measured, today=today), indent=1)
        arguments.json.write_text(run, encoding="utf-8")
    if arguments.write:
        expected.write(measured, today=today)
    return int(any(one.verdict == "over" for one in figures))


async def _bounded(measurement: Awaitable[list[Figure]]) -> list[Figure]:
    async with asyncio.timeout(LONGEST):
        return await measurement


if __name__ == "__main__":
    sys.exit(main())
