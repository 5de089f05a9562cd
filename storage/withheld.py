"""Deliveries that channels' editorial policies withhold: in the fan-out's own transaction, let go
in that of what they waited for.

A delivery that is withheld remembers what it waits for (its `demand`), whatever its channel asks of
those that come later. It is in no claim's way, and lives as long as any other of its alert.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    text,
    update,
)

import storage.alerts
import storage.chats
from bot.model.alerts import State
from bot.model.chats import Editorial
from bot.model.subjects import SECURITY
from bot.reasons import Reason, reason, written
from storage.alerts import BEGUN, CLEARED, StoredAlert, for_an_hour
from storage.db import COUNTED, Db, db_now, once
from storage.schema import alert, chat, delivery, entry, story_topic, subscription

#: In the place of a chat: what any channel withholds.
ANY_CHANNEL = 0
#: Of a catalog in which every feed has a publisher of its own.
NO_KIN: Mapping[str, str] = MappingProxyType({})
# why a delivery that was withheld was not made
REFUSED = reason("delivery.refused", "whoever runs the channel did not want it")
OVER = reason("delivery.over", "it was over before the channel's policy let it go")
UNFOLLOWED = reason("delivery.unfollowed", "unfollowed while it was withheld")
# as the partial indexes say it: a value would be another condition to the planner; always with
# when it expires, by which they are sorted
_IS_WITHHELD = text("delivery.state = 'withheld'")
_OLDEST_FIRST = (delivery.c.expires_at, delivery.c.id)
_IS_STRICT = text("chat.policy <> 'publish'")
_NOT_FANNED_OUT = (alert.c.fanned_at.is_(None), CLEARED)
#: A channel posts it, has it, or will have it when its quiet hours end.
_LET_THROUGH = (*BEGUN, State.PENDING.value, State.HELD.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A delivery that was withheld, for what, and where it stands now."""

    id: int
    alert: int
    chat: int
    demand: Editorial
    state: State
    expires_at: datetime


class Demands(Protocol):
    """The policies by which a story's alert may not be posted yet."""

    async def __call__(self, db: Db, told: StoredAlert, /) -> Collection[Editorial]:
        """Look at the story as it is in this transaction."""


class Editor(Protocol):
    """The one who knows policies' demands; asked in the transaction that withholds a story."""

    async def unmet(self, db: Db, told: StoredAlert, /) -> Collection[Editorial]:
        """The policies by which it may not be posted yet, as `Demands` says."""

    async def ask(self, db: Db, kept: Sequence[Withheld]) -> None:
        """Ask those who set the channels up about what waits for their word, once about each."""


# --- withholding ----------------------------------------------------------------------------------


async def withhold(
    db: Db, told: StoredAlert, editor: Editor, *, after: int | None, last: int | None
) -> None:
    """Withhold those of a story's deliveries, just made, whose channels ask more of it.

    The chats are between `after` and `last`. A channel that changes its policy meanwhile waits, and
    finds them; claims do not, which charge the same chats in an order of their own.
    """
    mine = [delivery.c.alert_id == told.id, delivery.c.state == State.PENDING.value]
    if after is not None:
        mine.append(chat.c.id > after)
    if last is not None:
        mine.append(chat.c.id <= last)
    strict = (
        select(delivery, chat.c.policy)
        .select_from(chat)
        .join(delivery, delivery.c.chat_id == chat.c.id)
        .where(_IS_STRICT, *mine)
        .order_by(chat.c.id)
        .with_for_update(read=True, key_share=True, of=chat)
    )
    rows = (await db.execute(strict)).all()
    if not rows:
        return
    unmet = await editor.unmet(db, told)
    for demand in unmet:
        kept: list[Withheld] = []
        for row in rows:
            if row.policy == demand:
                kept.append(_withheld(row, demand, State.WITHHELD))
        values = {"state": State.WITHHELD.value, "demand": demand.value}
        which = delivery.c.id.in_([one.id for one in kept])
        await db.execute(update(delivery).where(which).values(**values))
        if demand is Editorial.APPROVE:
            await editor.ask(db, kept)


# --- letting go -----------------------------------------------------------------------------------


async def confirmed(db: Db, story: int) -> int:
    """Let go what waits for a second publisher of a story, who reports it now; how many.

    A fan-out of the story that is at it ends first: what it withholds is found.
    """
    mine = alert.c.about_story == story
    await db.execute(select(alert.c.id).where(mine, *_NOT_FANNED_OUT).with_for_update())
    theirs = delivery.c.alert_id.in_(select(alert.c.id).where(mine))
    return await _let_go(db, theirs, delivery.c.demand == Editorial.TWO_SOURCES.value)


