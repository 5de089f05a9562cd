"""News: entries as published, clustered into stories."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from bot.model.alerts import Approval, Severity
from bot.model.news import Entry, StoredEntry, Story, Verdict
from bot.model.reasons import reasons_from_json, reasons_to_json
from storage import clues
from storage.db import Db, upsert
from storage.schema import alert, entry, story, story_topic


def _stored(row: Any) -> StoredEntry:  # noqa: ANN401 - a result row
    return StoredEntry(
        pk=row.id,
        feed=row.feed,
        entry=Entry(
            id=row.guid,
            title=row.title,
            link=row.link,
            published_at=row.published_at,
            updated_at=row.updated_at,
            summary=row.summary,
            content=row.content,
            language=row.language,
        ),
        seen_at=row.seen_at,
        story=row.story_id,
        topics=tuple(row.topics),
        severity=Severity(row.severity),
        headline=row.headline,
        meaning=row.meaning,
    )


async def words(db: Db, pks: Collection[int]) -> dict[int, Entry]:
    """Stored entries with their words, by number."""
    if not pks:
        return {}
    query = select(entry).where(entry.c.id.in_(list(pks)))
    return {row.id: _stored(row).entry for row in await db.execute(query)}


async def latest_times(db: Db, feed: str, *, most: int) -> list[tuple[datetime, datetime]]:
    """When a feed's latest entries came to us and when each was written, the latest first."""
    query = (
        select(entry.c.seen_at, func.coalesce(entry.c.published_at, entry.c.seen_at).label("at"))
        .where(entry.c.feed == feed)
        .order_by(entry.c.seen_at.desc(), entry.c.id.desc())
        .limit(most)
    )
    return [(row.seen_at, row.at) for row in await db.execute(query)]


