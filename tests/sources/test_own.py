"""Names of a feed that a reader may type: an address or a public channel, never one of ours."""

from __future__ import annotations

import pytest

from bot.errors import FetchError, ParseError
from bot.sources.own import OwnAddress, read_address, read_own
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
    found = read_own(rss(("1", "Title", "Text")), url=None, content_type=None, channel=None)
    assert [one.title for one in found.entries] == ["Title"]
    with pytest.raises(ParseError):
        read_own(b"<html></html>", url=None, content_type="text/html", channel=None)
    with pytest.raises(ParseError):
        read_own(b"<html></html>", url=None, content_type="text/html", channel="example_channel")
