"""OPML: lists of feeds, as feed readers give and take them; http://opml.org/spec2.opml.

An `outline` with an `xmlUrl` is a feed, wherever it stands; `title` or `text` is its name. All else
in the file is folders and other programs' own. Read in a worker process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from bot.errors import FetchError
from bot.model.own_feeds import OwnFeed
from bot.sources.documents import xml
from bot.sources.own import LONGEST_NAME, OwnAddress, read_address
from bot.sources.text import one_line

MOST_BYTES = 1024 * 1024  # of a file: thousands of feeds, where a chat has some dozens
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
<head><title>{title}</title></head>
<body>
"""
_FOOT = "</body>\n</opml>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The feeds of a file by name, each once, and how many addresses in it were none."""

    feeds: Sequence[tuple[OwnAddress, str]]
    odd: int


def read_opml(body: bytes) -> Listed:
    """The feeds of a file. ParseError for what is no OPML."""
    root = xml(body, root="opml")
    found: dict[str, tuple[OwnAddress, str]] = {}
    odd = 0
    for outline in root.iter("outline"):
        said = outline.get("xmlUrl") or outline.get("xmlurl")
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


def write_opml(feeds: Iterable[OwnFeed], *, title: str) -> bytes:
    """A file that feed readers take, and this program."""
    lines = []
    for one in feeds:
        name, url = escape(one.name), escape(one.url)
        lines.append(f'<outline type="rss" text="{name}" title="{name}" xmlUrl="{url}"/>\n')
    return (_HEAD.format(title=escape(title, quote=False)) + "".join(lines) + _FOOT).encode()