async def add_story(db: Db, *, at: datetime, verdict: Verdict) -> int:
    """Open a story for an entry that belongs to none; its topics make it findable."""
    values = _story_values(at, verdict)
    pk = (await db.execute(insert(story).values(**values).returning(story.c.id))).scalar_one()
    await _add_topics(db, pk, verdict.topics)
    return int(pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to be stored, with its story's time, what it is compared by, and its verdict.

    `meaning` is its vector, where it was asked for.
    """

    feed: str
    item: Entry
    at: datetime
    link_key: str | None
    title_key: str
    verdict: Verdict
    text_key: str | None = None
    meaning: bytes | None = None


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
        topics += [{"topic": topic, "story_id": pk} for topic in one.verdict.topics]
        entries.append(_entry_values(pk, one, now=now))
    await db.execute(insert(story), stories)
    if topics:
        await db.execute(insert(story_topic), topics)
    await db.execute(upsert(db, entry).on_conflict_do_nothing(), entries)
    await clues.add(
        db, [(one, pk) for pk, item in zip(pks, new, strict=True) for one in item.verdict.clues]
    )


async def _new_pks(db: Db, count: int) -> list[int]:
    """So many numbers for stories: on a server they are nobody else's from now on, in a file we
    are the only one who writes.
    """
    if db.dialect.name == "sqlite":
        last: int | None = (await db.execute(select(func.max(story.c.id)))).scalar()
        first = (last or 0) + 1
        return list(range(first, first + count))
    sequence = func.nextval(func.pg_get_serial_sequence("story", "id"))
    each = func.generate_series(1, count).table_valued("n")
    return list((await db.execute(select(sequence).select_from(each))).scalars())


def _story_values(at: datetime, verdict: Verdict) -> dict[str, object]:
    return {
        "at": at,
        "severity": verdict.severity.value,
        "reasons": reasons_to_json(verdict.reasons),
    }


def _entry_values(story_pk: int, new: NewEntry, *, now: datetime) -> dict[str, object]:
    item, verdict = new.item, new.verdict
    return {
        "story_id": story_pk,
        "feed": new.feed,
        "guid": item.id,
        "link": item.link,
        "link_key": new.link_key,
        "title": item.title,
        "title_key": new.title_key,
        "text_key": new.text_key,
        "summary": item.summary,
        "content": item.content,
        "language": item.language or verdict.language,
        "published_at": item.published_at,
        "updated_at": item.updated_at,
        "seen_at": now,
        "topics": list(verdict.topics),
        "severity": verdict.severity.value,
        "meaning": new.meaning,
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
    for topic in topics:
        await db.execute(
            upsert(db, story_topic).values(topic=topic, story_id=pk).on_conflict_do_nothing()
        )


async def add_entry(db: Db, new: NewEntry, *, story_pk: int, now: datetime) -> None:
    """Store one entry of a story; an id that the feed brought before is left as it is."""
    values = _entry_values(story_pk, new, now=now)
    await db.execute(upsert(db, entry).values(**values).on_conflict_do_nothing())
    await clues.add(db, [(one, story_pk) for one in new.verdict.clues])


async def numbers(db: Db, feed: str, guids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The brought ones of these ids: entry and story."""
    query = select(entry.c.guid, entry.c.id, entry.c.story_id)
    rows = await db.execute(query.where(entry.c.feed == feed, entry.c.guid.in_(list(guids))))
    return {row.guid: (row.id, row.story_id) for row in rows}


async def correct(
    db: Db, pk: int, item: Entry, *, title_key: str, text_key: str | None = None
) -> None:
    """Take a changed entry's words; what was decided about it stays."""
    words = {
        "title": item.title,
        "title_key": title_key,
        "text_key": text_key,
        "summary": item.summary,
        "content": item.content,
        "updated_at": item.updated_at,
        "meaning": None,  # it was of the words before
        "indexed": False,
    }
    await db.execute(update(entry).where(entry.c.id == pk).values(**words))


async def keep_meanings(db: Db, vectors: Mapping[int, bytes]) -> None:
    """The vectors of stored entries, by number: none is made twice."""
    if not vectors:
        return
    one = update(entry).where(entry.c.id == bindparam("pk")).values(meaning=bindparam("vector"))
    rows = [{"pk": pk, "vector": vectors[pk]} for pk in sorted(vectors)]
    await db.execute(one, rows)


async def headline(db: Db, pk: int, words: str | None) -> None:
    """An operator words an entry's headline anew; what the publisher wrote stays beside it, and
    counts again with None.
    """
    await db.execute(update(entry).where(entry.c.id == pk).values(headline=words))


async def join(db: Db, pk: int, *, into: int) -> None:
    """Make one story of two: all reports of the first belong to the other, as severe as that is."""
    await db.execute(update(entry).where(entry.c.story_id == pk).values(story_id=into))
    await clues.join(db, pk, into=into)
    of_it = select(story_topic.c.topic).where(story_topic.c.story_id == pk)
    await _add_topics(db, into, list((await db.execute(of_it)).scalars()))
    await db.execute(delete(story_topic).where(story_topic.c.story_id == pk))
    await db.execute(delete(story).where(story.c.id == pk))


async def raise_severity(db: Db, pk: int, severity: Severity) -> None:
    """An entry's new words are graver than those it was judged by."""
    await db.execute(update(entry).where(entry.c.id == pk).values(severity=severity.value))


async def reports(
    db: Db, pks: Collection[int], *, since: datetime, each: int = 3
) -> list[StoredEntry]:
    """The latest entries of these stories, so many of each: what a new one may belong to."""
    if not pks:
        return []
    asked = {"stories": list(pks), "since": since, "each": each}
    return [_stored(row) for row in await db.execute(_REPORTS, asked)]


def _reports() -> Select[Any]:
    """The statement of `reports`."""
    place = func.row_number().over(partition_by=entry.c.story_id, order_by=entry.c.id.desc())
    stories = entry.c.story_id.in_(bindparam("stories", expanding=True))
    some = select(entry.c.id, place.label("place")).where(
        stories, entry.c.seen_at >= bindparam("since")
    )
    ranked = some.subquery()
    chosen = select(ranked.c.id).where(ranked.c.place <= bindparam("each", type_=Integer))
    return select(entry).where(entry.c.id.in_(chosen)).order_by(entry.c.id.desc())


_REPORTS = _reports()


async def recent(
    db: Db, *, since: datetime, language: str | None, abroad: str | None = None, limit: int = 500
) -> list[StoredEntry]:
    """The latest entries of all feeds in one language, newest first: what a new one may belong to.

    With a topic in `abroad`, those in the other languages whose stories have it instead.
    """
    query = select(entry).where(entry.c.seen_at >= since)
    if abroad is None:
        query = query.where(entry.c.language == language)
    else:
        told = select(story_topic.c.story_id).where(story_topic.c.topic == abroad)
        query = query.where(entry.c.language != language, entry.c.story_id.in_(told))
    query = query.order_by(entry.c.seen_at.desc(), entry.c.id.desc())
    return [_stored(row) for row in await db.execute(query.limit(limit))]


async def get(db: Db, pk: int) -> Story | None:
    """One story with all its entries, or None."""
    found = await _with_entries(db, [pk])
    return next(iter(found), None)


async def shown_among(db: Db, pks: Sequence[int]) -> list[int]:
    """Of these stories those that everybody may see, in the order given."""
    if not pks:
        return []
    query = select(story.c.id).where(story.c.id.in_(pks), ~_withheld(unasked=True))
    allowed = set((await db.execute(query)).scalars())
    return [pk for pk in pks if pk in allowed]


async def several(db: Db, pks: Sequence[int]) -> list[Story]:
    """These stories with all their entries, in the order given."""
    return await _with_entries(db, pks)


async def shown(db: Db, pk: int) -> Story | None:
    """One story as everybody may see it: None too where an operator rejected it."""
    query = select(story.c.id).where(story.c.id == pk, ~_withheld(unasked=True))
    if (await db.execute(query)).first() is None:
        return None
    return await get(db, pk)


async def latest(
    db: Db,
    *,
    topic: str | None = None,
    before: datetime | None = None,
    offset: int = 0,
    limit: int = 5,
    since: datetime | None = None,
    unasked: bool = True,
) -> list[Story]:
    """Stories by time, newest first; `topic` narrows, `before` and `since` bound the time.

    What an operator rejected is shown to nobody. What waits for their word, or waited in vain, is
    left out unless `unasked`.
    """
    query = (
        select(story.c.id)
        .where(~_withheld(unasked=unasked))
        .order_by(story.c.at.desc(), story.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    if topic is not None:
        query = query.join(story_topic, story_topic.c.story_id == story.c.id).where(
            story_topic.c.topic == topic
        )
    if before is not None:
        query = query.where(story.c.at <= before)
    if since is not None:
        query = query.where(story.c.at >= since)
    return await _with_entries(db, list((await db.execute(query)).scalars()))


def _withheld(*, unasked: bool) -> ColumnElement[bool]:
    """A story of whose alerts (it is their `supersede_key`) none was approved and one was not."""
    states = [Approval.REJECTED.value]
    if not unasked:
        states += [Approval.WAITING.value, Approval.EXPIRED.value]
    about = alert.c.supersede_key == literal("story:").concat(cast(story.c.id, String))
    refused = select(alert.c.id).where(about, alert.c.approval.in_(states))
    let_through = select(alert.c.id).where(about, alert.c.approval == Approval.APPROVED.value)
    return and_(refused.exists(), ~let_through.exists())


async def count(db: Db) -> int:
    """How many stories the archive has."""
    return int((await db.execute(select(func.count()).select_from(story))).scalar_one())


async def _with_entries(db: Db, pks: Sequence[int]) -> list[Story]:
    """The stories in the order of their ids given, by three queries however many they are."""
    if not pks:
        return []
    heads = {row.id: row for row in await db.execute(select(story).where(story.c.id.in_(pks)))}
    rows = await db.execute(select(entry).where(entry.c.story_id.in_(pks)).order_by(entry.c.id))
    entries: dict[int, list[StoredEntry]] = {}
    for row in rows:
        entries.setdefault(row.story_id, []).append(_stored(row))
    topics: dict[int, list[str]] = {}
    for row in await db.execute(select(story_topic).where(story_topic.c.story_id.in_(pks))):
        topics.setdefault(row.story_id, []).append(row.topic)
    stories: list[Story] = []
    for pk in pks:
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


async def told_titles(db: Db, title_keys: Collection[str], *, since: datetime) -> set[str]:
    """Which of these headlines a recent entry has, from any feed."""
    query = select(entry.c.title_key).where(
        entry.c.title_key.in_(list(title_keys)), entry.c.seen_at >= since
    )
    return set((await db.execute(query)).scalars())


async def same_title(
    db: Db, title_key: str, *, since: datetime, limit: int = 20
) -> list[StoredEntry]:
    """The recent entries with the same headline, from any feed, the latest first."""
    asked = {"title": title_key, "since": since, "most": limit}
    return [_stored(row) for row in await db.execute(_SAME_TITLE, asked)]


#: Asked for nearly every entry, and made once: making it costs as much as what it finds.
_SAME_TITLE = (
    select(entry)
    .where(entry.c.title_key == bindparam("title"), entry.c.seen_at >= bindparam("since"))
    .order_by(entry.c.seen_at.desc(), entry.c.id.desc())
    .limit(bindparam("most", type_=Integer))
)
