"""Foreign text → plain text: no markup, no layout, nothing that a chat should not see.

* A title's type is a guess in RSS: "AT&amp;T", "AT&amp;amp;T" and "1 &lt; 2" must all come out as a
  reader expects.
* libxml2 2.14 tokenises HTML as browsers do, in linear time and at any depth (a tree is never
  built).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from bot.model.text import is_emoji, without_invisible

LONGEST_TITLE = 1_000  # characters; a headline of a megabyte is an attack
LONGEST_TEXT = 200_000  # characters, likewise
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

# C1 controls are windows-1252 punctuation that lost its way.
_C1 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
# Breaks that mean a new line; the other spaces of ASCII are layout, those beyond it are the
# author's.
_BREAK = re.compile("\r\n?|[\u2028\u2029]")
_LAYOUT = re.compile(r"[ \t\n\r\f\v]+")
_BLANKS = re.compile(r"[ \t\r\f\v]+")

_SKIPPED = frozenset(
    {"script", "style", "template", "iframe", "noscript", "svg", "audio", "video", "canvas"}
)
_PARAGRAPHS = frozenset({
    "address", "article", "aside", "blockquote", "center", "details", "div", "dl", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "main", "nav", "ol", "p", "pre", "section", "table", "ul",
})  # fmt: skip
_LINES = frozenset({"br", "caption", "dd", "dt", "legend", "li", "option", "summary", "tr"})
_CELLS = frozenset({"td", "th"})
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font",
    "i", "img", "ins", "kbd", "mark", "object", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_KNOWN = "|".join(sorted(_SKIPPED | _PARAGRAPHS | _LINES | _CELLS | _INLINE, key=len, reverse=True))
# A real tag, attributes and all; "a <b and c> d" is none.
_TAG = re.compile(
    rf"</?(?:{_KNOWN})(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+))*\s*/?>",
    re.IGNORECASE,
)
#: A picture whose text is as short as an emoji of several parts may be, by number too. Bounded: of
#: a tag that never ends each attribute would read on to the end.
_PICTURED = re.compile(r"<img\s[^<>]{0,500}?\balt=([\"'])([^\"'<>]{1,64})\1[^<>]{0,500}>")
_QUOTATION = re.compile(r"<(?P<closes>/?)q(?:\s[^<>]*)?>", re.IGNORECASE)
QUOTATION_LOOK = 200  # characters in which its first words are
_CYRILLIC = re.compile("[\u0400-\u04ff]")
#: The marks of a quotation and of one within it, in English and in Russian and Kyrgyz.
_MARKS = {False: (("“", "”"), ("‘", "’")), True: (("«", "»"), ("„", "“"))}
_BLOCK = re.compile(rf"<(?:{'|'.join(_PARAGRAPHS | {'br'})})\b", re.IGNORECASE)


def plain_text(value: str, *, html: bool, wrapped: bool = True) -> str:
    """Plain text of a value: paragraphs separated by blank lines, nothing a chat should not see.

    Spaces of the author's choosing (no-break, thin) stay. In a text without markup a line break
    alone is only wrapping, unless it is said not to be `wrapped`.
    """
    if not value:
        return ""
    if wrapped and "<" not in value and "&" not in value and _is_plain(value):
        return value.strip(" ")[:LONGEST_TEXT].rstrip()
    value = _BREAK.sub("\n", value)
    # Where plain text was promised but tags came, no reader wants to see them.
    if html or _TAG.search(value):
        if not html and not wrapped and not _BLOCK.search(value):
            # its breaks are in the text, whatever tags stand in a line
            value = value.replace("\n", "<br>")
        if "<" in value or "&" in value:
            value = _without_markup(value)
        else:  # a text without anything to unfold needs no tokeniser
            value = _LAYOUT.sub(" ", value)
    elif wrapped:
        value = " ".join(line.strip() or "\n\n" for line in value.split("\n"))
    else:
        return _as_laid_out(clean(value))[:LONGEST_TEXT].rstrip()
    return _tidy(clean(value))[:LONGEST_TEXT].rstrip()


def clean(text: str) -> str:
    """Foreign text as it is stored, without what deceives or breaks a display."""
    return without_invisible(text.translate(_C1))


def one_line(text: str) -> str:
    """Text on one line of `LONGEST_TITLE` characters at most; no-break spaces are kept."""
    if len(text) <= LONGEST_TITLE and _is_plain(text):
        return text.strip(" ")
    # Cut before it is cleaned, since a title may be a megabyte; twice the length leaves room for
    # the layout that goes.
    line = _LAYOUT.sub(" ", clean(_BREAK.sub("\n", text[: 2 * LONGEST_TITLE]))).strip()
    if len(line) <= LONGEST_TITLE:
        return line
    return line[: LONGEST_TITLE - 1].rstrip() + "…"


def _is_plain(text: str) -> bool:
    """Whether a text is one line with nothing to be taken out or laid out anew: most are."""
    return text.isprintable() and "  " not in text and clean(text) == text


def _tidy(text: str) -> str:
    """Lines without layout around them; one that shows nothing (a lone no-break space) is blank."""
    lines: list[str] = []
    for line in _BLANKS.sub(" ", text).split("\n"):
        if line.strip():
            # only layout goes: a no-break space at the edge is the author's
            lines.append(line.strip(" "))
        else:
            lines.append("")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _as_laid_out(text: str) -> str:
    """Lines as they were set, with indents and runs of spaces, without invisible ends."""
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _without_markup(value: str) -> str:
    from lxml import etree  # where there is markup: mostly in the worker process

    # huge_tree lifts libxml2's limits of length and depth, which are for trees; none is built here.
    parser = etree.HTMLParser(target=_TextTarget(), huge_tree=True, encoding="utf-8")
    value = with_signs(value)
    # A CDATA section inside HTML is a comment to a browser; in a feed it is a text wrapped twice.
    if "<![CDATA[" in value:
        value = value.replace("<![CDATA[", "").replace("]]>", "")
    parser.feed(NOT_XML.sub("", value).encode())
    return str(parser.close())


def with_signs(markup: str) -> str:
    """Markup with the characters that it has elements for: emoji, and quotation marks.

    WordPress makes pictures of all emoji in its feeds, and says in `alt` which; any other picture
    is no text. The marks of a quotation are the browser's part.
    """
    if "<img" in markup:
        markup = _PICTURED.sub(lambda found: _emoji_of(found[2], found[0]), markup)
    if _QUOTATION.search(markup) is None:
        return markup
    return _quoted(markup)


def _quoted(markup: str) -> str:
    """Markup with quotation marks in the place of their elements, in each language's own way: by
    the letters that follow, since few pages say which they are in.
    """
    pieces: list[str] = []
    closing: list[tuple[str, int]] = []  # the open quotations' marks, and their opening pieces
    at = 0
    for tag in _QUOTATION.finditer(markup):
        pieces.append(markup[at : tag.start()])
        at = tag.end()
        if not tag["closes"]:
            is_cyrillic = _CYRILLIC.search(markup, at, at + QUOTATION_LOOK) is not None
            opens, closes = _MARKS[is_cyrillic][len(closing) % 2]
            closing.append((closes, len(pieces)))
            pieces.append(opens)
        elif closing:
            mark, opened = closing.pop()
            if "".join(pieces[opened + 1 : opened + 3]).strip():
                pieces.append(mark)
            else:  # nothing is quoted
                del pieces[opened:]
    return "".join([*pieces, markup[at:]])


def _emoji_of(alt: str, picture: str) -> str:
    said = unescape(alt)
    return said if is_emoji(said) else picture


class _TextTarget:
    """Collects the text between tags; called by the HTML tokeniser, no tree is built."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._skipping = 0
        self._preformatted = 0

    def start(self, tag: str | bytes, _attributes: Mapping[Any, Any]) -> None:
        if tag in _SKIPPED:
            self._skipping += 1
        self._preformatted += tag == "pre"
        self._break(tag)

    def end(self, tag: str | bytes) -> None:
        if tag in _SKIPPED:
            self._skipping -= 1
        self._preformatted -= tag == "pre"
        if tag in _PARAGRAPHS:
            self._break(tag)

    def data(self, data: str | bytes) -> None:
        if self._skipping:
            return
        text = str(data)
        if not self._preformatted:  # in HTML a break between words is only a space
            text = text.replace("\n", " ").replace("\r", " ")
        self._parts.append(text)

    def comment(self, text: str | bytes) -> None:
        """Leave a comment out: nobody reads it."""

    def close(self) -> str:
        return "".join(self._parts)

    def _break(self, tag: str | bytes) -> None:
        if tag in _PARAGRAPHS:
            self._parts.append("\n\n")
        elif tag in _LINES:
            self._parts.append("\n")
        elif tag in _CELLS:
            self._parts.append(" ")
