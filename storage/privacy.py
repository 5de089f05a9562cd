"""All that is stored about one chat, to give it away or to forget it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Table, delete, or_, select, update

from storage.db import Db
from storage.own_feeds import follows
from storage.schema import (
    alert,
    board,
    broadcast,
    chat,
    chat_place,
    delivery,
    inbox,
    kept_back,
    news_filter,
    own_feed,
    rule,
    setup,
    subscription,
)

#: Each table that knows a chat, and the column that says which.
BY_CHAT = (
    (chat, "id"),
    (subscription, "chat_id"),
    (rule, "chat_id"),
    (news_filter, "chat_id"),
    (kept_back, "chat_id"),
    (broadcast, "chat_id"),
    (chat_place, "chat_id"),
    (setup, "chat_id"),
    (setup, "owner_id"),
    (board, "chat_id"),
    (delivery, "chat_id"),
    (inbox, "chat_id"),
)
#: What stands in the row of a feed that is about whoever follows it, too.
OF_A_FEED = ("key", "url", "channel", "name")
#: A row as it is stored: its columns by name, whatever each holds.
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatData:
    """All that is stored about one chat: the rows of each table, by the table's name."""

    tables: Mapping[str, Sequence[Row]]

    def to_json(self) -> bytes:
        """The file that is given away: JSON to be read by people, what JSON has not as text."""
        return orjson.dumps(self.tables, option=orjson.OPT_INDENT_2, default=str)


async def export(db: Db, chat_id: int) -> ChatData:
    """Every row about a chat, as it is stored; alerts are those meant for it alone.

    What one of a group's people asked so that the others do not see it is left out.
    """
    found: dict[str, list[Row]] = {}
    for table, column in BY_CHAT:
        mine = await _rows(db, table, table.c[column] == chat_id)
        found[str(table.name)] = found.get(str(table.name), []) + mine
    found["inbox"] = [row for row in found["inbox"] if not _is_unseen(row["body"])]
    # of its own feeds the addresses too, since a key tells nobody what it is; not the rest, which
    # tells since when anybody follows them
    theirs = await _rows(db, own_feed, follows(chat_id))
    found["own_feed"] = [{name: row[name] for name in OF_A_FEED} for row in theirs]
    found["alert"] = await _rows(db, alert, alert.c.audience_chat == chat_id)
    return ChatData(tables=found)


async def erase(db: Db, *chats: int, before: datetime | None = None) -> int:
    """Forget chats, also where operators were told of them. Returns how many rows are gone.

    `before`: since then nothing was sent to any of them, so only older alerts are looked through.
    """
    old: list[ColumnElement[bool]] = []
    if before is not None:
        old.append(alert.c.created_at < before)
    about = or_(alert.c.audience_chat.in_(chats), alert.c.about_chat.in_(chats))
    mine = (await db.execute(select(alert.c.id).where(*old, about))).scalars().all()
    gone = (await db.execute(delete(delivery).where(delivery.c.alert_id.in_(mine)))).rowcount
    for table, column in reversed(BY_CHAT):  # the chat itself last: others refer to it
        theirs = [table.c[column].in_(chats)]
        if old and table is delivery:
            theirs.append(delivery.c.alert_id.in_(select(alert.c.id).where(*old)))
        gone += (await db.execute(delete(table).where(*theirs))).rowcount
    gone += (await db.execute(delete(alert).where(alert.c.id.in_(mine)))).rowcount
    # a fan-out that stood at such a chat goes on from there
    await db.execute(
        update(alert).where(alert.c.fanned_to.in_(chats)).values(fanned_to=alert.c.fanned_to - 1)
    )
    return int(gone)


def _is_unseen(body: object) -> bool:
    """Whether an update is an ephemeral message, or a press of a button under one."""
    return isinstance(body, str) and '"ephemeral_message_id":' in body


async def _rows(db: Db, table: Table, which: Any) -> list[Row]:  # noqa: ANN401 - a condition
    rows = await db.execute(select(table).where(which))
    names = list(map(str, table.c.keys()))  # SQLAlchemy's own strings are none to a JSON library
    return [dict(zip(names, row, strict=True)) for row in rows]
