"""Feeds and channels that readers name: which address that is, and how its document is read.

What a reader writes is judged like a redirect from outside: http and https, usual ports, no user
name, never an address of ours (`bot.addresses`); which host answers is judged when it is connected
to (`bot.fetch`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from bot.addresses import checked
from bot.errors import FetchError
from bot.model.news import Entry
from bot.reasons import reason
from bot.sources.feeds import parse_feed
from bot.sources.posts import parse_posts
from bot.sources.text import one_line
from bot.sources.values import public_name

LONGEST_ADDRESS = 500  # characters
LONGEST_NAME = 60  # letters, in a line of a list
MOST_ENTRIES = 500  # of one document
#: Times of entries that are no further apart are all of the moment in which they were asked for.
ONE_MOMENT = timedelta(minutes=1)
_CHANNEL = re.compile(r"(?:(?:https?://)?(?:www\.)?(?:t|telegram)\.me/(?:s/)?|@)(\w+)/?", re.ASCII)
#: As some browsers write the address of a feed: feed://host/rss, feed:https://host/rss.
_FEED = re.compile(r"^feed:(?:(?://)?(?=https?://)|//)", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAddress:
    """A feed as a reader named it: an address, and of a public channel its name."""

    url: str
    channel: str | None = None

    @property
    def key(self) -> str:
        """The address as a short key, the same for everybody who names it."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """The name that it goes by until it says its own."""
        if self.channel is not None:
            return f"@{self.channel}"
        return checked(self.url).host or self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDocument:
    """The content of a document: its own name, "" where it has none, and its entries.

    `by_time` they stand by their times, the newest first; else as the document lists them.
    """

    name: str
    entries: Sequence[Entry]
    by_time: bool = False

    @classmethod
    def of(cls, name: str, entries: Sequence[Entry]) -> Self:
        """The latest of a document's entries; most list them first, some last.

        Where no times say which they are, those at both ends are taken.
        """
        times = [one.published_at for one in entries if one.published_at is not None]
        if len(times) == len(entries) > 0 and max(times) - min(times) > ONE_MOMENT:
            # entries of one time stay as they are listed, and that is as the others are
            listed = entries if times[0] >= times[-1] else entries[::-1]
            latest = sorted(listed, key=_published_at, reverse=True)
            return cls(name=name, entries=latest[:MOST_ENTRIES], by_time=True)
        if len(entries) > MOST_ENTRIES:
            half = MOST_ENTRIES // 2
            entries = [*entries[:half], *entries[-half:]]
        return cls(name=name, entries=entries)

    def newest_first(self, new: Sequence[Entry]) -> Sequence[Entry]:
        """Its new entries, the newest first: where they are its last and not its first, it lists
        the oldest first.
        """
        if self.by_time or not new:
            return new
        first, last = self.entries[0], self.entries[-1]
        if last in new and first not in new:
            return new[::-1]
        return new


def _published_at(entry: Entry) -> datetime:
    return entry.published_at or datetime.min.replace(tzinfo=UTC)


def read_address(said: str) -> OwnAddress:
    """The address that a reader names: @channel, t.me/channel or a feed's; FetchError for none."""
    said = said.strip()
    if len(said) > LONGEST_ADDRESS:
        raise FetchError(reason("address.long", "the address is too long"))
    channel = _CHANNEL.fullmatch(said)
    if channel is not None:
        try:
            name = public_name(channel[1])
        except ValueError:
            raise FetchError(reason("address.no_channel", "no channel has such a name")) from None
        return OwnAddress(url=f"https://t.me/s/{name}", channel=name)
    said = _FEED.sub("", said)
    if not _SCHEME.match(said):
        said = f"https://{said}"
    url = checked(said)
    if "." not in (url.host or ""):  # no host of the public internet is one word
        raise FetchError(reason("address.private", "only public addresses are fetched"))
    return OwnAddress(url=str(url))


def read_own(
    body: bytes,
    /,
    *,
    url: str | None,
    content_type: str | None,
    channel: str | None,
    now: datetime,
) -> OwnDocument:
    """Read a document in a worker process, `now` as `parse_feed` has it. ParseError for what is
    neither feed nor channel.
    """
    if channel is not None:
        posts = parse_posts(body, channel=channel, url=url, content_type=content_type)
        return OwnDocument.of("", posts)
    feed = parse_feed(body, url=url, content_type=content_type, now=now)
    return OwnDocument.of(one_line(feed.title)[:LONGEST_NAME], feed.entries)
