"""The reach of alerts: whom they reached, who waits or cannot be reached, and how long it took."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    TextClause,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    union_all,
)

import storage.deliveries
from bot.model.alerts import About, Approval, Lane, Severity, State
from bot.reasons import Reason, read_if
from storage.alerts import CLEARED, StoredAlert, stored_alert
from storage.db import Db, db_now
from storage.schema import alert, delivery, entry

WAITING = {State.PENDING.value, State.LEASED.value}
REACHED = {State.SENT.value, State.COLLECTED.value}
# what was too late has not come either, and nothing waits for it any more
BLOCKED = {State.DEAD.value, State.EXPIRED.value}
MOST_UNHEARD = 20  # alerts that a look for those that reached nobody names


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The number of chats that an alert reached, that wait or sleep (quiet hours), that keep it
    back by their policy as channels, that are blocked: by whom or because it is too late.

    `last_at` is when it reached the last of them.
    """

    reached: int = 0
    waiting: int = 0
    held: int = 0
    withheld: int = 0
    blocked: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """An alert that reached nobody though chats wait for it; `why` is the last trouble with it.

    None of whom it is known how many are `waiting`, where it was given to no chat at all.
    """

    alert: int
    waiting: int | None
    why: Reason | None


async def stories(db: Db, pks: Collection[int]) -> set[int]:
    """The stories among these that any alert is about."""
    about = select(alert.c.about_story).where(alert.c.about_story.in_(list(pks)))
    # as ix_alert_about_story says it
    return set((await db.execute(about.where(alert.c.about_story.is_not(None)))).scalars())


async def newest(db: Db, *, most: int) -> Sequence[StoredAlert]:
    """The last alerts decided, the newest first, without words to one person."""
    query = select(alert).where(~alert.c.personal).order_by(alert.c.id.desc())
    return [stored_alert(row) for row in await db.execute(query.limit(most))]


async def of_kind(db: Db, kind: str, *, since: datetime, until: datetime) -> Sequence[StoredAlert]:
    """The alerts of a kind that were decided in that time, oldest first."""
    when = (alert.c.created_at > since, alert.c.created_at <= until)
    query = select(alert).where(alert.c.kind == kind, *when).order_by(alert.c.id)
    return [stored_alert(row) for row in await db.execute(query)]


