"""A rate's picture for a phone held upright: line, highest, lowest, last, the alerts told.

`draw` runs in a worker process (bot.workers): matplotlib takes a second to import and 100 MB to
hold. Each word is measured before what stands around it is placed, so that letters of 13 points
fit, and no room is kept for words that are not there.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.i18n import day, number
from bot.render.charts import Chart
from bot.render.numbers import as_printed
from bot.render.sheet import DARK, EDGE, HEIGHT, LIGHT, PIXELS, TITLE, WIDTH, WORDS, Colours, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From here on a day is a pixel and a half wide, and a line of full width would be a blot.
MANY_POINTS = 500
FREE = 6  # points between the line and the end of its room
MANY_ALERTS = 24  # whose circles of full size would hide the line


def draw(chart: Chart) -> bytes:
    """The PNG, 1080 × 900."""
    figure = composed(chart)
    out = io.BytesIO()
    figure.savefig(
        out, format="png", facecolor=figure.get_facecolor(), pil_kwargs={"compress_level": 3}
    )
    return out.getvalue()


def composed(chart: Chart) -> Figure:
    """The picture before it is painted."""
    # not by pyplot, which keeps every figure until it is closed: this process lives as long as we
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colours = LIGHT
    if chart.dark:
        colours = DARK
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72 * PIXELS, facecolor=colours.paper)
    FigureCanvasAgg(figure)  # which knows how wide letters are
    page = Page(figure, colours)
    top = _header(page, chart)
    axes = _axes(page, chart, top=top, bottom=HEIGHT - EDGE - WORDS - 4)
    _holes(axes, chart, colours)
    _line(axes, chart, colours)
    _marks(page, axes, chart)
    _days(page, axes, chart)
    return figure


# --- above the line -------------------------------------------------------------------------------


def _header(page: Page, chart: Chart) -> float:
    """What it is, the last value, whose number, from when to when, and what is marked; its end."""
    room, colours = WIDTH - 2 * EDGE, page.colours
    last = as_printed(chart.points[-1][1], chart.language)
    y: float = EDGE + TITLE - 4
    page.write(last, WIDTH - EDGE, y, size=TITLE, bold=True, colour=colours.line, side="right")
    beside = room - page.width(last, size=TITLE, bold=True) - EDGE
    size = TITLE
    rows = page.wrapped(chart.title, beside, size=size, bold=True)
    if len(rows) > 1:  # a rule's words
        size = 15
        rows = page.wrapped(chart.title, beside, size=size, bold=True)
    for number_, words in enumerate(rows):
        page.write(words, EDGE, y + number_ * (size + 3), size=size, bold=True)
    y += (len(rows) - 1) * (size + 3) + 4
    told = [f"{chart.source} · {chart.span}"]
    if page.width(told[0]) > room:
        told = [*page.wrapped(chart.source, room), *page.wrapped(chart.span, room)]
    for words in told:
        y += WORDS + 4
        page.write(words, EDGE, y, colour=colours.soft)
    return _legend(page, chart, y)


def _legend(page: Page, chart: Chart, y: float) -> float:
    """What the circles and the shaded days are, where there are some; where the words end."""
    signs = []
    if _marked_days(chart):
        signs.append((f"○ {chart.legend}", page.colours.alert))
    if chart.holes:
        signs.append((f"▒ {chart.no_rates}", page.colours.soft))
    x: float = EDGE
    for number_, (words, colour) in enumerate(signs):
        wide = page.width(words)
        if number_ == 0 or x + wide > WIDTH - EDGE:
            x, y = EDGE, y + WORDS + 4
        page.write(words, x, y, colour=colour)
        x += wide + 14
    return y + 9


# --- the axes -------------------------------------------------------------------------------------


def _axes(page: Page, chart: Chart, *, top: float, bottom: float) -> Axes:
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
    axes.set_xlim(_x(chart.points[0][0]), _x(chart.points[-1][0]))
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
    named_high, named_low = _named(chart)
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


def _days(page: Page, axes: Axes, chart: Chart) -> None:
    """Days named below the line: as many as do not touch, none over the edge."""
    first, last = chart.points[0][0], chart.points[-1][0]
    kept: list[_Named] = []
    for days in _choices(first, last):
        kept = []
        for on in days:
            words = _label(on, first, last, chart.language)
            half = page.width(words) / 2
            x = min(max(_across(axes, on), EDGE + half), WIDTH - EDGE - half)
            kept.append(_Named(on=on, words=words, left=x - half, right=x + half))
        if all(later.left - earlier.right >= 8 for earlier, later in pairwise(kept)):
            break
    for one in kept:
        page.write(one.words, one.left, HEIGHT - EDGE + 2)
    axes.set_xticks([_x(one.on) for one in kept])
    axes.set_xticklabels([])
    axes.tick_params(axis="x", length=4, color=page.colours.soft)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A day named below the axis, and from where to where."""

    on: date
    words: str
    left: float
    right: float


