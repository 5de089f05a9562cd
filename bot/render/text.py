"""Messages without markup: text plus entities, put together from small marked pieces.

Telegram counts entity offsets and the limit of 4,096 in UTF-16 code units, after
entities: a character above U+FFFF (an emoji) counts twice. Nothing here is ever
parsed, so a headline full of `<b>` and `{braces}` stays a headline.

`pre` and `code` may neither contain nor lie in other entities (Bot API,
"Formatting options"), and whitespace around a message is trimmed by the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from string import Formatter
from typing import TypeVar
from urllib.parse import urlsplit

from bot.i18n import NO_BREAK, unbroken
from bot.model.entities import Entity
from bot.model.text import has_invisible, without_invisible
from bot.render.panels import Panels
from bot.render.tables import Table

CAPTION = 1024  # Bot API: sendPhoto.caption, "0-1024 characters after entities parsing"
LIMIT = 4096  # Bot API: sendMessage.text, "1-4096 characters after entities parsing"
# What a link may open. Feeds carry `javascript:` and `data:` addresses, too.
SCHEMES = frozenset({"http", "https", "tg", "mailto"})
# Telegram refuses a message in which one of these holds another entity, or lies in one.
ALONE_ENTITIES = frozenset({"pre", "code"})

_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[ \n]+")
_COUNTED = re.compile(r"\A (?=[^\W\d_])")  # a space that a figure stands before


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a text, in UTF-16 units, that says what a table says."""

    offset: int
    length: int
    table: Table

    @property
    def end(self) -> int:
        """The first unit after it."""
        return self.offset + self.length


_Part = TypeVar("_Part", Entity, Stretch)


@dataclass(frozen=True, slots=True)
class Rich:
    """Text with marks; adding two puts one after the other."""

    text: str = ""
    entities: tuple[Entity, ...] = ()
    tables: tuple[Stretch, ...] = ()

    def __add__(self, other: Rich | str) -> Rich:
        """This, then the other."""
        tail, size = rich(other), units(self.text)
        entities = self.entities + _moved(tail.entities, size)
        return Rich(self.text + tail.text, entities, self.tables + _moved(tail.tables, size))

    def __radd__(self, other: str) -> Rich:
        """A string, then this."""
        return rich(other) + self

    def __bool__(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.text)


class Colour(StrEnum):
    """A button's colour: green does what is proposed, red refuses it or cannot be taken back.

    The values are the Bot API's styles.
    """

    GREEN = "success"
    RED = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button: `data` (at most 64 bytes) comes back to us, `url` opens, `copy` (at most
    256 letters) is what it copies. Clients that know no `colour` show it like any other.
    """

    text: str
    data: str | None = None
    url: str | None = None
    copy: str | None = None
    colour: Colour | None = None


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send: text (or a picture's caption), entities, rows of buttons, sound or not.

    `shown` is the address of a page that Telegram shows below the text, with its picture; `tables`
    are the parts of the text that are tables where a chat wants them so. With a `picture` the text
    is its caption, and stands alone where it cannot be drawn.
    """

    text: str
    entities: tuple[Entity, ...] = ()
    buttons: Rows = ()
    silent: bool = False
    shown: str | None = None
    tables: tuple[Stretch, ...] = ()
    picture: Panels | None = None

    @property
    def body(self) -> Rich:
        """Its text and entities, to be put together with more."""
        return Rich(self.text, self.entities, self.tables)


def units(text: str) -> int:
    """The length Telegram sees: UTF-16 code units."""
    if text.isascii():
        return len(text)
    # "le", because plain utf-16 begins with a byte order mark that would be counted too
    return len(text.encode("utf-16-le")) // 2


def clean(text: str) -> str:
    """Foreign text as it may be shown, see `bot.model.text`; every kind of break is a newline."""
    if text.isascii() and text.isprintable():
        return text
    return without_invisible(_BREAK.sub("\n", text).replace("\t", " "))


def one_line(text: str) -> str:
    """Foreign text on one line without spaces around, for headlines and names."""
    # no-break and thin spaces are the author's: "2 000" stays unbroken, as it was written
    return _SPACES.sub(" ", clean(text)).strip()


def rich(value: Rich | str) -> Rich:
    """A string as unmarked, clean text; marked text as it is."""
    if isinstance(value, Rich):
        return value
    return Rich(clean(value))


def bold(value: Rich | str) -> Rich:
    """The text in bold."""
    return _marked(value, "bold")


def italic(value: Rich | str) -> Rich:
    """The text in italics."""
    return _marked(value, "italic")


def quote(value: Rich | str) -> Rich:
    """The text as a block quotation."""
    return _marked(value, "blockquote")


def code(value: Rich | str) -> Rich:
    """Monospaced within a line; a tap copies it. Marks inside are lost: Telegram allows none."""
    return _marked(rich(value).text, "code")


def pre(value: Rich | str) -> Rich:
    """A monospaced block, whose columns align. Marks inside are lost: Telegram allows none."""
    return _marked(rich(value).text, "pre")


def tabled(words: Rich, table: Table) -> Rich:
    """Words that say what a table says, and may be shown as it."""
    if not words:
        return words
    stretch = Stretch(offset=0, length=units(words.text), table=table)
    return replace(words, tables=(stretch,))


