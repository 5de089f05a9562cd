"""Evidence for one entry or two: bounds hold, the order does not matter, no key decides alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.detect.identity import (
    KNOWN_FROM,
    Fingerprint,
    Shared,
    another_id,
    bounds,
    evidence,
    fingerprint,
    own_id,
    shared,
)
from bot.model.news import Entry
from tests.factories import NOW, entry

ALONE = Shared()
ARTICLE = entry(
    id="g",
    title="Explosion at a shopping centre in Bishkek kills three people",
    link="https://a.example/1",
    published_at=NOW,
    summary="The blast went off in the morning on the ground floor, rescuers are still at work.",
)
OTHER = entry(
    id="h",
    title="Parliament approves the budget of next year",
    link="https://a.example/2",
    published_at=NOW - timedelta(hours=5),
    summary="Deputies voted for the third reading on Thursday; spending grows by a tenth of it.",
)


def marked(item: Entry) -> Fingerprint:
    return fingerprint(item, item.link)


@pytest.mark.parametrize("key", ["id", "link", "title", "summary", "published_at"])
def test_F18_no_key_decides_alone(key: str) -> None:
    """One that is equal makes no two articles one, one that differs makes no one two."""
    one, theirs = marked(ARTICLE), {key: getattr(OTHER, key)}
    assert evidence(one, marked(replace(ARTICLE, **theirs)), ALONE) >= KNOWN_FROM
    mine = {key: getattr(ARTICLE, key)}
    assert evidence(one, marked(replace(OTHER, **mine)), ALONE) < KNOWN_FROM


IDS = st.sampled_from(["g", "h", "https://a.example/1", "https://a.example/2#x", "f" * 64])
LINKS = st.sampled_from(
    [None, "https://a.example/", "https://a.example/1", "https://a.example/2#x"]
)
WORDS = st.sampled_from(["", "Blast", ARTICLE.title, OTHER.title, ARTICLE.summary, OTHER.summary])
TIMES = st.sampled_from([None, NOW, NOW - timedelta(hours=1), NOW - timedelta(days=2)])
ENTRIES = st.builds(
    entry, id=IDS, link=LINKS, title=WORDS, summary=WORDS, content=st.just(""), published_at=TIMES
)


@given(a=ENTRIES, b=ENTRIES)
def test_evidence_lies_within_its_bounds_whichever_comes_first(a: Entry, b: Entry) -> None:
    one, other = marked(a), marked(b)
    least, most = bounds(one, other, ALONE)
    assert least <= evidence(one, other, ALONE) <= most
    assert evidence(one, other, ALONE) == evidence(other, one, ALONE)
    # stored before texts had keys: as yet nothing is known of its text
    old = replace(other, item=None, told_text_key=None)
    low, high = bounds(one, old, ALONE)
    assert low <= evidence(one, other, ALONE) <= high


def test_keys_that_different_entries_have_say_nothing() -> None:
    same_page = replace(OTHER, link=ARTICLE.link, id=ARTICLE.id)
    keys = shared([marked(ARTICLE), marked(same_page)])
    assert keys.guids == {"g"}
    assert keys.links == keys.addresses == {ARTICLE.link}
    listed_twice = replace(ARTICLE, id="category-2")
    assert shared([marked(ARTICLE), marked(listed_twice)]) == ALONE


def test_an_id_made_for_an_entry_tells_whose_it_was() -> None:
    one = marked(ARTICLE)
    name = another_id(one)
    assert name == another_id(marked(ARTICLE))
    assert name != another_id(marked(OTHER))
    assert own_id(name, ARTICLE.link) == "g"
    assert own_id("https://a.example/1", "https://a.example/1") is None
    assert own_id("0" * 64, None) is None
