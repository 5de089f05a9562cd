"""The picture of a chart by what is drawn: letters that can be read, all in its place."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from bot.detect.weeks import currency_week
from bot.languages import LANGUAGES
from bot.model.rates import Rate
from bot.model.weeks import CurrencyWeek, WeekSummary
from bot.render import charts, drawing, panel_drawing, sheet
from bot.render.week import week as render_week
from bot.workers import Workers
from tests.factories import rate

if TYPE_CHECKING:  # it takes half a second of each process, and only that which draws needs it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

TODAY = date(2021, 10, 20)
NAMES = {
    "en": "National Bank of the Kyrgyz Republic",
    "ru": "Национальный банк Кыргызской Республики",
    "ky": "Кыргыз Республикасынын Улуттук банкы",
}
SPANS = [2, 7, 30, 90, 365, 1000, 8000]
LONG = "USD/KGS продажа выше 88,5 сома или падает больше чем на 3 % за 7\u00a0дней"
PHONE, BUBBLE = 390, 350  # points: a phone, and a picture in a chat on it


def history(days: int, *, values: str = "1.2", missing: range = range(0)) -> list[Rate]:
    """A rate a day that climbs and falls, the last today; some days back may be missing."""
    rates = []
    for back in range(days - 1, -1, -1):
        if back not in missing:
            value = Decimal(values) * (1 + Decimal((days - back) * 7 % 40) / 400)
            on = TODAY - timedelta(days=back)
            rates.append(rate("RUB/KGS", f"{value:.4f}", str(on)))
    return rates


def made(rates: list[Rate], language: str = "ru", **more: object) -> charts.Chart:
    """A chart of these rates, an alert told of at every tenth."""
    options: dict[str, object] = {"alerts": [one.effective_on for one in rates[::10]], **more}
    return charts.chart(rates, language, source_names=NAMES, today=TODAY, **options)  # type: ignore[arg-type]


def words_of(figure: Figure) -> list[Text]:
    """All words that are seen."""
    (axes,) = figure.axes
    all_ = [*figure.texts, *axes.texts, *axes.get_yticklabels(), *axes.get_xticklabels()]
    return [one for one in all_ if one.get_text()]


def box(text: Text) -> Bbox:
    """The box of words, in points of the sheet."""
    return text.get_window_extent().transformed(_points(text))


def _points(text: Text | Axes) -> object:
    from matplotlib.transforms import Affine2D

    return Affine2D().scale(1 / sheet.PIXELS)


CHARTS = {
    "plain": {},
    "dark": {"dark": True},
    "rule": {"rule": (LONG, Decimal("1.21"))},
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("days", SPANS)
@pytest.mark.parametrize("kind", CHARTS)
@pytest.mark.cases(keep=8)
def test_all_words_are_large_enough_apart_and_on_the_sheet(
    language: str, days: int, kind: str
) -> None:
    """At 390 points, and in the bubble of a chat there."""
    gone = range(days // 3, days // 3 + 9) if days > 30 else range(0)
    figure = drawing.composed(made(history(days, missing=gone), language, **CHARTS[kind]))
    words = words_of(figure)
    for text in words:
        shown = text.get_fontsize() / sheet.WIDTH
        assert shown * PHONE >= 14, text
        assert shown * BUBBLE >= 12.5, text
        place = box(text)
        assert place.x0 >= 4, text
        assert place.x1 <= sheet.WIDTH - 4, text
        assert place.y0 >= 4, text
        assert place.y1 <= sheet.HEIGHT - 4, text
    for one, other in combinations(words, 2):
        assert not box(one).overlaps(box(other)), (one, other)


@pytest.mark.parametrize("days", [7, 90, 1000])
@pytest.mark.parametrize("level", [None, Decimal("1.4"), Decimal(99)])
def test_no_band_above_the_line_is_empty(days: int, level: Decimal | None) -> None:
    """Between the words above and the line, its highest value's words, or its level."""
    rule = None if level is None else ("RUB > 1.4", level)
    figure = drawing.composed(made(history(days), "en", rule=rule))
    (axes,) = figure.axes
    header = min(box(text).y0 for text in figure.texts if box(text).y0 > sheet.HEIGHT / 2)
    tops = [box(text).y1 for text in axes.texts]
    low, high = axes.get_ylim()
    for line in axes.get_lines():
        tops += [
            float(axes.transData.transform((0, y))[1]) / sheet.PIXELS
            for y in line.get_ydata()  # type: ignore[union-attr]
            if low <= y <= high
        ]
    assert 0 <= header - max(tops) <= 16


