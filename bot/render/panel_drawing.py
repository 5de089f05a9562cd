"""The picture of a week: a line for each currency, one below the other, the week in colour.

`draw` runs in a worker process, as `bot.render.drawing` does.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from bot.render.axes import Point, curve, x_of
from bot.render.panels import Panel, Panels
from bot.render.sheet import EDGE, HEIGHT, LIGHT, PIXELS, TITLE, WIDTH, WORDS, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEAD = 60  # points above the first panel
NAMED = 22  # of a panel, for its name
LINE = 64  # and for its line,
TALL = 150  # where it is alone
GAP = 14
FOOT = 16  # for the days below the last one
FREE = 0.12  # of the line's height, above and below it


def draw(picture: Panels) -> bytes:
    """The PNG, 1080 wide, as high as its panels need."""
    out = io.BytesIO()
    composed(picture).savefig(
        out, format="png", facecolor=LIGHT.paper, pil_kwargs={"compress_level": 3}
    )
    return out.getvalue()


def composed(picture: Panels) -> Figure:
    """The picture before it is painted."""
    # not by pyplot, which keeps every figure until it is closed
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72 * PIXELS, facecolor=LIGHT.paper)
    FigureCanvasAgg(figure)  # which knows how wide letters are
    page = Page(figure, LIGHT, HEIGHT)
    sources = page.wrapped(picture.source, WIDTH - 2 * EDGE)
    head = HEAD + (len(sources) - 1) * (WORDS + 4)
    tall = LINE if len(picture.panels) > 1 else TALL
    page.height = head + len(picture.panels) * (NAMED + tall + GAP) + FOOT
    figure.set_size_inches(WIDTH / 72, page.height / 72)
    page.write(picture.title, EDGE, EDGE + TITLE - 4, size=15, bold=True)
    for number, words in enumerate(sources, 1):
        page.write(words, EDGE, EDGE + TITLE - 3 + number * (WORDS + 4), colour=LIGHT.soft)
    left = 0.0
    for panel in picture.panels:
        left = max(left, page.width(panel.lowest), page.width(panel.highest))
    for number, panel in enumerate(picture.panels):
        top = head + number * (NAMED + tall + GAP)
        axes = _panel(page, picture, panel, top, tall, EDGE + 6 + left)
        if panel is picture.panels[-1]:
            _name_days(page, axes, picture)
    return figure


def _panel(page: Page, picture: Panels, panel: Panel, top: float, tall: float, left: float) -> Axes:
    """A currency's name and change, and below them its line; the room of the line."""
    page.write(panel.name, EDGE, top + WORDS, size=15, bold=True)
    page.write(panel.change, WIDTH - EDGE, top + WORDS, bold=True, side="right")
    beside = EDGE + page.width(panel.name, size=15, bold=True) + 10
    page.write(panel.last, beside, top + WORDS, size=15, colour=LIGHT.line)
    begin = top + NAMED
    axes = page.figure.add_axes(
        (left / WIDTH, 1 - (begin + tall) / page.height, (WIDTH - EDGE - left) / WIDTH,
         tall / page.height),
        facecolor=LIGHT.paper,
    )  # fmt: skip
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT.faint)
    axes.tick_params(length=0)
    axes.set_xticks([])
    axes.set_xlim(x_of(picture.first), x_of(picture.last))
    _line(axes, picture, panel)
    return axes


def _line(axes: Axes, picture: Panels, panel: Panel) -> None:
    _, values = curve(panel.points)
    low, high = min(values), max(values)
    room = (high - low) * FREE or abs(low) * 0.01 or 1
    axes.set_ylim(low - room, high + room)
    # one value of a flat line, two of any other
    named = {low: panel.lowest, high: panel.highest}
    axes.set_yticks(list(named))
    axes.set_yticklabels(list(named.values()), color=LIGHT.soft, fontsize=WORDS)
    axes.tick_params(axis="y", pad=6)
    # the last rate still holds at the end of the picture
    points = [*panel.points, (picture.last, panel.points[-1][1])]
    before: list[Point] = []
    since: list[Point] = []
    for point in points:
        if point[0] <= picture.marked:
            before.append(point)
        else:
            since.append(point)
    since = [*before[-1:], *since]
    axes.axvspan(x_of(picture.marked), x_of(picture.last), color=LIGHT.faint, linewidth=0, zorder=0)
    _stroke(axes, before, LIGHT.soft, 1.4)
    _stroke(axes, since, LIGHT.line, 2.4)
    axes.plot(
        *([x_of(picture.last)], [values[-1]]),
        marker="o",
        markersize=7,
        color=LIGHT.line,
        clip_on=False,
        zorder=5,
    )


def _stroke(axes: Axes, points: list[Point], colour: str, width: float) -> None:
    axes.plot(
        *curve(points),
        color=colour,
        linewidth=width,
        solid_joinstyle="round",
        solid_capstyle="round",
    )


def _name_days(page: Page, axes: Axes, picture: Panels) -> None:
    """Days below the last line; one that would touch the next is left out."""
    box = axes.get_position()
    first, last = x_of(picture.first), x_of(picture.last)
    end: float = WIDTH - EDGE
    for on, words in reversed(picture.days):
        wide = page.width(words)
        middle = (box.x0 + box.width * (x_of(on) - first) / (last - first)) * WIDTH
        at = max(min(middle - wide / 2, WIDTH - EDGE - wide), box.x0 * WIDTH)
        if at + wide > end:
            continue
        page.write(words, at, page.height - EDGE + 2, colour=LIGHT.soft)
        end = at - 10
