"""A chat's own rules: a few wait for a Yes, the others watch and remember between rates.

A rule that waits for its Save is a row like the others, not yet in force: what a button sends back
is only its number, and that has to be a row of the same chat. Of the proposals the latest few stay:
whoever goes back to one finds it alive. The `state` of one that changes a saved rule says which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from bot.errors import NewerError
from bot.model.rates import Pair, RateKind, Series
from bot.model.rules import Rule, RuleState
from storage.db import Db
from storage.schema import chat, rule

log = structlog.get_logger(__name__)

PENDING, ON, PAUSED = "pending", "on", "paused"
MOST_PENDING = 5  # proposals of a chat that wait at a time
UNREAD_NOTED = 1000  # rules of a newer version that the log is not told of again


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """A rule of a chat and its number; `series` is what it watches.

    `replaces` is the saved rule whose place a proposal is to take.
    """

    id: int
    chat: int
    series: Series
    rule: Rule
    state: RuleState
    paused: bool
    replaces: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadRule:
    """A saved rule of a newer version of the program, of which this one knows the pair alone."""

    id: int
    pair: Pair


def _stored(row: Any) -> StoredRule:  # noqa: ANN401 - a result row
    # a proposal has not begun yet: its state says only whose place it takes
    state = RuleState()
    if row.standing != PENDING:
        state = RuleState.from_json(row.state)
    read = Rule.from_json(row.rule)  # first: a newer one may watch a kind that is unknown here
    return StoredRule(
        id=row.id,
        chat=row.chat_id,
        series=Series(row.source, Pair(row.base, row.quote), RateKind(row.kind)),
        rule=read,
        state=state,
        paused=row.standing == PAUSED,
        replaces=row.state.get("replaces"),
    )


def _readable(rows: Iterable[Any]) -> list[StoredRule]:
    """The rules that this program reads: one that a newer program saved is kept for that, and does
    not watch meanwhile. The log has it once.
    """
    found: list[StoredRule] = []
    for row in rows:
        try:
            found.append(_stored(row))
        except NewerError as newer:
            _note_unread(row.id, str(newer))
    return found


@lru_cache(maxsize=UNREAD_NOTED)  # each rate asks for the rules that watch it
def _note_unread(number: int, why: str) -> None:
    log.warning("a rule cannot be read by this version", rule=number, why=why)


def _of(chat_id: int) -> list[ColumnElement[bool]]:
    """A chat's saved rules."""
    return [rule.c.chat_id == chat_id, rule.c.standing != PENDING]


async def propose(
    db: Db, chat_id: int, of: Series, new: Rule, *, now: datetime, replaces: int | None = None
) -> int:
    """Put a rule aside until the chat saves it; its number. `replaces` is the rule it changes."""
    waiting = (rule.c.chat_id == chat_id, rule.c.standing == PENDING)
    newest = select(rule.c.id).where(*waiting).order_by(rule.c.id.desc()).limit(MOST_PENDING - 1)
    kept = (await db.execute(newest)).scalars().all()
    await db.execute(delete(rule).where(*waiting, rule.c.id.not_in(kept)))
    values = {
        "chat_id": chat_id,
        "source": of.source,
        "base": of.pair.base,
        "quote": of.pair.quote,
        "kind": of.kind.value,
        "rule": new.to_json(),
        "state": {"replaces": replaces},
        "standing": PENDING,
        "created_at": now,
    }
    return int((await db.execute(insert(rule).values(**values).returning(rule.c.id))).scalar_one())


async def drop_proposed(db: Db, chat_id: int) -> bool:
    """Forget the rules that wait for the chat's Save; whether there was one."""
    mine = (rule.c.chat_id == chat_id, rule.c.standing == PENDING)
    return (await db.execute(delete(rule).where(*mine).returning(rule.c.id))).first() is not None


async def get(db: Db, chat_id: int, number: int, *, pending: bool = False) -> StoredRule | None:
    """A rule of this very chat: one that waits, or one that was saved."""
    standing = rule.c.standing != PENDING
    if pending:
        standing = rule.c.standing == PENDING
    # the chat too: anybody may send a button's data with any number in it
    query = select(rule).where(rule.c.id == number, rule.c.chat_id == chat_id, standing)
    return next(iter(_readable(await db.execute(query))), None)


async def of_chat(db: Db, chat_id: int) -> list[StoredRule]:
    """The chat's saved rules, oldest first."""
    query = select(rule).where(*_of(chat_id)).order_by(rule.c.id)
    return _readable(await db.execute(query))


