"""The last figures, in `expected.toml`: a run is compared with them, and says what got worse.

Ratios to a baseline of the same run are compared everywhere; bare figures only with those of the
same machine. A figure that missed its goal is marked: `docs/measuring.md` tells of it.
"""

from __future__ import annotations

import json
import os
import platform
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from bench.figure import Figure

PLACE = Path(__file__).with_name("expected.toml")
WORSE = 1.1  # times what was expected
#: Measurement → its figures.
Measured = Mapping[str, Sequence[Figure]]
_HEAD = """# What `make bench` found last: figures, and ratios to the baseline of the same run.
# `make bench` names what is a tenth worse; `make bench ARGS=--write` expects what it finds.
"""


def machine() -> str:
    """This machine, as far as a figure depends on it."""
    model = platform.processor() or platform.machine()
    for line in _cpu_lines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _cpu_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def read() -> dict[str, Any]:
    """By measurement its figures, with the day and machine; none where nothing was written yet."""
    if not PLACE.exists():
        return {}
    return tomllib.loads(PLACE.read_text(encoding="utf-8"))


def write(measured: Measured, *, today: date) -> None:
    """Expect what was measured; what was not measured stays as it is, with its day and machine."""
    known = read()
    for name, figures in measured.items():
        known[name] = {
            "at": f"{today}",
            "machine": machine(),
            "figures": {called: _row(one) for called, one in _named(figures)},
        }
    lines = [_HEAD.rstrip()]
    for name, one in sorted(known.items()):
        lines += ["", f"[{name}]", f'at = "{one["at"]}"', f'machine = "{one["machine"]}"']
        for figure, row in one["figures"].items():
            lines += ["", f'[{name}.figures."{figure}"]']
            lines += [f"{key} = {_toml(value)}" for key, value in row.items()]
    PLACE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _named(figures: Sequence[Figure]) -> list[tuple[str, Figure]]:
    """Each figure by a name of its own: what several lines repeat is told with the one above."""
    found: list[tuple[str, Figure]] = []
    above = ""
    for one in figures:
        called = one.name.strip()
        if one.name.startswith(" "):
            called = f"{above} · {called}"
        else:
            above = called
        found.append((called, one))
    return found


def _row(one: Figure) -> dict[str, Any]:
    row: dict[str, Any] = {"value": _rounded(one.value), "unit": one.unit}
    if one.ratio is not None:
        row["ratio"] = _rounded(one.ratio)
    if one.verdict == "over":
        row["missed"] = True
    return row


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def worse(measured: Measured, expected: Mapping[str, Any], *, here: str) -> list[str]:
    """The figures that are a tenth worse than expected, each as a line."""
    found = []
    for name, figures in measured.items():
        last = expected.get(name, {"figures": {}})
        for called, one in _named(figures):
            before = last["figures"].get(called)
            if before is None:
                continue
            now, then, unit = one.ratio, before.get("ratio"), "×"
            if now is None or then is None:
                if last["machine"] != here:
                    continue
                now, then, unit = one.value, before["value"], f" {one.unit}"
            if _times_worse(one, now, then) > WORSE:
                found.append(f"{name}, {called}: {now:.3g}{unit}, expected {then:.3g}")
    return found


def _times_worse(one: Figure, now: float, then: float) -> float:
    """The factor by which a figure got worse; less is better but where a goal or a rate says
    otherwise.

    What was nothing or less cannot be so many times worse: its goal says whether it is too much.
    """
    more_is_better = one.unit.endswith("/s")
    if one.goal is not None:
        more_is_better = one.goal.least is not None
    better, than = (then, now) if more_is_better else (now, then)
    return better / than if than > 0 else 1.0


def as_json(measured: Measured, *, today: date) -> dict[str, Any]:
    """A run, for whoever keeps them."""
    figures = []
    for name, some in measured.items():
        for called, one in _named(some):
            figures.append(
                {
                    "measurement": name,
                    **asdict(one),
                    "name": called,
                    "ratio": one.ratio,
                    "verdict": one.verdict,
                }
            )
    return {"at": f"{today}", "machine": machine(), "figures": figures}
