"""The archive by its words: what is found, newest first.

Each database has an index of its own: SQLite an FTS5 table, PostgreSQL a tsvector. Both hold the
tokens that `bot.detect.search` makes, not the text; nothing that a reader writes is a pattern here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import aiosqlite
from sqlalchemy import CursorResult, Row, select, text, update
from sqlalchemy.exc import DBAPIError

from bot.errors import BotError
from storage.db import Db
from storage.schema import entry

SECONDS = 1.0  # a search may take
MOST_FOUND = 200  # entries that a search looks at, the newest
# a server cannot tell how often a word's beginning occurs: a search looks at its newest entries
SAMPLE = 1_000
COMMON = 30  # hits among them: words that are sooner found by reading on than by the index
NEWEST = 8_000  # entries that are read for common words
#: Entries of one age, and of one era, as powers of two. A server's index knows entries by their
#: words together with these two, so that what is looked for among some is found without what all
#: others have of it.
AGE, ERA = 12, 16
# that the index is asked for at first where the newest entries have nothing, of one word and of
# several, which are seldom together: to look each of them up again costs more than what is found
AGES, AGES_OF_SEVERAL = 32, 256
FEWEST_AGES = 8  # so many at least: of few hits in a sample none may be said to lie close together
ENOUGH = 1.5  # times as many as were enough if hits lay as far apart as those that are known
TIMES_MORE = 16  # ages that are asked for next, at most
INDEXED_AT_ONCE = 50  # entries put into the index in one transaction
LOOKED_AT_ONCE = 100  # entries of the index that are read at one time


class SearchTooLongError(BotError):
    """A search took longer than SECONDS and was ended."""

    def __init__(self) -> None:
        super().__init__("the search took too long; narrow it down by another word")


class Wanted(Protocol):
    """A token that is looked for."""

    @property
    def text(self) -> str:
        """The token's letters and digits, folded."""

    @property
    def begins(self) -> bool:
        """Whether every token that begins so is meant."""


class Unindexed(NamedTuple):
    """An entry's words as they are put into the index."""

    id: int
    title: str
    summary: str
    content: str
    language: str | None


class Hit(NamedTuple):
    """An entry that was found."""

    id: int
    story: int
    language: str | None


_READ = (entry.c.id, entry.c.title, entry.c.summary, entry.c.content, entry.c.language)


async def unindexed(db: Db) -> list[Unindexed]:
    """The next entries to be put into the index, the newest first.

    One that is set aside is none of them, however its words change, until it is let through.
    """
    query = select(*_READ).where(~entry.c.indexed, ~entry.c.unapproved)
    rows = await db.execute(query.order_by(entry.c.id.desc()).limit(INDEXED_AT_ONCE))
    return [_unindexed(row) for row in rows]


def _unindexed(row: Row[*tuple[Any, ...]]) -> Unindexed:
    return Unindexed(
        id=row.id,
        title=row.title,
        summary=row.summary,
        content=row.content,
        language=row.language,
    )


async def newest_indexed(db: Db) -> int:
    """The number of the newest entry in the index; 0 where there is none."""
    query = select(entry.c.id).where(entry.c.indexed).order_by(entry.c.id.desc()).limit(1)
    number: int | None = (await db.execute(query)).scalar()
    return number or 0


async def indexed(db: Db, newest: int) -> list[Unindexed]:
    """The next entries of the index from that number on, the newest first."""
    query = select(*_READ).where(entry.c.id <= newest, entry.c.indexed)
    rows = await db.execute(query.order_by(entry.c.id.desc()).limit(LOOKED_AT_ONCE))
    return [_unindexed(row) for row in rows]


async def index_anew(db: Db, pks: Sequence[int]) -> None:
    """Let entries be put into the index once more; until then they are found as they were."""
    await db.execute(update(entry).where(entry.c.id.in_(pks)).values(indexed=False))


