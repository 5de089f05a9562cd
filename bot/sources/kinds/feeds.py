"""Feeds: RSS, Atom, RDF and JSON Feed; one document with all that the publisher tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.sources.feeds import FeedSpec, parse_feed
from bot.sources.kind import Kind, Line, shown_entry
from bot.sources.sections import NewsSection


class FeedSection(NewsSection):
    """`[feeds.KEY]`: RSS, Atom, RDF or JSON Feed."""

    DEFAULT_EVERY = timedelta(minutes=5)

    def spec(self, key: str) -> FeedSpec:
        """The source that this section describes."""
        return FeedSpec(**self.described(key))


def shown(body: bytes, url: str | None) -> Iterator[Line]:
    """The entries of a feed, as the reader sees them."""
    feed = parse_feed(body, url=url)
    for entry in feed.entries:
        yield shown_entry(entry, feed.language)


KIND = Kind(
    section=FeedSection,
    verb="feed",
    help="What the feed reader sees, a JSON line an entry. Example: jarchy inspect feed rss.xml",
    shown=shown,
    gives_way=False,  # feeds and banks share one space of keys
)
