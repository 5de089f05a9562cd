"""Alerts as decided: stored once, found again by their keys, taken back, approved by an operator.

What becomes of an alert on its way to readers is told in `storage.fan_out` and
`storage.deliveries`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any

import structlog
from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
    FromClause,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

import storage.joined
import storage.superseding
from bot import metrics
from bot.model.alerts import Alert, Approval, Audience, Severity, State, StoredForm
from bot.model.chats import Post
from bot.model.rates import Series
from bot.reasons import Reason, reasons_from_json, reasons_to_json
from storage.db import COUNTED, Db, db_now, insertion, on_commit
from storage.schema import alert, delivery
from storage.superseding import UNSENT, Place, supersede

log = structlog.get_logger(__name__)

# how long an approved alert is worth sending at least: it may have waited its whole life for a word
APPROVED_LIFE = timedelta(hours=1)
OPEN = (*UNSENT, State.LEASED.value)  # not at their end
BEGUN = (State.SENT.value, State.LEASED.value, State.COLLECTED.value)
#: An alert that needed no word of an operator, or has it.
CLEARED = or_(alert.c.approval.is_(None), alert.c.approval == Approval.APPROVED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """An alert as the outbox keeps it."""

    id: int
    payload: StoredForm
    severity: Severity
    reasons: tuple[Reason, ...]
    created_at: datetime
    near: frozenset[str] = frozenset()  # the places that a story is near to
    approval: Approval | None = None  # where it stands, if it needed an operator's word
    post: Post | None = None  # the kind of post that it is to chats' settings
    grew_at: datetime | None = None  # of what goes on among those it was kept from: since when


async def enqueue(db: Db, new: Alert) -> int | None:
    """Store a decision once. Returns its id, or None when its `dedup_key` was there already.

    `expires_at - created_at` is the time it stays worth sending, counted on the database's clock.
    """
    now = await db_now(db)
    about = new.payload.about
    values: dict[str, Any] = {
        "about_day": about.day,
        "about_story": about.story,
        "about_chat": about.chat,
        "dedup_key": new.dedup_key,
        "kind": new.payload.KIND,
        "payload": new.payload.to_json(),
        "severity": new.severity.value,
        "lane": int(new.lane),
        "reasons": reasons_to_json(new.reasons),
        "audience_key": new.audience.subscription,
        "audience_chat": new.audience.chat,
        "audience_told": new.audience.told,
        "supersede_key": new.supersede_key,
        "post": new.payload.post,
        **asdict(new.payload.TERMS),
        "created_at": new.created_at,
        "expires_at": now + (new.expires_at - new.created_at),
    }
    if new.audience.near:
        values["near"] = sorted(new.audience.near)
    if about.series is not None:
        values["about_series"] = str(about.series)
    if new.approval:
        values["approval"] = Approval.WAITING.value
    pk: int | None = (await db.execute(_addition(db.dialect.name), values)).scalar()
    if pk is None:
        await _known(db, new)
    else:
        on_commit(db, partial(_decided, pk, new))
    if pk is not None and new.supersede_key is not None:
        series = None if about.series is None else str(about.series)
        own = new.audience.chat is not None
        mine = Place(new.supersede_key, new.payload.KIND, series, own, waits=new.approval)
        await supersede(db, pk, mine, now)
    return pk


# these are built once, not for each alert
@cache
def _addition(dialect: str) -> Executable:
    return insertion(dialect, alert).on_conflict_do_nothing().returning(alert.c.id)


async def _known(db: Db, new: Alert) -> None:
    """Stop loudly where the key of an alert is that of another kind's: nobody would be told."""
    same = select(alert.c.kind).where(alert.c.dedup_key == new.dedup_key)
    kind = (await db.execute(same)).scalar()
    if kind not in {None, new.payload.KIND}:  # None: forgotten meanwhile
        raise RuntimeError(f"two kinds of alert, {kind} and {new.payload.KIND}, share a key")


def _decided(pk: int, new: Alert) -> None:
    """Count and log an alert that is stored: its number is in each line about its deliveries."""
    metrics.ALERTS.add(new.payload.KIND, new.severity.value)
    of = {} if new.audience.told is None else {"of": new.audience.told}  # what it edits or corrects
    log.info("decided", alert=pk, kind=new.payload.KIND, severity=new.severity.value, **of)


_HAS_KEY = alert.c.dedup_key.in_(bindparam("keys", expanding=True))
_BY_KEYS = select(alert).where(_HAS_KEY).order_by(alert.c.id)
_BY_ID = select(alert).where(alert.c.id == bindparam("pk"))


async def by_keys(db: Db, keys: Iterable[str]) -> list[StoredAlert]:
    """The alerts that have one of these `dedup_key`s, oldest first."""
    return [stored_alert(row) for row in await db.execute(_BY_KEYS, {"keys": list(keys)})]