async def choose(db: Db, chat_id: int, policy: Editorial, unmet: Demands) -> None:
    """Give a channel another policy. What was withheld by a stricter one leaves where the new one
    lets it; a stricter one is asked of what comes.
    """
    # waits for a fan-out that withholds something by the former policy, which a change alone would
    # not: it is written in no key
    await db.execute(select(chat.c.id).where(chat.c.id == chat_id).with_for_update())
    await storage.chats.change(db, chat_id, policy=policy.value)
    for one in await _of_chat(db, chat_id):
        if not one.demand.is_stricter(policy):
            continue
        told = await storage.alerts.get(db, one.alert)
        if told is not None and policy in await unmet(db, told):
            changed = update(delivery).where(delivery.c.id == one.id, _IS_WITHHELD)
            await db.execute(changed.values(demand=policy.value))
        else:
            await _let_go(db, delivery.c.id == one.id)


async def send(db: Db, pk: int) -> bool:
    """Let go what waits for a word; False where it does not, or not any more."""
    return await _let_go(db, delivery.c.id == pk, _WAITS_FOR_A_WORD) > 0


async def reject(db: Db, pk: int) -> bool:
    """Make no delivery of what waits for a word; False where it does not, or not any more."""
    return await _end(db, REFUSED, delivery.c.id == pk, _WAITS_FOR_A_WORD) > 0


async def drop(db: Db, story: int) -> None:
    """A story is over: no channel that withheld it posts it any more."""
    theirs = select(alert.c.id).where(alert.c.about_story == story)
    await _end(db, OVER, delivery.c.alert_id.in_(theirs))


async def expire(db: Db, *, chunk: int) -> int:
    """Close what was withheld for too long, the first `chunk`: it is no news any more. How many;
    what another replica closes now is left to it.
    """
    now = await db_now(db)
    late = select(delivery.c.id).where(_IS_WITHHELD, delivery.c.expires_at <= now)
    first = late.order_by(*_OLDEST_FIRST).limit(chunk).with_for_update(skip_locked=True)
    values = {"state": State.EXPIRED.value, "finished_at": now}
    still = (delivery.c.id.in_(once(db, first)), _IS_WITHHELD)
    closed = update(delivery).where(*still).values(**values)
    return (await db.execute(closed, execution_options=COUNTED)).rowcount


async def look(db: Db, unmet: Demands) -> int:
    """Let go what waits for a second publisher that is there: told of beside a change of policy, or
    one by another catalog. How many left.
    """
    live = delivery.c.expires_at > await db_now(db)
    waits = delivery.c.demand == Editorial.TWO_SOURCES.value
    alerts = select(delivery.c.alert_id).where(_IS_WITHHELD, live, waits).distinct()
    left = 0
    for pk in sorted((await db.execute(alerts)).scalars()):
        told = await storage.alerts.get(db, pk)
        if told is not None and Editorial.TWO_SOURCES not in await unmet(db, told):
            left += await _let_go(db, delivery.c.alert_id == pk, waits)
    return left


#: As whoever is asked knows it: what waits for a second publisher is not theirs to decide.
_WAITS_FOR_A_WORD = delivery.c.demand == Editorial.APPROVE.value


async def _let_go(db: Db, *which: ColumnElement[bool]) -> int:
    """Let what was withheld be sent, as soon as any other; how many.

    What its chat does not follow any more is not made. It may have waited for nearly its whole
    life, and is worth sending for as long at least as what an operator approved.
    """
    now = await db_now(db)
    follows = select(subscription.c.key).where(
        subscription.c.chat_id == delivery.c.chat_id,
        subscription.c.key == alert.c.audience_key,
        storage.chats.awake(now),
    )
    query = (
        select(delivery.c.id, follows.exists().label("wanted"))
        .join(alert, alert.c.id == delivery.c.alert_id)
        .where(_IS_WITHHELD, delivery.c.expires_at > now, *which)
        .order_by(*_OLDEST_FIRST)
        .with_for_update(of=delivery)
    )
    rows = (await db.execute(query)).all()
    unwanted = [row.id for row in rows if not row.wanted]
    if unwanted:
        await _end(db, UNFOLLOWED, delivery.c.id.in_(unwanted))
    wanted = [row.id for row in rows if row.wanted]
    if not wanted:
        return 0
    until = for_an_hour(delivery.c.expires_at, now)
    values = {"state": State.PENDING.value, "not_before": now, "expires_at": until}
    freed = update(delivery).where(_IS_WITHHELD, delivery.c.id.in_(wanted)).values(**values)
    return (await db.execute(freed, execution_options=COUNTED)).rowcount


