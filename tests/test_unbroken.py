"""A figure and what it counts stand on one line, however narrow the phone, in every language."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from bot import i18n
from bot.languages import LANGUAGES
from bot.render.text import fill

APART = re.compile(
    r"\d [^\W\d_]"
)  # a figure and a word, apart by a space at which a line may break


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_breaks_within_a_day_a_moment_or_an_age(language: str) -> None:
    said: list[str] = []
    for month in range(1, 13):
        on = date(2021, month, 3)
        for year in (2021, 2022):
            today = date(year, 12, 31)
            said += [
                i18n.day(on, language, today=today),
                i18n.day_since(on, language, today=today),
                i18n.day_at(on, language, today=today),
            ]
        said.append(i18n.day_until(on, language))
        said.append(i18n.moment(datetime(2021, month, 3, tzinfo=UTC), language, "Asia/Bishkek"))
    for length in (timedelta(seconds=5), timedelta(minutes=5), timedelta(hours=8)):
        said += [i18n.span(length, language), i18n.ago(length, language)]
    assert [one for one in said if APART.search(one)] == []


def test_no_line_breaks_between_a_count_and_its_noun() -> None:
    """Whether the figure is filled in or stands in the text; what is an example is left as it is,
    for it is sent back, and what others wrote is theirs.
    """
    filled = fill("{n} hours or 24 hours of {title}: `/alert EUR 3% 7d`", n=8, title="10 pines")
    assert filled.text == "8\u00a0hours or 24\u00a0hours of 10 pines: /alert EUR 3% 7d"
