"""The time of a replay of two and a half years of four pairs; the baseline only reads the table."""

from __future__ import annotations

from importlib.resources import files
from statistics import median
from time import perf_counter

from bench.figure import Figure, Goal
from bot.detect.replay import read_table, replay_csv


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Medians of a few runs over the demo's table."""
    lines = files("bot.demo").joinpath("rates.csv").read_text(encoding="utf-8").splitlines()
    reading, replaying = [], []
    for _ in range(2 if quick else 5):
        started = perf_counter()
        assert read_table(lines, "KGS")
        reading.append(perf_counter() - started)
        started = perf_counter()
        assert replay_csv(lines, "KGS")
        replaying.append(perf_counter() - started)
    return [
        Figure(
            name=f"replay of {len(lines) - 1:,} days of four pairs",
            value=median(replaying),
            unit="s",
            baseline=median(reading),
            goal=Goal(of="figure", most=2),
            note="reading the table",
        )
    ]
