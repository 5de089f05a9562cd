"""Chats and what they subscribed to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

import storage.rules
from bot.model.chats import Chat, ChatKind, Style
from storage.db import Db, db_now, upsert
from storage.schema import alert, chat, delivery, inbox, subscription

_FIELDS = ("id", "kind", "title", "language", "time_zone", "home", "style", "thread", "active")


def _chat(row: Any) -> Chat:  # noqa: ANN401 - a result row
    return Chat(
        id=row.id,
        kind=ChatKind(row.kind),
        title=row.title,
        language=row.language,
        time_zone=row.time_zone,
        home=row.home,
        style=Style(row.style),
        thread=row.thread,
        active=row.active,
    )


async def get(db: Db, chat_id: int) -> Chat | None:
    """One chat, or None when we never met."""
    row = (await db.execute(select(chat).where(chat.c.id == chat_id))).first()
    return None if row is None else _chat(row)


async def add(db: Db, new: Chat, *, now: datetime) -> Chat:
    """Remember a chat; one already known keeps its settings. Returns what is stored."""
    values = {name: getattr(new, name) for name in _FIELDS} | {"created_at": now}
    await db.execute(upsert(db, chat).values(**values).on_conflict_do_nothing())
    stored = await get(db, new.id)
    return stored or new


async def change(db: Db, chat_id: int, **values: object) -> None:
    """Set some of `language`, `time_zone`, `home`, `style`, `thread`, `title`."""
    await db.execute(update(chat).where(chat.c.id == chat_id).values(**values))


async def activate(db: Db, chat_id: int) -> None:
    """Write to a chat (again); `outbox.close_chat` is the way back."""
    await db.execute(update(chat).where(chat.c.id == chat_id).values(active=True, inactive_why=None, inactive_at=None))


async def migrate(db: Db, old: int, new: int) -> None:
    """A group became a supergroup: rewrite its id everywhere. Safe to repeat."""
    row = (await db.execute(select(chat).where(chat.c.id == old))).first()
    if row is not None:
        values = dict(row._mapping) | {"id": new}  # noqa: SLF001 - SQLAlchemy's public name
        await db.execute(upsert(db, chat).values(**values).on_conflict_do_nothing())
        known = select(subscription.c.key).where(subscription.c.chat_id == new)
        await db.execute(
            update(subscription)
            .where(subscription.c.chat_id == old, subscription.c.key.not_in(known))
            .values(chat_id=new)
        )
        await db.execute(delete(subscription).where(subscription.c.chat_id == old))
        await storage.rules.migrate(db, old, new)
        await db.execute(delete(chat).where(chat.c.id == old))
    already = select(delivery.c.alert_id).where(delivery.c.chat_id == new)
    await db.execute(
        update(delivery).where(delivery.c.chat_id == old, delivery.c.alert_id.not_in(already)).values(chat_id=new)
    )
    await db.execute(update(alert).where(alert.c.audience_chat == old).values(audience_chat=new))
    await db.execute(update(inbox).where(inbox.c.chat_id == old).values(chat_id=new))


async def subscriptions(db: Db, chat_id: int) -> tuple[str, ...]:
    """A chat's subscription keys, sorted."""
    query = select(subscription.c.key).where(subscription.c.chat_id == chat_id).order_by(subscription.c.key)
    return tuple((await db.execute(query)).scalars())


async def subscribe(db: Db, chat_id: int, keys: Iterable[str], *, now: datetime) -> None:
    """Add subscriptions; those there already stay."""
    for key in keys:
        values = {"chat_id": chat_id, "key": key, "since_at": now}
        await db.execute(upsert(db, subscription).values(**values).on_conflict_do_nothing())


async def unsubscribe(db: Db, chat_id: int, keys: Iterable[str] | None = None) -> None:
    """Drop these subscriptions, or all of them."""
    statement = delete(subscription).where(subscription.c.chat_id == chat_id)
    await db.execute(statement if keys is None else statement.where(subscription.c.key.in_(list(keys))))


async def replace_subscriptions(db: Db, chat_id: int, keys: Sequence[str], *, now: datetime) -> None:
    """Make a chat's subscriptions exactly these: for channels that the catalog describes."""
    have = set(await subscriptions(db, chat_id))
    await unsubscribe(db, chat_id, have - set(keys))
    await subscribe(db, chat_id, [key for key in keys if key not in have], now=now)


async def snooze(db: Db, chat_id: int, key: str, *, span: timedelta | None) -> bool:
    """No alerts of this subscription for a while, by the database's clock; with None, alerts again.

    False when the chat has no such subscription.
    """
    until = await db_now(db) + span if span is not None else None
    is_it = (subscription.c.chat_id == chat_id, subscription.c.key == key)
    changed = update(subscription).where(*is_it).values(snoozed_until=until).returning(subscription.c.key)
    return (await db.execute(changed)).first() is not None


async def digest_keys(db: Db) -> list[str]:
    """Every digest time somebody wants, as subscription keys."""
    query = select(subscription.c.key).where(subscription.c.key.like("digest:%")).distinct()
    return list((await db.execute(query)).scalars())
