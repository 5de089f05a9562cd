"""The settings show what is chosen; each menu leads back to them."""

from __future__ import annotations

import pytest

from bot.languages import LANGUAGES
from bot.model.chats import Style
from bot.render import settings
from tests.render.world import ZONE, data, labels

SETTINGS = {
    "en": ("Settings\nLanguage: English\nTime zone: Asia/Bishkek\nNews: in brief"),
    "ru": ("Настройки\nЯзык: Русский\nЧасовой пояс: Asia/Bishkek\nНовости: кратко"),
    "ky": ("Жөндөөлөр\nТили: Кыргызча\nУбакыт алкагы: Asia/Bishkek\nЖаңылыктар: кыскача"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_settings_show_what_is_chosen(language: str) -> None:
    shown = settings.settings(language, zone=ZONE, style=Style.BRIEF)
    assert shown.text == SETTINGS[language]
    rows = [
        ["style:full", "style:brief", "style:headline"],
        ["set:language", "set:zone"],
        ["set:topics"],
    ]
    assert data(shown) == rows
    assert labels(shown)[0][1].startswith("✓ ")


def test_the_language_menu_names_each_language_in_itself() -> None:
    shown = settings.language_menu("ru")
    assert labels(shown) == [["English"], ["✓ Русский"], ["Кыргызча"], ["← Назад"]]
    assert data(shown) == [["lang:en"], ["lang:ru"], ["lang:ky"], ["set:back"]]


@pytest.mark.parametrize(
    ("language", "city"), [("en", "New York"), ("ru", "Нью-Йорк"), ("ky", "Нью-Йорк")]
)
def test_time_zones_are_cities_as_the_reader_calls_them(language: str, city: str) -> None:
    shown = settings.zone_menu(
        language, ("Asia/Bishkek", "America/New_York"), chosen="America/New_York", example="x"
    )
    assert labels(shown)[0][1] == f"✓ {city}"
    assert data(shown)[0] == ["zone:Asia/Bishkek", "zone:America/New_York"]