async def how_far(db: Db, alerts: Sequence[int]) -> Mapping[int, Told]:
    """The reach of each of these alerts; one without a delivery is not there."""
    query = (
        select(
            delivery.c.alert_id,
            delivery.c.state,
            func.count().label("n"),
            func.max(delivery.c.finished_at).label("last_at"),
        )
        .where(delivery.c.alert_id.in_(list(alerts)))
        .group_by(delivery.c.alert_id, delivery.c.state)
    )
    found: dict[int, Told] = {}
    for row in await db.execute(query):
        told = found.get(row.alert_id, Told())
        if row.state in REACHED:
            last = max(filter(None, (told.last_at, row.last_at)), default=None)
            told = replace(told, reached=told.reached + row.n, last_at=last)
        elif row.state in WAITING:
            told = replace(told, waiting=told.waiting + row.n)
        elif row.state in BLOCKED:
            told = replace(told, blocked=told.blocked + row.n)
        elif row.state == State.HELD.value:
            told = replace(told, held=told.held + row.n)
        elif row.state == State.WITHHELD.value:
            told = replace(told, withheld=told.withheld + row.n)
        found[row.alert_id] = told
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The time when a chat had an alert, and the message that told it, alone or among others."""

    at: datetime
    message: int | None


async def heard(db: Db, chat_id: int, about: About) -> Heard | None:
    """The first that a chat had of a rate, or of a story, as long as it is remembered."""
    its = [alert.c.about_story == about.story]
    if about.series is not None:
        its = [alert.c.about_series == str(about.series), alert.c.about_day == about.day]
    among = delivery.alias("among")
    query = (
        select(delivery.c.finished_at, delivery.c.message_id, among.c.message_id.label("together"))
        .join(alert, delivery.c.alert_id == alert.c.id)
        .outerjoin(
            among,
            (among.c.alert_id == delivery.c.within) & (among.c.chat_id == delivery.c.chat_id),
        )
        .where(*its, delivery.c.chat_id == chat_id, delivery.c.state.in_(REACHED))
        .where(delivery.c.finished_at.is_not(None))
        .order_by(alert.c.id)
        .limit(1)
    )
    row = (await db.execute(query)).first()
    if row is None:
        return None
    # of an alert told among others, the message is that of the one it was told in
    return Heard(at=row.finished_at, message=row.message_id or row.together)


async def message_telling(db: Db, told: int, chat_id: int) -> int | None:
    """The number of the message by which a chat had last what an alert tells: alone or among
    others; of a story that it had before, by the alert whose place this one was to take.
    """
    number = await storage.deliveries.message_of(db, told, chat_id)
    if number:
        return number
    its = select(alert.c.about_story).where(alert.c.id == told).scalar_subquery()
    among = delivery.alias("among")
    message = func.coalesce(delivery.c.message_id, among.c.message_id)
    query = (
        select(message)
        .join(alert, delivery.c.alert_id == alert.c.id)
        .outerjoin(among, and_(among.c.alert_id == delivery.c.within, among.c.chat_id == chat_id))
        .where(or_(alert.c.id == told, and_(alert.c.about_story == its, alert.c.id < told)))
        .where(delivery.c.chat_id == chat_id, message > 0)
        .order_by(alert.c.id.desc())
        .limit(1)
    )
    found: int | None = (await db.execute(query)).scalar()
    return found


async def was_told(db: Db, chat_id: int, kind: str, *, since: datetime) -> bool:
    """Whether a chat had an alert of a kind that was decided since then."""
    query = (
        select(alert.c.id)
        .join(delivery, delivery.c.alert_id == alert.c.id)
        .where(alert.c.kind == kind, alert.c.created_at >= since)
        .where(delivery.c.chat_id == chat_id, delivery.c.state.in_(REACHED))
        .limit(1)
    )
    return (await db.execute(query)).first() is not None


async def times_told(
    db: Db,
    kind: str,
    *,
    since: datetime,
    until: datetime,
    most: int,
    calm: bool,
    institutes: Collection[str] = (),
) -> int:
    """The number of alerts of a kind told in that time, up to `most`, by that of the decision.

    Those beyond `until` are left from before the clock was set back, and count for nothing. The
    `calm` ones (which only some chats hear of) are counted or left out. Where they are, so are
    those that wait for a word: nobody is asked of more of them than may be told. Nor do urgent ones
    count whose story one of these `institutes` measured: no number of those is too many.
    """
    asked: dict[str, object] = {"of_kind": kind, "since": since, "until": until, "most": most}
    if not calm:
        asked["institutes"] = list(institutes)
    return int((await db.execute(_times_told(calm=calm), asked)).scalar_one())


# built twice, not for each story that is decided
@cache
def _times_told(*, calm: bool) -> Select[Any]:
    words = [Approval.APPROVED.value]
    which: list[ColumnElement[bool]] = []
    if calm:
        words.append(Approval.WAITING.value)
    else:
        which.append(alert.c.severity != Severity.INFO.value)
        theirs = entry.c.feed.in_(bindparam("institutes", expanding=True))
        measured = select(entry.c.id).where(entry.c.story_id == alert.c.about_story, theirs)
        which.append(~and_(alert.c.severity == Severity.URGENT.value, measured.exists()))
    told = (
        select(alert.c.id)
        .where(
            alert.c.kind == bindparam("of_kind"),
            alert.c.created_at > bindparam("since"),
            alert.c.created_at <= bindparam("until"),
            *which,
            or_(alert.c.approval.is_(None), alert.c.approval.in_(words)),
        )
        .limit(bindparam("most", type_=Integer))
        .subquery()
    )
    return select(func.count()).select_from(told)


async def unheard(db: Db, *, now: datetime, after: timedelta) -> Sequence[Unheard]:
    """The alerts that chats wait for since `after` or longer and nobody has, oldest first.

    Of what cannot wait: routine posts leave when there is room.
    """
    # each as an index says it, or SQLite scans the table. What is leased has not come either: a
    # request that nobody answers keeps it so
    waits = union_all(_open("state = 'pending'"), _open("state = 'leased'")).subquery("waits")
    reached = delivery.alias("reached")
    # what is held waits for its chat's morning, not for us
    has = reached.c.state.in_((*REACHED, State.HELD.value))
    somebody = select(reached.c.id).where(reached.c.alert_id == waits.c.alert_id, has)
    query = (
        select(
            waits.c.alert_id,
            func.count().label("n"),
            func.max(waits.c.error).label("why"),
        )
        .join(alert, alert.c.id == waits.c.alert_id)
        .where(~alert.c.personal, waits_since() <= now - after, ~somebody.exists())
        .group_by(waits.c.alert_id)
        .order_by(waits.c.alert_id)
        .limit(MOST_UNHEARD)
    )
    found = [
        Unheard(alert=row.alert_id, waiting=row.n, why=read_if(row.why))
        for row in await db.execute(query)
    ]
    ours = await _given_to_nobody(db, decided_before=now - after)
    return sorted([*found, *ours], key=lambda one: one.alert)[:MOST_UNHEARD]


async def _given_to_nobody(db: Db, *, decided_before: datetime) -> Sequence[Unheard]:
    """Those whose fan-out has not begun: it is stopped, or somebody's is endless."""
    given = select(delivery.c.id).where(delivery.c.alert_id == alert.c.id)
    query = (
        select(alert.c.id)
        .where(
            *await to_fan_out(db),
            ~alert.c.personal,
            alert.c.lane <= int(Lane.ALERT),
            waits_since() <= decided_before,
            ~given.exists(),
        )
        .order_by(alert.c.id)
        .limit(MOST_UNHEARD)
    )
    return [Unheard(alert=pk, waiting=None, why=None) for pk in (await db.execute(query)).scalars()]


async def to_fan_out(db: Db) -> list[ColumnElement[bool] | TextClause]:
    """The alerts that chats are still to be given, and that are worth it."""
    return [
        text("fanned_at IS NULL"),  # as the index says it
        # what waits for an operator's word is meant to
        CLEARED,
        alert.c.expires_at > await db_now(db),
    ]


def waits_since() -> ColumnElement[datetime]:
    """Since when an alert waits: one that filters kept from somebody, since its story grew."""
    return case((alert.c.among_kept, alert.c.grew_at), else_=alert.c.created_at)


def _open(state: str) -> Select[tuple[int, str | None]]:
    """The alerts of deliveries that are so and cannot wait, each with its last trouble."""
    return select(delivery.c.alert_id, delivery.c.error).where(
        text(state), delivery.c.lane <= int(Lane.ALERT)
    )
