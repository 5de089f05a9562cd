"""A publisher's document as XML or JSON, without what deceives or attacks.

Banks put non-ASCII text only into names, which we do not read. So a body whose bytes contradict its
declared encoding is decoded with replacement characters instead of being refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from bot.errors import ParseError
from bot.reasons import reason
from bot.sources.base import Sheet, day_of, shown
from bot.sources.encodings import by_mark

__all__ = ["Element"]

_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE", re.IGNORECASE)
_HTML = re.compile(r"<!doctype\s{1,9}html|<html[\s>]", re.IGNORECASE)
# Charsets that banks of our region use. Python knows others that should not meet foreign bytes
# ("idna", "utf-7").
_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "windows-1251": "cp1251",
    "cp1251": "cp1251",
    "windows-1252": "cp1252",
    "iso-8859-1": "cp1252",
    "iso-8859-5": "iso8859-5",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
}


def decoded(body: bytes) -> str:
    """A document's text by mark, XML declaration, or as UTF-8; stray bytes become U+FFFD."""
    if (marked := by_mark(body)) is not None:
        return marked
    declared = _DECLARED.match(body[:512])
    if declared is None:
        return body.decode("utf-8", errors="replace")
    name = declared[1].decode("ascii").lower()
    if name.startswith(("utf-16", "utf-32", "ucs-")):
        name = "utf-8"  # the declaration was readable byte by byte, so it is not true
    charset = _CHARSETS.get(name, "")
    if not charset:
        raise ParseError(reason("document.encoding", "unknown encoding “{name}”", name=shown(name)))
    return body.decode(charset, errors="replace")


def looks_like_html(text: str) -> bool:
    """Whether this is a web page: what banks send instead of data on maintenance days."""
    return _HTML.search(text[:2000]) is not None


def xml(body: bytes, *, root: str) -> Element:
    """The root element of a well-formed document of ours; nothing is expanded, loaded or fetched.

    Raises `ParseError` for HTML, a DOCTYPE of any kind (no bank has one, every attack
    does), a cut-off document and another root than `root` (its local name).
    """
    text = decoded(body)
    if looks_like_html(text):
        raise ParseError(reason("document.page_not_xml", "a web page instead of XML"))
    if _DOCTYPE.search(text):  # entities that multiply or read files are declared in one
        raise ParseError(reason("document.doctype", "XML with a DOCTYPE"))
    # Its encoding is no longer the declared one: what is parsed is UTF-8 and says nothing of it.
    plain = _DECLARATION.sub("", text, count=1).strip().encode("utf-8", errors="replace")
    try:
        element = ET.fromstring(plain)  # noqa: S314 - without a DOCTYPE it declares nothing
    except (ET.ParseError, ValueError):
        raise ParseError(reason("document.bad_xml", "not well-formed XML, or cut off")) from None
    if local_name(element) != root:
        raise ParseError(
            reason(
                "document.root",
                "the document is a “{found}”, not a {wanted}",
                found=shown(local_name(element)),
                wanted=root,
            )
        )
    return element


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """The direct children of that name, whatever their namespace."""
    for child in element:
        if local_name(child) == name:
            yield child


def descendants(element: Element, name: str) -> Iterator[Element]:
    """All elements of that name below `element`, in document order."""
    for found in element.iter():
        if local_name(found) == name:
            yield found


def must_have_events(root: Element, *, items: str, events: str) -> None:
    """ParseError for a list whose items are no events: a feed of links, or of anything else, would
    read as a quiet day.
    """
    listed = next(descendants(root, items), None) is not None
    if listed and next(descendants(root, events), None) is None:
        raise ParseError(
            reason(
                "document.no_events",
                "its items are not events themselves, and the pages they link to are not read",
            )
        )


def text_of(element: Element, name: str) -> str | None:
    """The stripped text of the only child of that name; None when absent, empty or many."""
    found = list(children(element, name))
    if len(found) != 1:
        return None
    return (found[0].text or "").strip() or None


def attribute(element: Element, name: str) -> str | None:
    """An attribute as text."""
    value = element.get(name)
    if value is None:
        return None
    return str(value).strip()


def json_of(body: bytes) -> object:
    """The JSON value in `body`, its numbers as the `Decimal` printed; else ParseError."""
    text = decoded(body)
    if text.lstrip()[:1] == "<":
        raise ParseError(reason("document.page_not_json", "a web page or XML instead of JSON"))
    try:
        value: object = json.loads(
            text,
            parse_float=Decimal,
            parse_int=Decimal,
            # "NaN" is no JSON, but some serializers write it: one bad row, not a bad document
            parse_constant=lambda _: Decimal("NaN"),
        )
    except (ValueError, RecursionError, ArithmeticError):
        raise ParseError(reason("document.bad_json", "not JSON, or cut off")) from None
    return value


def objects(value: object, what: str) -> list[dict[str, Any]]:
    """The list of objects `value` must be; ParseError names `what` otherwise."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ParseError(reason("document.no_list", "{what} is not a list of objects", what=what))
    return value


def an_object(value: object, what: str) -> dict[str, Any]:
    """The object `value` must be; ParseError names `what` otherwise."""
    if not isinstance(value, dict):
        raise ParseError(reason("document.no_object", "{what} is not an object", what=what))
    return value


def valutes(root: Element, home: str) -> Sheet:
    """The shape the Bank of Russia made and others took over: <ValCurs Date> with <Valute> rows."""
    on = day_of(attribute(root, "Date"))
    sheet = Sheet()
    for row in children(root, "Valute"):
        sheet.add(
            text_of(row, "CharCode"), home, on, text_of(row, "Value"), text_of(row, "Nominal")
        )
    return sheet
