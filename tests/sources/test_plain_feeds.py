"""Plain feeds are read as feedparser reads them, field by field, or left to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ParseError
from bot.sources import plain_feeds
from bot.sources.entries import Feed
from bot.sources.feeds import parse_feed

URL = "https://agency.example/feed"
ITEM = (
    "<item><title>Bridge &amp; road</title><link>https://a.example/1</link>"
    "<guid>https://a.example/1</guid><pubDate>Sat, 28 Nov 2026 10:00:00 +0600</pubDate>"
    "<description><![CDATA[<p>Open <b>again</b>.</p>]]></description></item>"
)
RSS = (
    '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:m="http://search.yahoo.com/mrss/">'
    "<channel><title>A</title><language>ru-RU</language>{}</channel></rss>"
)
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ky"><title>A</title>{}</feed>'
ENTRY = (
    "<entry><title{}>Көпүрө</title><id>urn:1</id><link href='/1'/>"
    "<updated>2026-11-28T10:00:00Z</updated><summary type='html'>&lt;p&gt;Ачык.&lt;/p&gt;</summary>"
    "</entry>"
)
PLAIN = [
    RSS.format(ITEM),
    RSS.format(""),
    RSS.format("<item><title>No more than that</title></item>"),
    RSS.format("<item><guid isPermaLink='false'>7</guid><title>x</title></item>"),
    RSS.format("<item><guid>https://a.example/g</guid></item>"),
    RSS.format("<item><guid>7</guid><link>7</link></item>"),
    RSS.format(
        "<item><description>Short.</description><content:encoded>&lt;p&gt;Long, long.&lt;/p&gt;"
        "</content:encoded><dc:creator>N</dc:creator><m:thumbnail url='x'/></item>"
    ),
    ATOM.format(ENTRY.format("")),
    ATOM.format(ENTRY.format(" type='html'")),
    ATOM.format("<entry><id>https://a.example/1</id><content>As it is.</content></entry>"),
]
OTHER = [
    RSS.format("<item><title>a</title><title>b</title></item>"),
    RSS.format("<item><title>One <b>bold</b></title></item>"),
    RSS.format("<item><title>&lt;b&gt;bold&lt;/b&gt;</title></item>"),
    RSS.format("<item xml:lang='ky'><title>a</title></item>"),
    RSS.format("<item xml:base='https://b.example/'><link>/1</link></item>"),
    RSS.format("<item><pubDate>28 \u043d\u043e\u044f\u0431\u0440\u044f</pubDate></item>"),
    RSS.format("<item><content:encoded>a</content:encoded><description>b</description></item>"),
    RSS.format("<item><m:group><m:title>b</m:title></m:group></item>"),
    RSS.format("<item><title>broken</item>"),
    RSS.format("<item><title>Ð\x9cÐ¾ÑÑ</title></item>"),
    "<!DOCTYPE rss [<!ENTITY a 'b'>]>" + RSS.format("<item><title>&a;</title></item>"),
    ATOM.format("<entry><title type='xhtml'><div>a</div></title></entry>"),
    ATOM.format("<entry><link rel='alternate' type='application/pdf' href='/1'/></entry>"),
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>",
]


def both(monkeypatch: pytest.MonkeyPatch, body: bytes) -> tuple[Feed | str, Feed | str]:
    """Our reading, and feedparser's alone; an error as its words."""

    def seen() -> Feed | str:
        try:
            return parse_feed(body, url=URL)
        except ParseError as error:
            return str(error)

    ours = seen()
    with monkeypatch.context() as patched:
        patched.setattr(plain_feeds, "read", lambda *_read: None)
        return ours, seen()


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_feed_is_read_as_feedparser_reads_it(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Without feedparser, to the same entries."""
    assert plain_feeds.read(text) is not None
    ours, its = both(monkeypatch, text.encode())
    assert ours == its


@pytest.mark.parametrize("text", OTHER)
def test_what_is_not_plain_is_left_to_feedparser(text: str) -> None:
    """Whatever it would have made of it."""
    assert plain_feeds.read(text) is None


@pytest.mark.cases(keep=1)
@pytest.mark.parametrize("part", range(8))
def test_every_feed_of_the_corpora_is_read_the_same_way(
    monkeypatch: pytest.MonkeyPatch, shared: Path, part: int
) -> None:
    """The test suites of six other readers, and real feeds; the quick run reads every eighth."""
    plain = 0
    files = [file for file in (shared / "data" / "feeds").rglob("*") if file.is_file()]
    for file in sorted(files)[part::8]:
        ours, its = both(monkeypatch, file.read_bytes())
        assert ours == its, file
        plain += isinstance(ours, Feed)
    assert plain > 125
