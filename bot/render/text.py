"""Messages without markup: text plus entities, put together from small marked pieces.

Telegram counts entity offsets and the limit of 4,096 in UTF-16 code units, after
entities: a character above U+FFFF (an emoji) counts twice. Nothing here is ever
parsed, so a headline full of `<b>` and `{braces}` stays a headline.

`pre` and `code` may neither contain nor lie in other entities (Bot API,
"Formatting options"), and whitespace around a message is trimmed by the server.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from bot.model.text import has_invisible, without_invisible

LIMIT = 4096  # Bot API: sendMessage.text, "1-4096 characters after entities parsing"
# What a link may open. Feeds carry `javascript:` and `data:` addresses, too.
SCHEMES = frozenset({"http", "https", "tg", "mailto"})
# Telegram refuses a message in which one of these holds another entity, or lies in one.
ALONE_ENTITIES = frozenset({"pre", "code"})

_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SENTENCE_END = re.compile(r"[.!?…][\"'»”’)\]]*(?=\s)|(?=\n)")
# Variation selectors, the keycap, tones of skin, tags of flags: cut off alone they show as boxes.
_EMOJI_PARTS = re.compile("[\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]+$")
_SPACES = re.compile(r"[ \n]+")
_ENDS_A_SENTENCE = re.compile(r"[.!?…][\"'»”’)\]]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A marked stretch of a text: Bot API's type name, offset and length in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None

    @property
    def end(self) -> int:
        """The first unit after it."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Rich:
    """Text with marks; adding two puts one after the other."""

    text: str = ""
    entities: tuple[Entity, ...] = ()

    def __add__(self, other: Rich | str) -> Rich:
        """This, then the other."""
        tail = rich(other)
        by = units(self.text)
        return Rich(
            self.text + tail.text, self.entities + tuple(_moved(e, by) for e in tail.entities)
        )

    def __radd__(self, other: str) -> Rich:
        """A string, then this."""
        return rich(other) + self

    def __bool__(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.text)


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button: `data` (at most 64 bytes) comes back to us, `url` opens."""

    text: str
    data: str | None = None
    url: str | None = None


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: text (or a picture's caption), entities, rows of buttons, sound or not."""

    text: str
    entities: tuple[Entity, ...] = ()
    buttons: Rows = ()
    silent: bool = False


def units(text: str) -> int:
    """The length Telegram sees: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def clean(text: str) -> str:
    """Foreign text as it may be shown, see `bot.model.text`; every kind of break is a newline."""
    if text.isascii() and text.isprintable():
        return text
    return without_invisible(_BREAK.sub("\n", text).replace("\t", " "))


def one_line(text: str) -> str:
    """The same on one line, without spaces around, for headlines and names; no-break spaces are the
    author's.
    """
    return _SPACES.sub(" ", clean(text)).strip()


def rich(value: Rich | str) -> Rich:
    """A string as unmarked, clean text; marked text as it is."""
    return value if isinstance(value, Rich) else Rich(clean(value))


def bold(value: Rich | str) -> Rich:
    """In bold."""
    return _marked(value, "bold")


def italic(value: Rich | str) -> Rich:
    """In italics."""
    return _marked(value, "italic")


def quote(value: Rich | str) -> Rich:
    """As a block quotation."""
    return _marked(value, "blockquote")


def code(value: Rich | str) -> Rich:
    """Monospaced within a line; a tap copies it. Marks inside are lost: Telegram allows none."""
    return _marked(rich(value).text, "code")


def pre(value: Rich | str) -> Rich:
    """A monospaced block, whose columns align. Marks inside are lost: Telegram allows none."""
    return _marked(rich(value).text, "pre")


def link(value: Rich | str, url: str | None) -> Rich:
    """A link, when `url` is one that may be opened; else the words alone."""
    safe = safe_url(url)
    return _marked(value, "text_link", url=safe) if safe else rich(value)


def safe_url(url: str | None) -> str | None:
    """The address if it is absolute and of an allowed scheme, else None: feeds do carry
    `javascript:`.
    """
    if not url or has_invisible(url) or any(c.isspace() for c in url.strip()):
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if parts.scheme.lower() not in SCHEMES or not (parts.netloc or parts.path):
        return None
    if parts.scheme.lower() in {"http", "https"} and not parts.hostname:
        return None
    return url.strip()


def places(template: str) -> frozenset[str]:
    """The names that stand in a template."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def fill(template: str, /, **values: Rich | str | int) -> Rich:
    """Put values into a template's {names}; what a value contains is never looked at again.

    KeyError when a name has no value, ValueError when a value has no name or the template asks for
    more than names.
    """
    out, used = Rich(), set()
    for literal, name, spec, conversion in Formatter().parse(template):
        out += Rich(literal)
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError(f"only plain names may stand in a template: {template!r}")
        value = values[name]
        out += str(value) if isinstance(value, int) else value
        used.add(name)
    if unknown := values.keys() - used:
        raise ValueError(f"{template!r} has no place for {', '.join(sorted(unknown))}")
    return out


def join(separator: Rich | str, parts: Iterable[Rich | str | None]) -> Rich:
    """The parts that have something to say, with the separator between them."""
    out = Rich()
    for part in parts:
        if part:
            out = out + separator + part if out else rich(part)
    return out