async def about_rate(db: Db, kind: str, of: Series, on: date) -> list[StoredAlert]:
    """The alerts of a kind about a day's rate, oldest first."""
    same = (alert.c.about_series == str(of), alert.c.about_day == on, alert.c.kind == kind)
    rows = await db.execute(select(alert).where(*same).order_by(alert.c.id))
    return [stored_alert(row) for row in rows]


async def days_told(db: Db, kind: str, of: Series, *, since: date) -> list[date]:
    """The effective days of a series that alerts of a kind told of, oldest first."""
    same = (alert.c.about_series == str(of), alert.c.about_day >= since, alert.c.kind == kind)
    query = select(alert.c.about_day).where(*same).distinct().order_by(alert.c.about_day)
    return list((await db.execute(query)).scalars())


async def sent_to(
    db: Db, kind: str, chat_id: int, *, most: int, since: datetime | None = None
) -> list[StoredAlert]:
    """The alerts of a kind for one chat, of all time or decided since then, newest first."""
    told = select(alert).where(alert.c.audience_chat == chat_id, alert.c.kind == kind)
    if since is not None:
        told = told.where(alert.c.created_at > since)
    rows = await db.execute(told.order_by(alert.c.id.desc()).limit(most))
    return [stored_alert(row) for row in rows]


async def last_told(db: Db, chat_id: int, keys: Sequence[str]) -> dict[str, datetime]:
    """The decision of the last alert of each subscription that a chat got, as far back as alerts
    are kept: as a rule remembers the day that it spoke of. When it was sent is by another clock.

    What announces something to a subject's readers tells nothing of the subject.
    """
    query = (
        select(alert.c.audience_key, func.max(alert.c.created_at).label("at"))
        .join(delivery, delivery.c.alert_id == alert.c.id)
        .where(
            alert.c.audience_key.in_(keys),
            ~alert.c.announces,
            delivery.c.chat_id == chat_id,
            delivery.c.state.in_(BEGUN),
        )
        .group_by(alert.c.audience_key)
    )
    return {row.audience_key: row.at for row in await db.execute(query)}


async def last_of_kind(db: Db, chat_id: int, kind: str) -> dict[str, datetime]:
    """The last time a chat was told by alerts of a kind, by what each supersedes (a rule, say)."""
    query = (
        select(alert.c.supersede_key, func.max(alert.c.created_at).label("at"))
        .join(delivery, delivery.c.alert_id == alert.c.id)
        .where(alert.c.kind == kind, delivery.c.chat_id == chat_id, delivery.c.state.in_(BEGUN))
        .group_by(alert.c.supersede_key)
    )
    return {row.supersede_key: row.at for row in await db.execute(query)}


async def times_got(db: Db, supersede_key: str) -> int:
    """The number of alerts with this `supersede_key` that somebody got, or gets at this moment."""
    reached = select(delivery.c.id).where(*got(delivery, alert.c.id))
    query = (
        select(func.count())
        .select_from(alert)
        .where(alert.c.supersede_key == supersede_key, reached.exists())
    )
    return int((await db.execute(query)).scalar_one())


async def all_asked(db: Db, supersede_keys: Collection[str]) -> list[StoredAlert]:
    """The alerts with these `supersede_key`s that operators were asked about, the oldest first."""
    if not supersede_keys:
        return []
    mine = (alert.c.supersede_key.in_(supersede_keys), alert.c.approval.is_not(None))
    rows = await db.execute(select(alert).where(*mine).order_by(alert.c.id))
    return [stored_alert(row) for row in rows]


