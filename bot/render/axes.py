"""The room of a chart's line: its limits, the values beside it, the days below it.

Around the line there is no more room than the words at its highest and lowest points take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.i18n import day, number
from bot.render.charts import Chart
from bot.render.sheet import EDGE, HEIGHT, WIDTH, WORDS, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FREE = 6  # points between the line and the end of its room

Point = tuple[date, Decimal]


def axes_of(page: Page, chart: Chart, *, top: float, bottom: float) -> Axes:
    """The room of the line, with values named to its left."""
    from matplotlib.ticker import MaxNLocator

    low, high = _limits(chart, bottom - top)
    near = (high - low) / (bottom - top) * 5  # so near to an end letters would leave the room
    shown = []
    for value in MaxNLocator(4).tick_values(low, high):
        if low + near <= value <= high - near:
            shown.append(float(value))
    digits = _digits(shown)
    # by its repr: a decimal made of the float itself would show its fiftieth digit
    names = [number(Decimal(repr(value)), chart.language, digits) for value in shown]
    left = EDGE + 6 + max([page.width(name) for name in names], default=0)
    axes = page.figure.add_axes(
        (
            left / WIDTH,
            1 - bottom / HEIGHT,
            (WIDTH - EDGE - left) / WIDTH,
            (bottom - top) / HEIGHT,
        ),
        facecolor=page.colours.paper,
    )
    axes.set_ylim(low, high)
    axes.set_xlim(x_of(chart.points[0][0]), x_of(chart.points[-1][0]))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(page.colours.faint)
    axes.tick_params(length=0)
    axes.grid(visible=True, axis="y", color=page.colours.faint, linewidth=1)
    axes.set_axisbelow(True)
    axes.set_yticks(shown)
    axes.set_yticklabels(names, color=page.colours.ink, fontsize=WORDS)
    axes.tick_params(axis="y", pad=6)
    return axes


def _limits(chart: Chart, room: float) -> tuple[float, float]:
    """The lowest and highest value there is room for: around the line no more than words take."""
    values = [float(value) for _, value in chart.points]
    named_high, named_low = named(chart)
    highest = [(max(values), FREE + (WORDS + 8 if named_high else 0))]
    lowest = [(min(values), FREE + (WORDS + 8 if named_low else 0))]
    if chart.level is not None and _near(float(chart.level), min(values), max(values)):
        highest.append((float(chart.level), FREE))
        lowest.append((float(chart.level), FREE))
    # what a point is worth where the pair of them that needs most room just has it
    point, low = max(
        ((high - low) / (room - above - below), low - below * (high - low) / (room - above - below))
        for high, above in highest
        for low, below in lowest
    )
    if not point:  # a flat line
        aside = abs(values[0]) * 0.01 or 1
        return values[0] - aside, values[0] + aside
    return low, low + room * point


def _near(level: float, low: float, high: float) -> bool:
    """Whether a level may stretch the picture: one far away would flatten the line."""
    room = max(high - low, high * 0.02)
    return low - room <= level <= high + room


def name_days(page: Page, axes: Axes, chart: Chart) -> None:
    """Days named below the line: as many as do not touch, none over the edge."""
    first, last = chart.points[0][0], chart.points[-1][0]
    kept: list[_Named] = []
    for days in _choices(first, last):
        kept = []
        for on in days:
            words = _label(on, first, last, chart.language)
            half = page.width(words) / 2
            x = min(max(across(axes, on), EDGE + half), WIDTH - EDGE - half)
            kept.append(_Named(on=on, words=words, left=x - half, right=x + half))
        if all(later.left - earlier.right >= 8 for earlier, later in pairwise(kept)):
            break
    for one in kept:
        page.write(one.words, one.left, HEIGHT - EDGE + 2)
    axes.set_xticks([x_of(one.on) for one in kept])
    axes.set_xticklabels([])
    axes.tick_params(axis="x", length=4, color=page.colours.soft)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A day named below the axis, and from where to where."""

    on: date
    words: str
    left: float
    right: float


def across(axes: Axes, on: date) -> float:
    """The distance of a day from the left edge, in units of WIDTH."""
    box, (first, last) = axes.get_position(), axes.get_xlim()
    return float(box.x0 + box.width * (x_of(on) - first) / (last - first)) * WIDTH


def _choices(first: date, last: date) -> Iterator[list[date]]:
    """Days to name, fewer each time: every so many days, or beginnings of years or months."""
    length = (last - first).days
    if length < 60:
        for count in (4, 3, 2, 1):
            step = max(1, -(-length // count))
            yield [first + timedelta(days=at) for at in range(step // 2, length + 1, step)]
        return
    months = _beginnings(first, last)
    # beginnings of years stay as long as any do
    years = [at for at, on in enumerate(months) if on.month == 1]
    for step in range(1, len(months) + 1):
        yield months[years[0] % step if years else 0 :: step]


def _beginnings(first: date, last: date) -> list[date]:
    """At most seven beginnings of months or years."""
    months = (last.year - first.year) * 12 + last.month - first.month
    found = []
    # counted from January of the first year, so that beginnings of years are always among them
    for month in range(first.year * 12, last.year * 12 + 12, _step(months)):
        on = date(month // 12, month % 12 + 1, 1)
        if first <= on <= last:
            found.append(on)
    return found


def _step(months: int) -> int:
    """Months from one named day to the next, so that at most six are named."""
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240):
        if months <= step * 5:
            return step
    return 1200


def _label(on: date, first: date, last: date, language: str) -> str:
    """A day below the axis; the beginning of a year by its number."""
    if on.month == 1 and on.day == 1 and first.year != last.year:
        return str(on.year)
    return day(on, language)


def _digits(shown: Sequence[float]) -> int:
    """Decimals that tell the ticks apart."""
    step = min((b - a for a, b in pairwise(shown)), default=1)
    digits = 0
    # 1e-6, because a step of 0.1 is a float, and ten of it are not quite 1
    while digits < 8 and abs(step * 10**digits - round(step * 10**digits)) > 1e-6:
        digits += 1
    return digits


def named(chart: Chart) -> tuple[Point | None, Point | None]:
    """The highest and the lowest point; the last is named above, and of a flat line none is."""
    high = max(chart.points, key=lambda point: point[1])
    low = min(chart.points, key=lambda point: point[1])
    last = chart.points[-1]
    if high[1] == low[1]:
        return None, None
    return None if high[1] == last[1] else high, None if low[1] == last[1] else low


def x_of(on: date) -> int:
    """A day as the axes count it."""
    return on.toordinal()


def curve(points: Iterable[Point]) -> tuple[list[int], list[float]]:
    """Days and values as matplotlib wants them, each in a list of its own."""
    xs, ys = [], []
    for on, value in points:
        xs.append(x_of(on))
        ys.append(float(value))
    return xs, ys
