"""A post without a title is headed by its first sentence."""

from __future__ import annotations

import pytest

from bot.model.news import StoredEntry, Story
from bot.render.news import headline
from tests.factories import NOW, entry


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A pass is closed. Snow fell all night.", "A pass is closed."),
        ("A pass is closed\nSnow fell all night.", "A pass is closed"),
        ("A pass is closed", "A pass is closed"),
    ],
)
def test_F18_the_first_sentence_is_the_headline_of_an_untitled_post(text: str, wanted: str) -> None:
    told = StoredEntry(pk=1, feed="f", entry=entry(title="", summary=text), seen_at=NOW, story=1)
    assert headline(Story(pk=1, entries=(told,))) == wanted
