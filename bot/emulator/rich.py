"""Rich messages: blocks of text and tables, checked field by field as the Bot API has them.

Stricter than the server, which passes over fields that it does not know: here one is a mistake of
the bot's. Of the kinds of block and text those are modelled that a bot without media makes; html
and markdown are refused, as parse_mode is. The server finds links and commands in them by itself,
which is not modelled. Limits: "Rich message limits" of the Bot API's formatting options.
https://core.telegram.org/bots/api#inputrichmessage
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.emulator.errors import ApiError, Json, bad_request
from bot.emulator.params import Params
from bot.emulator.text import DATE_FORM, LATEST_DATE

TEXT_LIMIT = 32_768  # characters of a whole message
BLOCK_LIMIT = 500  # rows of tables counted
DEPTH_LIMIT = 16  # levels of blocks and marked words
COLUMN_LIMIT = 20

_SOURCES = ("blocks", "html", "markdown")
_FLAGS = frozenset({"is_rtl", "skip_entity_detection"})
_CELL_SIDES = {
    "align": frozenset({"left", "center", "right"}),
    "valign": frozenset({"top", "middle", "bottom"}),
}


@dataclass(slots=True)
class _Counts:
    """The counts of a message's limited parts so far."""

    text: int = 0
    blocks: int = 0

    def add_text(self, words: str) -> None:
        """Count words; refused when they are too many."""
        self.text += len(words)
        if self.text > TEXT_LIMIT:
            raise bad_request("rich message is too long")

    def add_block(self) -> None:
        """Count a block, or a row of a table."""
        self.blocks += 1
        if self.blocks > BLOCK_LIMIT:
            raise bad_request("rich message has too many blocks")


def checked_rich(message: object) -> Json:
    """The rich message that the server keeps of an InputRichMessage; refuses what breaks the spec
    or its limits.
    """
    given = _object(message, "InputRichMessage")
    used = [name for name in _SOURCES if name in given]
    if len(used) != 1:
        raise _wrong("InputRichMessage", "exactly one of blocks, html and markdown must be used")
    if used != ["blocks"]:
        raise _wrong("InputRichMessage", f"the emulator takes blocks only, not {used[0]}")
    _only(given, {"blocks", *_FLAGS}, "InputRichMessage")
    for name in _FLAGS & given.keys():
        _flag(given[name], "InputRichMessage", name)
    counts = _Counts()
    _blocks(given["blocks"], counts, 1)
    if not words_of(given).strip():
        raise bad_request("message text is empty")
    kept: Json = {"blocks": given["blocks"]}
    if given.get("is_rtl"):
        kept["is_rtl"] = True
    return kept


def said_in(params: Params) -> str:
    """The words of a call's message, rich or not; empty where nobody can read them."""
    try:
        return params.text("text") or words_of(params.mapping("rich_message"))
    except ApiError:
        return ""


def words_in(message: Mapping[str, Any]) -> str:
    """The words of a message of a chat: its text, its blocks or its caption."""
    if "rich_message" in message:
        return words_of(message["rich_message"])
    return str(message.get("text", message.get("caption", "")))


def words_of(message: Mapping[str, object]) -> str:
    """All words of a rich message, a line for each block or row of a table."""
    return "\n".join(_lines(message.get("blocks")))


def _lines(blocks: object) -> Iterable[str]:
    for block in _list(blocks):
        if not isinstance(block, dict):
            continue
        if "caption" in block:
            yield _flat(block["caption"])
        for row in _list(block.get("cells")):
            yield " ".join(map(_flat, _list(row)))
        if "text" in block:
            yield _flat(block["text"])
        yield from _lines(block.get("blocks"))


def _list(value: object) -> list[object]:
    """A list, and none for what is no list: words are read of what nobody has checked yet."""
    return value if isinstance(value, list) else []


def _flat(text: object) -> str:
    if isinstance(text, list):
        return "".join(map(_flat, text))
    if isinstance(text, dict):
        return _flat(text.get("text", ""))
    return str(text)


# --- blocks ---------------------------------------------------------------------------------------


def _blocks(value: object, counts: _Counts, depth: int) -> None:
    if not isinstance(value, list):
        raise _wrong("InputRichMessage", "field blocks must be of type Array")
    _check_depth(depth)
    for one in value:
        block = _object(one, "InputRichBlock")
        counts.add_block()
        check = _BLOCKS.get(_kind(block, "InputRichBlock"))
        if check is None:
            raise _wrong("InputRichBlock", "unsupported block type specified")
        check(block, counts, depth)


def _plain_block(block: Json, counts: _Counts, depth: int) -> None:
    """A paragraph or a footer."""
    _only(block, {"type", "text"}, "InputRichBlock")
    _text(_needed(block, "text", "InputRichBlock"), counts, depth)


def _heading(block: Json, counts: _Counts, depth: int) -> None:
    _only(block, {"type", "text", "size"}, "InputRichBlockSectionHeading")
    _text(_needed(block, "text", "InputRichBlockSectionHeading"), counts, depth)
    if _whole(_needed(block, "size", "InputRichBlockSectionHeading"), "size") not in range(1, 7):
        raise _wrong("InputRichBlockSectionHeading", "size must be from 1 to 6")


def _preformatted(block: Json, counts: _Counts, depth: int) -> None:
    _only(block, {"type", "text", "language"}, "InputRichBlockPreformatted")
    _text(_needed(block, "text", "InputRichBlockPreformatted"), counts, depth)
    if not isinstance(block.get("language", ""), str):
        raise _wrong("InputRichBlockPreformatted", "field language must be of type String")


