"""Entries: items as published, each row of a story; what they say, and by what they are found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    bindparam,
    func,
    or_,
    select,
    update,
)

from bot.model.alerts import Severity
from bot.model.hazards import HazardKind
from bot.model.news import Entry, StoredEntry, Verdict
from storage import clues
from storage.db import Db, unless_there
from storage.schema import alert, entry, story_topic


def stored(row: Any) -> StoredEntry:  # noqa: ANN401 - a result row
    """The entry of a row."""
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
    return {row.id: stored(row).entry for row in await db.execute(query)}


async def latest_times(db: Db, feed: str, *, most: int) -> list[tuple[datetime, datetime]]:
    """The times at which a feed's latest entries came to us and were written, the latest first."""
    query = (
        select(entry.c.seen_at, func.coalesce(entry.c.published_at, entry.c.seen_at).label("at"))
        .where(entry.c.feed == feed)
        .order_by(entry.c.seen_at.desc(), entry.c.id.desc())
        .limit(most)
    )
    return [(row.seen_at, row.at) for row in await db.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to be stored, with its story's time, what it is compared by, and its verdict.

    `meaning` is its vector, where it was asked for; `retracts` is whether its publisher takes back
    by it what it told.
    """

    feed: str
    item: Entry
    at: datetime
    link_key: str | None
    title_key: str
    verdict: Verdict
    text_key: str | None = None
    meaning: bytes | None = None
    retracts: bool = False


def entry_values(story_pk: int, new: NewEntry, *, now: datetime) -> dict[str, object]:
    """The row of an entry that belongs to that story."""
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
        "retracts": new.retracts,
    }


async def add_entry(db: Db, new: NewEntry, *, story_pk: int, now: datetime) -> None:
    """Store one entry of a story; an id that the feed brought before is left as it is."""
    values = entry_values(story_pk, new, now=now)
    await db.execute(unless_there(db, entry), values)
    await clues.add(db, [(one, story_pk) for one in new.verdict.clues])


async def set_aside(db: Db, feed: str, guid: str) -> StoredEntry | None:
    """Show an entry to nobody, nor find it by its words, until it is `let_through`; the entry."""
    mine = (entry.c.feed == feed, entry.c.guid == guid)
    changed = update(entry).where(*mine).values(unapproved=True).returning(entry)
    row = (await db.execute(changed)).first()
    return None if row is None else stored(row)


async def let_through(db: Db, pk: int) -> None:
    """Show an entry that was `set_aside`, and let it be found."""
    # an earlier program called it indexed for as long, so that nobody put it into the index
    shown = {"unapproved": False, "indexed": False}
    await db.execute(update(entry).where(entry.c.id == pk, entry.c.unapproved).values(**shown))


async def numbers(db: Db, feed: str, guids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The brought ones of these ids: entry and story."""
    query = select(entry.c.guid, entry.c.id, entry.c.story_id)
    rows = await db.execute(query.where(entry.c.feed == feed, entry.c.guid.in_(list(guids))))
    return {row.guid: (row.id, row.story_id) for row in rows}


async def story_of(db: Db, pk: int) -> int | None:
    """The story that an entry belongs to by now; None of one that is forgotten."""
    its = select(entry.c.story_id).where(entry.c.id == pk)
    found: int | None = (await db.execute(its)).scalar()
    return found


async def correct(
    db: Db,
    pk: int,
    item: Entry,
    *,
    title_key: str,
    retracts: bool,
    text_key: str | None = None,
    meaning: bytes | None = None,
    at: datetime | None = None,
) -> None:
    """Take a changed entry's words, whether it retracts by them, and their vector where that was
    asked for; what was decided about it stays, and when it was published, unless that is `at`
    another time.
    """
    words = _words(item, title_key, text_key, meaning=meaning, retracts=retracts)
    if at is not None:
        words["published_at"] = at
    await db.execute(update(entry).where(entry.c.id == pk).values(**words))


async def correct_all(db: Db, changed: Sequence[tuple[int, Entry, str, str, bool]]) -> None:
    """Take the words of many changed entries, each with its number, title key and text key, and
    whether it retracts.
    """
    if not changed:
        return
    # in one order for all replicas: none waits for a row of one that waits for it
    rows = [
        {"pk": pk, **_words(item, title_key, text_key, meaning=None, retracts=retracts)}
        for pk, item, title_key, text_key, retracts in sorted(changed, key=itemgetter(0))
    ]
    await db.execute(update(entry).where(entry.c.id == bindparam("pk")), rows)


def _words(
    item: Entry, title_key: str, text_key: str | None, *, meaning: bytes | None, retracts: bool
) -> dict[str, object]:
    return {
        "title": item.title,
        "title_key": title_key,
        "text_key": text_key,
        "summary": item.summary,
        "content": item.content,
        "updated_at": item.updated_at,
        "meaning": meaning,  # that of the words before is none of these
        "retracts": retracts,
        # the index has the words before
        "indexed": False,
    }


async def keep_meanings(db: Db, vectors: Mapping[int, bytes]) -> None:
    """The vectors of stored entries, by number: none is made twice."""
    if not vectors:
        return
    one = update(entry).where(entry.c.id == bindparam("pk")).values(meaning=bindparam("vector"))
    # in one order for all replicas: none waits for a row of one that waits for it
    rows = [{"pk": pk, "vector": vectors[pk]} for pk in sorted(vectors)]
    await db.execute(one, rows)


async def headline(db: Db, pk: int, words: str | None) -> None:
    """An operator words an entry's headline anew; what the publisher wrote stays beside it, and
    counts again with None.
    """
    await db.execute(update(entry).where(entry.c.id == pk).values(headline=words))


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
    return [stored(row) for row in await db.execute(_REPORTS, asked)]


def _reports() -> Select[Any]:
    """The statement of `reports`."""
    rank = func.row_number().over(partition_by=entry.c.story_id, order_by=entry.c.id.desc())
    stories = entry.c.story_id.in_(bindparam("stories", expanding=True))
    some = select(entry.c.id, rank.label("rank")).where(
        stories, entry.c.seen_at >= bindparam("since")
    )
    ranked = some.subquery()
    chosen = select(ranked.c.id).where(ranked.c.rank <= bindparam("each", type_=Integer))
    return select(entry).where(entry.c.id.in_(chosen)).order_by(entry.c.id.desc())


_REPORTS = _reports()


async def recent(db: Db, *, topic: str, since: datetime, limit: int = 500) -> list[StoredEntry]:
    """The latest entries of all feeds whose stories have a topic, newest first."""
    about = (story_topic.c.topic == topic, story_topic.c.story_id == entry.c.story_id)
    query = (
        select(entry)
        .where(entry.c.seen_at >= since, select(story_topic.c.topic).where(*about).exists())
        .order_by(entry.c.seen_at.desc(), entry.c.id.desc())
        .limit(limit)
    )
    return [stored(row) for row in await db.execute(query)]


async def measured(
    db: Db,
    feeds: Collection[str],
    kinds: Collection[HazardKind],
    *,
    since: datetime,
    limit: int = 200,
) -> list[StoredEntry]:
    """The latest hazards of these kinds that institutes measured, newest first: however many others
    they warned of since. None of what was taken back.
    """
    written = or_(*(entry.c.content.startswith(kind.value) for kind in sorted(kinds)))
    query = (
        select(entry)
        .where(entry.c.feed.in_(list(feeds)), entry.c.seen_at >= since, written)
        .order_by(entry.c.seen_at.desc(), entry.c.id.desc())
        .limit(limit)
    )
    return [stored(row) for row in await db.execute(query)]


async def told(
    db: Db, feeds: Collection[str], *, kind: str, since: datetime, limit: int = 500
) -> list[StoredEntry]:
    """The entries of feeds in stories that alerts of a `kind` told since then, the latest first."""
    stories = select(alert.c.about_story).where(alert.c.kind == kind, alert.c.created_at >= since)
    query = (
        select(entry)
        .where(entry.c.feed.in_(list(feeds)), entry.c.story_id.in_(stories))
        .order_by(entry.c.id.desc())
        .limit(limit)
    )
    return [stored(row) for row in await db.execute(query)]


async def told_titles(db: Db, title_keys: Collection[str], *, since: datetime) -> set[str]:
    """The headlines among these that a recent entry has, from any feed."""
    asked = {"titles": list(title_keys), "since": since}
    return set((await db.execute(_TOLD_TITLES, asked)).scalars())


# built once, not for each poll
_TOLD_TITLES = select(entry.c.title_key).where(
    entry.c.title_key.in_(bindparam("titles", expanding=True)),
    entry.c.seen_at >= bindparam("since"),
)


async def same_title(
    db: Db, title_key: str, *, since: datetime, limit: int = 20
) -> list[StoredEntry]:
    """The recent entries with the same headline, from any feed, the latest first."""
    asked = {"title": title_key, "since": since, "most": limit}
    return [stored(row) for row in await db.execute(_SAME_TITLE, asked)]


#: Asked for nearly every entry, and made once: making it costs as much as what it finds.
_SAME_TITLE = (
    select(entry)
    .where(entry.c.title_key == bindparam("title"), entry.c.seen_at >= bindparam("since"))
    .order_by(entry.c.seen_at.desc(), entry.c.id.desc())
    .limit(bindparam("most", type_=Integer))
)
