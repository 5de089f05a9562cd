"""A rate's picture for a phone held upright: line, highest, lowest, last, the alerts told.

`draw` runs in a worker process (bot.workers): matplotlib takes a second to import and 100 MB to
hold. Days without a fixing (weekends, holidays) are bridged, longer holes are left open: a line
across a month nobody published in would be an invention.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bot.i18n import day, name_of, number, t
from bot.model.rates import Move, Rate
from bot.render.numbers import as_printed, change
from bot.render.phrases import phrase
from bot.render.rates import kind_name
from bot.render.text import Button, Message, Rich, bold, join, lines, message

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, DPI = 1080, 720, 260  # a phone shows it 350 points wide: letters of 9 points there
# Days without a fixing that the line bridges: a weekend with a holiday on both sides.
LONGEST_GAP = timedelta(days=5)
RANGES = ("90d", "1y", "all")
# From here on a day is a pixel and a half wide, and a line of full width would be a blot.
MANY_POINTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """What a chart is painted with."""

    paper: str
    ink: str
    faint: str
    line: str
    alert: str


LIGHT = Colours(paper="#ffffff", ink="#1d2733", faint="#e3e8ee", line="#1f6fb5", alert="#d9822b")
DARK = Colours(paper="#17212b", ink="#e8eef4", faint="#2b3947", line="#64b5f6", alert="#ffb454")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One series over time: `points` oldest first, at least two.

    `alerts` are the effective days that big moves were told of; `legend` says what is marked;
    `level` is drawn across.
    """

    title: str
    subtitle: str
    points: tuple[tuple[date, Decimal], ...]
    alerts: tuple[date, ...] = ()
    legend: str
    level: Decimal | None = None
    language: str
    dark: bool = False


def chart(
    history: Sequence[Rate],
    language: str,
    *,
    alerts: Sequence[date] = (),
    source_names: dict[str, str],
    today: date,
    dark: bool = False,
    rule: tuple[str, Decimal | None] | None = None,
) -> Chart:
    """What is drawn of a series, `history` oldest first; a `rule` is its words and its level."""
    first, last = history[0], history[-1]
    source = name_of(source_names, language) or last.source
    span = (
        f"{day(first.effective_on, language, today=today)} – "
        f"{day(last.effective_on, language, today=today)}"
    )
    points = []
    for rate in history:
        points.append((rate.effective_on, rate.per_unit))
    plain = Chart(
        title=str(last.pair),
        subtitle=f"{source} · {span}",
        points=tuple(points),
        alerts=tuple(alerts),
        legend=t("chart.alerts", language),
        language=language,
        dark=dark,
    )
    if rule is None:
        return plain
    title, level = rule
    return replace(plain, title=title, legend=t("chart.fired", language), level=level)


def caption(
    history: Sequence[Rate],
    language: str,
    *,
    source_names: dict[str, str],
    today: date,
    chosen: str,
    dark: bool = False,
) -> Message:
    """The words under the picture: last, change over the time shown, high and low, whose number.

    Buttons: the other ranges in the same colours, `chart:RUB/KGS:1y` (`…:dark`), and this one in
    the others.
    """
    last = history[-1]
    high = max(history, key=lambda rate: rate.per_unit)
    low = min(history, key=lambda rate: rate.per_unit)
    move = change(Move(old=history[0], new=last).percent, language).strip()

    def told(key: str, rate: Rate) -> Rich:
        shown = as_printed(rate.per_unit, language)
        return phrase(key, language, value=shown, day=day(rate.effective_on, language, today=today))

    source = name_of(source_names, language) or last.source
    on = day(last.effective_on, language, today=today)
    text = lines(
        bold(f"{last.pair} {as_printed(last.per_unit, language)}") + f"  {move}",
        join(" · ", [told("chart.high", high), told("chart.low", low)]),
        join(" · ", [source, kind_name(last.kind, language), on]),
    )
    # another range keeps the colours; the last button changes them and keeps the range
    tail, flipped, flipped_tail = "", "chart.dark", ":dark"
    if dark:
        tail, flipped, flipped_tail = ":dark", "chart.light", ""
    other = []
    for one in RANGES:
        if one != chosen:
            data = f"chart:{last.pair}:{one}{tail}"
            other.append(Button(t(f"chart.range.{one}", language), data))
    flip = Button(t(flipped, language), f"chart:{last.pair}:{chosen}{flipped_tail}")
    return message(text, [other, [flip]])


