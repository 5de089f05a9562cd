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

import hashlib
import io
import json
import re
import warnings
from calendar import timegm
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any
from xml.sax import SAXException
from zoneinfo import ZoneInfo

from bot.errors import ParseError
from bot.model.news import Entry
from bot.model.text import alike
from bot.sources import hubs
from bot.sources.dates import believable, parse_date, parse_published
from bot.sources.encodings import decode
from bot.sources.links import absolute_link
from bot.sources.specs import EntryReader, HubOffer, Listed, ListReader, NewsSpec
from bot.sources.text import NOT_XML, one_line, plain_text


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec(NewsSpec):
    """A feed in one of the usual formats: its entries come with their text."""

    def entries(self, now: datetime) -> EntryReader:  # noqa: ARG002 - feeds say the day
        """How its document is read; a day without a time is one of the publisher's zone."""
        return partial(feed_entries, zone=ZoneInfo(self.poll.zone))

    def listed(self, now: datetime, known: bytes) -> ListReader:  # noqa: ARG002 - likewise
        """How its document is read again, without the items whose hashes are `known`."""
        return partial(new_entries, zone=ZoneInfo(self.poll.zone), known=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as published; entries in its own order, each once."""

    title: str
    language: str | None
    entries: tuple[Entry, ...]
    hub: HubOffer | None = None


def parse_feed(
    body: bytes,
    *,
    content_type: str | None = None,
    url: str | None = None,
    zone: tzinfo | None = None,
) -> Feed:
    """Read a feed of any usual format, well-formed or not.

    `content_type` is the HTTP header, whose charset is believed only where the bytes allow it;
    `url` is where the body came from, for relative links; with the publisher's `zone` a day without
    a time is known as one (`parse_published`). Raises ParseError when it is not a feed.
    """
    text = _text_in(body, content_type)
    if text.startswith("{"):
        return _parse_json_feed(text, url, zone)
    return _parse_xml_feed(text, url, zone)


def _text_in(body: bytes, content_type: str | None) -> str:
    return decode(body, content_type).lstrip("\ufeff \t\r\n")


def feed_entries(
    body: bytes, /, *, url: str | None, content_type: str | None, zone: tzinfo | None = None
) -> Sequence[Entry]:
    """The entries of a feed; the language of the whole stands in each. Raises ParseError."""
    return parse_feed(body, url=url, content_type=content_type, zone=zone).entries


def new_entries(
    body: bytes,
    /,
    *,
    url: str | None,
    content_type: str | None,
    zone: tzinfo | None = None,
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
            found = _feed_of(quick.feed, quick.entries, url, zone, quick.links)
            return Listed(
                entries=found.entries,
                count=len(found.entries) + quick.skipped,
                items=quick.items,
                skipped=quick.skipped > 0,
                hub=found.hub,
            )
    feed = parse_feed(body, url=url, content_type=content_type, zone=zone)
    return Listed(entries=feed.entries, count=len(feed.entries), hub=feed.hub)


VERSIONS = 20  # entries of one id that another one of it is compared with

# --- XML formats ----------------------------------------------------------------------------------

_DECLARATION = re.compile(r"<\?xml\b[^<>]*>")

# What feedparser, sgmllib and expat let through on hostile bytes.
_GIVES_UP = (
    ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError,
    RecursionError, SAXException,
)  # fmt: skip

Fields = Mapping[str, Any]  # feedparser's dictionaries


def _parse_xml_feed(text: str, url: str | None, zone: tzinfo | None) -> Feed:
    from bot.sources import plain_feeds  # lxml: in the worker process only

    plain = _plain(text)
    if (quick := plain_feeds.read(plain)) is not None:
        return _feed_of(quick.feed, quick.entries, url, zone, quick.links)
    import feedparser  # in the worker process only

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
    except _GIVES_UP as error:
        raise ParseError("the feed cannot be read") from error
    if not _get(parsed, "version"):  # of an empty document it has not even that
        raise ParseError("not a feed")
    links: dict[str, str] = {}
    for link in _get(parsed.feed, "links") or ():
        links.setdefault(str(_get(link, "rel")), str(_get(link, "href") or ""))
    return _feed_of(parsed.feed, parsed.entries, url, zone, links)


def _plain(text: str) -> str:
    # The declaration's encoding is no longer true, and version 1.1 would stop expat.
    return NOT_XML.sub("", _DECLARATION.sub("", text, count=1))


def _feed_of(
    whole: Fields,
    items: Iterable[Fields],
    url: str | None,
    zone: tzinfo | None,
    links: Mapping[str, str],
) -> Feed:
    """A feed of what feedparser says of it, or `plain_feeds` in its place."""
    language = two_letter(_get(whole, "language"))
    return Feed(
        title=one_line(_text_of(whole, "title")),
        language=language,
        entries=_each_once(_xml_entry(item, url, language, zone) for item in items),
        hub=hubs.offer(links, url),
    )


def _xml_entry(item: Fields, url: str | None, language: str | None, zone: tzinfo | None) -> Entry:
    updated_at = _date_of(item, "updated", zone)
    content = _content_of(item)
    summary = ""
    # Without a summary of its own, feedparser repeats the content there.
    if not content or _get(item, "summary_detail"):
        summary = _text_of(item, "summary")
    own_id = str(_get(item, "id") or "")
    return _entry(
        own_id=own_id,
        title=_text_of(item, "title"),
        link=absolute_link(_raw_link(item, own_id), url),
        published_at=_date_of(item, "published", zone)
        or updated_at
        or _date_of(item, "created", zone),
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


def _date_of(item: Fields, key: str, zone: tzinfo | None) -> datetime | None:
    found = _date(str(_get(item, key) or ""), zone)
    if found is not None:
        return found
    other = _get(item, f"{key}_parsed")  # feedparser knows Korean, Greek and Hungarian forms too
    if not other:
        return None
    return believable(lambda: datetime.fromtimestamp(timegm(other), UTC))


def _date(text: str, zone: tzinfo | None) -> datetime | None:
    if zone is None:
        return parse_date(text)
    return parse_published(text, zone)


# --- JSON Feed ------------------------------------------------------------------------------------


def _parse_json_feed(text: str, url: str | None, zone: tzinfo | None) -> Feed:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: brackets nested by the thousand
        raise ParseError("not a feed") from None
    if not isinstance(data, dict):
        raise ParseError("not a feed")
    items = data.get("items")
    # Some write version "1.1" where the specification asks for an address.
    said_to_be_one = "jsonfeed.org/version/" in str(data.get("version"))
    built_like_one = "feed_url" in data and isinstance(items, list)
    if not said_to_be_one and not built_like_one:
        raise ParseError("not a feed")
    language = two_letter(data.get("language"))
    home = absolute_link(_string(data, "feed_url"), url) or url
    if not isinstance(items, list):
        items = []
    entries: list[Entry] = []
    for item in items:
        if isinstance(item, dict):
            entries.append(_json_entry(item, home, language, zone))
    return Feed(
        title=one_line(plain_text(_string(data, "title"), html=False)),
        language=language,
        entries=_each_once(entries),
        hub=hubs.offer({"hub": _json_hub(data), "self": _string(data, "feed_url")}, url),
    )


def _json_hub(data: Mapping[str, Any]) -> str:
    """The first hub that speaks WebSub; the other kinds (rssCloud) tell nothing to us."""
    named = data.get("hubs")
    for one in named if isinstance(named, list) else ():
        if isinstance(one, dict) and _string(one, "type").lower() == "websub":
            return _string(one, "url")
    return ""


def _json_entry(
    item: dict[str, Any], url: str | None, language: str | None, zone: tzinfo | None
) -> Entry:
    updated_at = _date(_string(item, "date_modified"), zone)
    # The specification lets both stand side by side; the text of HTML knows its paragraphs.
    content = plain_text(_string(item, "content_html"), html=True)
    if not _string(item, "content_html"):
        content = plain_text(_string(item, "content_text"), html=False, wrapped=False)
    return _entry(
        own_id=_string(item, "id"),
        title=plain_text(_string(item, "title"), html=False),
        link=absolute_link(_string(item, "url"), url)
        or absolute_link(_string(item, "external_url"), url),
        published_at=_date(_string(item, "date_published"), zone) or updated_at,
        updated_at=updated_at,
        summary=plain_text(_string(item, "summary"), html=False),
        content=content,
        language=two_letter(item.get("language")) or language,
    )


def _string(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


# --- entries --------------------------------------------------------------------------------------


def _entry(
    *,
    own_id: str,
    title: str,
    link: str | None,
    published_at: datetime | None,
    updated_at: datetime | None,
    summary: str,
    content: str,
    language: str | None,
) -> Entry:
    """One entry; without an id and a link it is known by what it says, and when."""
    title, own_id = one_line(title), one_line(own_id)
    said = title or summary or content or str(published_at)
    if content == summary:  # many feeds send one text in both fields
        content = ""
    return Entry(
        id=own_id or link or hashlib.sha256(said.encode()).hexdigest(),
        title=title,
        link=link,
        published_at=published_at,
        updated_at=updated_at,
        summary=summary,
        content=content,
        language=language,
    )


def _each_once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The first of each entry: feeds put the newest version first.

    Some give one id to all they have: entries that differ in more than one way are different ones.
    """
    first: dict[str, list[Entry]] = {}
    every: list[Entry] = []
    for entry in entries:
        before = first.setdefault(entry.id, [])
        if not any(_versions(entry, one) for one in before[:VERSIONS]):
            before.append(entry)
            every.append(entry)
    return tuple(every)


def _versions(a: Entry, b: Entry) -> bool:
    """Whether two entries of one id may be versions of one article."""
    texts = (a.summary or a.content, b.summary or b.content)
    said = ((a.title, b.title), texts, (a.link, b.link), (a.published_at, b.published_at))
    differ = [one != other for one, other in said if one and other]
    if sum(differ) <= 1:
        return True
    # rewritten, at the same place and time
    return a.link == b.link and a.published_at == b.published_at and alike(*texts)


_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?")
# ISO 639-2 and, often met in Kyrgyzstan, the country's code in place of the language's.
_LANGUAGE_ALIASES = {
    "eng": "en",
    "rus": "ru",
    "kir": "ky",
    "kaz": "kk",
    "uzb": "uz",
    "tgk": "tg",
    "kg": "ky",
}


def two_letter(language: object) -> str | None:
    """ "ru-RU" → "ru"; None for what is no language tag."""
    match = _LANGUAGE.fullmatch(str(language or "").strip())
    if match is None:
        return None
    code = match[1].lower()
    code = _LANGUAGE_ALIASES.get(code, code)
    if len(code) != 2:  # a language of three letters that none of our readers has
        return None
    return code