def instant(words: str, at: datetime) -> Rich:
    """Words for a moment, which Telegram tells a reader in their own time when they tap it."""
    seconds = int(at.timestamp())
    if seconds < 0:  # Telegram knows of none before 1970
        return rich(words)
    return _marked(words, "date_time", unix_time=seconds)


def link(value: Rich | str, url: str | None) -> Rich:
    """A link, when `url` is one that may be opened; else the words alone."""
    safe = safe_url(url)
    if safe is None:
        return rich(value)
    return _marked(value, "text_link", url=safe)


def safe_url(url: str | None) -> str | None:
    """The address, spaces around it gone, if it is absolute and of an allowed scheme; else None."""
    # an invisible character may turn the address a reader sees into another one
    if not url or has_invisible(url) or len(url.split()) != 1:
        return None
    url = url.strip()
    try:
        parts = urlsplit(url)
    except ValueError:  # a half-open [IPv6] host
        return None
    if parts.scheme.lower() not in SCHEMES or not (parts.netloc or parts.path):
        return None
    # "https:///path" has an empty host; tg: and mailto: have none by nature
    if parts.scheme.lower() in {"http", "https"} and not parts.hostname:
        return None
    return url


def placeholders(template: str) -> frozenset[str]:
    """The names that stand in a template."""
    names = set()
    for _, name, _, _ in Formatter().parse(template):
        if name is not None:  # None after the last place: words alone
            names.add(name)
    return frozenset(names)


def fill(template: str, /, **values: Rich | str | int) -> Rich:
    """Put values into a template's {names}; what a value contains is never looked at again.

    What a template has between backticks is an example to send back: a tap copies it.
    KeyError when a name has no value, ValueError when a value has no name or the template asks for
    more than names.
    """
    out, used = Rich(), set()
    counts = False  # whether a figure stands before the words
    for literal, name, spec, conversion in Formatter().parse(template):
        out += _examples(_COUNTED.sub(NO_BREAK, literal) if counts else literal)
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError(f"only plain names may stand in a template: {template!r}")
        value = values[name]
        counts = isinstance(value, int)
        if isinstance(value, int):
            value = str(value)
        out += value
        used.add(name)
    if unknown := values.keys() - used:
        raise ValueError(f"{template!r} has no place for {', '.join(sorted(unknown))}")
    return out


def _examples(literal: str) -> Rich:
    """A template's own words, with the examples among them as what a tap copies."""
    out = Rich()
    for index, words in enumerate(literal.split("`")):
        out += code(words) if index % 2 else Rich(unbroken(words))
    return out


def join(separator: Rich | str, parts: Iterable[Rich | str | None]) -> Rich:
    """The parts that have something to say, with the separator between them."""
    out = Rich()
    for part in parts:
        if not part:
            continue
        if out:
            out += separator
        out += part
    return out


def lines(*parts: Rich | str | None) -> Rich:
    """The parts one below the other; None and empty ones leave no gap."""
    return join("\n", parts)


def message(
    body: Rich | str, buttons: Iterable[Iterable[Button]] = (), *, silent: bool = False
) -> Message:
    """A message of this text, trimmed as Telegram would, so that entities stay where they are."""
    body = _stripped(rich(body))
    rows = []
    for row in map(tuple, buttons):
        if row:  # Telegram refuses a keyboard with an empty row
            rows.append(row)
    return Message(body.text, body.entities, tuple(rows), silent=silent, tables=body.tables)


def _marked(
    value: Rich | str, type_: str, url: str | None = None, unix_time: int | None = None
) -> Rich:
    inner = rich(value)
    if not inner.text.strip():
        return inner
    clash = {e.type for e in inner.entities} & (ALONE_ENTITIES | {type_})
    if clash:
        raise ValueError(f"{type_} cannot hold {', '.join(sorted(clash))}")
    mark = Entity(type=type_, offset=0, length=units(inner.text), url=url, unix_time=unix_time)
    return Rich(inner.text, (mark, *inner.entities), inner.tables)


def _moved(parts: tuple[_Part, ...], by: int) -> tuple[_Part, ...]:
    if by == 0:
        return parts
    return tuple(replace(part, offset=part.offset + by) for part in parts)


def clipped(body: Rich, end: int) -> Rich:
    """The first `end` characters (not units), entities clipped on the right; a table that is cut
    is none.
    """
    text = body.text[:end]
    size = units(text)
    kept = []
    for e in body.entities:
        if e.offset < size:
            kept.append(replace(e, length=min(e.end, size) - e.offset))
    whole = [one for one in body.tables if one.end <= size]
    return Rich(text, tuple(kept), tuple(whole))


def _stripped(body: Rich) -> Rich:
    """The text without spaces around; an entity that covered only spaces goes with them."""
    body = clipped(body, len(body.text.rstrip()))
    text = body.text.lstrip()
    lead = units(body.text) - units(text)
    return Rich(text, _led(body.entities, lead), _led(body.tables, lead))


def _led(parts: tuple[_Part, ...], lead: int) -> tuple[_Part, ...]:
    """The parts of a text whose first `lead` units are gone."""
    kept: list[_Part] = []
    for one in parts:
        start, end = max(one.offset - lead, 0), one.end - lead
        if end > start:
            kept.append(replace(one, offset=start, length=end - start))
    return tuple(kept)