# --- drawing, in the worker -----------------------------------------------------------------------


def draw(chart: Chart) -> bytes:
    """The PNG, 1080 × 720."""
    # not by pyplot, which keeps every figure until it is closed: this process lives as long as we
    from matplotlib.figure import Figure

    colours = LIGHT
    if chart.dark:
        colours = DARK
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=colours.paper)
    # room to the left for the axis, to the right for the last value, above for three lines of words
    axes = figure.add_axes((0.13, 0.155, 0.71, 0.56), facecolor=colours.paper)
    _frame(axes, chart, colours)
    _line(axes, chart, colours)
    _marks(axes, chart, colours)
    figure.text(
        0.03,
        0.93,
        chart.title,
        color=colours.ink,
        # a rule's words may be long: from 36 letters on they shrink to stay in the picture
        fontsize=11 * min(1, 36 / len(chart.title)),
        fontweight="bold",
        va="center",
    )
    figure.text(
        0.03, 0.85, chart.subtitle, color=colours.ink, fontsize=7.5, alpha=0.75, va="center"
    )
    if _marked_days(chart):
        figure.text(0.03, 0.78, f"○ {chart.legend}", color=colours.alert, fontsize=7.5, va="center")
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=colours.paper, pil_kwargs={"compress_level": 3})
    return out.getvalue()


