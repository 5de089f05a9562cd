"""Chats and what they subscribed to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

import storage.filters
import storage.places
import storage.quiet
import storage.rules
import storage.setups
from bot.model.alerts import State
from bot.model.chats import (
    Chat,
    ChatKind,
    Editorial,
    Post,
    Style,
    Wakes,
    read_sounds,
    read_threads,
    write_sounds,
    write_threads,
)
from bot.model.quiet import QuietHours
from bot.model.subjects import bases_of
from bot.reasons import Reason, written
from storage.db import Db, db_now, unless_there
from storage.pace import GROUP_BURST, PRIVATE_BURST
from storage.schema import chat, delivery, subscription
from storage.superseding import UNSENT

# why a chat is inactive whose readers asked for silence; all other reasons are Telegram's
STOPPED = "stopped"


#: What a chat's quiet hours follow from.
_OF_QUIET = frozenset({"quiet", "time_zone"})
#: The chats that want to be told of calm stories too, by the condition of their index.
WANT_ALL = select(chat.c.id).where(text("chat.wakes = 'all'"))
OPENED: dict[str, Any] = {"active": True, "inactive_why": None, "inactive_at": None}


def _chat(row: Any) -> Chat:  # noqa: ANN401 - a result row
    return Chat(
        id=row.id,
        kind=ChatKind(row.kind),
        title=row.title,
        language=row.language,
        time_zone=row.time_zone,
        home=row.home,
        style=Style(row.style),
        wakes=Wakes(row.wakes),
        quiet=None if row.quiet is None else QuietHours.parse(row.quiet),
        quiet_urgent=row.quiet_urgent,
        sounds=read_sounds(row.sounds),
        threads=read_threads(row.threads),
        currencies=tuple(row.currencies.split()),
        tables=row.tables,
        policy=Editorial(row.policy),
        anonymous=row.anonymous,
        active=row.active,
    )


# built once: every reply asks both
_ONE = select(chat).where(chat.c.id == bindparam("pk"))
_SUBSCRIPTIONS = (
    select(subscription.c.key)
    .where(subscription.c.chat_id == bindparam("pk"))
    .order_by(subscription.c.key)
)


async def get(db: Db, chat_id: int) -> Chat | None:
    """One chat, or None when we never met."""
    row = (await db.execute(_ONE, {"pk": chat_id})).first()
    if row is None:
        return None
    return _chat(row)


async def met_at(db: Db, chat_id: int) -> datetime | None:
    """Since when a chat is known, by our clock; of a group that moved, since before that."""
    query = select(chat.c.created_at).where(chat.c.id == chat_id)
    return (await db.execute(query)).scalar()


async def add(db: Db, new: Chat, *, now: datetime) -> Chat:
    """Remember a chat; one already known keeps its settings. Returns what is stored."""
    values = {
        "id": new.id,
        "kind": new.kind,
        "title": new.title,
        "language": new.language,
        "time_zone": new.time_zone,
        "home": new.home,
        "style": new.style,
        "wakes": new.wakes,
        "quiet": None if new.quiet is None else str(new.quiet),
        "quiet_urgent": new.quiet_urgent,
        "sounds": write_sounds(new.sounds),
        "threads": write_threads(new.threads),
        "currencies": " ".join(new.currencies),
        "tables": new.tables,
        "policy": new.policy,
        "anonymous": new.anonymous,
        "active": new.active,
        "created_at": now,
    }
    await db.execute(unless_there(db, chat), values)
    if new.quiet is not None:
        await storage.quiet.plan(db, new.id)
    stored = await get(db, new.id)
    return stored or new


async def change(db: Db, chat_id: int, **values: object) -> None:
    """Set some of `language`, `time_zone`, `home`, `style`, `wakes`, `title`, `quiet`,
    `quiet_urgent`, `sounds`, `currencies`, `tables`, `policy`, `anonymous`.
    """
    await db.execute(update(chat).where(chat.c.id == chat_id).values(**values))
    if _OF_QUIET & values.keys():
        await storage.quiet.plan(db, chat_id)


async def currency_order(db: Db, chat_id: int) -> tuple[str, ...]:
    """The currencies that a chat put in an order; none of a chat that chose none."""
    query = select(chat.c.currencies).where(chat.c.id == chat_id)
    return tuple(((await db.execute(query)).scalar() or "").split())


async def put_first(db: Db, chat_id: int, code: str, home: str) -> Chat | None:
    """Let a currency that a chat follows in its own one be the first of them; the others keep their
    order. Returns the chat as it is then; None where it follows no such currency.
    """
    query = select(chat.c.currencies).where(chat.c.id == chat_id).with_for_update()
    before = ((await db.execute(query)).scalar() or "").split()
    bases = bases_of(await subscriptions(db, chat_id), home, order=before)
    if code not in bases:
        return None
    order = dict.fromkeys([code, *bases, *before])
    values = {"currencies": " ".join(order)}
    await db.execute(update(chat).where(chat.c.id == chat_id).values(**values))
    return await get(db, chat_id)


async def lead(db: Db, chat_id: int, posts: Collection[Post], thread: int | None) -> Chat | None:
    """Let kinds of post go to a forum topic; with None to General. Returns the chat as it is then.

    What the other kinds have stays, whoever chooses at the same time.
    """
    query = select(chat.c.threads).where(chat.c.id == chat_id).with_for_update()
    written = (await db.execute(query)).scalar()
    if written is None:
        return None
    threads = {one: to for one, to in read_threads(written).items() if one not in posts}
    if thread is not None:
        threads |= dict.fromkeys(posts, thread)
    values = {"threads": write_threads(threads)}
    await db.execute(update(chat).where(chat.c.id == chat_id).values(**values))
    return await get(db, chat_id)


async def leave_thread(db: Db, chat_id: int, thread: int) -> list[Post]:
    """A forum topic is closed or gone: what went there goes to General from now on.

    Returns which kinds of post those are; for the second who is refused there, none.
    """
    query = select(chat.c.threads).where(chat.c.id == chat_id).with_for_update()
    written = (await db.execute(query)).scalar() or ""
    threads = read_threads(written)
    left = [one for one in Post if threads.get(one) == thread]
    if left:
        await lead(db, chat_id, left, None)
    return left


async def pause(db: Db, chat_id: int, span: timedelta) -> None:
    """Telegram refuses this chat for a while: nothing of it is claimed until then; others go on."""
    now = await db_now(db)
    # A bucket that is this full has room again exactly when the pause is over.
    for kind, burst in (
        (chat.c.kind == ChatKind.PRIVATE.value, PRIVATE_BURST),
        (chat.c.kind != ChatKind.PRIVATE.value, GROUP_BURST),
    ):
        await db.execute(
            update(chat).where(chat.c.id == chat_id, kind).values(tat=now + span + burst)
        )


async def stop(db: Db, chat_id: int, *, said_at: datetime | None = None) -> None:
    """A chat's own wish for silence: it outlasts whatever Telegram says, until `activate`.

    `said_at` is when its readers said so, by Telegram's clock.
    """
    await _close(db, chat_id, STOPPED, stopped=True, word_at=said_at)


async def close(db: Db, chat_id: int, *, why: Reason) -> None:
    """Stop writing to a chat because of what Telegram says, until `revive`.

    In one commit: what waits for it is dead, with the reason. Whether its readers asked for silence
    stays as it is.
    """
    await _close(db, chat_id, written(why))


async def _close(db: Db, chat_id: int, why: str, **values: object) -> None:
    now = await db_now(db)
    # the first of several reasons says since when: what waited then was closed with the chat
    since = func.coalesce(chat.c.inactive_at, literal(now, chat.c.inactive_at.type))
    away = {"active": False, "inactive_why": why, "inactive_at": since}
    await db.execute(update(chat).where(chat.c.id == chat_id).values(**away, **values))
    waiting = and_(delivery.c.chat_id == chat_id, delivery.c.state.in_(UNSENT))
    await db.execute(
        update(delivery).where(waiting).values(state=State.DEAD.value, finished_at=now, error=why)
    )


async def activate(db: Db, chat_id: int, *, said_at: datetime | None = None) -> None:
    """Write to a chat (again), whatever it was closed for: the way back from `stop`.

    `said_at` is when its readers said so, by Telegram's clock; None when nobody did.
    """
    opened = {"stopped": False, "word_at": said_at, **OPENED}
    await db.execute(update(chat).where(chat.c.id == chat_id).values(**opened))


async def has_word(db: Db, chat_id: int) -> bool:
    """Whether a chat's readers ever said that they want messages, or none."""
    said = chat.c.stopped | chat.c.word_at.is_not(None)
    query = select(chat.c.id).where(chat.c.id == chat_id, said)
    return (await db.execute(query)).first() is not None


