"""A chat's board: its pinned message, made once and edited in place, silently."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

import storage.boards
import storage.chats
from bot.alerts.kind import Kind, Kit, Reader
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.model.channels import Board
from bot.model.chats import Chat
from bot.model.subjects import bases_of, topics_of
from bot.readers.board import board_view
from bot.render import board as render
from bot.render.cutting import cut
from bot.render.text import Message, Rich, join, message
from storage.alerts import StoredAlert

LASTS = timedelta(hours=6)  # one that waits longer is made anew with what is true then
LONGEST_BOARD = 3900  # UTF-16 units of a board before the line that says when it was updated


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardDue(Payload):
    """A board to be made or, where its `message` is known, to be edited."""

    KIND = "board"

    message: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": self.VERSION, "message": self.message}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(message=data["message"])


class Boards(Kind):
    """A chat's board as it is when its alert was decided."""

    payload = BoardDue
    texts = ("board.spread", "board.stories", "board.updated")
    own = True  # of what the chat follows

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The board; None where it was switched off, or is another message by now."""
        due = BoardDue.read(told.payload)
        kept = await storage.boards.get(kit.db, reader.chat)
        chat = await storage.chats.get(kit.db, reader.chat)
        if kept is None or chat is None or not kept.kept:
            return None
        is_it = kept.made_by == told.id if due.message is None else kept.message == due.message
        if not is_it:
            return None
        shown = await body(kit, chat, now=told.created_at)
        if not shown.text:
            return None
        at = render.updated(chat.language, zone=chat.time_zone, at=told.created_at)
        return message(join("\n\n", [shown, at]), silent=True)

    def edits(self, told: StoredAlert) -> int | None:
        """The message that it is, once it was made."""
        return BoardDue.read(told.payload).message


async def body(kit: Kit, chat: Chat, *, now: datetime) -> Rich:
    """The text of a chat's board now, without the time of its update; "" where it has none."""
    keys = await storage.chats.subscriptions(kit.db, chat.id)
    view = await board_view(
        kit.db,
        kit.catalog,
        home=chat.home,
        codes=bases_of(keys, chat.home, order=chat.currencies),
        topics=topics_of(keys),
        now=now,
        chat=chat.id,
        order=chat.currencies,
    )
    if view.empty:
        return Rich()
    whole = render.board(
        view,
        chat.language,
        zone=chat.time_zone,
        now=now,
        feed_names=kit.catalog.feed_names,
        source_names=kit.source_names,
    )
    return cut(message(whole), LONGEST_BOARD).body


def hash_of(shown: Rich, *, tables: bool = False) -> str:
    """A hash of what a board says, as `tables` or in words, by which it is known whether that has
    changed.
    """
    said = repr((shown.text, shown.entities, tables))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def alert(chat: int, version: int, message: int | None, *, now: datetime) -> Alert:
    """The board of a chat: its message to be made, or to be edited."""
    return Alert(
        dedup_key=f"board:{chat}:{version}",
        payload=BoardDue(message=message),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,
        audience=Audience(chat=chat),
        created_at=now,
        expires_at=now + LASTS,
        supersede_key=f"board:{chat}",
    )


def of_trouble(word: Alert, kept: Board) -> Alert:
    """A word on why a board is not kept, told once of that message: one that is switched on again
    may be given up again the same day, and that is news.
    """
    return replace(word, dedup_key=f"board:{kept.chat}:{kept.version}:{kept.trouble}")