def _frame(axes: Axes, chart: Chart, colours: Colours) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    first, last = chart.points[0][0], chart.points[-1][0]
    values = [float(value) for _, value in chart.points]
    if chart.level is not None and _near(float(chart.level), min(values), max(values)):
        values.append(float(chart.level))
    low, high = min(values), max(values)
    # above and below stand the words of the highest and lowest point; a flat line needs room too
    margin = (high - low) * 0.18 or abs(high) * 0.01
    axes.set_ylim(low - margin, high + margin)
    axes.set_xlim(_x(first), _x(last))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colours.faint)
    axes.tick_params(colors=colours.ink, labelsize=7.5, length=0, pad=5)
    axes.grid(visible=True, axis="y", color=colours.faint, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    shown = []
    for tick in axes.get_yticks():  # the locator may name some outside the picture
        if low - margin <= tick <= high + margin:
            shown.append(tick)
    digits = _digits(shown)

    def written(value: float, _: int) -> str:
        # by its repr: a decimal made of the float itself would show its fiftieth digit
        return number(Decimal(repr(float(value))), chart.language, digits)

    axes.yaxis.set_major_formatter(FuncFormatter(written))
    ticks = list(_ticks(first, last))
    axes.set_xticks([_x(on) for on in ticks])
    axes.set_xticklabels([_label(on, first, last, chart.language) for on in ticks])


def _line(axes: Axes, chart: Chart, colours: Colours) -> None:
    width = 1.6
    if len(chart.points) >= MANY_POINTS:
        width = 1.0
    for run in _runs(chart.points):
        xs, ys = _curve(run)
        if len(run) == 1:  # a line of one point is not drawn at all
            axes.plot(xs, ys, marker="o", markersize=2, color=colours.line)
        else:
            axes.plot(
                xs,
                ys,
                color=colours.line,
                linewidth=width,
                solid_joinstyle="round",
                solid_capstyle="round",
            )


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


def _near(level: float, low: float, high: float) -> bool:
    """Whether a level may stretch the picture: one far away would flatten the line."""
    room = max(high - low, high * 0.02)
    return low - room <= level <= high + room


def _marks(axes: Axes, chart: Chart, colours: Colours) -> None:
    if chart.level is not None:
        axes.axhline(
            float(chart.level), color=colours.alert, linewidth=1, linestyle=(0, (4, 3)), zorder=1
        )
    told = _marked_days(chart)
    if told:
        axes.plot(
            *_curve(told),
            linestyle="none",
            marker="o",
            markersize=5,
            markerfacecolor=colours.paper,
            markeredgecolor=colours.alert,
            markeredgewidth=1.4,
            clip_on=False,
        )
    high = max(chart.points, key=lambda point: point[1])
    low = min(chart.points, key=lambda point: point[1])
    last = chart.points[-1]
    if high[1] != low[1]:  # of a flat line every point is both
        _extreme(axes, chart, high, colours, above=True)
        _extreme(axes, chart, low, colours, above=False)
    x, y = _x(last[0]), float(last[1])
    axes.plot([x], [y], marker="o", markersize=4.5, color=colours.line, clip_on=False, zorder=5)
    written = as_printed(last[1], chart.language)
    axes.annotate(
        written,
        (x, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color=colours.line,
        fontsize=8.5 * min(1, 8 / len(written)),  # 172 pixels are left of the picture there
        fontweight="bold",
        annotation_clip=False,
    )


def _extreme(
    axes: Axes, chart: Chart, point: tuple[date, Decimal], colours: Colours, *, above: bool
) -> None:
    """The value beside the highest or lowest point, kept inside the picture."""
    on, value = point
    first, last = chart.points[0][0], chart.points[-1][0]
    if on == last:  # whose value stands there already, to the right
        return
    place = (on - first) / max(timedelta(days=1), last - first)
    side = "center"
    if place < 0.15:
        side = "left"
    elif place > 0.85:
        side = "right"
    offset, edge = -7, "top"
    if above:
        offset, edge = 7, "bottom"
    axes.plot(
        [_x(on)],
        [float(value)],
        marker="o",
        markersize=3,
        color=colours.ink,
        clip_on=False,
        zorder=4,
    )
    axes.annotate(
        as_printed(value, chart.language),
        (_x(on), float(value)),
        xytext=(0, offset),
        textcoords="offset points",
        ha=side,
        va=edge,
        color=colours.ink,
        fontsize=7.5,
    )


def _x(on: date) -> int:
    return on.toordinal()


def _runs(points: Sequence[tuple[date, Decimal]]) -> Iterator[list[tuple[date, Decimal]]]:
    """The stretches without a hole."""
    run = [points[0]]
    for point in points[1:]:
        if point[0] - run[-1][0] > LONGEST_GAP:
            yield run
            run = []
        run.append(point)
    yield run


def _ticks(first: date, last: date) -> Iterator[date]:
    """At most six days to name: beginnings of years or months, else every so many days."""
    length = (last - first).days
    if length < 60:
        step = max(1, -(-length // 4))
        for days in range(step // 2, length + 1, step):
            yield first + timedelta(days=days)
        return
    months = (last.year - first.year) * 12 + last.month - first.month
    # counted from January of the first year, so that beginnings of years are always among them
    for month in range(first.year * 12, last.year * 12 + 12, _step(months)):
        on = date(month // 12, month % 12 + 1, 1)
        if first <= on <= last:
            yield on


def _step(months: int) -> int:
    """Months from one named day to the next, so that at most six are named."""
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240):
        if months <= step * 5:
            return step
    return 1200


def _label(on: date, first: date, last: date, language: str) -> str:
    """A day below the axis: over years the year alone, over a turn of the year that beside it."""
    new_year = (on.month, on.day) == (1, 1)
    if (last - first).days > 3 * 365:
        if on.month != 1:
            return ""
        return str(on.year)
    if new_year and first.year != last.year:
        return f"{day(on, language)}\n{on.year}"
    return day(on, language)


def _digits(ticks: Sequence[Any]) -> int:
    """Decimals that tell the ticks apart."""
    step = min((b - a for a, b in pairwise(ticks)), default=1)
    digits = 0
    # 1e-6, because a step of 0.1 is a float, and ten of it are not quite 1
    while digits < 8 and abs(step * 10**digits - round(step * 10**digits)) > 1e-6:
        digits += 1
    return digits
