"""Stories: entries about one event, as they are told and shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Executable,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    union,
    update,
)

from bot.model.alerts import Approval, Severity
from bot.model.news import StoredEntry, Story, Verdict
from bot.reasons import reasons_from_json, reasons_to_json
from storage import clues
from storage.alerts import CLEARED
from storage.db import Db, insertion, unless_there
from storage.entries import NewEntry, entry_values, stored
from storage.schema import alert, entry, story, story_topic
from storage.types import is_among
from storage.withheld import NO_KIN, withholds


async def add_story(db: Db, *, at: datetime, verdict: Verdict) -> int:
    """Open a story for an entry that belongs to none; its topics make it findable."""
    (pk,) = await _new_pks(db, 1)
    await db.execute(insert(story).values(id=pk, **_story_values(at, verdict)))
    await _add_topics(db, pk, verdict.topics)
    return pk


async def add_alone(db: Db, new: Sequence[NewEntry], *, now: datetime) -> None:
    """Store entries that begin a story each, by a few statements however many they are."""
    if not new:
        return
    pks = await _new_pks(db, len(new))
    stories: list[dict[str, object]] = []
    topics: list[dict[str, object]] = []
    entries: list[dict[str, object]] = []
    for pk, one in zip(pks, new, strict=True):
        stories.append({"id": pk, **_story_values(one.at, one.verdict)})
        for topic in one.verdict.topics:
            topics.append({"topic": topic, "story_id": pk, "at": one.at})
        entries.append(entry_values(pk, one, now=now))
    await db.execute(insert(story), stories)
    if topics:
        await db.execute(insert(story_topic), topics)
    await db.execute(unless_there(db, entry), entries)
    await clues.add(
        db, [(one, pk) for pk, item in zip(pks, new, strict=True) for one in item.verdict.clues]
    )


# Retention leaves the newest story; one that was joined to another is gone, and was asked about: a
# story of its number would have its alerts, and be told to nobody.
_LAST_PKS = select(
    func.coalesce(func.max(story.c.id), 0).label("there"),
    func.coalesce(
        select(func.max(alert.c.about_story))
        .where(alert.c.about_story.is_not(None))  # as ix_alert_about_story says it
        .scalar_subquery(),
        0,
    ).label("asked_about"),
)


async def _new_pks(db: Db, count: int) -> list[int]:
    """`count` numbers for stories, none of which any story had: on a server they are nobody else's
    from now on, in a file we are the only one who writes.
    """
    if db.dialect.name == "sqlite":
        row = (await db.execute(_LAST_PKS)).one()
        last = max(row.there, row.asked_about)
        return list(range(last + 1, last + 1 + count))
    sequence = func.nextval(func.pg_get_serial_sequence("story", "id"))
    each = func.generate_series(1, count).table_valued("n")
    return list((await db.execute(select(sequence).select_from(each))).scalars())


def _story_values(at: datetime, verdict: Verdict) -> dict[str, object]:
    return {
        "at": at,
        "severity": verdict.severity.value,
        "reasons": reasons_to_json(verdict.reasons),
    }


async def join_story(db: Db, pk: int, verdict: Verdict) -> None:
    """One more entry reports it: topics add up, severity only rises."""
    await _add_topics(db, pk, verdict.topics)
    row = (await db.execute(select(story.c.severity).where(story.c.id == pk))).scalar_one()
    # The reasons are those of the gravest report: a calmer one that follows changes neither.
    if verdict.severity.rank > Severity(row).rank:
        values = {"severity": verdict.severity.value, "reasons": reasons_to_json(verdict.reasons)}
        await db.execute(update(story).where(story.c.id == pk).values(**values))


async def _add_topics(db: Db, pk: int, topics: Sequence[str]) -> None:
    if rows := [{"name": topic, "pk": pk} for topic in topics]:
        await db.execute(_topics_of_a_story(db.dialect.name), rows)


@cache
def _topics_of_a_story(dialect: str) -> Executable:
    pk = bindparam("pk", type_=story.c.id.type)
    at = select(story.c.at).where(story.c.id == pk).scalar_subquery()
    statement = insertion(dialect, story_topic).values(topic=bindparam("name"), story_id=pk, at=at)
    return statement.on_conflict_do_nothing()


async def join(db: Db, pk: int, *, into: int) -> None:
    """Make one story of two: all reports of the first belong to the other, as severe as that is."""
    # reports and topics go before their story: they refer to it
    await db.execute(update(entry).where(entry.c.story_id == pk).values(story_id=into))
    await clues.join(db, pk, into=into)
    of_it = select(story_topic.c.topic).where(story_topic.c.story_id == pk)
    await _add_topics(db, into, list((await db.execute(of_it)).scalars()))
    await db.execute(delete(story_topic).where(story_topic.c.story_id == pk))
    await db.execute(delete(story).where(story.c.id == pk))


async def get(db: Db, pk: int, *, unapproved: bool = False) -> Story | None:
    """One story with all its entries, or None; those that an operator has not let through are there
    where they are asked for.
    """
    found = await several(db, [pk], unapproved=unapproved)
    return next(iter(found), None)


async def shown_among(db: Db, pks: Sequence[int]) -> list[int]:
    """The stories among these that everybody may see, in the order given."""
    # few stories have an alert that an operator rejected: all are looked at by those alone
    of = select(alert.c.about_story).where(alert.c.approval == Approval.REJECTED.value)
    refused = set((await db.execute(of.where(is_among(alert.c.about_story, pks)))).scalars())
    if not refused:
        return list(pks)
    of = select(alert.c.about_story).where(CLEARED)
    told = set((await db.execute(of.where(is_among(alert.c.about_story, refused)))).scalars())
    return [pk for pk in pks if pk not in refused - told]


async def shown(db: Db, pk: int) -> Story | None:
    """One story as everybody may see it: None too where an operator rejected it."""
    query = select(story.c.id).where(story.c.id == pk, ~_unapproved(story.c.id, unasked=True))
    if (await db.execute(query)).first() is None:
        return None
    return await get(db, pk)


async def latest(
    db: Db,
    *,
    topics: Collection[str] = (),
    before: datetime | None = None,
    offset: int = 0,
    limit: int = 5,
    since: datetime | None = None,
    unasked: bool = True,
    reader: int | None = None,
    kin: Mapping[str, str] = NO_KIN,
) -> list[Story]:
    """Stories by time, newest first; `topics` narrow to those of any of them, `before` and `since`
    bound the time.

    What an operator rejected is shown to nobody. What waits for their word, or waited in vain, is
    left out unless `unasked`; and so is what the `reader`, a channel or `ANY_CHANNEL`, withholds
    (`kin` as there).
    """

    def newest(pk: Column[int], at: Column[datetime]) -> Select[int, datetime]:
        query = select(pk.label("id"), at.label("at")).where(~_unapproved(pk, unasked=unasked))
        if reader is not None:
            query = query.where(~withholds(pk, reader, kin))
        if before is not None:
            query = query.where(at <= before)
        if since is not None:
            query = query.where(at >= since)
        return query.order_by(at.desc(), pk.desc())

    query = newest(story.c.id, story.c.at)
    if topics:
        # of each topic the newest by its index, however many there are; one of two topics once
        listed = story_topic.alias("listed")
        of_all = newest(listed.c.story_id, listed.c.at).limit(offset + limit)
        each = [of_all.where(listed.c.topic == topic) for topic in topics]
        found = union(*[select(one.subquery()) for one in each]).subquery()
        query = select(found.c.id, found.c.at).order_by(found.c.at.desc(), found.c.id.desc())
    rows = await db.execute(query.offset(offset).limit(limit))
    return await several(db, list(rows.scalars()))


async def told(db: Db, kind: str, *, since: datetime, limit: int) -> list[Story]:
    """The stories that alerts of a `kind` told since then, those told last first."""
    query = (
        select(alert.c.about_story)
        .where(alert.c.about_story.is_not(None), alert.c.kind == kind, CLEARED)
        .where(alert.c.created_at >= since)
        .order_by(alert.c.id.desc())
        .limit(limit)
    )
    return await several(db, list(dict.fromkeys((await db.execute(query)).scalars())))


def _unapproved(pk: ColumnElement[int], *, unasked: bool) -> ColumnElement[bool]:
    """A story of whose alerts one was not approved, and each needed that: what was told before
    without a word stays told, whatever becomes of a louder one.
    """
    states = [Approval.REJECTED.value]
    if not unasked:
        states += [Approval.WAITING.value, Approval.EXPIRED.value]
    about = alert.c.about_story == pk
    refused = select(alert.c.id).where(about, alert.c.approval.in_(states))
    let_through = select(alert.c.id).where(about, CLEARED)
    return and_(refused.exists(), ~let_through.exists())


async def count(db: Db) -> int:
    """The number of stories in the archive."""
    return int((await db.execute(select(func.count()).select_from(story))).scalar_one())


# built once: nearly all that is said of stories asks them
_PKS: BindParameter[list[int]] = bindparam("pks", type_=story.c.id.type, expanding=True)
_HEADS = select(story).where(story.c.id.in_(_PKS))
_ALL_REPORTS = select(entry).where(entry.c.story_id.in_(_PKS)).order_by(entry.c.id)
_REPORTS = _ALL_REPORTS.where(~entry.c.unapproved)
_TOPICS = select(story_topic).where(story_topic.c.story_id.in_(_PKS))


async def several(db: Db, pks: Sequence[int], *, unapproved: bool = False) -> list[Story]:
    """These stories with all their entries, in the order given, by three queries however many they
    are; `unapproved` as in `get`.
    """
    if not pks:
        return []
    wanted = {"pks": list(pks)}
    heads = {row.id: row for row in await db.execute(_HEADS, wanted)}
    entries: dict[int, list[StoredEntry]] = {}
    for row in await db.execute(_ALL_REPORTS if unapproved else _REPORTS, wanted):
        entries.setdefault(row.story_id, []).append(stored(row))
    topics: dict[int, list[str]] = {}
    for row in await db.execute(_TOPICS, wanted):
        topics.setdefault(row.story_id, []).append(row.topic)
    stories: list[Story] = []
    for pk in pks:
        # forgotten, or joined to another, since its number was given
        if pk not in entries:
            continue
        stories.append(
            Story(
                pk=pk,
                entries=tuple(entries[pk]),
                topics=tuple(sorted(topics.get(pk, ()))),
                severity=Severity(heads[pk].severity),
                reasons=reasons_from_json(heads[pk].reasons),
            )
        )
    return stories