async def put(db: Db, tokens: Mapping[Unindexed, Sequence[str]]) -> int:
    """Put entries into the index by their tokens; how many they were.

    One that was changed, forgotten or set aside since it was read is left out: its words are others
    now, or nobody's.
    """
    rows = await _still(db, tokens)
    if not rows:
        return 0
    if db.dialect.name == "sqlite":
        statement = "INSERT OR REPLACE INTO archive (rowid, words) VALUES (:id, :words)"
    else:
        statement = (
            "INSERT INTO archive (id, words) "
            "VALUES (:id, array_to_tsvector(string_to_array(:words, ' '))) "
            "ON CONFLICT (id) DO UPDATE SET words = excluded.words"
        )
    await db.execute(text(statement), rows)
    pks = [row["id"] for row in rows]
    await db.execute(update(entry).where(entry.c.id.in_(pks)).values(indexed=True))
    return len(rows)


async def _still(db: Db, tokens: Mapping[Unindexed, Sequence[str]]) -> list[dict[str, Any]]:
    """The entries that are as they were read, locked, with their words in one string."""
    read = entry.c.id.in_([one.id for one in tokens])
    query = select(*_READ).where(read, ~entry.c.unapproved)
    rows: list[dict[str, Any]] = []
    for row in await db.execute(query.with_for_update()):
        words = tokens.get(_unindexed(row))
        if words is not None:
            rows.append({"id": row.id, "words": " ".join(words)})
    return rows


async def find(db: Db, words: Sequence[Collection[Wanted]]) -> list[Hit]:
    """The newest entries that have one token for each of the words.

    SearchTooLongError after SECONDS.
    """
    if not words:
        return []
    if db.dialect.name == "sqlite":
        return await _find_in_file(db, words)
    return await _find_on_server(db, words)


async def _find_in_file(db: Db, words: Sequence[Collection[Wanted]]) -> list[Hit]:
    match = " AND ".join(
        "(" + " OR ".join(_fts(token) for token in sorted(each, key=_text)) + ")" for each in words
    )
    statement = text(
        "SELECT entry.id, story_id, language FROM archive "
        "JOIN entry ON entry.id = archive.rowid "
        "WHERE archive MATCH :match ORDER BY archive.rowid DESC LIMIT :most"
    )
    driver = (await db.get_raw_connection()).driver_connection
    if not isinstance(driver, aiosqlite.Connection):
        raise TypeError(driver)
    asking = asyncio.ensure_future(db.execute(statement, {"match": match, "most": MOST_FOUND}))
    try:
        done, _ = await asyncio.wait({asking}, timeout=SECONDS)
    except asyncio.CancelledError:  # nothing goes on behind whoever has left, on their connection
        await driver.interrupt()
        await asyncio.wait({asking})
        # taken, or asyncio complains of an error that nobody looked at
        asking.exception()
        raise
    if not done:
        await driver.interrupt()
    try:
        return _hits(await asking)
    except DBAPIError:
        if not done:
            raise SearchTooLongError from None
        raise


def _hits(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Hit]:
    return [Hit(id=row.id, story=row.story_id, language=row.language) for row in rows]


def _text(token: Wanted) -> str:
    return token.text


def _fts(token: Wanted) -> str:
    """A token in FTS5's language: a string in quotes, in which nothing is an operator."""
    quoted = '"' + token.text.replace('"', '""') + '"'
    return f"{quoted}*" if token.begins else quoted


async def _find_on_server(db: Db, words: Sequence[Collection[Wanted]]) -> list[Hit]:
    match = " & ".join(
        "(" + " | ".join(_tsquery(token) for token in sorted(each, key=_text)) + ")"
        for each in words
    )
    # the index is asked where it is thought to find many, too: else all entries would be read
    await db.execute(text("SET LOCAL enable_seqscan = off"))
    asking = _Asking(db, match)
    try:
        found = await asking.among_newest(SAMPLE)
        if COMMON <= len(found) < MOST_FOUND:
            found = await asking.among_newest(NEWEST)
        if len(found) < MOST_FOUND:
            ages = AGES if len(words) == 1 else AGES_OF_SEVERAL
            found = await asking.by_index(ages, found)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "57014":  # query_canceled
            raise SearchTooLongError from None
        raise
    await db.execute(
        text("SET LOCAL statement_timeout TO DEFAULT; SET LOCAL enable_seqscan TO DEFAULT")
    )
    return found