async def revive(db: Db, chat_id: int) -> bool:
    """Telegram lets us write to a chat again: whether we do. Its readers' own stop holds."""
    mine = chat.c.id == chat_id
    opened = update(chat).where(mine, ~chat.c.stopped).values(**OPENED).returning(chat.c.id)
    if (await db.execute(opened)).first() is not None:
        await storage.setups.found_again(db, chat_id)
        return True
    await db.execute(update(chat).where(mine, chat.c.stopped).values(inactive_why=STOPPED))
    return False


async def closed_by_telegram(db: Db) -> list[int]:
    """The groups and channels that were given up, and whose readers did not ask for it."""
    closed = (
        chat.c.id < 0,  # a person who blocked us says so by themselves when they come back
        ~chat.c.active,
        chat.c.inactive_at.is_not(None),
        ~chat.c.stopped,
    )
    return list((await db.execute(select(chat.c.id).where(*closed).order_by(chat.c.id))).scalars())


async def subscriptions(db: Db, chat_id: int) -> tuple[str, ...]:
    """A chat's subscription keys, sorted."""
    return tuple((await db.execute(_SUBSCRIPTIONS, {"pk": chat_id})).scalars())


async def subscribe(db: Db, chat_id: int, keys: Iterable[str], *, now: datetime) -> None:
    """Add subscriptions; those there already stay."""
    if rows := [{"chat_id": chat_id, "key": key, "since_at": now} for key in keys]:
        await db.execute(unless_there(db, subscription), rows)


