"""Stored data are told in every language; erasing them is asked about first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.languages import LANGUAGES
from bot.render import privacy
from bot.render.text import LIMIT, units
from tests.render.world import data

DAY = timedelta(days=1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_privacy_is_told_and_the_question_before_erasing_fits(language: str) -> None:
    told = privacy.privacy(language, written=DAY, sent=30 * DAY, away=90 * DAY, copies=30 * DAY)
    asked = privacy.delete_question(language)
    assert 0 < units(told.text) < LIMIT
    assert 0 < units(asked.text) < LIMIT
    assert data(asked) == [["delete:yes", "delete:no"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_not_forgotten_after_a_block_is_told_so(language: str) -> None:
    """`storage.retention` keeps a chat that asked for silence, until it is erased."""
    told = privacy.privacy(language, written=DAY, sent=30 * DAY, away=90 * DAY, copies=30 * DAY)
    (blocked,) = [one for one in told.text.split(".") if "90" in one]
    assert blocked.index("/stop") < blocked.index("/delete")
