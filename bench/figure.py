"""One measured figure beside its baseline of the same run and its goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The limits that the figure, or its ratio to the baseline, must keep to."""

    of: Literal["figure", "ratio"]
    most: float | None = None
    least: float | None = None

    def met(self, value: float) -> bool:
        """Whether a value keeps to it."""
        return (self.most is None or value <= self.most) and (
            self.least is None or value >= self.least
        )

    def __str__(self) -> str:
        sides = [
            f"≥ {self.least:g}" if self.least is not None else "",
            f"≤ {self.most:g}" if self.most else "",
        ]
        return " ".join([*filter(None, sides), "×" if self.of == "ratio" else ""]).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A line of the table; `baseline` in the same unit, `note` says what it was."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure in baselines."""
        return self.value / self.baseline if self.baseline else None

    @property
    def verdict(self) -> str:
        """`ok`, `over` (the goal is missed) or nothing to say."""
        judged = self.value if self.goal is None or self.goal.of == "figure" else self.ratio
        if self.goal is None or judged is None:
            return ""
        return "ok" if self.goal.met(judged) else "over"


def table(figures: list[Figure]) -> str:
    """The figures as aligned columns."""
    head = ("name", "figure", "baseline", "ratio", "goal", "", "against")
    rows = [head, *(_cells(one) for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in {0, 5, 6} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(one: Figure) -> tuple[str, ...]:
    baseline = "" if one.baseline is None else f"{shown(one.baseline)} {one.unit}"
    ratio = "" if one.ratio is None else f"{one.ratio:.2f}×"
    goal = "" if one.goal is None else str(one.goal)
    return (
        one.name,
        f"{shown(one.value)} {one.unit}",
        baseline,
        ratio,
        goal,
        one.verdict,
        one.note,
    )


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
