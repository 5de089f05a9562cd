"""A group that became a supergroup: its id is rewritten wherever it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, delete, or_, select, update

import storage.boards
import storage.chats
import storage.filters
import storage.kept_back
import storage.places
import storage.quiet
import storage.rules
from bot.model.alerts import State
from storage.alerts import BEGUN
from storage.chats import OPENED
from storage.db import Db, db_now, upsert
from storage.schema import alert, chat, delivery, inbox, subscription
from storage.types import EPOCH


async def migrate(db: Db, old: int, new: int) -> None:
    """A group became a supergroup: rewrite its id everywhere.

    It is safe to repeat, and in any order with other news of it. Telegram tells of it in the old
    group and in the new one, and both may have been met meanwhile as if for the first time: the
    chat that was known first keeps its settings. What its readers said last of silence, in either
    of the two, outlasts the move; being written to says that the bot is in.
    """
    if old == new:  # nobody moved, and its row would be deleted as the old one's
        return
    # both rows in one order: the two messages may be handled at once by two replicas
    query = select(chat).where(chat.c.id.in_((old, new))).order_by(chat.c.id).with_for_update()
    rows = {row.id: row for row in await db.execute(query)}
    if old in rows:
        await _move_chat(db, rows[old], rows.get(new), new)
    await _move_deliveries(db, old, new)
    await _keep_last_word(db, rows.values(), new)
    await db.execute(update(alert).where(alert.c.audience_chat == old).values(audience_chat=new))
    await db.execute(update(alert).where(alert.c.about_chat == old).values(about_chat=new))
    await db.execute(update(inbox).where(inbox.c.chat_id == old).values(chat_id=new))
    await storage.quiet.plan(db, new)  # what was held goes by the hours that it has now


async def _move_chat(db: Db, old: Row[Any], known: Row[Any] | None, new: int) -> None:
    values = dict(old._mapping) | {"id": new} | OPENED  # noqa: SLF001 - SQLAlchemy's public name
    if not old.stopped and not old.active:
        await _revive_deliveries(db, old)
    if known is None:
        await db.execute(upsert(db, chat).values(**values).on_conflict_do_nothing())
    elif await _was_first(db, old, known):
        await db.execute(update(chat).where(chat.c.id == new).values(**values))
    await _move_subscriptions(db, old.id, new)
    await storage.rules.migrate(db, old.id, new)
    await storage.filters.migrate(db, old.id, new)
    await storage.kept_back.migrate(db, old.id, new)
    await storage.places.migrate(db, old.id, new)
    await storage.boards.migrate(db, old.id, new)
    await db.execute(delete(chat).where(chat.c.id == old.id))


async def _move_subscriptions(db: Db, old: int, new: int) -> None:
    """Move subscriptions; one that both groups have stays once: since the old one followed it, and
    snoozed or not as the new one said last.
    """
    theirs = subscription.alias("theirs")
    said = select(theirs.c.snoozed_until).where(
        theirs.c.chat_id == new, theirs.c.key == subscription.c.key
    )
    mine = subscription.c.chat_id == old
    await db.execute(
        update(subscription).where(mine, said.exists()).values(snoozed_until=said.scalar_subquery())
    )
    keys = select(theirs.c.key).where(theirs.c.chat_id == old)
    await db.execute(
        delete(subscription).where(subscription.c.chat_id == new, subscription.c.key.in_(keys))
    )
    await db.execute(update(subscription).where(mine).values(chat_id=new))


async def _keep_last_word(db: Db, rows: Iterable[Row[Any]], new: int) -> None:
    """Silence, or its end, moves with those who asked for it last, and holds where they are.

    In the old group nobody could say anything after the move.
    """
    words = [row for row in rows if row.stopped or row.word_at is not None]
    if not words:
        return
    last = max(words, key=lambda row: (row.word_at or EPOCH, row.id == new))
    if last.stopped:
        await storage.chats.stop(db, new, said_at=last.word_at)
    elif any(row.stopped for row in words):
        await storage.chats.activate(db, new, said_at=last.word_at)
    else:
        mine = chat.c.id == new
        await db.execute(update(chat).where(mine).values(word_at=last.word_at))


async def _was_first(db: Db, old: Row[Any], known: Row[Any]) -> bool:
    """Whether the old group is the one with somebody's settings, not one met after the move."""
    if old.created_at != known.created_at:
        return bool(old.created_at < known.created_at)
    if await storage.chats.subscriptions(db, old.id):
        return True
    return not await storage.chats.subscriptions(db, known.id)


async def _move_deliveries(db: Db, old: int, new: int) -> None:
    """Move deliveries; of two of one alert stays the one that is made, or being made."""
    theirs = delivery.alias("theirs")
    same = (theirs.c.alert_id == delivery.c.alert_id,)
    made = select(theirs.c.id).where(*same, theirs.c.chat_id == old, theirs.c.state.in_(BEGUN))
    await db.execute(
        delete(delivery).where(
            delivery.c.chat_id == new, delivery.c.state.not_in(BEGUN), made.exists()
        )
    )
    twin = select(theirs.c.id).where(*same, theirs.c.chat_id == new)
    await db.execute(delete(delivery).where(delivery.c.chat_id == old, twin.exists()))
    await db.execute(update(delivery).where(delivery.c.chat_id == old).values(chat_id=new))


async def _revive_deliveries(db: Db, old: Row[Any]) -> None:
    """Let deliveries that were closed with a group that only moved wait again, while they are worth
    sending.

    The group may have been closed for one reason after another. What may have arrived stays as it
    is, unless it was closed while it waited: its copies are counted.
    """
    now = await db_now(db)
    closed = (
        delivery.c.chat_id == old.id,
        delivery.c.state == State.DEAD.value,
        or_(delivery.c.error == old.inactive_why, delivery.c.doubts == 0),
        delivery.c.finished_at >= old.inactive_at,
        delivery.c.expires_at > now,
    )
    waiting = {"state": State.PENDING.value, "finished_at": None, "error": None, "not_before": now}
    await db.execute(update(delivery).where(*closed).values(**waiting))
