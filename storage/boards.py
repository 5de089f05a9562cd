"""Boards: which channels have one, what it shows, and what became of the alerts that keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select, update

import storage.alerts
from bot.model.alerts import State
from bot.model.channels import Board, Trouble
from bot.reasons import Reason, read_if
from storage.db import Db, upsert
from storage.schema import alert, board, chat, delivery

#: What a board begins with, also when it is begun anew.
BLANK: dict[str, Any] = {
    "shown": None,
    "made_by": None,
    "message_id": None,
    "pinned_by": None,
    "edited_by": None,
    "remade": False,
    "trouble": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of an alert in the chat it is for."""

    state: State
    message: int = 0
    error: Reason | None = None

    @property
    def open(self) -> bool:
        """Whether it may still be sent."""
        return self.state in {State.PENDING, State.LEASED, State.HELD}


async def kept(db: Db) -> list[int]:
    """The channels with a board that is kept, and that may be written to."""
    query = (
        select(board.c.chat_id)
        .join(chat, chat.c.id == board.c.chat_id)
        .where(chat.c.active, or_(board.c.trouble.is_(None), board.c.trouble == Trouble.UNPINNED))
        .order_by(board.c.chat_id)
    )
    return list((await db.execute(query)).scalars())


async def get(db: Db, chat_id: int, *, lock: bool = False) -> Board | None:
    """A channel's board; with `lock` nobody else changes it until the transaction ends."""
    query = select(board).where(board.c.chat_id == chat_id)
    if lock:
        query = query.with_for_update()
    row = (await db.execute(query)).first()
    if row is None:
        return None
    return Board(
        chat=row.chat_id,
        version=row.version,
        shown=row.shown,
        made_by=row.made_by,
        message=row.message_id,
        pinned_by=row.pinned_by,
        edited_by=row.edited_by,
        remade=row.remade,
        trouble=None if row.trouble is None else Trouble(row.trouble),
    )


async def begin(db: Db, chat_id: int) -> None:
    """A channel gets a board: a new message, whatever it had before; one that is kept stays."""
    found = await get(db, chat_id, lock=True)
    if found is not None and found.kept:
        return
    new = upsert(db, board).values(chat_id=chat_id, **BLANK)
    await db.execute(new.on_conflict_do_update(index_elements=[board.c.chat_id], set_=BLANK))


async def end(db: Db, chat_id: int) -> Board | None:
    """A channel's board is not kept any more; what waits of it is taken back. Returns it."""
    found = await get(db, chat_id, lock=True)
    if found is None:
        return None
    for pk in (found.made_by, found.pinned_by, found.edited_by):
        if pk is not None:
            await storage.alerts.withdraw(db, pk)
    # the row stays: its version is in the keys of its alerts, which are given once
    await change(db, chat_id, **{**BLANK, "trouble": Trouble.OFF.value})
    return found


async def change(db: Db, chat_id: int, **values: object) -> None:
    """Set some of a board's columns."""
    await db.execute(update(board).where(board.c.chat_id == chat_id).values(**values))


async def fate(db: Db, pk: int, chat_id: int) -> Fate | None:
    """What became of an alert for a chat; None once it is forgotten."""
    made = (await db.execute(select(alert.c.fanned_at).where(alert.c.id == pk))).first()
    mine = (delivery.c.alert_id == pk, delivery.c.chat_id == chat_id)
    row = (await db.execute(select(delivery).where(*mine))).first()
    if row is not None:
        return Fate(
            state=State(row.state),
            message=row.message_id or 0,
            error=read_if(row.error),
        )
    if made is None:
        return None
    # without a delivery after its fan-out: the chat was closed just then
    return Fate(state=State.PENDING if made.fanned_at is None else State.EXPIRED)
