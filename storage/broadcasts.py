"""Broadcasts: what an operator is about to send to all, whom it reaches, and how far it has come.

A broadcast is an alert like any other once it was confirmed twice; until then it is a row here that
ends by itself, on the database's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, update

import storage.alerts
import storage.chats
from bot.model.alerts import EVERYBODY, State
from bot.model.broadcasts import Progress, Reach, Step, StoredBroadcast
from bot.model.chats import ChatKind
from bot.model.entities import Entity, read_entities, written_entity
from storage.db import Db, db_now
from storage.schema import alert, broadcast, chat, delivery, subscription

DRAFTS = (Step.ASKED.value, Step.SHOWN.value, Step.SURE.value)
DRAFT_LASTS = timedelta(minutes=30)  # until it is sent, or has to be begun anew
SENDING_LASTS = timedelta(days=3)  # longer than its alert: by then nothing of it waits


async def begin(db: Db, chat_id: int) -> int:
    """A broadcast whose words are awaited from an operator, in place of an unsent one of theirs."""
    mine = (broadcast.c.chat_id == chat_id, broadcast.c.step.in_(DRAFTS))
    await db.execute(delete(broadcast).where(*mine))
    until = await db_now(db) + DRAFT_LASTS
    values = {"chat_id": chat_id, "step": Step.ASKED.value, "audience": EVERYBODY}
    made = insert(broadcast).values(**values, text="", marks=[], until_at=until)
    return int((await db.execute(made.returning(broadcast.c.id))).scalar_one())


async def awaited(db: Db, chat_id: int) -> StoredBroadcast | None:
    """The broadcast whose words this operator is asked for."""
    return await _one(db, broadcast.c.chat_id == chat_id, broadcast.c.step == Step.ASKED.value)


async def of_chat(db: Db, pk: int, chat_id: int) -> StoredBroadcast | None:
    """This operator's broadcast of that number, locked; None when it is another's, or over."""
    return await _one(db, broadcast.c.id == pk, broadcast.c.chat_id == chat_id, lock=True)


async def _one(db: Db, *which: ColumnElement[bool], lock: bool = False) -> StoredBroadcast | None:
    query = select(broadcast).where(*which, broadcast.c.until_at > await db_now(db))
    if lock:
        query = query.with_for_update()
    row = (await db.execute(query)).first()
    return None if row is None else _stored(row)


async def change(db: Db, pk: int, step: Step, **values: object) -> None:
    """Bring a broadcast to a step, and set some of its columns."""
    lasts = SENDING_LASTS if step in {Step.SENDING, Step.DONE} else DRAFT_LASTS
    until = await db_now(db) + lasts
    changed = update(broadcast).where(broadcast.c.id == pk)
    await db.execute(changed.values(step=step.value, until_at=until, **values))


async def write_words(db: Db, pk: int, text: str, entities: Sequence[Entity]) -> None:
    """Keep the words that the operator wrote."""
    marks = [written_entity(one) for one in entities]
    await change(db, pk, Step.SHOWN, text=text, marks=marks)


async def note_shown(db: Db, pk: int, settled: int) -> None:
    """The progress of a broadcast was written with so many deliveries settled."""
    await db.execute(update(broadcast).where(broadcast.c.id == pk).values(shown=settled))


async def drop(db: Db, pk: int) -> None:
    """Forget a broadcast that is not sent."""
    await db.execute(delete(broadcast).where(broadcast.c.id == pk))


async def drop_unsent(db: Db, chat_id: int) -> bool:
    """Forget what this operator has not sent; whether it still waited for something."""
    mine = (broadcast.c.chat_id == chat_id, broadcast.c.step.in_(DRAFTS))
    dropped = delete(broadcast).where(*mine).returning(broadcast.c.until_at)
    now = await db_now(db)
    return any(row.until_at > now for row in await db.execute(dropped))


async def sending(db: Db) -> list[StoredBroadcast]:
    """The broadcasts under way, oldest first."""
    under_way = select(broadcast).where(broadcast.c.step == Step.SENDING.value)
    return [_stored(row) for row in await db.execute(under_way.order_by(broadcast.c.id))]


async def reach(db: Db, audience: str) -> Reach:
    """The readers of a broadcast sent now: the very chats that its fan-out takes."""
    query: Select[Any] = select(chat.c.kind, func.count().label("n")).where(chat.c.active)
    if audience != EVERYBODY:
        query = query.join(subscription, subscription.c.chat_id == chat.c.id)
        query = query.where(subscription.c.key == audience, storage.chats.awake(await db_now(db)))
    found = dict.fromkeys(ChatKind, 0)
    for row in await db.execute(query.group_by(chat.c.kind)):
        found[ChatKind(row.kind)] = row.n
    return Reach(kinds=found)


async def progress(db: Db, pk: int) -> Progress:
    """The progress of this alert's broadcast."""
    fanned = (await db.execute(select(alert.c.fanned_at).where(alert.c.id == pk))).first()
    states = select(delivery.c.state, func.count().label("n")).where(delivery.c.alert_id == pk)
    counts: dict[str, int] = {}
    for row in await db.execute(states.group_by(delivery.c.state)):
        counts[row.state] = row.n
    waiting = sum(n for state, n in counts.items() if state in storage.alerts.OPEN)
    sent = counts.get(State.SENT.value, 0)
    stopped = counts.get(State.SUPERSEDED.value, 0)
    return Progress(
        sent=sent,
        stopped=stopped,
        waiting=waiting,
        failed=sum(counts.values()) - waiting - sent - stopped,
        open=waiting > 0 or (fanned is not None and fanned.fanned_at is None),
    )


async def stop(db: Db, pk: int) -> None:
    """End the broadcast of this alert for whoever it has not left for.

    What is on its way may arrive, and is not tried again.
    """
    await storage.alerts.withdraw(db, pk)
    under_way = (delivery.c.alert_id == pk, delivery.c.state == State.LEASED.value)
    await db.execute(update(delivery).where(*under_way).values(expires_at=await db_now(db)))
    # the operator waits for the word that it is so
    await db.execute(update(broadcast).where(broadcast.c.alert_id == pk).values(shown=None))


def _stored(row: Any) -> StoredBroadcast:  # noqa: ANN401 - a result row
    return StoredBroadcast(
        id=row.id,
        chat=row.chat_id,
        step=Step(row.step),
        audience=row.audience,
        text=row.text,
        entities=read_entities(row.marks),
        alert=row.alert_id,
        message=row.message_id,
        reach=row.reach,
        shown=row.shown,
    )
