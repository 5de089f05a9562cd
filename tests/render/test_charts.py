"""Charts: what is drawn, and the words under it."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.languages import LANGUAGES
from bot.model.rates import Rate
from bot.render import charts
from bot.workers import Workers
from tests.factories import rate

TODAY = date(2021, 10, 20)
NAMES = {"en": "National Bank", "ru": "Национальный банк", "ky": "Улуттук банк"}


def history(days: int) -> list[Rate]:
    """A rate a day that climbs and falls, the last today."""
    values = [Decimal("1.2") + Decimal(number % 40) / 400 for number in range(days)]
    return [
        rate("RUB/KGS", str(v), str(TODAY - timedelta(days=days - 1 - at)))
        for at, v in enumerate(values)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("days", [2, 20, 90, 365, 2500])
@pytest.mark.cases(keep=6)
def test_any_length_in_any_language_is_a_picture_of_one_size(language: str, days: int) -> None:
    from PIL import Image

    rates = history(days)
    chart = charts.chart(
        rates, language, alerts=[rates[-1].effective_on], source_names=NAMES, today=TODAY
    )
    with Image.open(io.BytesIO(charts.draw(chart))) as picture:
        assert (picture.format, picture.size) == ("PNG", (1080, 720))


async def test_a_worker_draws_it() -> None:
    """matplotlib is imported there, not here; a flat line and a dark paper are no trouble."""
    flat = [rate("USD/KGS", "84.7935", str(TODAY - timedelta(days=days))) for days in (9, 2, 1, 0)]
    async with Workers(size=1) as workers:
        chart = charts.chart(flat, "ky", source_names=NAMES, today=TODAY, dark=True)
        assert (await workers.run(charts.draw, chart, timeout=60)).startswith(b"\x89PNG")


def test_a_hole_of_more_than_five_days_is_left_open() -> None:
    """A weekend is bridged, a month without rates is not."""
    days = [TODAY - timedelta(days=back) for back in (30, 29, 25, 19, 1, 0)]
    runs = list(charts._runs([(day, Decimal(1)) for day in days]))
    assert [len(run) for run in runs] == [3, 1, 2]


def test_at_most_seven_days_are_named() -> None:
    for days in [1, 3, 10, 59, 60, 90, 365, 700, 1500, 4000, 12000, 36000]:
        ticks = list(charts._ticks(TODAY - timedelta(days=days), TODAY))
        assert 1 <= len(ticks) <= 7, days
        assert all(TODAY - timedelta(days=days) <= tick <= TODAY for tick in ticks)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "RUB/KGS 1.1661  ▼ −2.40\u00a0% | high 1.2100 on 19 Oct · low 1.1661 on 20 Oct | "
                "National Bank · official rate · 20 Oct"
            ),
        ),
        (
            "ru",
            (
                "RUB/KGS 1,1661  ▼ −2,40\u00a0% | максимум 1,2100 (19 октября) · минимум 1,1661 "
                "(20 октября) | Национальный банк · официальный курс · 20 октября"
            ),
        ),
    ],
)
def test_the_caption_tells_last_change_high_low_and_whose_rate(language: str, words: str) -> None:
    rates = [
        rate("RUB/KGS", value, f"2021-10-{day}")
        for value, day in (("1.1948", 18), ("1.2100", 19), ("1.1661", 20))
    ]
    made = charts.caption(rates, language, source_names=NAMES, today=TODAY, chosen="90d")
    assert made.text.replace("\n", " | ") == words
    assert [button.data for row in made.buttons for button in row] == [
        "chart:RUB/KGS:1y",
        "chart:RUB/KGS:all",
        "chart:RUB/KGS:90d:dark",
    ]
