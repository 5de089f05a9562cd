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


@pytest.mark.parametrize("language", WHOLE)
def test_a_channel_that_chose_and_one_of_the_catalog_are_welcomed_in_every_language(
    language: str,
) -> None:
    """By the same thanks as a new one; one that posts nothing at once is told that."""
    thanks = t("channel.may_post", language).partition("{")[0]
    new = welcome.channel_welcome("Новости", ("USD",), language).text
    chose = welcome.channel_again("Новости", ["USD", "RUB"], language, setup=7)
    nothing = welcome.channel_again("Новости", [], language)
    ours = welcome.channel_of_catalog("Новости", language)
    assert all(one.startswith(thanks) for one in (new, chose.text, nothing.text, ours.text))
    assert "USD, RUB" in chose.text
    assert data(chose) == [["chan:7:open"]]
    assert nothing.text.endswith(t("channel.follows_nothing", language))
    assert data(nothing) == data(ours) == []
