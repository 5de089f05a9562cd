"""RSS, Atom, RDF and JSON Feed → `Feed` of `Entry`: plain text, absolute links, times in UTC.

feedparser reads the XML, because half of the world's feeds are not well-formed; what it gets wrong
for us is done here before or after it. Facts that shaped this file:

* feedparser calls an HTML page well-formed: only an empty `version` tells that it was no feed.
* feedparser opens a *file* when given bytes that are a path, and a URL when given a string: it gets
  a stream.
* It resolves a guid against the feed's address, so the same item read from a file and from the
  network would have two ids: it is not told the address, links are made absolute here.

No network, no clock, no database. Runs in a worker process: a hostile megabyte may take seconds.
"""

from __future__ import annotations

import io
import re
import warnings
from calendar import timegm
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from bot.errors import ParseError
from bot.model.news import Entry
from bot.reasons import reason
from bot.sources import hubs, json_feeds
from bot.sources.dates import Habit, believable
from bot.sources.encodings import decode
from bot.sources.entries import Feed, each_once, entry_of, two_letter
from bot.sources.links import absolute_link
from bot.sources.listed import EntryReader, Listed, ListReader
from bot.sources.specs import NewsSpec
from bot.sources.text import NOT_XML, one_line, plain_text


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec(NewsSpec):
    """A feed in one of the usual formats: its entries come with their text."""

    def entries(self, now: datetime) -> EntryReader:
        """The reader of its document; a day without a time is one of the publisher's zone."""
        return partial(feed_entries, zone=ZoneInfo(self.poll.zone), now=now)

    def listed(self, now: datetime, known: bytes) -> ListReader:
        """The reader of its document again, without the items whose hashes are `known`."""
        return partial(new_entries, zone=ZoneInfo(self.poll.zone), known=known, now=now)


def parse_feed(
    body: bytes,
    *,
    content_type: str | None = None,
    url: str | None = None,
    zone: tzinfo | None = None,
    now: datetime | None = None,
) -> Feed:
    """Read a feed of any usual format, well-formed or not.

    `content_type` is the HTTP header, whose charset is believed only where the bytes allow it;
    `url` is where the body came from, for relative links; with the publisher's `zone` a day without
    a time is known as one (`parse_published`); a day in figures of uncertain order is one near to
    `now`. Raises ParseError when it is not a feed.
    """
    text = _text_in(body, content_type)
    if text.startswith("{"):
        return json_feeds.read(text, url, zone, now)
    return _parse_xml_feed(text, url, zone, now)


def _text_in(body: bytes, content_type: str | None) -> str:
    return decode(body, content_type).lstrip("\ufeff \t\r\n")


def feed_entries(
    body: bytes,
    /,
    *,
    url: str | None,
    content_type: str | None,
    zone: tzinfo | None = None,
    now: datetime | None = None,
) -> Sequence[Entry]:
    """The entries of a feed; the language of the whole stands in each. Raises ParseError."""
    return parse_feed(body, url=url, content_type=content_type, zone=zone, now=now).entries


def new_entries(
    body: bytes,
    /,
    *,
    url: str | None,
    content_type: str | None,
    zone: tzinfo | None = None,
    now: datetime | None = None,
    known: bytes = b"",
) -> Listed:
    """The entries of a feed but for the items that are `known`, as they came the last time.

    Only a plain feed is read in part: of the others all is read. Raises ParseError.
    """
    from bot.sources import plain_feeds  # in the worker process only

    text = _text_in(body, content_type)
    if not text.startswith("{"):
        quick = plain_feeds.read(_plain(text), plain_feeds.Known(known, f"{url} {zone}"))
        if quick is not None:
            found = _feed_of(quick.feed, quick.entries, url, quick.links, zone=zone, now=now)
            return Listed(
                entries=found.entries,
                count=len(found.entries) + quick.skipped,
                items=quick.items,
                skipped=quick.skipped > 0,
                hub=found.hub,
            )
    feed = parse_feed(body, url=url, content_type=content_type, zone=zone, now=now)
    return Listed(entries=feed.entries, count=len(feed.entries), hub=feed.hub)


_DECLARATION = re.compile(r"<\?xml\b[^<>]*>")

# What feedparser, sgmllib and expat let through on hostile bytes.
_GIVES_UP = (
    ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError,
    RecursionError,
)  # fmt: skip

Fields = Mapping[str, Any]  # feedparser's dictionaries


