"""OPML: lists of feeds, as feed readers give and take them; http://opml.org/spec2.opml.

An `outline` with an `xmlUrl` is a feed, wherever it stands; `title` or `text` is its name. All else
in the file is folders and other programs' own. Read in a worker process.

What readers export is often no XML: a bare `&` in an address, `&nbsp;` in a name, names of
attributes in other letters, an encoding that the file does not say. So its tags are read as a
browser reads a page's. Only what is no list, was cut off, or declares entities is refused.

The tags are looked for here: a parser looks for each end among all that is open, so that a megabyte
made for it takes it half a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from html.entities import html5
from typing import NamedTuple

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
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_NAME = re.compile(r"<(?P<closing>/?)(?P<name>[a-z][^\s/>]*)", re.IGNORECASE)
# An attribute, or the end of the tag. Nothing is looked at again and again: an unclosed quotation
# mark is looked for to the end of the file, and there is one of each kind at most.
_PART = re.compile(
    r"""[\s/]*+(?:>|(?P<name>[^\s/>][^\s/>=]*+)"""
    r"""(?:\s*+=\s*+(?:"(?P<a>[^"]*+)"|'(?P<b>[^']*+)'|(?P<c>[^\s>]*+)))?)"""
)
# a sign that ends: "&copy=2" in an address is a parameter
_SIGN = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|(?P<name>[a-z][a-z0-9]*));", re.IGNORECASE)


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


def _outlines(text: str) -> Iterator[Mapping[str, str]]:
    """The attributes of each outline in a list, their names in small letters."""
    if looks_like_html(text):
        raise ParseError(reason("document.page_not_xml", "a web page instead of XML"))
    # nobody here would expand them; whoever declares some means no list
    if _ENTITY.search(text):
        raise ParseError(reason("document.doctype", "XML with a DOCTYPE"))
    listing = ended = False
    for tag in _tags(NOT_XML.sub("", text)):
        if tag.name == "opml":
            ended = listing and tag.closing
            listing = listing or not tag.closing
        elif listing and tag.name == "outline" and not tag.closing:
            yield tag.attributes
    if not ended:
        raise ParseError(reason("document.bad_xml", "not well-formed XML, or cut off"))


class _Tag(NamedTuple):
    """A tag; its name and those of its attributes are without their namespaces."""

    name: str
    closing: bool
    attributes: Mapping[str, str]


def _tags(text: str) -> Iterator[_Tag]:
    """The tags of a text up to one that is cut off, comments and declarations left out."""
    at = 0
    while (at := text.find("<", at)) >= 0:
        if text.startswith(("<!", "<?"), at):
            mark = "-->" if text.startswith("<!--", at) else ">"
            at = text.find(mark, at + 2)
            if at < 0:
                return
            continue
        begun = _NAME.match(text, at)
        if begun is None:
            at += 1
            continue
        attributes: dict[str, str] = {}
        at = begun.end()
        while (part := _PART.match(text, at)) is not None and part["name"] is not None:
            said = part["a"] or part["b"] or part["c"] or ""
            attributes.setdefault(_local(part["name"]), _SIGN.sub(_meant, said))
            at = part.end()
        if part is None:
            return
        at = part.end()
        yield _Tag(_local(begun["name"]), begun["closing"] != "", attributes)


def _local(name: str) -> str:
    """The name without its namespace, in small letters."""
    return name.rpartition(":")[2].lower()


def _meant(sign: re.Match[str]) -> str:
    """What a sign stands for; as it is written where it is none."""
    if sign["name"] is None:
        return unescape(sign.group())
    return html5.get(f"{sign['name']};", sign.group())


def write_opml(feeds: Iterable[OwnFeed], *, title: str) -> bytes:
    """A file that feed readers take, and this program."""
    lines = []
    for one in feeds:
        name, url = escape(one.name), escape(one.url)
        lines.append(f'<outline type="rss" text="{name}" title="{name}" xmlUrl="{url}"/>\n')
    return (_HEAD.format(title=escape(title, quote=False)) + "".join(lines) + _FOOT).encode()