@pytest.mark.parametrize("colours", [sheet.LIGHT, sheet.DARK], ids=["light", "dark"])
def test_words_are_told_from_the_paper(colours: sheet.Colours) -> None:
    """By 4.5 to 1, as WCAG wants it of text."""
    for colour in (colours.ink, colours.soft, colours.line, colours.alert):
        lighter, darker = sorted((_light(colour), _light(colours.paper)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, colour


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_hole_is_left_open_shaded_and_told() -> None:
    """And where there is none nothing is said of any."""
    chart = made(history(90, missing=range(20, 30)), "en")
    assert [len(run) for run in drawing.runs(chart)] == [60, 20]
    figure = drawing.composed(chart)
    assert len(figure.axes[0].patches) == 1
    assert "▒ no rates" in [text.get_text() for text in words_of(figure)]

    whole = drawing.composed(made(history(90, missing=range(20, 24)), "en"))
    assert not whole.axes[0].patches
    assert not [text for text in words_of(whole) if "▒" in text.get_text()]


def test_every_alert_told_of_is_a_circle_the_last_day_too() -> None:
    rates = history(91)
    chart = made(rates, "en", alerts=[rates[4].effective_on, rates[-1].effective_on])
    circles = [line for line in _lines(chart) if _colour(line) == sheet.LIGHT.alert]
    days = sorted({int(x) for line in circles for x in line.get_xdata()})  # type: ignore[union-attr]
    assert days == [rates[4].effective_on.toordinal(), TODAY.toordinal()]


def _lines(chart: charts.Chart) -> list[Line2D]:
    return drawing.composed(chart).axes[0].get_lines()


def _colour(line: Line2D) -> object:
    return line.get_markeredgecolor() if line.get_marker() == "o" else None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.cases(keep=1)
def test_a_chart_is_a_png_of_one_size(language: str) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(drawing.draw(made(history(30), language)))) as picture:
        assert (picture.format, picture.size) == ("PNG", (1080, 900))


async def test_a_worker_draws_it() -> None:
    """matplotlib is imported there, not here; a flat line and a dark paper are no trouble."""
    flat = [rate("USD/KGS", "84.7935", str(TODAY - timedelta(days=days))) for days in (9, 2, 1, 0)]
    async with Workers(size=1) as workers:
        chart = charts.chart(flat, "ky", source_names=NAMES, today=TODAY, dark=True)
        assert (await workers.run(drawing.draw, chart, timeout=60)).startswith(b"\x89PNG")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.cases(keep=1)
def test_all_words_of_a_weeks_picture_are_apart_and_on_the_sheet(language: str) -> None:
    """Of one currency, and of five; with figures of few digits, of many, and of a flat line."""
    monday = TODAY - timedelta(days=2)
    weeks: list[CurrencyWeek] = []
    for values in ("1.2", "0.0066", "8479.3512", "98", "1"):
        week = currency_week(history(40, values=values), monday)
        assert week is not None
        weeks.append(week)
    for shown in (weeks[:1], weeks):
        found = WeekSummary(first=monday, source="nbkr", currencies=tuple(shown))
        told = render_week(found, language, source_name=NAMES[language])
        assert told is not None
        assert told.picture is not None
        figure = panel_drawing.composed(told.picture)
        words = [*figure.texts]
        for axes in figure.axes:
            words += axes.get_yticklabels()
        high = figure.get_figheight() * 72
        for text in words:
            place = box(text)
            assert text.get_fontsize() / sheet.WIDTH * PHONE >= 14, text
            assert place.x0 >= 4, text
            assert place.x1 <= sheet.WIDTH - 4, text
            assert 4 <= place.y0 <= place.y1 <= high - 4, text
        for one, other in combinations(words, 2):
            assert not box(one).overlaps(box(other)), (one, other)