async def asked(db: Db, supersede_key: str) -> int:
    """The number of alerts with this `supersede_key` that operators were asked about."""
    mine = (alert.c.supersede_key == supersede_key, alert.c.approval.is_not(None))
    query = select(func.count()).select_from(alert).where(*mine)
    return int((await db.execute(query)).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The standing of an alert when it was taken back.

    It `reached` somebody who has it already, or gets it at this moment; somebody else may have been
    `waiting` for it still.
    """

    reached: bool
    waiting: bool


async def withdraw(db: Db, pk: int) -> Withdrawn:
    """Send an alert to nobody else: it says something that is not true any more."""
    now = await db_now(db)
    # In this order: a fan-out that is at it ends first, and what it made is found below.
    closing = (
        update(alert).where(alert.c.id == pk, alert.c.fanned_at.is_(None)).values(fanned_at=now)
    )
    closed = (await db.execute(closing.returning(alert.c.id))).all()
    parted, series = await _part(db, pk)
    unsent = update(delivery).where(delivery.c.alert_id == pk, delivery.c.state.in_(UNSENT))
    taken = unsent.values(state=State.SUPERSEDED.value, finished_at=now)
    waiting = len(closed) + (await db.execute(taken, execution_options=COUNTED)).rowcount
    if series is not None:
        await storage.joined.rejoin(db, series, parted)
    reached = (
        await db.execute(select(delivery.c.id).where(*got(delivery, pk)).limit(1))
    ).first() is not None
    return Withdrawn(reached=reached, waiting=waiting > 0)


async def _part(db: Db, pk: int) -> tuple[Collection[int], str | None]:
    """Let an alert stand by itself where it would be told with others; of which chats, and of what
    series it tells, where it tells a rate.
    """
    its = select(alert.c.about_series, alert.c.audience_chat).where(alert.c.id == pk)
    row = (await db.execute(its)).first()
    if row is None or row.about_series is None:
        return (), None
    own = row.audience_chat is not None
    return await storage.joined.part(db, row.about_series, [pk], own=own), row.about_series


def got(of: FromClause, pk: int | Column[int]) -> list[ColumnElement[bool]]:
    """The deliveries of an alert that were made, or are being made; told with others, too."""
    return [of.c.alert_id == pk, of.c.state.in_(BEGUN)]


async def waiting(db: Db, pk: int, *, lock: bool = False) -> StoredAlert | None:
    """An alert that waits for an operator's word and can still be sent; None when it does not.

    With `lock` nobody else decides before the transaction ends.
    """
    query = select(alert).where(alert.c.id == pk, *await _waits(db))
    if lock:
        query = query.with_for_update()
    row = (await db.execute(query)).first()
    if row is None:
        return None
    return stored_alert(row)


async def all_waiting(db: Db) -> list[StoredAlert]:
    """The alerts that wait for an operator's word, oldest first."""
    rows = await db.execute(select(alert).where(*await _waits(db)).order_by(alert.c.id))
    return [stored_alert(row) for row in rows]


async def _waits(db: Db) -> list[ColumnElement[bool]]:
    return [
        alert.c.fanned_at.is_(None),
        alert.c.approval == Approval.WAITING.value,
        alert.c.expires_at > await db_now(db),
    ]


async def decide(db: Db, pk: int, verdict: Approval) -> StoredAlert | None:
    """An operator's word on an alert that waits for it, given once; None when it does not wait.

    An approved one stays worth sending for `APPROVED_LIFE` at least.
    """
    if await waiting(db, pk, lock=True) is None:
        return None
    now = await db_now(db)
    values: dict[str, Any] = {"approval": verdict.value, "fanned_at": now}
    if verdict is Approval.APPROVED:
        values = {"approval": verdict.value, "expires_at": for_an_hour(alert.c.expires_at, now)}
    await db.execute(update(alert).where(alert.c.id == pk).values(**values))
    if verdict is Approval.APPROVED:
        await storage.superseding.approved(db, pk, now)
    return await get(db, pk)


def for_an_hour(expires_at: Column[datetime], now: datetime) -> ColumnElement[datetime]:
    """The time until which an alert that waited for a word is worth sending: as long as it was, and
    for `APPROVED_LIFE` at least.
    """
    # a time without its type would be written as text by SQLite
    later = literal(now + APPROVED_LIFE, expires_at.type)
    return case((expires_at > later, expires_at), else_=later)


async def approval(db: Db, pk: int) -> Approval | None:
    """The standing of an alert that needed an operator's word; None for any other, and for none."""
    state = (await db.execute(select(alert.c.approval).where(alert.c.id == pk))).scalar()
    if state is None:
        return None
    return Approval(state)


async def get(db: Db, pk: int) -> StoredAlert | None:
    """One alert by its id, or None."""
    row = (await db.execute(_BY_ID, {"pk": pk})).first()
    if row is None:
        return None
    return stored_alert(row)


def stored_alert(row: Any) -> StoredAlert:  # noqa: ANN401 - a result row
    return StoredAlert(
        id=row.id,
        payload=StoredForm(row.kind, row.payload),
        severity=Severity(row.severity),
        reasons=reasons_from_json(row.reasons),
        created_at=row.created_at,
        near=frozenset(row.near or ()),
        approval=None if row.approval is None else Approval(row.approval),
        post=None if row.post is None else Post(row.post),
        grew_at=row.grew_at if row.among_kept else None,
    )


async def audience(db: Db, pk: int) -> Audience | None:
    """The readers that an alert was for; None once it is forgotten."""
    row = (
        await db.execute(
            select(alert.c.audience_key, alert.c.audience_chat).where(alert.c.id == pk)
        )
    ).first()
    if row is None:
        return None
    return Audience(subscription=row.audience_key, chat=row.audience_chat)


async def close_over(db: Db, pks: Collection[int]) -> set[int]:
    """Close those of these alerts that are over or gone: nobody is given them any more. Which."""
    now = await db_now(db)
    live = select(alert.c.id).where(alert.c.id.in_(pks), alert.c.expires_at > now)
    over = set(pks) - set((await db.execute(live)).scalars())
    still_open = (alert.c.id.in_(over), alert.c.fanned_at.is_(None))
    await db.execute(update(alert).where(*still_open).values(fanned_at=now))
    return over
