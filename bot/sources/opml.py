"""OPML: lists of feeds, as feed readers give and take them; http://opml.org/spec2.opml.

An `outline` with an `xmlUrl` is a feed, wherever it stands; `title` or `text` is its name. All else
in the file is folders and other programs' own. Read in a worker process.

What readers export is often no XML: a bare `&` in an address, `&nbsp;` in a name, names of
attributes in other letters, an encoding that the file does not say. So its tags are read as a
browser reads a page's. Only what is no list, was cut off, or declares entities is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bot.errors import FetchError, ParseError
from bot.model.own_feeds import OwnFeed
from bot.reasons import reason
from bot.sources.documents import looks_like_html
from bot.sources.encodings import decode
from bot.sources.own import LONGEST_NAME, OwnAddress, read_address
from bot.sources.text import NOT_XML, one_line

MOST_BYTES = 1024 * 1024  # of a file: thousands of feeds, where a chat has some dozens
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
<head><title>{title}</title></head>
<body>
"""
_FOOT = "</body>\n</opml>\n"
_END = re.compile(r"</(?:[\w.-]+:)?opml\s*>", re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The feeds of a file by name, each once, and how many addresses in it were none."""

    feeds: Sequence[tuple[OwnAddress, str]]
    odd: int


def read_opml(body: bytes) -> Listed:
    """The feeds of a file. ParseError for what is no OPML, or was cut off."""
    found: dict[str, tuple[OwnAddress, str]] = {}
    odd = 0
    for outline in _outlines(decode(body)):
        said = outline.get("xmlurl")
        if said is None:
            continue
        try:
            address = read_address(said)
        except FetchError:
            odd += 1
            continue
        name = one_line(outline.get("title") or outline.get("text") or "")[:LONGEST_NAME]
        found.setdefault(address.key, (address, name))
    return Listed(feeds=tuple(found.values()), odd=odd)


def _outlines(text: str) -> Sequence[Mapping[str, str]]:
    """The attributes of each outline in a list, their names in small letters."""
    from lxml import etree  # in the worker process only

    if looks_like_html(text):
        raise ParseError(reason("document.page_not_xml", "a web page instead of XML"))
    # nobody here would expand them; whoever declares some means no list
    if _ENTITY.search(text):
        raise ParseError(reason("document.doctype", "XML with a DOCTYPE"))
    target = _OutlineTarget()
    # huge_tree lifts libxml2's limits of depth, which are for trees
    parser = etree.HTMLParser(target=target, huge_tree=True, encoding="utf-8")
    parser.feed(NOT_XML.sub("", text).encode())
    parser.close()
    if not target.listing or not _END.search(text):
        raise ParseError(reason("document.bad_xml", "not well-formed XML, or cut off"))
    return target.outlines


class _OutlineTarget:
    """Collects the outlines of a list; called by the HTML tokeniser, no tree is built."""

    def __init__(self) -> None:
        self.listing = False  # the list has begun
        self.outlines: list[Mapping[str, str]] = []

    def start(self, tag: str | bytes, attributes: Mapping[Any, Any]) -> None:
        name = _local(tag)
        self.listing = self.listing or name == "opml"
        if self.listing and name == "outline":
            said: dict[str, str] = {}
            for key, value in attributes.items():
                said.setdefault(_local(key), str(value))
            self.outlines.append(said)

    def end(self, tag: str | bytes) -> None:
        """Leave the end out: folders are nothing to us."""

    def data(self, data: str | bytes) -> None:
        """Leave a text out: the names are attributes."""

    def comment(self, text: str | bytes) -> None:
        """Leave a comment out: nobody reads it."""

    def close(self) -> None:
        """Nothing is left to do."""


def _local(name: str | bytes) -> str:
    """The name without its namespace; the tokeniser has written it in small letters."""
    return str(name).rpartition(":")[2]


def write_opml(feeds: Iterable[OwnFeed], *, title: str) -> bytes:
    """A file that feed readers take, and this program."""
    lines = []
    for one in feeds:
        name, url = escape(one.name), escape(one.url)
        lines.append(f'<outline type="rss" text="{name}" title="{name}" xmlUrl="{url}"/>\n')
    return (_HEAD.format(title=escape(title, quote=False)) + "".join(lines) + _FOOT).encode()
