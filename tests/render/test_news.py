"""A page of stories reads in every language and leads to the next; one story tells what its style
allows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.alerts import stories as alerts
from bot.i18n import t
from bot.model.chats import Style
from bot.model.hazards import Hazard, HazardKind
from bot.render import news
from bot.render.digest import digest
from bot.render.text import Button
from tests.factories import NOW, entry
from tests.languages.expected import WHOLE, expected
from tests.render.world import FEEDS, TODAY, ZONE, data, labels, marked, news_page, story

TOPICS = ("security", "economy", "politics", "society", "world")


@pytest.mark.parametrize("language", WHOLE)
def test_a_page_lists_headline_reporters_and_hour(language: str) -> None:
    shown = news.page(news_page(), language, zone=ZONE, now=NOW, topics=TOPICS)
    assert shown.text == expected("news.page", language)
    assert marked(shown, "text_link") == [
        "Apple harvest begins in Issyk-Kul",
        "Border post at the pass closed",
    ]


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "Apple harvest begins"), ("ru", "Начался сбор яблок"), ("ky", "Apple harvest begins")],
)
def test_a_story_told_in_two_languages_is_shown_in_the_readers(language: str, title: str) -> None:
    """In a list, alone, as an alert and in the digest; the first report where nobody told it in the
    language.
    """
    english = story(feeds=("24kg",), title="Apple harvest begins").entries
    russian = story(feeds=("kaktus",), title="Начался сбор яблок", language="ru").entries
    told = replace(story(), entries=(*english, *russian))
    shown = (
        news.page(news_page(stories=(told,)), language, zone=ZONE, now=NOW),
        news.story(told, Style.BRIEF, language, FEEDS, zone=ZONE, now=NOW),
        alerts.story(told, alert=1, style=Style.BRIEF, language=language, feed_names=FEEDS),
        digest([], told, Style.BRIEF, language, TODAY),
    )
    assert [marked(one, "text_link")[0] for one in shown] == [title] * 4


@pytest.mark.parametrize(
    ("language", "mark"), [("en", "in Kyrgyz"), ("ru", "на кыргызском"), ("ky", "")]
)
def test_whoever_is_told_a_story_in_another_language_is_told_so(language: str, mark: str) -> None:
    """After who reports it, wherever a story is shown; a report whose language nobody knows says
    nothing.
    """
    told = story(feeds=("24kg", "kaktus"), language="ky")
    shown = (
        news.page(news_page(stories=(told,)), language, zone=ZONE, now=NOW),
        news.story(told, Style.BRIEF, language, FEEDS, zone=ZONE, now=NOW),
        alerts.story(told, alert=1, style=Style.BRIEF, language=language, feed_names=FEEDS),
        digest([], told, Style.BRIEF, language, TODAY, feed_names=FEEDS),
    )
    for one in shown:
        (line,) = [line for line in one.text.splitlines() if line.startswith("24.kg, Kaktus")]
        said = {one for one in ("in Kyrgyz", "на кыргызском", "кыргызча") if one in line}
        assert said == {mark} - {""}
    unknown = story(language=None)
    assert news.reporters(unknown, FEEDS, language).text == "24.kg"


QUAKE = str(
    Hazard(
        kind=HazardKind.EARTHQUAKE,
        size=Decimal("5.4"),
        place="40 km S of Kaji-Say, Kyrgyzstan",
        latitude=41.77,
        longitude=77.18,
    )
)


@pytest.mark.parametrize(
    ("language", "head"),
    [
        ("en", "Earthquake, magnitude 5.4 · 40\u00a0km south of Kaji-Say, Kyrgyzstan"),
        ("ru", "Землетрясение, магнитуда 5,4 · Каджи-Сай, Кыргызстан: 40\u00a0км к югу"),
        ("ky", "Жер титирөө, магнитудасы 5,4 · Кажы-Сай, Кыргызстан: түштүккө карай 40\u00a0км"),
    ],
)
def test_what_was_measured_is_headed_in_the_readers_language(language: str, head: str) -> None:
    """In a list, alone and in the digest; values are in nobody's language, and have no mark."""
    told = story(title="M 5.4 Earthquake - Kaji-Say", summary="", content=QUAKE)
    shown = (
        news.page(news_page(stories=(told,)), language, zone=ZONE, now=NOW),
        news.story(told, Style.BRIEF, language, FEEDS, zone=ZONE, now=NOW),
        digest([], told, Style.BRIEF, language, TODAY, feed_names=FEEDS),
    )
    for one in shown:
        assert marked(one, "text_link")[0] == head
        assert "earthquake 5.4" not in one.text
        assert news.reporters(told, FEEDS, language).text == "24.kg"
    assert "41.77, 77.18" in shown[1].text


@pytest.mark.parametrize("language", ["en", "ru"])
def test_values_alone_are_in_no_language_whoever_reports_it_too(language: str) -> None:
    """Beside an agency's words, as in an alert, it is said which."""
    quake = story(title="M 5.4", summary="", content=QUAKE, language="en")
    agency = story(title="Жер титирөө", language="ky").lead
    told = replace(quake, entries=(quake.lead, replace(agency, feed="kaktus")))
    mark = {"en": "in Kyrgyz", "ru": "на кыргызском"}[language]
    for one in (
        news.page(news_page(stories=(told,)), language, zone=ZONE, now=NOW),
        news.story(told, Style.BRIEF, language, FEEDS, zone=ZONE, now=NOW),
        digest([], told, Style.BRIEF, language, TODAY, feed_names=FEEDS),
    ):
        assert "Kaktus" in one.text
        assert mark not in one.text
    alert = alerts.story(
        told,
        alert=1,
        style=Style.BRIEF,
        language=language,
        feed_names=FEEDS,
        measured=(quake.lead, Hazard.read(QUAKE)),
    )
    assert mark in alert.text


