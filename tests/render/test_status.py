"""The status is honest about each source and the queue, and fits a message."""

from __future__ import annotations

import pytest

from bot.render import status
from bot.render.text import LIMIT, units
from tests.languages.expected import WHOLE, expected
from tests.render.world import bot_status


@pytest.mark.parametrize("language", WHOLE)
def test_the_status_says_how_fresh_each_source_is_and_how_the_queue_stands(language: str) -> None:
    assert status.status(bot_status(), language).text == expected("status.whole", language)


def test_a_status_of_a_hundred_sources_still_fits() -> None:
    shown = status.status(bot_status(sources=bot_status().sources * 40), "ru").text
    assert units(shown) < LIMIT
    assert "и ещё 80" in shown


def test_a_new_bots_status_is_honest() -> None:
    shown = status.status(
        bot_status(sources=(), waiting=0, oldest=None, last_sent_at=None), "en"
    ).text
    assert shown == "No sources are set up.\n\nNothing is waiting\nNo alert or digest sent yet"