def _across(axes: Axes, on: date) -> float:
    """How far from the left edge a day is."""
    box, (first, last) = axes.get_position(), axes.get_xlim()
    return float(box.x0 + box.width * (_x(on) - first) / (last - first)) * WIDTH


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


# --- the line -------------------------------------------------------------------------------------


def _line(axes: Axes, chart: Chart, colours: Colours) -> None:
    width = 2.2
    if len(chart.points) >= MANY_POINTS:
        width = 1.4
    for run in runs(chart):
        xs, ys = _curve(run)
        if len(run) == 1:  # a line of one point is not drawn at all
            axes.plot(xs, ys, marker="o", markersize=3, color=colours.line)
        else:
            axes.plot(
                xs,
                ys,
                color=colours.line,
                linewidth=width,
                solid_joinstyle="round",
                solid_capstyle="round",
            )


def runs(chart: Chart) -> Iterator[list[tuple[date, Decimal]]]:
    """The stretches without a hole."""
    ends = {until for _, until in chart.holes}
    run = [chart.points[0]]
    for point in chart.points[1:]:
        if point[0] - timedelta(days=1) in ends:
            yield run
            run = []
        run.append(point)
    yield run


def _holes(axes: Axes, chart: Chart, colours: Colours) -> None:
    for since, until in chart.holes:
        axes.axvspan(_x(since) - 1, _x(until) + 1, color=colours.faint, linewidth=0, zorder=0)


def _curve(points: Iterable[tuple[date, Decimal]]) -> tuple[list[int], list[float]]:
    """Days and values as matplotlib wants them, each in a list of its own."""
    xs, ys = [], []
    for on, value in points:
        xs.append(_x(on))
        ys.append(float(value))
    return xs, ys


def _marked_days(chart: Chart) -> list[tuple[date, Decimal]]:
    """The points of days that an alert was told of, in the time shown."""
    by_day = dict(chart.points)
    marked = []
    for on in chart.alerts:
        if on in by_day:
            marked.append((on, by_day[on]))
    return marked


def _marks(page: Page, axes: Axes, chart: Chart) -> None:
    colours = page.colours
    if chart.level is not None:
        axes.axhline(
            float(chart.level), color=colours.alert, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1
        )
    told = _marked_days(chart)
    if told:
        size, edge = 8.0, 2.0
        if len(told) > MANY_ALERTS:
            size, edge = 5.0, 1.2
        axes.plot(
            *_curve(told),
            linestyle="none",
            marker="o",
            markersize=size,
            markerfacecolor=colours.paper,
            markeredgecolor=colours.alert,
            markeredgewidth=edge,
            clip_on=False,
        )
    high, low = _named(chart)
    if high:
        _extreme(page, axes, chart, high, above=True)
    if low:
        _extreme(page, axes, chart, low, above=False)
    last = chart.points[-1]
    ring, wide = colours.line, 0.0
    if told and told[-1] == last:  # both: the newest value, and told of
        ring, wide = colours.alert, 2.0
    axes.plot(
        [_x(last[0])],
        [float(last[1])],
        marker="o",
        markersize=7 + wide,
        markerfacecolor=colours.line,
        markeredgecolor=ring,
        markeredgewidth=wide,
        clip_on=False,
        zorder=5,
    )


Point = tuple[date, Decimal]


def _named(chart: Chart) -> tuple[Point | None, Point | None]:
    """The highest and the lowest point; the last is named above, and of a flat line none is."""
    high = max(chart.points, key=lambda point: point[1])
    low = min(chart.points, key=lambda point: point[1])
    last = chart.points[-1]
    if high[1] == low[1]:
        return None, None
    return None if high[1] == last[1] else high, None if low[1] == last[1] else low


def _extreme(page: Page, axes: Axes, chart: Chart, point: Point, *, above: bool) -> None:
    """The value beside the highest or lowest point, kept inside the picture."""
    from matplotlib.patheffects import withStroke

    on, value = point
    colours = page.colours
    x, y = _x(on), float(value)
    axes.plot([x], [y], marker="o", markersize=5, color=colours.ink, clip_on=False, zorder=4)
    words = as_printed(value, chart.language)
    middle, half = _across(axes, on), page.width(words) / 2
    left = axes.get_position().x0 * WIDTH
    inside = min(max(middle, left + half), WIDTH - EDGE - half)
    offset, edge = -7, "top"
    if above:
        offset, edge = 7, "bottom"
    axes.annotate(
        words,
        (x, y),
        xytext=(inside - middle, offset),
        textcoords="offset points",
        ha="center",
        va=edge,
        color=colours.ink,
        fontsize=WORDS,
        zorder=6,
        annotation_clip=False,
        # a level's line, or a circle, may run through it
        path_effects=[withStroke(linewidth=3, foreground=colours.paper)],
    )


def _x(on: date) -> int:
    return on.toordinal()
