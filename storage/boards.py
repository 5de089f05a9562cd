"""Boards: which chats have one, what it shows, and what became of the alerts that keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update

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
    """The state of an alert in its chat, with the message's number (0: none) and the error."""

    state: State
    message: int = 0
    error: Reason | None = None

    @property
    def open(self) -> bool:
        """Whether it may still be sent."""
        return self.state in {State.PENDING, State.LEASED, State.HELD}


async def kept(db: Db) -> list[int]:
    """The chats with a board that is kept, and that may be written to."""
    query = (
        select(board.c.chat_id)
        .join(chat, chat.c.id == board.c.chat_id)
        .where(chat.c.active, or_(board.c.trouble.is_(None), board.c.trouble == Trouble.UNPINNED))
        .order_by(board.c.chat_id)
    )
    return list((await db.execute(query)).scalars())


async def get(db: Db, chat_id: int, *, lock: bool = False) -> Board | None:
    """A chat's board; with `lock` nobody else changes it until the transaction ends."""
    query = _BOARD.with_for_update() if lock else _BOARD
    row = (await db.execute(query, {"chat": chat_id})).first()
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
        of_catalog=row.of_catalog,
    )


async def begin(db: Db, chat_id: int, *, of_catalog: bool = False) -> None:
    """A chat gets a board: a new message, whatever it had before; one that is kept stays."""
    found = await get(db, chat_id, lock=True)
    asked: dict[str, Any] = {"of_catalog": of_catalog}
    if found is not None and found.kept:
        await change(db, chat_id, **asked)
        return
    values = BLANK | asked
    new = upsert(db, board).values(chat_id=chat_id, **values)
    await db.execute(new.on_conflict_do_update(index_elements=[board.c.chat_id], set_=values))


async def follow_catalog(db: Db, chat_id: int, *, wanted: bool) -> Board | None:
    """A channel has a board or none, as the catalog says. Returns the one that ended by it.

    The catalog says so at each start. One that was given up is not begun again by that, but once
    the catalog has asked for none in between.
    """
    found = await get(db, chat_id, lock=True)
    over = found is None or found.trouble is Trouble.OFF
    if wanted:
        # a restart is nobody's word on a message that was deleted twice
        given_up = found is not None and found.of_catalog and not found.kept
        if over or not given_up:
            await begin(db, chat_id, of_catalog=True)
        return None
    return None if over else await end(db, chat_id)


async def migrate(db: Db, old: int, new: int) -> None:
    """A group's board goes with it as another message: those of the old group stay there.

    Where both have had one, it is as the new group has it.
    """
    was = await get(db, old, lock=True)
    if was is None:
        return
    await end(db, old)  # what waits of it would be sent to the new group
    if was.kept and await get(db, new) is None:
        await begin(db, new)
    await db.execute(delete(board).where(board.c.chat_id == old))


async def end(db: Db, chat_id: int) -> Board | None:
    """A chat's board is not kept any more; what waits of it is taken back. Returns it."""
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


# built once: every look at a board asks
_BOARD = select(board).where(board.c.chat_id == bindparam("chat"))
_MADE = select(alert.c.fanned_at).where(alert.c.id == bindparam("pk"))
_MINE = select(delivery).where(
    delivery.c.alert_id == bindparam("pk"), delivery.c.chat_id == bindparam("chat")
)


async def fate(db: Db, pk: int, chat_id: int) -> Fate | None:
    """The fate of an alert's delivery to a chat; None once the alert is forgotten."""
    made = (await db.execute(_MADE, {"pk": pk})).first()
    row = (await db.execute(_MINE, {"pk": pk, "chat": chat_id})).first()
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
