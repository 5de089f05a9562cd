"""Deliveries: what became of those that were claimed, and which message carried what.

A mark with the number (fence) of an old lease changes nothing. Telegram has no
idempotency key: an outcome nobody saw may have been a delivery. Such doubts are
counted; when there were more than the lane allows, the row is dead rather than
sent once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    bindparam,
    or_,
    select,
    text,
    update,
)

from bot.model.alerts import State
from bot.reasons import Reason, written_if
from storage.claims import Claimed
from storage.db import Db, db_now
from storage.schema import delivery


class Mark(NamedTuple):
    """The outcome of one claimed delivery, under the `fence` of its lease.

    `retry_in` is given for PENDING, from the moment of marking. `doubts` and `tries` are the new
    totals, and `plain` says that the next try goes without entities.
    """

    id: int
    fence: int
    state: State
    message_id: int | None = None
    error: Reason | None = None
    retry_in: timedelta | None = None
    doubts: int = 0
    tries: int = 0
    plain: bool = False


async def finish(db: Db, marks: Iterable[Mark]) -> None:
    """Write down what became of claimed deliveries; a mark under an old fence changes nothing.

    One that comes after its lease ended still counts while nobody took the delivery again: it
    spares a copy.
    """
    now = await db_now(db)
    sent: list[str] = []
    rows: list[dict[str, Any]] = []
    for mark in marks:
        if mark.state is State.SENT:
            sent.append(f"({mark.id:d},{mark.fence:d},{mark.message_id or 0:d})")
            continue
        finished_at: datetime | None = now
        if mark.state is State.PENDING:
            finished_at = None
        rows.append(
            {
                "key": mark.id,
                "its_fence": mark.fence,
                "new_state": mark.state.value,
                "new_error": written_if(mark.error),
                "at": finished_at,
                "next": now + (mark.retry_in or timedelta(0)),
                "new_doubts": mark.doubts,
                "new_tries": mark.tries,
                "new_plain": mark.plain,
            }
        )
    if sent:
        # numbers written out: binding three parameters a row costs four times what the statement
        # does
        values = ",".join(sent)
        await db.execute(
            text(_SENT.format(values=values)).bindparams(
                bindparam("now", now, delivery.c.finished_at.type)
            )
        )
    if rows:
        await db.execute(_FINISH, rows)


# VALUES calls its columns column1, column2, … on both databases
_SENT = """
UPDATE delivery
SET state = 'sent', message_id = told.column3, finished_at = :now, error = NULL,
  tries = tries + 1, lease_until = NULL
FROM (VALUES {values}) AS told
WHERE delivery.id = told.column1 AND delivery.fence = told.column2
  AND delivery.state IN ('leased', 'pending')
"""
_FINISH = (
    update(delivery)
    .where(
        delivery.c.id == bindparam("key"),
        delivery.c.fence == bindparam("its_fence"),
        or_(delivery.c.state == State.LEASED.value, delivery.c.state == State.PENDING.value),
    )
    .values(
        state=bindparam("new_state"),
        error=bindparam("new_error"),
        finished_at=bindparam("at"),
        not_before=bindparam("next"),
        doubts=bindparam("new_doubts"),
        tries=bindparam("new_tries"),
        plain=bindparam("new_plain"),
        lease_until=None,
    )
)


def unbegun(item: Claimed) -> Mark:
    """The mark that gives a delivery back as it was."""
    return Mark(
        item.id, item.fence, State.PENDING, tries=item.tries, doubts=item.doubts, plain=item.plain
    )


async def release(db: Db, claimed: Iterable[Claimed]) -> None:
    """Give back deliveries that were not begun: another sender may take them at once."""
    await finish(db, [unbegun(item) for item in claimed])


async def message_of(db: Db, alert_pk: int, chat_id: int) -> int | None:
    """The ledger: the Telegram message that carried an alert to a chat."""
    query = select(delivery.c.message_id).where(
        delivery.c.alert_id == alert_pk, delivery.c.chat_id == chat_id
    )
    return (await db.execute(query)).scalar()


async def was_made(db: Db, alert_pk: int, chat_id: int) -> bool:
    """Whether an alert was for a chat, whatever became of it on the way."""
    mine = (delivery.c.alert_id == alert_pk, delivery.c.chat_id == chat_id)
    return (await db.execute(select(delivery.c.id).where(*mine))).first() is not None
