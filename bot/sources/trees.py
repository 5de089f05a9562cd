"""HTML as a tree, and the text of a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import ParseError
from bot.reasons import reason
from bot.sources.text import plain_text

if TYPE_CHECKING:
    from lxml import html


def tree_of(text: str) -> html.HtmlElement:
    """A page as a tree, without comments. Raises ParseError when it is none."""
    from lxml import etree, html  # in the worker process only

    # lxml refuses a text with an encoding declaration; bytes it reads as it is told. NUL would end
    # the page.
    source = text.replace("\0", "").encode("utf-8", "replace")
    parser = html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        page = html.document_fromstring(source, parser=parser)
    except (etree.LxmlError, ValueError):
        raise ParseError(reason("page.none", "not a page")) from None
    return page


def inner_text(element: html.HtmlElement) -> str:
    """The plain text of an element, its paragraphs separated by blank lines."""
    from lxml import etree

    return plain_text(
        etree.tostring(element, encoding="unicode", method="html", with_tail=False), html=True
    )
