"""Well-formed feeds of the usual elements, read as feedparser reads them in a part of its time.

feedparser is made for whatever the web serves, and takes milliseconds an entry. Most feeds are RSS
2.0 or Atom as their specifications have them: of those `read` gives what feedparser would give of
the fields we use. Whatever is not of that kind (markup outside of CDATA, an element twice, one of
the many that feedparser gives a meaning to, a language on a part) is None, and feedparser's work.
`tests/sources/test_plain_feeds.py` holds both beside each other on every feed there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from lxml import etree

from bot.sources.dates import parse_date
from bot.sources.listed import ITEM_HASH

Fields = dict[str, Any]

VERSION = 1  # of how items are read: one more, and all are read anew

_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_ATOM = "{http://www.w3.org/2005/Atom}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
#: Elements whose text is a field of ours, by their name in the feed.
_RSS_FIELDS = {
    "title": "title",
    "link": "link",
    "description": "summary",
    "guid": "id",
    "pubDate": "published",
    _CONTENT: "content",
}
_ATOM_FIELDS = {
    f"{_ATOM}title": "title",
    f"{_ATOM}id": "id",
    f"{_ATOM}published": "published",
    f"{_ATOM}updated": "updated",
    f"{_ATOM}summary": "summary",
    f"{_ATOM}content": "content",
}
#: Elements that say nothing to us, and to feedparser nothing that would change a field of ours.
_PASSED = frozenset(
    {
        "author",
        "category",
        "comments",
        "enclosure",
        "source",
        f"{_ATOM}author",
        f"{_ATOM}category",
        f"{_ATOM}rights",
        "{http://purl.org/dc/elements/1.1/}creator",
        "{http://purl.org/rss/1.0/modules/slash/}comments",
        "{http://wellformedweb.org/CommentAPI/}commentRss",
        "{http://search.yahoo.com/mrss/}thumbnail",
        "{http://search.yahoo.com/mrss/}content",
    }
)
#: The same of a feed as a whole.
_PASSED_OF_ALL = frozenset(
    {
        "link",
        "description",
        "pubDate",
        "lastBuildDate",
        "generator",
        "ttl",
        "image",
        "docs",
        "copyright",
        "managingEditor",
        "webMaster",
        "category",
        f"{_ATOM}link",
        f"{_ATOM}id",
        f"{_ATOM}updated",
        f"{_ATOM}subtitle",
        f"{_ATOM}generator",
        f"{_ATOM}author",
        f"{_ATOM}icon",
        f"{_ATOM}logo",
        f"{_ATOM}rights",
        "{http://purl.org/rss/1.0/modules/syndication/}updatePeriod",
        "{http://purl.org/rss/1.0/modules/syndication/}updateFrequency",
    }
)
#: Elements that an entry is recognised by.
_TOLD_APART = frozenset(
    {
        "title",
        "link",
        "guid",
        "description",
        _CONTENT,
        *(f"{_ATOM}{name}" for name in ("title", "link", "id", "summary", "content")),
    }
)
_WITH_PARTS = frozenset({"image", f"{_ATOM}author"})
_TEXT_TYPES = {None: "text/plain", "text": "text/plain", "html": "text/html"}
# what feedparser mends: UTF-8 that somebody took for Latin-1, and Windows' letters in its place
_MENDED = re.compile("[\x80-\x9f]|[\xc2-\xf4][\x80-\xbf]")
_REFERENCE = re.compile(r"&\w+;")
_LOOKS_LIKE_HTML = re.compile(r"</\w+>|&#?\w+;")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainFeed:
    """A feed as feedparser gives it: `feed` has the fields of the whole.

    `entries` are without the known items, of which `skipped` were left out; `items` are the hashes
    of all.
    """

    feed: Fields
    entries: list[Fields]
    items: bytes = b""
    skipped: int = 0
    #: The links of the feed as a whole by their relation, the first of each.
    links: Mapping[str, str] = field(default_factory=dict)


class Known:
    """The hashes of the items that a feed had when it was read last; what is equal is no news.

    `about` is what an item means something else by: where it came from, and its zone.
    """

    def __init__(self, hashes: bytes, about: str) -> None:
        self._hashes = {
            hashes[start : start + ITEM_HASH] for start in range(0, len(hashes), ITEM_HASH)
        }
        self._about = about

    def apart(
        self, items: Sequence[etree._Element], language: str | None
    ) -> tuple[list[etree._Element], bytes]:
        """The items to be read, and the hashes of all.

        Those are all of them, where one that is new has something in common with one that is not:
        what it is then depends on both.
        """
        # what changes the meaning of the same bytes changes their hash
        salt = f"{VERSION} {language} {self._about}".encode()
        hashes: list[bytes] = []
        for item in items:
            # without the white space behind it, which changes with the item that follows
            said = etree.tostring(item, encoding="utf-8", with_tail=False)
            hashes.append(blake2b(salt + said, digest_size=ITEM_HASH).digest())
        new: list[etree._Element] = []
        old: list[etree._Element] = []
        for item, one in zip(items, hashes, strict=True):
            (old if one in self._hashes else new).append(item)
        if old and not _said(new).isdisjoint(_said(old)):
            new = list(items)
        return new, b"".join(hashes)


def _said(items: Iterable[etree._Element]) -> set[tuple[str, str]]:
    """The fields by which items are told apart: their ids, links, headlines, and texts."""
    found: set[tuple[str, str]] = set()
    for item in items:
        for child in item:
            text = (child.text or child.get("href") or "").strip()
            if text and (child.tag in _TOLD_APART):
                found.add((str(child.tag), text))
    return found


class _OtherError(Exception):
    """An error of a feed that is not as plain as this file reads."""


def read(text: str, known: Known | None = None) -> PlainFeed | None:
    """The feed in a document without its XML declaration; None when it is not plain enough."""
    # entities of a DTD may stand for anything
    if "<!DOCTYPE" in text or _MENDED.search(text):
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_pis=False, recover=False
    )
    try:
        root = etree.fromstring(text, parser)
        if root.tag == "rss":
            return _rss(root, known)
        if root.tag == f"{_ATOM}feed":
            return _atom(root, known)
    except (etree.XMLSyntaxError, ValueError, _OtherError):
        return None
    return None


def _rss(root: etree._Element, known: Known | None) -> PlainFeed:
    channels = list(root)
    if len(channels) != 1 or channels[0].tag != "channel" or channels[0].attrib:
        raise _OtherError
    if set(root.attrib) - {"version"}:
        raise _OtherError
    feed: Fields = {}
    items: list[etree._Element] = []
    for child in channels[0]:
        if child.tag == "item":
            items.append(child)
        elif child.tag in {"title", "language"}:
            if child.tag in feed:
                raise _OtherError(child.tag)
            feed[str(child.tag)] = _text(child)
        else:
            _pass(child, _PASSED_OF_ALL)
    if "title" in feed:
        feed["title_detail"] = {"type": _guessed(feed["title"])}
    new, hashes = _apart(items, known, feed.get("language"))
    entries = [_rss_item(item) for item in new]
    return PlainFeed(
        feed=feed,
        entries=entries,
        items=hashes,
        skipped=len(items) - len(new),
        links=_links(channels[0]),
    )


def _links(whole: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for link in whole.iterchildren(f"{_ATOM}link"):
        found.setdefault(link.get("rel", "alternate"), link.get("href", ""))
    return found


def _apart(
    items: Sequence[etree._Element], known: Known | None, language: str | None
) -> tuple[Sequence[etree._Element], bytes]:
    """The items to be read, and the hashes of all where they are wanted."""
    if known is None:
        return items, b""
    return known.apart(items, language)


def _rss_item(item: etree._Element) -> Fields:
    found, permalink = _fields(item, _RSS_FIELDS), True
    for child in item:
        if child.tag == "guid":
            permalink = child.get("isPermaLink", "true") == "true"
        elif child.tag == "description" and "content" in found and _follows(child, _CONTENT):
            raise _OtherError  # feedparser takes such a description for more content
    if "title" in found:
        found["title_detail"] = {"type": _guessed(found["title"])}
    if "summary" in found:
        found["summary_detail"] = {"type": "text/html"}
    if "content" in found:
        found["content"] = [{"type": "text/html", "value": found["content"]}]
        found.setdefault("summary", found["content"][0]["value"])
    # feedparser makes another address of these
    if _REFERENCE.search(found.get("link", "")) or ("link" in found and not found["link"]):
        raise _OtherError
    if "link" in found:
        found["links"] = [{"rel": "alternate", "href": found["link"]}]
    if permalink and found.get("id"):  # it is where the item is, too
        found.setdefault("link", found["id"])
    return found


def _atom(root: etree._Element, known: Known | None) -> PlainFeed:
    feed: Fields = {}
    if set(root.attrib) - {f"{_XML}lang"}:
        raise _OtherError
    language = root.get(f"{_XML}lang")
    if language:
        feed["language"] = language
    items: list[etree._Element] = []
    for child in root:
        if child.tag == f"{_ATOM}entry":
            items.append(child)
        elif child.tag == f"{_ATOM}title":
            feed["title"] = _text(child)
            feed["title_detail"] = {"type": _type(child)}
        else:
            _pass(child, _PASSED_OF_ALL)
    new, hashes = _apart(items, known, language)
    entries = [_atom_entry(item, language) for item in new]
    return PlainFeed(
        feed=feed,
        entries=entries,
        items=hashes,
        skipped=len(items) - len(new),
        links=_links(root),
    )


def _atom_entry(entry: etree._Element, language: str | None) -> Fields:
    found = _fields(entry, _ATOM_FIELDS)
    types = {str(child.tag): child for child in entry}
    for name, key in _ATOM_FIELDS.items():
        if key in {"title", "summary", "content"} and key in found:
            of_type = _type(types[name])
            if key == "content":
                found[key] = [{"type": of_type, "value": found[key]}]
                found.setdefault("summary", found[key][0]["value"])
            else:
                found[f"{key}_detail"] = {"type": of_type, "language": language}
    for link in entry.findall(f"{_ATOM}link"):
        # what is unusual is left to the tolerant reader, which knows what people mean by it
        if len(link) or link.text or set(link.attrib) - {"href", "rel", "type", "title"}:
            raise _OtherError
        rel, kind = link.get("rel", "alternate"), link.get("type", "text/html")
        if not link.get("href") or _REFERENCE.search(link.get("href", "")):
            raise _OtherError
        if rel == "alternate" and kind == "text/html":
            found["link"] = link.get("href", "").strip()
        elif rel not in {"self", "replies", "edit", "enclosure"}:
            raise _OtherError(rel)
    # so does feedparser, whose answer this has to be
    if found.get("id"):
        found.setdefault("link", found["id"])
    return found


def _fields(item: etree._Element, names: Mapping[str, str]) -> Fields:
    """The texts of an item's elements by our names for them."""
    found: Fields = {}
    if item.attrib:
        raise _OtherError
    for child in item:
        name = str(child.tag)
        key = names.get(name)
        if key is None:
            if name == f"{_ATOM}link" and f"{_ATOM}id" in names:
                continue
            _pass(child, _PASSED)
            continue
        if key in found:
            raise _OtherError(name)
        found[key] = _text(child)
    for key in ("published", "updated"):
        # feedparser knows forms of dates that we do not
        if key in found and parse_date(found[key]) is None:
            raise _OtherError(found[key])
    return found


def _pass(element: etree._Element, names: frozenset[str]) -> None:
    """Leave an element out that says nothing to us."""
    if element.tag not in names or (len(element) and element.tag not in _WITH_PARTS):
        raise _OtherError(element.tag)


def _text(element: etree._Element) -> str:
    """The text of an element that has nothing else in it."""
    if len(element) or set(element.attrib) - {"type", "isPermaLink"}:
        raise _OtherError(element.tag)
    return (element.text or "").strip()


def _type(element: etree._Element) -> str:
    """The type of Atom's text."""
    said = element.get("type")
    if said not in _TEXT_TYPES:
        raise _OtherError(said)
    return _TEXT_TYPES[said]


def _guessed(text: str) -> str:
    """Whether RSS's plain text is HTML, as feedparser guesses."""
    if not _LOOKS_LIKE_HTML.search(text):
        return "text/plain"
    raise _OtherError  # it looks at every tag and entity


def _follows(element: etree._Element, name: str) -> bool:
    return any(before.tag == name for before in element.itersiblings(preceding=True))