def lines(*parts: Rich | str | None) -> Rich:
    """The parts one below the other; None and empty ones leave no gap."""
    return join("\n", [part for part in parts if part])


def message(
    body: Rich | str, buttons: Iterable[Iterable[Button]] = (), *, silent: bool = False
) -> Message:
    """A message of this text, trimmed as Telegram would, so that entities stay where they are."""
    body = _stripped(rich(body))
    rows = tuple(row for row in (tuple(row) for row in buttons) if row)
    return Message(body.text, body.entities, rows, silent=silent)


def cut(message: Message, limit: int = LIMIT, more: Rich | str = "") -> Message:
    """The message within `limit` UTF-16 units: ended at a sentence, else at a word, with "…" and
    then `more`.

    `more` is what leads on, usually a link; a message that fits is returned as it is.
    """
    if units(message.text) <= limit:
        return message
    tail = rich(" …") + (" " + rich(more) if more else "")
    room = limit - units(tail.text)
    if room < 1:
        raise ValueError(f"no room for {tail.text!r} in {limit}")
    body = _clipped(Rich(message.text, message.entities), _cut_at(message.text, room))
    whole = body + (tail if _ENDS_A_SENTENCE.search(body.text) else _without_first_space(tail))
    return replace(message, text=whole.text, entities=whole.entities)


def _marked(value: Rich | str, type_: str, url: str | None = None) -> Rich:
    inner = rich(value)
    if not inner.text.strip():
        return inner
    clash = {e.type for e in inner.entities} & (ALONE_ENTITIES | {type_})
    if clash:
        raise ValueError(f"{type_} cannot hold {', '.join(sorted(clash))}")
    return Rich(
        inner.text,
        (Entity(type=type_, offset=0, length=units(inner.text), url=url), *inner.entities),
    )


def _moved(entity: Entity, by: int) -> Entity:
    return replace(entity, offset=entity.offset + by) if by else entity


def _clipped(body: Rich, end: int) -> Rich:
    """The first `end` characters (not units), entities clipped on the right."""
    text = body.text[:end]
    size = units(text)
    kept = (
        replace(e, length=min(e.end, size) - e.offset) for e in body.entities if e.offset < size
    )
    return Rich(text, tuple(kept))


def _stripped(body: Rich) -> Rich:
    body = _clipped(body, len(body.text.rstrip()))
    text = body.text.lstrip()
    lead = units(body.text) - units(text)
    kept = []
    for e in body.entities:
        start, end = max(e.offset - lead, 0), e.end - lead
        if end > start:
            kept.append(replace(e, offset=start, length=end - start))
    return Rich(text, tuple(kept))


def _cut_at(text: str, room: int) -> int:
    """Where to cut, in characters: in the second half of the room at a sentence, else at a word,
    else at a letter.
    """
    end = len(text.encode("utf-16-le")[: room * 2].decode("utf-16-le", "ignore"))
    ends = [
        m.end()
        for m in _SENTENCE_END.finditer(text, 0, min(end + 1, len(text)))
        if end // 2 <= m.end() <= end
    ]
    if ends:
        return len(text[: ends[-1]].rstrip())
    word = max(text.rfind(" ", end // 2, end + 1), text.rfind("\n", end // 2, end + 1))
    if word > 0:
        return len(text[:word].rstrip())
    while end > 1 and _belongs_together(text, end):
        end -= 1
    return end


def _belongs_together(text: str, at: int) -> bool:
    """Whether what begins there is part of what stands before it: an accent, a part of one
    emoji.
    """
    if "\u200d" in text[at - 1 : at + 1] or _EMOJI_PARTS.match(text, at):
        return True
    flags = _FLAG_LETTERS.search(text[:at])  # two letters make one flag
    halved = (
        flags is not None
        and len(flags[0]) % 2 == 1
        and _FLAG_LETTERS.match(text[at : at + 1]) is not None
    )
    return halved or unicodedata.combining(text[at]) != 0


def _without_first_space(tail: Rich) -> Rich:
    return Rich(tail.text[1:], tuple(_moved(e, -1) for e in tail.entities))


def to_api(message: Message, *, caption: bool = False) -> dict[str, Any]:
    """The message as the Bot API's JSON parameters, without the chat: text or caption, entities,
    buttons, sound.
    """
    body: dict[str, Any] = {"caption" if caption else "text": message.text}
    if message.entities:
        body["caption_entities" if caption else "entities"] = [_entity(e) for e in message.entities]
    if not caption:
        body["link_preview_options"] = {"is_disabled": True}
    if message.buttons:
        body["reply_markup"] = {
            "inline_keyboard": [[_button(one) for one in row] for row in message.buttons]
        }
    if message.silent:
        body["disable_notification"] = True
    return body


def _entity(entity: Entity) -> dict[str, Any]:
    marked: dict[str, Any] = {"type": entity.type, "offset": entity.offset, "length": entity.length}
    if entity.url is not None:
        marked["url"] = entity.url
    if entity.language is not None:
        marked["language"] = entity.language
    return marked


def _button(button: Button) -> dict[str, str]:
    return {"text": button.text} | (
        {"url": button.url} if button.url else {"callback_data": button.data or "-"}
    )
