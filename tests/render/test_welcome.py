"""The greeting calls the reader by name and leads on; what a channel is told is short."""

from __future__ import annotations

import pytest

from bot.i18n import t
from bot.languages import LANGUAGES
from bot.render import welcome
from bot.render.text import LIMIT, units
from tests.languages.expected import WHOLE, expected
from tests.render.world import data, labels, marked


@pytest.mark.parametrize("language", WHOLE)
def test_the_greeting_calls_the_reader_by_name_and_offers_what_to_follow(language: str) -> None:
    shown = welcome.start(
        language,
        currencies=("USD", "EUR", "RUB", "KZT", "CNY"),
        topics=("security", "economy"),
        chosen={"cur:USD", "top:economy"},
        name="Айгүл\u202e",
    )
    assert shown.text.startswith(expected("welcome.greeting", language))
    others = [f"lang:{one}" for one in LANGUAGES if one != language]
    assert data(shown) == [
        ["cur:USD", "cur:EUR", "cur:RUB"],
        ["cur:KZT", "cur:CNY"],
        ["top:security", "top:economy"],
        others,
        ["done"],
    ]
    assert [label for row in labels(shown) for label in row if label.startswith("✓")] == [
        "✓ USD",
        f"✓ {t('topic.economy', language)}",
    ]


def test_a_reader_without_a_name_is_greeted_too() -> None:
    assert welcome.start("ky", currencies=(), topics=()).text.startswith("Саламатсызбы!\n")


@pytest.mark.parametrize("language", WHOLE)
def test_a_new_channel_is_welcomed_in_every_language(language: str) -> None:
    shown = welcome.channel_welcome("Новости <b>", ("USD", "EUR", "RUB"), language)
    assert 0 < units(shown.text) < LIMIT
    assert marked(shown, "bold") == ["Новости <b>"]