async def _end(db: Db, why: Reason, *which: ColumnElement[bool]) -> int:
    now = await db_now(db)
    values = {"state": State.CANCELLED.value, "finished_at": now, "error": written(why)}
    live = delivery.c.expires_at > now
    ended = update(delivery).where(_IS_WITHHELD, live, *which).values(**values)
    return (await db.execute(ended, execution_options=COUNTED)).rowcount


# --- looking --------------------------------------------------------------------------------------


async def get(db: Db, pk: int) -> Withheld | None:
    """A delivery that is withheld or was, by its number; None of any other."""
    query = select(delivery).where(delivery.c.id == pk, delivery.c.demand.is_not(None))
    row = (await db.execute(query)).first()
    return None if row is None else _withheld(row, Editorial(row.demand), State(row.state))


async def waiting(db: Db, chat_id: int) -> list[Withheld]:
    """The withheld deliveries of a channel that wait for its owner's word, oldest first."""
    return [one for one in await _of_chat(db, chat_id) if one.demand is Editorial.APPROVE]


async def _of_chat(db: Db, chat_id: int) -> list[Withheld]:
    """A channel's deliveries that are withheld and may still be made, oldest first."""
    live = delivery.c.expires_at > await db_now(db)
    mine = (_IS_WITHHELD, live, delivery.c.chat_id == chat_id)
    query = select(delivery).where(*mine).order_by(*_OLDEST_FIRST)
    rows = (await db.execute(query.with_for_update())).all()
    return [_withheld(row, Editorial(row.demand), State.WITHHELD) for row in rows]


def _withheld(row: Any, demand: Editorial, state: State) -> Withheld:  # noqa: ANN401 - a result row
    return Withheld(
        id=row.id,
        alert=row.alert_id,
        chat=row.chat_id,
        demand=demand,
        state=state,
        expires_at=row.expires_at,
    )


def withholds(story: Column[int], reader: int, kin: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether a channel withholds a story or did not want it, and has not let it through since:
    then nothing else that it posts may name the story. `reader` may be `ANY_CHANNEL`.

    Where the channel has a policy, what is decided and not fanned out yet counts as withheld, and
    so does a story about security that its policy was never asked about: `kin` says which feeds
    are of one publisher, as the catalog does.
    """
    about = alert.c.about_story == story
    # said of each: a query within two others would else look through the stories by itself
    told = select(alert.c.id).where(about).correlate(story.table)
    kept = delivery.alias("kept")
    back = [
        kept.c.alert_id.in_(told),
        kept.c.demand.is_not(None),
        kept.c.state.not_in(_LET_THROUGH),
        ~_let_through(kept, kept.c.chat_id, told),
    ]
    strict = and_(_IS_STRICT, chat.c.active)
    if reader != ANY_CHANNEL:
        back.append(kept.c.chat_id == reader)
        strict = and_(_IS_STRICT, chat.c.id == reader)
    unasked = [_is_undecided(story, kin), ~_let_through(chat, chat.c.id, told)]
    open_alert = select(alert.c.id).where(about, *_NOT_FANNED_OUT)
    return or_(
        select(kept.c.id).where(*back).exists(),
        select(chat.c.id).where(strict, *unasked).exists(),
        and_(select(chat.c.id).where(strict).exists(), open_alert.exists()),
    )


def _let_through(
    beside: FromClause, channel: Column[int], told: Select[tuple[int]]
) -> ColumnElement[bool]:
    """Whether a channel posts one of these alerts, or has it; asked `beside` where it is named."""
    one = delivery.alias("let_through")
    mine = (one.c.chat_id == channel, one.c.alert_id.in_(told), one.c.state.in_(_LET_THROUGH))
    return select(one.c.id).where(*mine).correlate(beside).exists()


def _is_undecided(story: Column[int], kin: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether a story about security may not be posted yet by the channel's own policy: always
    where it wants to say so itself, and of one publisher, who has not taken it back, where it
    wants two.
    """
    mine = (story_topic.c.story_id == story, story_topic.c.topic == SECURITY.topic)
    topic = select(story_topic.c.topic).where(*mine).correlate(story.table)
    gone = entry.alias("gone")
    takes_back = select(_publisher(gone, kin)).where(
        gone.c.story_id == story, gone.c.retracts, ~gone.c.unapproved
    )
    who = _publisher(entry, kin)
    publishers = select(func.count(who.distinct())).where(
        entry.c.story_id == story,
        ~entry.c.unapproved,
        who.not_in(takes_back.correlate(story.table)),
    )
    of_one = publishers.correlate(story.table).scalar_subquery() < 2
    return and_(topic.exists(), or_(chat.c.policy == Editorial.APPROVE.value, of_one))


def _publisher(reports: FromClause, kin: Mapping[str, str]) -> ColumnElement[str]:
    feed: ColumnElement[str] = reports.c.feed
    return case(kin, value=feed, else_=feed) if kin else feed
