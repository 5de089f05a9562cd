"""The settings show what is chosen; each menu leads back to them."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from bot.i18n import t
from bot.languages import LANGUAGES
from bot.model.chats import Style, Wakes
from bot.render import settings
from tests.languages.expected import WHOLE, expected
from tests.render.world import ZONE, data, labels


@pytest.mark.parametrize("language", WHOLE)
def test_the_settings_show_what_is_chosen(language: str) -> None:
    shown = settings.settings(
        language,
        zone=ZONE,
        now=datetime(2021, 10, 20, 10, 4, tzinfo=UTC),
        style=Style.BRIEF,
        wakes=Wakes.URGENT,
        digests=[time(8, 30)],
        following=["USD", "EUR"],
    )
    assert shown.text == expected("settings.chosen", language)
    rows = [
        ["set:language", "set:zone"],
        ["set:topics", "set:digest"],
        ["set:style", "set:wakes"],
        ["set:filters", "set:quiet"],
        ["set:sounds", "set:tables"],
    ]
    assert data(shown) == rows


@pytest.mark.parametrize("language", WHOLE)
def test_what_may_be_chosen_of_news_is_explained_where_it_is_chosen(language: str) -> None:
    """Each word on a button stands in the text above, too."""
    for shown, chosen in (
        (settings.styles(Style.BRIEF, language), t("style.brief", language)),
        (settings.levels(Wakes.URGENT, language), t("wakes.urgent", language)),
    ):
        offered = [label for row in labels(shown)[:-1] for label in row]
        assert len(offered) == 3
        assert f"✓ {chosen}" in offered
        said = shown.text.casefold()
        for label in offered:
            assert label.removeprefix("✓ ").split()[0][:6].casefold() in said, label
        assert data(shown)[-1] == ["set:back"]


def test_a_time_zone_without_a_city_is_named_by_its_offset_and_no_digest_is_said_too() -> None:
    shown = settings.settings(
        "ru",
        zone="Etc/GMT-6",
        now=datetime(2021, 10, 20, 10, 4, tzinfo=UTC),
        style=Style.BRIEF,
        wakes=Wakes.URGENT,
    ).text
    assert "\nВремя: UTC+6, сейчас 16:04\n" in shown
    assert "\nСводка: выключена\n" in shown


def test_the_language_menu_names_each_language_in_itself() -> None:
    shown = settings.language_menu("ru")
    assert labels(shown)[:3] == [["English"], ["✓ Русский"], ["Кыргызча"]]
    assert labels(shown)[-1] == ["← Назад"]
    assert data(shown) == [*([f"lang:{one}"] for one in LANGUAGES), ["set:back"]]


@pytest.mark.parametrize("language", WHOLE)
def test_time_zones_are_cities_as_the_reader_calls_them(language: str) -> None:
    city = expected("settings.new_york", language)
    shown = settings.zone_menu(
        language, ("Asia/Bishkek", "America/New_York"), chosen="America/New_York", example="x"
    )
    assert labels(shown)[0][1] == f"✓ {city}"
    assert data(shown)[0] == ["zone:Asia/Bishkek", "zone:America/New_York"]