def test_a_page_leads_to_newer_and_older_pages_and_other_topics() -> None:
    shown = news.page(news_page(), "en", zone=ZONE, now=NOW, topics=TOPICS)
    assert data(shown) == [
        ["news:security:0", "news:security:2"],
        ["news:-:0", "news:economy:0", "news:politics:0"],
        ["news:society:0", "news:world:0"],
    ]
    assert labels(shown)[0] == ["← Newer", "More →"]


def test_the_only_page_of_all_topics_leads_nowhere() -> None:
    shown = news.page(news_page(topic=None, number=0, more=False), "ky", zone=ZONE, now=NOW)
    assert shown.buttons == ()
    assert shown.text.startswith("Жаңылыктар\n\n")


def test_a_story_of_another_day_carries_its_date() -> None:
    shown = news.page(news_page(), "ru", zone=ZONE, now=NOW + timedelta(hours=9))
    assert "24.kg · на английском · 20\u00a0октября в 16:00" in shown.text


def test_an_empty_page_says_so_and_still_offers_topics() -> None:
    shown = news.page(
        news_page(stories=(), number=0, more=False), "en", zone=ZONE, now=NOW, topics=TOPICS[:2]
    )
    assert shown.text.startswith("No stories here yet.")
    assert data(shown) == [["news:-:0", "news:economy:0"]]


def test_a_full_story_keeps_its_paragraphs_and_a_brief_one_its_first() -> None:
    told = story(
        summary="In short.",
        content="Apple harvest begins in Issyk-Kul\nOne.\nTwo  words.\n\n\nThree.",
    )
    shown = [
        news.story(told, style, "en", FEEDS, zone=ZONE, now=NOW).text.split("\n\n")
        for style in Style
    ]
    assert shown == [
        ["Apple harvest begins in Issyk-Kul", "One.\nTwo words.", "Three.", "24.kg · 16:00"],
        ["Apple harvest begins in Issyk-Kul", "In short.", "24.kg · 16:00"],
        ["Apple harvest begins in Issyk-Kul", "24.kg · 16:00"],
    ]


def test_a_brief_story_ends_at_a_sentence() -> None:
    shown = news.body(story(summary="Growers pick apples. " * 40), Style.BRIEF).text
    assert len(shown) <= news.BRIEF_LENGTH
    assert shown.endswith("Growers pick apples. …")


def test_when_a_story_was_is_told_to_each_reader_in_their_own_time() -> None:
    shown = news.story(story(), Style.BRIEF, "en", FEEDS, zone=ZONE, now=NOW)
    (at,) = [one.unix_time for one in shown.entities if one.type == "date_time"]
    assert at == story().lead.at.timestamp()


def test_a_headline_with_markup_and_braces_is_shown_as_it_is() -> None:
    title = "<b>5 > 3</b> {name} _x_ *y* \U0001f34e"
    shown = news.story(story(title=title), Style.HEADLINE, "en", FEEDS, zone=ZONE, now=NOW)
    assert marked(shown, "bold") == [title]


def test_a_story_without_a_title_goes_by_its_first_words_or_its_address() -> None:
    assert news.headline(story(title=" ", summary="Apples " * 30)).startswith("Apples Apples")
    assert news.headline(story(title="", summary="")) == "https://news.example/apples"


def test_a_feed_without_a_name_goes_by_its_key_and_a_topic_without_a_word_by_its_own() -> None:
    assert news.reporters(story(feeds=("nameless",)), FEEDS, "en").text == "nameless"
    assert news.topic_name("chess", "ky") == "chess"


@pytest.mark.parametrize(
    ("names", "width", "rows"),
    [
        ("USD EUR RUB KZT CNY", 4, "USD EUR RUB|KZT CNY"),
        ("Все Безопасность Политика Общество", 3, "Все Безопасность|Политика Общество"),
        ("All Economy Politics", 3, "All Economy Politics"),
        ("Достопримечательности Экономика", 3, "Достопримечательности|Экономика"),
        ("", 3, ""),
    ],
)
def test_rows_of_buttons_are_even_and_no_word_breaks_on_a_phone(
    names: str, width: int, rows: str
) -> None:
    """The longest label says how many stand side by side."""
    made = news.rows_of([Button(name, name) for name in names.split()], width)
    assert "|".join(" ".join(button.text for button in row) for row in made) == rows


def test_an_operator_is_asked_about_the_beginning_of_a_text() -> None:
    """Of the short one, where there is one; a question stays one message."""
    assert entry(summary="Short.", content="Long.").beginning == "Short."
    assert entry(summary="", content="ш" * 501).beginning == "ш" * 500


@pytest.mark.parametrize("language", WHOLE)
@pytest.mark.parametrize(
    ("page", "bot", "rows"),
    [
        ("", "jarchy_bot", ["map why", "snooze share"]),
        ("https://news.example/q", "jarchy_bot", ["map", "open why", "snooze share"]),
        ("https://news.example/q", "", ["map open", "why snooze"]),
    ],
)
def test_the_map_of_what_was_measured_leaves_no_other_button_alone(
    language: str, page: str, bot: str, rows: list[str]
) -> None:
    """Of an earthquake nothing but a map may be there to open."""
    told = story(content=QUAKE, link=page)
    shown = alerts.story(
        told,
        alert=1,
        style=Style.BRIEF,
        language=language,
        feed_names=FEEDS,
        bot=bot,
        measured=(told.entries[0], Hazard.read(QUAKE)),
    )
    names = ("map", "open", "why", "snooze", "share")
    words = {t(f"button.{name}", language): name for name in names}
    found = [" ".join(words.get(key.text, "") for key in row) for row in shown.buttons]
    assert found[: len(rows)] == rows
