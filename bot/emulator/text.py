"""Texts and their entities, as the Bot API keeps them.

Offsets and lengths count UTF-16 units: an emoji is two. The server trims white space around a text,
drops empty entities, sorts the rest, and adds the ones it finds by itself (links, commands,
mentions), also in messages of the bot. https://core.telegram.org/bots/api#messageentity
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import lru_cache

from bot.emulator.errors import Json, bad_request

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
ENTITY_TYPES = frozenset(
    (
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    )
)
#: How a date is written in place of the text: relative, or weekday, day and hour, short or long.
DATE_FORM = re.compile(r"r|w?[dD]?[tT]?")
LATEST_DATE = 1098 * 86400  # seconds from now
_NOT_SEARCHED = frozenset(
    {"pre", "code", "text_link", "text_mention", "url", "bot_command", "mention"}
)
# The server has the whole list of top-level domains; these are met in our texts.
_TOP_LEVEL = (
    "com|org|net|info|io|dev|gov|edu|kg|kz|ru|uz|tj|tm|eu|us|uk|de|tr|cn|me|news|media|asia"
)
_FOUND = re.compile(
    r"(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,})"
    r"|(?P<url>https?://[^\s<>\"«»]*[^\s<>\"«».,:;!?)\]}']"
    rf"|(?<![\w@./-])(?:[\w-]+\.)+(?:{_TOP_LEVEL})(?![\w@])"
    r"(?:/[^\s<>\"«»]*[^\s<>\"«».,:;!?)\]}'])?)"
    r"|(?P<mention>(?<!\w)@[a-zA-Z]\w{3,31})"
    r"|(?P<hashtag>(?<!\w)#(?=\w*[^\W\d])\w+)"
    r"|(?P<cashtag>(?<!\w)\$[A-Z]{1,8}(?!\w))"
    r"|(?P<bot_command>(?<![\w/<>@#])/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z]\w{2,31})?(?![\w/]))"
)


def utf16_length(text: str) -> int:
    """Length in UTF-16 units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(
    text: str, entities: Sequence[Json] | None, *, find: bool = True
) -> tuple[str, list[Json]]:
    """The text and entities that the server keeps; none may leave the text or split a symbol."""
    given: list[Json] = []
    for entity in entities or ():
        checked = _checked(entity)
        if checked["length"] > 0:
            given.append(checked)
    if given:
        _check_bounds(text, given)
    # The server checks what it was given before it trims, and searches what is left.
    kept, start = _trim(text, given)
    if kept != text:
        given = _clip(given, start=start, length=utf16_length(kept))
    if find and kept:
        given += _find(kept, given)
    given.sort(key=lambda entity: (entity["offset"], -entity["length"]))  # the outer one first
    return kept, given


def _checked(entity: object) -> Json:
    if not isinstance(entity, dict):
        raise bad_request("can't parse MessageEntity: expected an Object")
    kind, offset, length = entity.get("type"), entity.get("offset"), entity.get("length")
    if kind not in ENTITY_TYPES:
        raise bad_request("can't parse MessageEntity: unsupported type specified")
    if type(offset) is not int or type(length) is not int:  # nor is true a number
        raise bad_request(
            "can't parse MessageEntity: fields offset and length must be of type Integer"
        )
    if kind == "text_link" and not entity.get("url"):
        raise bad_request("can't parse MessageEntity: can't find field url")
    if kind == "date_time":
        _check_date(entity)
    return dict(entity)


def _check_date(entity: Json) -> None:
    at, form = entity.get("unix_time"), entity.get("date_time_format", "")
    if type(at) is not int or not 0 <= at <= time.time() + LATEST_DATE:
        raise bad_request("can't parse MessageEntity: invalid date specified")
    if not (isinstance(form, str) and DATE_FORM.fullmatch(form)):
        raise bad_request("can't parse MessageEntity: invalid date format specified")


def _check_bounds(text: str, entities: Sequence[Json]) -> None:
    total = utf16_length(text)
    units = b""
    if total != len(text):  # else no symbol has two halves
        units = text.encode("utf-16-le", "surrogatepass")
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if start < 0 or end > total:
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends after the end of the text at "
                f"UTF-16 offset {end}"
            )
        if _splits(units, start) or _splits(units, end):
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends in a middle of a UTF-16 symbol at "
                f"byte offset {end}"
            )


def _splits(units: bytes, at: int) -> bool:
    """Whether `at` stands between the two halves of one symbol."""
    # the second half of a symbol is 0xDC00 to 0xDFFF, and its high byte stands last
    return 2 * at < len(units) and 0xDC <= units[2 * at + 1] <= 0xDF


def _trim(text: str, entities: Sequence[Json]) -> tuple[str, int]:
    # At the end an entity does not keep white space, at the beginning it does.
    kept = text.rstrip()
    lead = len(kept) - len(kept.lstrip())
    if lead and any(entity["offset"] < lead for entity in entities):
        lead = 0  # white space that belongs to an entity, such as a table in <pre>, stays
    return kept[lead:], lead


def _clip(entities: Sequence[Json], *, start: int, length: int) -> list[Json]:
    clipped: list[Json] = []
    for entity in entities:
        offset = entity["offset"] - start
        end = min(offset + entity["length"], length)
        if end > offset:
            clipped.append(entity | {"offset": offset, "length": end - offset})
    return clipped


def _find(text: str, given: Sequence[Json]) -> list[Json]:
    found = _found(text)
    if not found:
        return []
    own: list[Json] = []
    for kind, start, end in found:
        if not _is_taken(given, start, end):
            own.append({"type": kind, "offset": start, "length": end - start})
    return own


def _is_taken(given: Sequence[Json], start: int, end: int) -> bool:
    """Whether a stretch of the text lies in an entity that the server does not search."""
    for entity in given:
        begin, stop = entity["offset"], entity["offset"] + entity["length"]
        if entity["type"] in _NOT_SEARCHED and start < stop and begin < end:
            return True
    return False


@lru_cache(maxsize=256)  # a broadcast is one text many times
def _found(text: str) -> tuple[tuple[str, int, int], ...]:
    """Kind, start and end, in UTF-16 units, of what the server finds in a text by itself."""
    wide = utf16_length(text) != len(text)
    found: list[tuple[str, int, int]] = []
    for match in _FOUND.finditer(text):
        start, end = match.span()
        if wide:
            start, end = utf16_length(text[:start]), utf16_length(text[:end])
        found.append((str(match.lastgroup), start, end))
    return tuple(found)


def commands_in(text: str, entities: Sequence[Json]) -> list[str]:
    """The commands of a text ("/rates@jarchy_bot"), in order."""
    units = text.encode("utf-16-le", "surrogatepass")
    found: list[str] = []
    for entity in entities:
        if entity["type"] == "bot_command":
            start = 2 * entity["offset"]
            end = start + 2 * entity["length"]
            found.append(units[start:end].decode("utf-16-le", "surrogatepass"))
    return found