async def unread_of_chat(db: Db, chat_id: int) -> list[UnreadRule]:
    """The chat's saved rules that are kept for a newer version of the program, oldest first."""
    rows = (await db.execute(select(rule).where(*_of(chat_id)).order_by(rule.c.id))).all()
    read = {one.id for one in _readable(rows)}
    unread: list[UnreadRule] = []
    for row in rows:
        if row.id not in read:
            unread.append(UnreadRule(id=row.id, pair=Pair(row.base, row.quote)))
    return unread


async def is_on(db: Db, chat_id: int, number: int) -> bool:
    """Whether a saved rule of this chat is in force, of whatever version."""
    query = select(rule.c.id).where(
        rule.c.id == number, rule.c.chat_id == chat_id, rule.c.standing == ON
    )
    return (await db.execute(query)).first() is not None


async def count(db: Db, chat_id: int) -> int:
    """The number of rules that the chat saved, with those of a newer version."""
    return int(
        (await db.execute(select(func.count()).select_from(rule).where(*_of(chat_id)))).scalar_one()
    )


async def change(db: Db, number: int, new: Rule) -> None:
    """Give a proposal another condition."""
    await db.execute(update(rule).where(rule.c.id == number).values(rule=new.to_json()))


async def save(db: Db, proposed: StoredRule, state: RuleState) -> None:
    """Put a proposed rule in force, as new or in place of the one it changes, with its `state`."""
    values = {"standing": ON, "state": state.to_json(), "snoozed_until": None}
    if proposed.replaces is not None:
        # The number stays: buttons under its alerts, and what it said, know it by that.
        await db.execute(delete(rule).where(rule.c.id == proposed.id))
        of = proposed.series
        values |= {"rule": proposed.rule.to_json(), "source": of.source, "kind": of.kind.value}
        values |= {"base": of.pair.base, "quote": of.pair.quote}
    await db.execute(
        update(rule).where(rule.c.id == (proposed.replaces or proposed.id)).values(**values)
    )


async def pause(db: Db, number: int, *, paused: bool) -> None:
    """Let a rule rest, or work again."""
    standing = ON
    if paused:
        standing = PAUSED
    await db.execute(update(rule).where(rule.c.id == number).values(standing=standing))


async def snooze(db: Db, number: int, *, until: datetime | None) -> None:
    """Let a rule rest until a time; until None, no longer."""
    await db.execute(update(rule).where(rule.c.id == number).values(snoozed_until=until))


async def rests_until(db: Db, number: int, *, now: datetime) -> datetime | None:
    """The end of a rule's rest; None of one that does not rest."""
    query = select(rule.c.snoozed_until).where(rule.c.id == number, rule.c.snoozed_until > now)
    return (await db.execute(query)).scalar()


async def remove(db: Db, number: int) -> None:
    """Forget a rule."""
    await db.execute(delete(rule).where(rule.c.id == number))


async def watched(db: Db, sources: Collection[str]) -> set[Series]:
    """The series of these sources that any rule is about."""
    about = select(rule.c.source, rule.c.base, rule.c.quote, rule.c.kind).distinct()
    rows = await db.execute(about.where(rule.c.source.in_(list(sources))))
    return {Series(row.source, Pair(row.base, row.quote), RateKind(row.kind)) for row in rows}


async def watching(db: Db, of: Series, *, now: datetime) -> list[StoredRule]:
    """The rules in force on a series, of chats that are written to."""
    query = (
        select(rule)
        .join_from(rule, chat, chat.c.id == rule.c.chat_id)
        .where(
            rule.c.source == of.source,
            rule.c.base == of.pair.base,
            rule.c.quote == of.pair.quote,
            rule.c.kind == of.kind.value,
            rule.c.standing == ON,
            or_(rule.c.snoozed_until.is_(None), rule.c.snoozed_until <= now),
            chat.c.active,
        )
        .order_by(rule.c.id)
    )
    return _readable(await db.execute(query))


async def ever_watching(db: Db, of: Series) -> list[StoredRule]:
    """Every saved rule on a series, resting ones too: what they said may need correcting."""
    same = (rule.c.source == of.source, rule.c.base == of.pair.base, rule.c.quote == of.pair.quote)
    query = select(rule).where(*same, rule.c.kind == of.kind.value, rule.c.standing != PENDING)
    return _readable(await db.execute(query.order_by(rule.c.id)))


async def remember(db: Db, number: int, state: RuleState) -> None:
    """Keep what a rule remembers after a rate."""
    await db.execute(update(rule).where(rule.c.id == number).values(state=state.to_json()))


async def migrate(db: Db, old: int, new: int) -> None:
    """A group became a supergroup, already known under its new id: its rules go along."""
    await db.execute(update(rule).where(rule.c.chat_id == old).values(chat_id=new))