async def unsubscribe(db: Db, chat_id: int, keys: Iterable[str] | None = None) -> None:
    """Drop these subscriptions, or all of them."""
    statement = delete(subscription).where(subscription.c.chat_id == chat_id)
    if keys is not None:
        statement = statement.where(subscription.c.key.in_(list(keys)))
    await db.execute(statement)


async def follow_instead(db: Db, chat_id: int, old: str, new: str) -> None:
    """Let a subscription be one of another key, and stay as old as it is."""
    mine = (subscription.c.chat_id == chat_id, subscription.c.key == old)
    await db.execute(update(subscription).where(*mine).values(key=new))


class Following(NamedTuple):
    """The state of a subscription: told of everything, or silent until a time."""

    snoozed_until: datetime | None


async def following(db: Db, chat_id: int, key: str) -> Following | None:
    """The state of a chat's subscription, by the database's clock; None where it has none."""
    query = select(subscription.c.snoozed_until).where(
        subscription.c.chat_id == chat_id, subscription.c.key == key
    )
    row = (await db.execute(query)).first()
    if row is None:
        return None
    until = row.snoozed_until
    if until is not None and until <= await db_now(db):
        until = None
    return Following(until)


async def replace_subscriptions(
    db: Db, chat_id: int, keys: Sequence[str], *, now: datetime
) -> None:
    """Make a chat's subscriptions exactly these: for channels that the catalog describes."""
    # What is there stays as it is: since when it is followed, and until when it is snoozed.
    have = set(await subscriptions(db, chat_id))
    await unsubscribe(db, chat_id, have - set(keys))
    await subscribe(db, chat_id, [key for key in keys if key not in have], now=now)


def awake(now: datetime) -> ColumnElement[bool]:
    """Whether a subscription is not snoozed."""
    until = subscription.c.snoozed_until
    return or_(until.is_(None), until <= now)


async def snooze(db: Db, chat_id: int, key: str, *, span: timedelta | None) -> bool:
    """No alerts of this subscription for a while, by the database's clock; with None, alerts again.

    False when the chat has no such subscription.
    """
    until = None
    if span is not None:
        until = await db_now(db) + span
    is_it = (subscription.c.chat_id == chat_id, subscription.c.key == key)
    changed = (
        update(subscription).where(*is_it).values(snoozed_until=until).returning(subscription.c.key)
    )
    return (await db.execute(changed)).first() is not None


async def wants_all(db: Db) -> bool:
    """Whether some chat wants to be told of calm stories about security too."""
    return (await db.execute(select(WANT_ALL.exists()))).scalar() is True


async def followed(db: Db) -> list[str]:
    """Every subscription key that somebody has.

    They are few, and those who have them many: one look into the index for each key, instead of all
    rows.
    """
    first = select(func.min(subscription.c.key).label("key")).cte("followed", recursive=True)
    later = subscription.alias()
    following = select(func.min(later.c.key)).where(later.c.key > first.c.key).scalar_subquery()
    each = first.union_all(select(following).where(first.c.key.is_not(None)))
    query = select(each.c.key).where(each.c.key.is_not(None))
    return list((await db.execute(query)).scalars())