def _divider(block: Json, _counts: _Counts, _depth: int) -> None:
    _only(block, {"type"}, "InputRichBlockDivider")


def _quotation(block: Json, counts: _Counts, depth: int) -> None:
    _only(block, {"type", "blocks", "credit"}, "InputRichBlockBlockQuotation")
    _blocks(_needed(block, "blocks", "InputRichBlockBlockQuotation"), counts, depth + 1)
    if "credit" in block:
        _text(block["credit"], counts, depth)


def _table(block: Json, counts: _Counts, depth: int) -> None:
    what = "InputRichBlockTable"
    flags = ("is_bordered", "is_striped", "is_compact")
    _only(block, {"type", "cells", "caption", *flags}, what)
    for name in flags:
        _flag(block.get(name, False), what, name)
    if "caption" in block:
        _text(block["caption"], counts, depth)
    rows = _needed(block, "cells", what)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise _wrong(what, "field cells must be of type Array of Arrays")
    if not any(rows):
        raise _wrong(what, "the table has no cells")
    for row in rows:
        counts.add_block()
        columns = sum(_cell(cell, counts, depth) for cell in row)
        if columns > COLUMN_LIMIT:
            raise bad_request("rich message table has too many columns")


def _cell(value: object, counts: _Counts, depth: int) -> int:
    """Check a cell; how many columns it spans."""
    what = "RichBlockTableCell"
    cell = _object(value, what)
    _only(cell, {"text", "is_header", "colspan", "rowspan", *_CELL_SIDES}, what)
    if "text" in cell:  # without it the cell is invisible
        _text(cell["text"], counts, depth + 1)
    _flag(cell.get("is_header", False), what, "is_header")
    for name, known in _CELL_SIDES.items():
        if _needed(cell, name, what) not in known:
            raise _wrong(what, f"wrong {name} specified")
    for name in ("colspan", "rowspan"):
        if _whole(cell.get(name, 1), name) < 1:
            raise _wrong(what, f"wrong {name} specified")
    return int(cell.get("colspan", 1))


_BLOCKS: Mapping[str, Callable[[Json, _Counts, int], None]] = {
    "paragraph": _plain_block,
    "footer": _plain_block,
    "heading": _heading,
    "pre": _preformatted,
    "divider": _divider,
    "blockquote": _quotation,
    "table": _table,
}


# --- text -----------------------------------------------------------------------------------------

#: Kinds of rich text, and the fields that each needs besides its text.
_TEXTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("bold", "italic", "underline", "strikethrough", "spoiler", "code", "marked"),
        frozenset[str](),
    ),
    "url": frozenset({"url"}),
    "date_time": frozenset({"unix_time", "date_time_format"}),
}


def _text(value: object, counts: _Counts, depth: int) -> None:
    """Check a RichText: words, a list of them, or words with a mark."""
    _check_depth(depth)
    if isinstance(value, str):
        counts.add_text(value)
        return
    if isinstance(value, list):
        for one in value:
            _text(one, counts, depth)
        return
    marked = _object(value, "RichText")
    fields = _TEXTS.get(_kind(marked, "RichText"))
    if fields is None:
        raise _wrong("RichText", "unsupported rich text type")
    _only(marked, {"type", "text", *fields}, "RichText")
    for name in fields:
        _needed(marked, name, "RichText")
    if marked["type"] == "url" and not (isinstance(marked["url"], str) and marked["url"]):
        raise _wrong("RichTextUrl", "field url must be of type String")
    if marked["type"] == "date_time":
        _check_date(marked)
    _text(_needed(marked, "text", "RichText"), counts, depth + 1)


def _check_date(marked: Json) -> None:
    form = marked["date_time_format"]
    at = _whole(marked["unix_time"], "unix_time")
    if not 0 <= at <= time.time() + LATEST_DATE:
        raise _wrong("RichTextDateTime", "invalid date specified")
    if not (isinstance(form, str) and DATE_FORM.fullmatch(form)):
        raise _wrong("RichTextDateTime", "invalid date format specified")


# --- fields ---------------------------------------------------------------------------------------


def _wrong(what: str, why: str) -> ApiError:
    return bad_request(f"can't parse {what}: {why}")


def _object(value: object, what: str) -> Json:
    if not isinstance(value, dict):
        raise _wrong(what, "expected an Object")
    return value


def _kind(value: Json, what: str) -> str:
    """The type that an object says; "" where it is no word."""
    kind = _needed(value, "type", what)
    return kind if isinstance(kind, str) else ""


def _needed(value: Json, name: str, what: str) -> object:
    if name not in value:
        raise _wrong(what, f"can't find field {name}")
    found: object = value[name]
    return found


def _only(value: Json, known: Iterable[str], what: str) -> None:
    """Refuse a field that the spec does not have."""
    if unknown := sorted(value.keys() - set(known)):
        raise _wrong(what, f"unknown field {unknown[0]}")


def _flag(value: object, what: str, name: str) -> None:
    if not isinstance(value, bool):
        raise _wrong(what, f"field {name} must be of type Boolean")


def _whole(value: object, name: str) -> int:
    if type(value) is not int:  # nor is true a number
        raise _wrong("rich message", f"field {name} must be of type Integer")
    return value


def _check_depth(depth: int) -> None:
    if depth > DEPTH_LIMIT:
        raise bad_request("rich message is nested too deeply")