def _parse_xml_feed(text: str, url: str | None, zone: tzinfo | None, now: datetime | None) -> Feed:
    from bot.sources import plain_feeds  # lxml: in the worker process only

    plain = _plain(text)
    if (quick := plain_feeds.read(plain)) is not None:
        return _feed_of(quick.feed, quick.entries, url, quick.links, zone=zone, now=now)
    # in the worker process only
    from xml.sax import SAXException

    import feedparser

    # Addresses and markup are left as they are: links are made absolute here, and plain_text takes
    # the markup away.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # feedparser's notes about its own future
            parsed = feedparser.parse(
                io.BytesIO(plain.encode()),
                response_headers={"content-type": "application/xml; charset=utf-8"},
                resolve_relative_uris=False,
                sanitize_html=False,
            )
    except (*_GIVES_UP, SAXException) as error:
        raise ParseError(reason("feed.unreadable", "the feed cannot be read")) from error
    if not _get(parsed, "version"):  # of an empty document it has not even that
        raise ParseError(reason("feed.none", "not a feed"))
    links: dict[str, str] = {}
    for link in _get(parsed.feed, "links") or ():
        links.setdefault(str(_get(link, "rel")), str(_get(link, "href") or ""))
    return _feed_of(parsed.feed, parsed.entries, url, links, zone=zone, now=now)


def _plain(text: str) -> str:
    # The declaration's encoding is no longer true, and version 1.1 would stop expat.
    return NOT_XML.sub("", _DECLARATION.sub("", text, count=1))


def _feed_of(
    whole: Fields,
    items: Sequence[Fields],
    url: str | None,
    links: Mapping[str, str],
    *,
    zone: tzinfo | None,
    now: datetime | None,
) -> Feed:
    """A feed of what feedparser says of it, or `plain_feeds` in its place."""
    language = two_letter(_get(whole, "language"))
    habit = Habit.of(_dates_in(items), zone, now)
    return Feed(
        title=one_line(_text_of(whole, "title")),
        language=language,
        entries=each_once(_xml_entry(item, url, language, habit) for item in items),
        hub=hubs.offer(links, url),
    )


def _dates_in(items: Iterable[Fields]) -> Iterator[str]:
    """The dates of all entries, as they are written."""
    for item in items:
        for key in ("published", "updated", "created"):
            yield str(_get(item, key) or "")


def _xml_entry(item: Fields, url: str | None, language: str | None, habit: Habit) -> Entry:
    updated_at = _date_of(item, "updated", habit)
    content = _content_of(item)
    summary = ""
    # Without a summary of its own, feedparser repeats the content there.
    if not content or _get(item, "summary_detail"):
        summary = _text_of(item, "summary")
    own_id = str(_get(item, "id") or "")
    return entry_of(
        own_id=own_id,
        title=_text_of(item, "title"),
        link=absolute_link(_raw_link(item, own_id), url),
        published_at=_date_of(item, "published", habit)
        or updated_at
        or _date_of(item, "created", habit),
        updated_at=updated_at,
        summary=summary,
        content=content,
        language=two_letter(_get(item, "language") or _get(_get(item, "title_detail"), "language"))
        or language,
    )


def _get(fields: Fields | None, key: str) -> Any:  # noqa: ANN401 - feedparser's values have no one type
    """A field as it is: feedparser's `get` takes `published` for `updated`, and warns."""
    if not isinstance(fields, dict):
        return None
    return dict.get(fields, key)


def _text_of(item: Fields, key: str) -> str:
    """A field as plain text; without a stated type all but a title is HTML, as RSS uses it."""
    html = key != "title"
    if detail := _get(item, f"{key}_detail"):
        html = _is_html(detail)
    return plain_text(str(_get(item, key) or ""), html=html)


def _is_html(detail: Fields) -> bool:
    return _get(detail, "type") in {"text/html", "application/xhtml+xml"}


def _content_of(item: Fields) -> str:
    """The fullest of the texts an entry carries; pictures and other attachments are none."""
    fullest = ""
    for part in _get(item, "content") or ():
        html = _is_html(part)
        if html or _get(part, "type") in {None, "", "text/plain"}:
            text = plain_text(str(_get(part, "value") or ""), html=html)
            fullest = max(fullest, text, key=len)
    return fullest


def _raw_link(item: Fields, own_id: str) -> str:
    link = str(_get(item, "link") or "")
    if link == own_id and not re.match(r"https?://|/", link):
        link = ""  # a guid that only forgot to say it is no permalink
    if link:
        return link
    for part in _get(item, "links") or ():
        # enclosures, comments and the feed itself are links too, and not the article
        if _get(part, "rel") in {None, "alternate"}:
            return str(_get(part, "href") or "")
    return ""


def _date_of(item: Fields, key: str, habit: Habit) -> datetime | None:
    found = habit.dated(str(_get(item, key) or ""))
    if found is not None:
        return found
    other = _get(item, f"{key}_parsed")  # feedparser knows Korean, Greek and Hungarian forms too
    if not other:
        return None
    return believable(lambda: datetime.fromtimestamp(timegm(other), UTC))
