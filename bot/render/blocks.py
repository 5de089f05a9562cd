"""A message as a rich message of the Bot API: its tables as tables, each line around as a
paragraph.

Paragraphs stand apart by themselves, so an empty line is none. Of marks those are kept that stand
in messages with tables; a block that was cut is no table any more, and its lines are paragraphs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NotRequired, TypedDict

from bot.model.entities import Entity
from bot.render.tables import Align, Table
from bot.render.text import Message


class MarkedText(TypedDict):
    """Text with a mark of the Bot API's."""

    type: str
    text: RichText
    url: NotRequired[str]
    unix_time: NotRequired[int]
    date_time_format: NotRequired[str]


RichText = str | MarkedText | list["RichText"]


class Cell(TypedDict):
    """A cell of a table."""

    text: RichText
    align: Literal["left", "right"]
    valign: Literal["middle"]
    is_header: NotRequired[Literal[True]]


class Block(TypedDict):
    """A paragraph, which has text, or a table, which has cells."""

    type: Literal["paragraph", "table"]
    text: NotRequired[RichText]
    cells: NotRequired[list[list[Cell]]]
    is_striped: NotRequired[Literal[True]]
    is_compact: NotRequired[Literal[True]]


class RichMessage(TypedDict):
    """A message in the index of a text."""

    blocks: list[Block]


def rich_message(message: Message) -> RichMessage:
    """All that a message says, in its order."""
    units = message.text.encode("utf-16-le")
    blocks: list[Block] = []
    at = 0
    for stretch in message.tables:
        blocks += _paragraphs(units, at, stretch.offset, message.entities)
        blocks.append(_table(stretch.table))
        at = stretch.end
    blocks += _paragraphs(units, at, len(units) // 2, message.entities)
    return {"blocks": blocks}


# --- tables ---------------------------------------------------------------------------------------


def _table(table: Table) -> Block:
    """Figures at the right, below titles where it has any; what a row is about in bold."""
    rows: list[list[Cell]] = []
    if any(column.title for column in table.columns):
        rows.append([_cell(table, index, one.title) for index, one in enumerate(table.columns)])
        for cell in rows[0]:
            cell["is_header"] = True
    for row in table.rows:
        cells = [_cell(table, index, text) for index, text in enumerate(row)]
        if cells[0]["text"] and table.columns[0].align is Align.LEFT:
            cells[0]["text"] = {"type": "bold", "text": cells[0]["text"]}
        rows.append(cells)
    return {"type": "table", "cells": rows, "is_striped": True, "is_compact": True}


def _cell(table: Table, index: int, text: str) -> Cell:
    side: Literal["left", "right"] = "right"
    if table.columns[index].align is Align.LEFT:
        side = "left"
    # spaces kept a column straight where all letters are of one width
    return {"text": text.strip(), "align": side, "valign": "middle"}


# --- paragraphs -----------------------------------------------------------------------------------


def _paragraphs(units: bytes, start: int, end: int, marks: Sequence[Entity]) -> Iterator[Block]:
    """A paragraph for each line between two offsets, both in UTF-16 units."""
    at = start
    for line in _said(units, start, end).split("\n"):
        size = len(line.encode("utf-16-le")) // 2
        if line.strip():
            yield {"type": "paragraph", "text": _woven(units, at, at + size, marks)}
        at += size + 1


def _woven(units: bytes, start: int, end: int, marks: Sequence[Entity]) -> RichText:
    """The words between two offsets, with the marks upon them; an outer mark holds inner ones."""
    inside = [one for one in marks if one.offset < end and one.end > start]
    pieces: list[RichText] = []
    at = start
    while inside:
        outer, inside = inside[0], inside[1:]
        begin, stop = max(outer.offset, at), min(outer.end, end)
        if stop <= begin:
            continue
        if begin > at:
            pieces.append(_said(units, at, begin))
        pieces.append(_marked(outer, _woven(units, begin, stop, inside)))
        at = stop
    if at < end:
        pieces.append(_said(units, at, end))
    return pieces[0] if len(pieces) == 1 else pieces


def _marked(mark: Entity, inner: RichText) -> RichText:
    if mark.type in {"bold", "italic", "code"}:
        return {"type": mark.type, "text": inner}
    if mark.type == "text_link" and mark.url is not None:
        return {"type": "url", "text": inner, "url": mark.url}
    if mark.type == "date_time" and mark.unix_time is not None:
        # without a form it is shown as its words, as in a text
        at = mark.unix_time
        return {"type": "date_time", "text": inner, "unix_time": at, "date_time_format": ""}
    return inner


def _said(units: bytes, start: int, end: int) -> str:
    return units[2 * start : 2 * end].decode("utf-16-le")
