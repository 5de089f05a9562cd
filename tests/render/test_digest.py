"""The digest reads as the sample that started the project; posted, it is marked up and says whose
rates it shows.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.model.chats import Style
from bot.model.hazards import Hazard, HazardKind
from bot.render.digest import digest
from bot.render.text import LIMIT, units
from tests.factories import rate
from tests.languages.expected import WHOLE, expected
from tests.render.world import TODAY, marked, story

RATES = [rate(), rate("EUR/KGS", "98.8523"), rate("RUB/KGS", "1.1948")]


def test_the_plain_digest_is_rates_headline_and_text() -> None:
    told = story(content="Growers expect a good year.\n\nThe fair opens on\u00a0Friday.")
    assert digest(RATES, told, Style.FULL, "en", TODAY, plain=True, late=True).text == (
        "USD 84.79\nEUR 98.85\nRUB 1.19\n\nApple harvest begins in Issyk-Kul\n\n"
        "Growers expect a good year.\n\nThe fair opens on\u00a0Friday."
    )


def test_the_plain_digest_equals_the_sample_character_for_character(shared: Path) -> None:
    sample = (shared / "seed" / "sample.txt").read_bytes().decode("utf-8")
    _, title, text = sample.split("\n\n", 2)
    said = digest(RATES, story(title=title, content=text), Style.FULL, "en", TODAY, plain=True)
    assert said.text == sample
    assert (said.entities, said.buttons) == ((), ())


@pytest.mark.parametrize("language", WHOLE)
def test_a_posted_digest_marks_codes_and_headline_says_its_source_and_that_it_is_late(
    language: str,
) -> None:
    late = expected("digest.late_title", language)
    last = expected("digest.source", language)
    told = story(language=language)
    shown = digest(
        RATES, told, Style.BRIEF, language, TODAY, late=True, source_name="National Bank"
    )
    mark = "." if language == "en" else ","
    assert shown.text.split("\n\n") == [
        f"USD 84{mark}79\nEUR 98{mark}85\nRUB 1{mark}19",
        "Apple harvest begins in Issyk-Kul",
        "Growers around the lake expect a good year.",
        f"{last}\n{late}",
    ]
    assert marked(shown, "bold") == ["USD", "EUR", "RUB", "Apple harvest begins in Issyk-Kul"]
    assert marked(shown, "text_link") == ["Apple harvest begins in Issyk-Kul"]
    assert shown.silent


@pytest.mark.parametrize("language", WHOLE)
def test_a_posted_digest_says_who_reports_its_story_and_how_many(language: str) -> None:
    said = expected("digest.reporters", language)
    told = story(feeds=("24kg", "kaktus"), language=language)
    names = {"24kg": {"en": "24.kg"}, "kaktus": {"en": "Kaktus"}}
    shown = digest(
        RATES, told, Style.BRIEF, language, TODAY, source_name="National Bank", feed_names=names
    )
    assert shown.text.split("\n\n")[-1].split("\n")[0] == said
    plain = digest(RATES, told, Style.BRIEF, language, TODAY, plain=True, feed_names=names)
    assert said not in plain.text


def test_a_rate_that_is_another_tomorrow_says_so_and_the_sample_stays_as_it_is() -> None:
    following = {
        "USD": rate(value="84.7940", on="2021-10-21"),  # written like today's
        "RUB": rate("RUB/KGS", "1.2600", "2021-10-21"),
    }
    shown = digest(RATES, None, Style.BRIEF, "ru", TODAY, following=following).text
    assert shown.split("\n")[:3] == [
        "USD 84,79",
        "EUR 98,85",
        "RUB 1,19 → 1,26 завтра ▲ +5,5\u00a0%",
    ]
    plain = digest(RATES, None, Style.BRIEF, "ru", TODAY, plain=True, following=following).text
    assert "→" not in plain


def test_of_a_story_in_another_language_a_digest_tells_the_headline_alone() -> None:
    told = story(language="en")
    names = {"24kg": {"en": "24.kg"}}
    shown = digest(RATES, told, Style.BRIEF, "ky", TODAY, feed_names=names).text
    assert "Growers" not in shown
    assert "Apple harvest begins in Issyk-Kul\n\n24.kg · англисче\n" in shown


def test_a_digest_too_long_for_a_message_ends_at_a_sentence_and_leads_on() -> None:
    long = story(content="The pass stays closed 🌨. " * 400)
    shown = digest(RATES, long, Style.FULL, "en", TODAY, source_name="National Bank")
    assert LIMIT - 100 < units(shown.text) <= LIMIT
    assert shown.text.endswith("closed 🌨. … Read on\n\nNational Bank · official rate · 20\u00a0Oct")
    assert marked(shown, "text_link")[-1] == "Read on"


def test_a_day_without_a_story_is_only_rates_and_one_without_rates_only_the_story() -> None:
    assert digest(RATES[:1], None, Style.FULL, "en", TODAY, plain=True).text == "USD 84.79"
    assert (
        digest([], story(), Style.HEADLINE, "en", TODAY).text == "Apple harvest begins in Issyk-Kul"
    )


def test_a_day_with_nothing_says_so() -> None:
    assert digest([], None, Style.FULL, "ky", date(2021, 1, 1)).text == (
        "1‑январь үчүн азырынча курс да, жаңылык да жок."
    )


@pytest.mark.parametrize("language", WHOLE)
def test_a_digest_says_a_place_once_and_the_hour_of_its_reader(language: str) -> None:
    """Of what an institute measured: its place stands in the headline."""
    quake = Hazard(
        kind=HazardKind.EARTHQUAKE,
        size=Decimal("5.4"),
        place="24 km S of Kadji-Sai, Kyrgyzstan",
        latitude=42.0,
        longitude=77.0,
    )
    measured = story(content=str(quake), published_at=datetime(2021, 10, 20, 10, tzinfo=UTC))
    shown = digest(RATES, measured, Style.FULL, language, TODAY, zone="Asia/Bishkek").text
    brief = digest(RATES, measured, Style.HEADLINE, language, TODAY, zone="Asia/Bishkek").text
    assert "16:00" not in brief  # whoever wants the headline alone, or had the rest
    called = {"en": "Kadji-Sai", "ru": "Каджи-Сай", "ky": "Кажы-Сай"}
    assert shown.count(called[language]) == 1
    assert "16:00" in shown
    assert "UTC" not in shown
