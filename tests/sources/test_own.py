"""Names of a feed that a reader may type: an address or a public channel, never one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.errors import FetchError, ParseError
from bot.model.news import Entry
from bot.sources import own
from bot.sources.own import OwnAddress, OwnDocument, read_address, read_own
from tests.factories import NOW
from tests.publishers import rss


@pytest.mark.parametrize(
    "said",
    [
        "@example_channel",
        "t.me/example_channel",
        "https://t.me/example_channel",
        "https://t.me/s/example_channel/",
        "http://telegram.me/example_channel",
        " https://www.t.me/example_channel ",
    ],
)
def test_a_channel_is_named_in_many_ways(said: str) -> None:
    address = read_address(said)
    assert address == OwnAddress(url="https://t.me/s/example_channel", channel="example_channel")
    assert address.name == "@example_channel"


@pytest.mark.parametrize("said", ["feed://a.example/r", "feed:https://a.example/r"])
def test_a_feeds_address_may_say_that_it_is_one(said: str) -> None:
    """As lists of feeds and some browsers have it."""
    assert read_address(said).url == "https://a.example/r"


def test_an_address_may_lack_its_scheme_and_has_one_key() -> None:
    """Whoever names it."""
    bare, whole = read_address("example.org/rss.xml"), read_address("https://example.org/rss.xml#x")
    assert bare == whole
    assert bare.key == whole.key
    assert len(bare.key) == 16
    assert bare.name == "example.org"


@pytest.mark.parametrize(
    "said",
    ["", "@a", "intranet", "ftp://a.b/c", "http://u:p@a.b/c", "javascript:alert(1)", "a b.c"],
)
def test_what_is_no_address_is_refused(said: str) -> None:
    with pytest.raises(FetchError):
        read_address(said)


def test_a_document_says_its_own_name() -> None:
    found = read_own(
        rss(("1", "Title", "Text")), url=None, content_type=None, channel=None, now=NOW
    )
    assert [one.title for one in found.entries] == ["Title"]
    with pytest.raises(ParseError):
        read_own(b"<html></html>", url=None, content_type="text/html", channel=None, now=NOW)
    with pytest.raises(ParseError):
        read_own(
            b"<html></html>", url=None, content_type="text/html", channel="example_channel", now=NOW
        )


def entries(hours: Sequence[int | None]) -> list[Entry]:
    """Entries that came so many hours after others, or nobody knows when."""
    found: list[Entry] = []
    for number, hour in enumerate(hours):
        at = None if hour is None else NOW + timedelta(hours=hour)
        found.append(Entry(id=str(number), title=f"Title {number}", link=None, published_at=at))
    return found


@pytest.mark.parametrize(
    ("hours", "latest"),
    [
        ((9, 8, 7, 6, 5), "0123"),
        ((5, 6, 7, 8, 9), "4321"),  # the oldest first
        ((5, 9, 6, 8, 7), "1342"),  # in no order
        ((9, 9, 9, 5, 5), "0123"),  # a day has one time for all that it brought
        ((5, 5, 9, 9, 9), "4321"),
        ((None,) * 5, "0134"),  # at either end may be what is new
        ((1,) * 5, "0134"),  # the time at which it was asked for says as little
        ((9, None, 7, 6, 5), "0134"),
        ((), ""),
    ],
)
def test_of_a_long_document_the_latest_entries_are_read_whatever_its_order(
    hours: Sequence[int | None], latest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "MOST_ENTRIES", 4)
    found = OwnDocument.of("", entries(hours))
    assert "".join(one.id for one in found.entries) == latest


@pytest.mark.parametrize(
    ("new", "newest_first"), [("01", "01"), ("34", "43"), ("12", "12"), ("034", "034")]
)
def test_without_times_what_is_new_tells_by_its_end_which_is_the_newest(
    new: str, newest_first: str
) -> None:
    """What is new at both ends stands as in most feeds."""
    found = OwnDocument.of("", entries([None] * 5))
    told = [one for one in found.entries if one.id in new]
    assert "".join(one.id for one in found.newest_first(told)) == newest_first