class _Asking:
    """A search's statements on a server, which take SECONDS together: each gets what is left."""

    def __init__(self, db: Db, match: str) -> None:
        self._db = db
        self._match = match
        self._until = time.monotonic() + SECONDS

    async def _ask(self, statement: str, **values: object) -> CursorResult[Any]:
        left = round((self._until - time.monotonic()) * 1000)
        if left <= 0:  # none would mean for ever
            raise SearchTooLongError
        await self._db.execute(text(f"SET LOCAL statement_timeout = {left}"))
        return await self._db.execute(text(statement), values)

    async def among_newest(self, newest: int) -> list[Hit]:
        """The hits among so many of the newest entries."""
        values = {"match": self._match, "most": MOST_FOUND, "newest": newest}
        return _hits(await self._ask(_AMONG_NEWEST, **values))

    async def by_index(self, ages: int, known: Sequence[Hit]) -> list[Hit]:
        """The hits by the index: those of the newest `ages`, or of as many as the `known` ones
        tell, and of as many more as may be enough.
        """
        ids = (await self._ask("SELECT min(id) AS first, max(id) AS last FROM archive")).one()
        if ids.last is None:
            return []
        first, newest, count = ids.first >> AGE, ids.last >> AGE, ages
        if known:
            apart = (ids.last + 1 - known[-1].id) / len(known)
            count = max(FEWEST_AGES, round(apart * MOST_FOUND * ENOUGH) >> AGE)
        found: list[Hit] = []
        while newest >= first and (missing := MOST_FOUND - len(found)) > 0:
            oldest = max(newest - count + 1, first)
            more = await self._of_ages(oldest, newest, missing)
            found += more
            newest = oldest - 1
            times = ENOUGH * missing / len(more) if more else TIMES_MORE
            count = round(count * min(times, TIMES_MORE))
        return found

    async def _of_ages(self, oldest: int, newest: int, most: int) -> list[Hit]:
        values = {"match": self._match, "ages": _spanned(oldest, newest), "most": most}
        return _hits(await self._ask(_OF_AGES, **values))


def _spanned(oldest: int, newest: int) -> list[int]:
    """The whole eras of a span of ages, as the index has them, and the ages beside these."""
    of_an_era = 1 << (ERA - AGE)
    found: list[int] = []
    age = oldest
    while age <= newest:
        if age % of_an_era == 0 and age + of_an_era <= newest + 1:
            found.append(-1 - age // of_an_era)
            age += of_an_era
        else:
            found.append(age)
            age += 1
    return found


_AMONG_NEWEST = """
SELECT entry.id, story_id, language
FROM (SELECT id, words FROM archive ORDER BY id DESC LIMIT :newest) AS recent
JOIN entry ON entry.id = recent.id
WHERE words @@ CAST(:match AS tsquery) ORDER BY recent.id DESC LIMIT :most
"""
# no order is asked for beside what is looked for: the server would go through the newest entries
# one by one, however seldom the words are
_OF_AGES = f"""
WITH hit AS MATERIALIZED (
    SELECT id FROM archive
    WHERE words @@ CAST(:match AS tsquery)
        AND ARRAY[id >> {AGE}, -1 - (id >> {ERA})] && CAST(:ages AS bigint[])
)
SELECT entry.id, story_id, language
FROM (SELECT id FROM hit ORDER BY id DESC LIMIT :most) AS latest
JOIN entry ON entry.id = latest.id ORDER BY latest.id DESC
"""  # noqa: S608 - likewise


def _tsquery(token: Wanted) -> str:
    quoted = "'" + token.text.replace("'", "''") + "'"
    return f"{quoted}:*" if token.begins else quoted
