"""A rate's chart: what is on the picture (`bot.render.drawing` paints it), and the words under it.

Days without a fixing (weekends, holidays) are bridged by the line. A hole is left open and told in
words: a line across a month nobody published in would be an invention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from bot.i18n import day, name_of, t
from bot.model.rates import Move, Rate
from bot.render.numbers import as_printed, change
from bot.render.phrases import phrase
from bot.render.rates import kind_name
from bot.render.text import Button, Message, Rich, bold, join, lines, message

RANGES = ("7d", "30d", "90d", "1y", "all")
SHORT_RANGES = ("7d", "30d", "90d")  # a row of buttons; the longer ones are the next
WEEK = 7  # days in a row without a rate, and it is a hole; fewer are weekends and holidays
NEW_YEAR = 8  # the days of January that banks from here to Moscow keep as holidays


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One series over time: `points` oldest first, at least two.

    `alerts` are the effective days that big moves were told of, and `legend` says what is marked;
    `holes` are its missing days, first and last of each, and `no_rates` says what they are;
    `level` is drawn across.
    """

    title: str
    source: str
    span: str
    points: tuple[tuple[date, Decimal], ...]
    holes: tuple[tuple[date, date], ...] = ()
    alerts: tuple[date, ...] = ()
    legend: str
    no_rates: str
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
    """The chart of a series, `history` oldest first; a `rule` is its words and its level."""
    first, last = history[0], history[-1]
    source = name_of(source_names, language) or last.source
    points = []
    for rate in history:
        points.append((rate.effective_on, rate.per_unit))
    plain = Chart(
        title=str(last.pair),
        source=source,
        span=_span(first.effective_on, last.effective_on, language, today),
        points=tuple(points),
        holes=tuple(holes([on for on, _ in points])),
        alerts=tuple(alerts),
        legend=t("chart.alerts", language),
        no_rates=t("chart.no_rates", language),
        language=language,
        dark=dark,
    )
    if rule is None:
        return plain
    title, level = rule
    return replace(plain, title=title, legend=t("chart.fired", language), level=level)


def holes(days: Sequence[date]) -> list[tuple[date, date]]:
    """The holes of a series: the first and last day of each week or more without a rate; `days`
    oldest first.

    Measured by the pace of the series: who publishes once a week has no hole from week to week, but
    where two were left out.
    """
    steps = [(later - earlier).days for earlier, later in pairwise(days)]
    usual = 1
    if len(steps) > 2:  # the pace of two steps is no pace
        usual = sorted(steps)[len(steps) // 4]
    found = []
    for earlier, later in pairwise(days):
        missing = (later - earlier).days - 1
        if missing >= max(WEEK, 2 * usual) and missing - _new_year(earlier, later) >= WEEK:
            found.append((earlier + timedelta(days=1), later - timedelta(days=1)))
    return found


def _new_year(earlier: date, later: date) -> int:
    """The number of days between two that begin a year, for which nobody expects a rate."""
    rested = 0
    for year in range(earlier.year, later.year + 1):
        begin = max(date(year, 1, 1), earlier + timedelta(days=1))
        end = min(date(year, 1, NEW_YEAR), later - timedelta(days=1))
        rested += max(0, (end - begin).days + 1)
    return rested


def _span(first: date, last: date, language: str, today: date) -> str:
    """From one day to another, as both are written."""
    if first.year != last.year:
        today = date.min  # both with their year, and in one form of the month
    return f"{day(first, language, today=today)} – {day(last, language, today=today)}"


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

    And where there were no rates, when a hole is in it. Buttons: the other ranges in the same
    colours, `chart:RUB/KGS:1y` (`…:dark`), and this one in the others.
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
        _holes_told(history, language, today),
        join(" · ", [source, kind_name(last.kind, language), on]),
    )
    return message(text, _buttons(str(last.pair), language, chosen, dark=dark))


def _holes_told(history: Sequence[Rate], language: str, today: date) -> Rich | None:
    """The days without a rate in words; None where no week is missing."""
    found = holes([rate.effective_on for rate in history])
    if not found:
        return None
    first, last = max(found, key=lambda hole: hole[1] - hole[0])
    days = _span(first, last, language, today)
    if len(found) == 1:
        return phrase("chart.hole", language, days=days)
    return phrase("chart.holes", language, n=str(len(found)), days=days)


def _buttons(pair: str, language: str, chosen: str, *, dark: bool) -> list[list[Button]]:
    """Other ranges, which keep the colours; the last button changes them and keeps the range."""
    tail, flipped, flipped_tail = "", "chart.dark", ":dark"
    if dark:
        tail, flipped, flipped_tail = ":dark", "chart.light", ""
    short, long = [], []
    for one in RANGES:
        button = Button(t(f"chart.range.{one}", language), f"chart:{pair}:{one}{tail}")
        if one == chosen:
            continue
        if one in SHORT_RANGES:
            short.append(button)
        else:
            long.append(button)
    long.append(Button(t(flipped, language), f"chart:{pair}:{chosen}{flipped_tail}"))
    return [short, long]
