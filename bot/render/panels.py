"""The picture of a week: each currency's month as a line, its last week marked.

Values alone: `bot.render.panel_drawing` paints them in a worker process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One currency: its name, its last value and its change as they are written, and its points,
    oldest first, at least two.
    """

    name: str
    last: str
    change: str
    points: tuple[tuple[date, Decimal], ...]
    lowest: str
    highest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """A picture of several currencies over the same days; from `marked` on it is the week."""

    title: str
    source: str
    panels: tuple[Panel, ...]
    first: date
    last: date
    marked: date
    days: tuple[tuple[date, str], ...]  # those that are named below, in words
