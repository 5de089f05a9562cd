"""A rate's picture for a phone held upright: line, highest, lowest, last, the alerts told.

`draw` runs in a worker process (bot.workers): matplotlib takes a second to import and 100 MB to
hold. Each word is measured before what stands around it is placed, so that letters of 13 points
fit, and no room is kept for words that are not there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.render.axes import Point, across, axes_of, curve, name_days, named, x_of
from bot.render.charts import Chart
from bot.render.numbers import as_printed
from bot.render.sheet import DARK, EDGE, HEIGHT, LIGHT, PIXELS, TITLE, WIDTH, WORDS, Colours, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From here on a day is a pixel and a half wide, and a line of full width would be a blot.
MANY_POINTS = 500
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
    page = Page(figure, colours, HEIGHT)
    top = _header(page, chart)
    axes = axes_of(page, chart, top=top, bottom=HEIGHT - EDGE - WORDS - 4)
    _holes(axes, chart, colours)
    _line(axes, chart, colours)
    _marks(page, axes, chart)
    name_days(page, axes, chart)
    return figure


# --- above the line -------------------------------------------------------------------------------


def _header(page: Page, chart: Chart) -> float:
    """Draw the title, the last value, whose number, from when to when; where that ends."""
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
    """Draw the meaning of circles and shaded days, where there are some; where the words end."""
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


# --- the line -------------------------------------------------------------------------------------


def _line(axes: Axes, chart: Chart, colours: Colours) -> None:
    width = 2.2
    if len(chart.points) >= MANY_POINTS:
        width = 1.4
    for run in runs(chart):
        xs, ys = curve(run)
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
        axes.axvspan(x_of(since) - 1, x_of(until) + 1, color=colours.faint, linewidth=0, zorder=0)


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
            *curve(told),
            linestyle="none",
            marker="o",
            markersize=size,
            markerfacecolor=colours.paper,
            markeredgecolor=colours.alert,
            markeredgewidth=edge,
            clip_on=False,
        )
    high, low = named(chart)
    if high:
        _extreme(page, axes, chart, high, above=True)
    if low:
        _extreme(page, axes, chart, low, above=False)
    last = chart.points[-1]
    ring, wide = colours.line, 0.0
    if told and told[-1] == last:  # both: the newest value, and told of
        ring, wide = colours.alert, 2.0
    axes.plot(
        [x_of(last[0])],
        [float(last[1])],
        marker="o",
        markersize=7 + wide,
        markerfacecolor=colours.line,
        markeredgecolor=ring,
        markeredgewidth=wide,
        clip_on=False,
        zorder=5,
    )


def _extreme(page: Page, axes: Axes, chart: Chart, point: Point, *, above: bool) -> None:
    """The value beside the highest or lowest point, kept inside the picture."""
    from matplotlib.patheffects import withStroke

    on, value = point
    colours = page.colours
    x, y = x_of(on), float(value)
    axes.plot([x], [y], marker="o", markersize=5, color=colours.ink, clip_on=False, zorder=4)
    words = as_printed(value, chart.language)
    middle, half = across(axes, on), page.width(words) / 2
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
