"""The help lists the commands that exist, in the reader's language."""

from __future__ import annotations

import pytest

from bot.languages import LANGUAGES
from bot.render.help import command_descriptions, commands, unknown
from bot.render.text import LIMIT, units
from tests.render.world import marked

MENU = """start help rates news security digest subscribe unsubscribe settings status stop privacy
convert chart alert alerts mydata delete"""
COMMANDS = tuple(MENU.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_lists_the_commands_that_exist_and_no_others(language: str) -> None:
    shown = commands(("rates", "convert"), language).text
    assert [line.split()[0] for line in shown.split("\n") if line.startswith("/")] == [
        "/rates",
        "/convert",
    ]
    assert units(commands(COMMANDS, language).text) < LIMIT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_has_a_description_telegram_accepts(language: str) -> None:
    described = command_descriptions(COMMANDS, language)
    assert tuple(name for name, _ in described) == COMMANDS
    assert all(1 <= len(text) <= 256 for _, text in described)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_understood_is_answered_with_an_example_to_tap(language: str) -> None:
    shown = unknown(language)
    assert 0 < units(shown.text) < LIMIT
    assert marked(shown, "code") == ["100 usd"]


def test_a_line_goes_on_behind_its_dash_with_a_small_letter() -> None:
    shown = commands(("rates", "alert"), "ru").text
    assert "/rates – курсы валют" in shown
    assert "/alert – своё оповещение: RUB < 1" in shown
