"""Charts: what is a hole, and the words under the picture."""

from __future__ import annotations

from datetime import date

import pytest

from bot.render import charts
from tests.factories import rate

TODAY = date(2021, 10, 20)
NAMES = {"en": "National Bank", "ru": "Национальный банк", "ky": "Улуттук банк"}
#: One hole in words, and several.
HOLES = {
    "en": (
        "no rates: 4\u00a0Sep – 19\u00a0Sep",
        "gaps without rates: 2, the longest 4\u00a0Sep – 19\u00a0Sep",
    ),
    "ru": (
        "нет курсов: 4\u00a0сентября – 19\u00a0сентября",
        "пропуски без курсов: 2, самый длинный 4\u00a0сентября – 19\u00a0сентября",
    ),
    "ky": (
        "курс жок: 4‑сентябрь – 19‑сентябрь",
        "курс жок мезгилдер: 2, эң узагы 4‑сентябрь – 19‑сентябрь",
    ),
}


@pytest.mark.parametrize(
    ("days", "holes"),
    [
        ("10-01 10-02 10-05 10-06", []),  # a weekend
        ("10-01 10-02 10-03 10-09 10-10", []),  # holidays around it
        ("10-01 10-02 10-03 10-10 10-11", []),  # six days
        ("10-01 10-02 10-03 10-11 10-12", ["10-04 10-10"]),  # a week
        ("01-02 01-09 01-16 01-23 01-30", []),  # who publishes once a week
        ("01-02 01-09 01-23 02-13 02-20", ["01-24 02-12"]),  # two left out
        ("10-01 10-20", ["10-02 10-19"]),
    ],
)
def test_a_week_without_rates_is_a_hole_and_a_holiday_is_none(days: str, holes: list[str]) -> None:
    assert (
        _short(charts.holes([date.fromisoformat(f"2021-{one}") for one in days.split()])) == holes
    )


def test_the_first_days_of_january_are_holidays() -> None:
    """As long as the banks rest, and no longer."""
    before = [date(2021, 12, 29), date(2021, 12, 30), date(2021, 12, 31)]
    assert charts.holes([*before, date(2022, 1, 11)]) == []
    assert _short(charts.holes([*before, date(2022, 1, 20)])) == ["01-01 01-19"]


def _short(holes: list[tuple[date, date]]) -> list[str]:
    return [f"{since:%m-%d} {until:%m-%d}" for since, until in holes]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "RUB/KGS 1.1661  ▼ −2.40\u00a0% | high 1.2100 on 19\u00a0Oct · low 1.1661 "
                "on 20\u00a0Oct | National Bank · official rate · 20\u00a0Oct"
            ),
        ),
        (
            "ru",
            (
                "RUB/KGS 1,1661  ▼ −2,40\u00a0% | максимум 1,2100 (19\u00a0октября) · минимум "
                "1,1661 (20\u00a0октября) | Национальный банк · официальный курс · 20\u00a0октября"
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
        "chart:RUB/KGS:7d",
        "chart:RUB/KGS:30d",
        "chart:RUB/KGS:1y",
        "chart:RUB/KGS:all",
        "chart:RUB/KGS:90d:dark",
    ]


@pytest.mark.parametrize("language", HOLES)
def test_the_caption_tells_of_a_hole_in_words(language: str) -> None:
    """One by its days; of several how many, and the longest."""
    days = ["2021-09-01", "2021-09-02", "2021-09-03", "2021-09-20", "2021-09-21"]
    one = _gap(days, language)
    several = _gap([*days, "2021-10-01", "2021-10-02"], language)
    assert (one, several) == HOLES[language]


def _gap(days: list[str], language: str) -> str:
    rates = [rate("RUB/KGS", f"1.{number}", on) for number, on in enumerate(days)]
    made = charts.caption(rates, language, source_names=NAMES, today=TODAY, chosen="90d")
    return made.text.splitlines()[2]


@pytest.mark.parametrize(
    ("language", "span"),
    [
        ("en", "20\u00a0Oct 2020 – 19\u00a0Oct 2021"),
        ("ru", "20\u00a0октября 2020\u00a0года – 19\u00a0октября 2021\u00a0года"),
        ("ky", "2020‑жылдын 20‑октябры – 2021‑жылдын 19‑октябры"),
    ],
)
def test_a_span_over_two_years_names_both_in_one_form(language: str, span: str) -> None:
    history = [rate("USD/KGS", "84.1", "2020-10-20"), rate("USD/KGS", "84.2", "2021-10-19")]
    drawn = charts.chart(history, language, source_names=NAMES, today=TODAY)
    assert drawn.span == span
