"""The bot that a database belongs to, and giving it to another one.

A token is a bot's; what a database knows is between that bot and its chats: who let it write,
which message told what, which updates came. Under another bot's token the same numbers mean other
messages, a private chat may not be written to before it pressed Start, and an update whose number
an old one had would be taken for the old one. So a start with another token is refused, until
somebody says that the database is that bot's now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, update

import storage.notes
from bot.errors import ConfigError
from bot.model.alerts import State
from bot.model.channels import Trouble
from bot.typed import typed
from storage.boards import BLANK
from storage.db import COUNTED, Db, db_now
from storage.schema import alert, board, broadcast, chat, delivery, inbox, kept_back, pace, setup
from storage.superseding import UNSENT

#: The note of the bot that a database belongs to, by its number.
BOT_MARK = "bot"
#: Why a chat is inactive that another bot knew, and this one has not met.
UNMET = "unmet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The bot that a database was taken from, and the deliveries and updates dropped with it."""

    was: str
    unsent: int
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """A chat that this bot has to meet first: a person presses Start, others let it in."""

    id: int
    kind: str
    title: str


async def noted(db: Db) -> str | None:
    """The number of the bot that is noted in a database."""
    return await storage.notes.get(db, BOT_MARK)


async def owner(db: Db) -> str | None:
    """The number of the bot that a database belongs to; None of a new one.

    One that ran before it was noted is known by the paces that it kept for its bot.
    """
    if (written := await noted(db)) is not None:
        return written
    # the row whose slots reach farthest is of the bot that sent last
    paced = (await db.execute(select(pace.c.name).order_by(pace.c.tat.desc()))).scalars()
    return next((name for name in paced if name.isdigit()), None)


async def must_be_of(db: Db, bot: str) -> None:
    """ConfigError with the remedy where a database belongs to another bot."""
    was = await owner(db)
    if was not in {None, bot}:
        raise ConfigError(
            f"BOT_TOKEN is of the bot {bot}, and the database belongs to the bot {was}: put that "
            f"bot's token back, or give the database to this one by `{typed('subscribers adopt')}` "
            f"(chats must then meet it anew)"
        )


async def claim(db: Db, bot: str) -> None:
    """Note whose the database is; ConfigError as with `must_be_of`."""
    await must_be_of(db, bot)
    await storage.notes.put(db, BOT_MARK, bot)


async def give(db: Db, bot: str) -> Given:
    """Give a database to another bot; ConfigError when it is that one's already.

    Chats keep their settings and are written to once the new bot has met them. What waited for the
    old one's voice ends here, and no number of an old message or update stays.
    """
    was = await owner(db)
    if was is None or was == bot:
        raise ConfigError(f"the database is of the bot {bot} already: there is nothing to give")
    now = await db_now(db)
    unsent = await _end_what_waits(db, now)
    unanswered = await _forget_updates(db)
    await _forget_messages(db)
    away = {"active": False, "inactive_why": UNMET}
    since = func.coalesce(chat.c.inactive_at, literal(now, chat.c.inactive_at.type))
    await db.execute(update(chat).where(~chat.c.stopped).values(inactive_at=since, **away))
    await _hand_over_the_switch(db, was, bot)
    for name in storage.notes.OF_A_LOOK:
        await storage.notes.drop(db, name)
    await storage.notes.put(db, BOT_MARK, bot)
    return Given(was=was, unsent=unsent, unanswered=unanswered)


async def unmet(db: Db) -> list[Unmet]:
    """The chats that this bot has not met, people last."""
    query = select(chat.c.id, chat.c.kind, chat.c.title).where(chat.c.inactive_why == UNMET)
    found: list[Unmet] = []
    for row in await db.execute(query.order_by(chat.c.id)):
        found.append(Unmet(id=row.id, kind=row.kind, title=row.title))
    return found


async def _end_what_waits(db: Db, now: datetime) -> int:
    """End the alerts and deliveries decided for the old bot's chats; how many deliveries."""
    open_states = (*UNSENT, State.LEASED.value)
    ended: dict[str, Any] = {"state": State.DEAD.value, "finished_at": now, "error": UNMET}
    done = await db.execute(
        update(delivery)
        .where(delivery.c.state.in_(open_states))
        # another fence: a sender of the old bot that is still at one of them marks nothing
        .values(lease_until=None, fence=delivery.c.fence + 1, **ended),
        execution_options=COUNTED,
    )
    await db.execute(update(alert).where(alert.c.fanned_at.is_(None)).values(fanned_at=now))
    await db.execute(delete(broadcast))
    await db.execute(delete(kept_back))
    return done.rowcount


async def _forget_updates(db: Db) -> int:
    """Numbers of updates are each bot's own. How many were not answered yet."""
    waits = select(func.count()).select_from(inbox).where(inbox.c.finished_at.is_(None))
    count: int = (await db.execute(waits)).scalar_one()
    await db.execute(delete(inbox))
    return count


async def _forget_messages(db: Db) -> None:
    """Numbers of messages too: in a private chat they are other messages of the new bot, and in
    the others it may edit none of them.
    """
    await db.execute(update(delivery).values(message_id=None))
    await db.execute(update(setup).values(message_id=None, told_at=None))
    kept = board.c.trouble.is_(None) | (board.c.trouble != Trouble.OFF.value)
    await db.execute(update(board).where(kept).values(BLANK))


async def _hand_over_the_switch(db: Db, was: str, bot: str) -> None:
    """Alerts that an operator stopped stay stopped under the new token."""
    stopped = (await db.execute(select(pace.c.stopped_at).where(pace.c.name == was))).scalar()
    now = await db_now(db)
    await db.execute(delete(pace).where(pace.c.name.in_((was, bot))))
    await db.execute(insert(pace).values(name=bot, tat=now, stopped_at=stopped))
