"""The archive by its words: what is found, newest first.

Each database has an index of its own: SQLite an FTS5 table, PostgreSQL a tsvector. Both hold the
tokens that `bot.detect.search` makes, not the text; nothing that a reader writes is a pattern here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import aiosqlite
from sqlalchemy import Row, select, text, update
from sqlalchemy.exc import DBAPIError

from bot.errors import BotError
from storage.db import Db
from storage.schema import entry

SECONDS = 1.0  # a search may take
MOST_FOUND = 200  # entries that a search looks at, the newest
NEWEST = 10_000  # entries among which a server looks for common words
INDEXED_AT_ONCE = 50  # entries put into the index in one transaction


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
    """An entry that is not in the index yet, or changed since."""

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
    title: str


_READ = (entry.c.id, entry.c.title, entry.c.summary, entry.c.content, entry.c.language)


async def unindexed(db: Db) -> list[Unindexed]:
    """The next entries to be put into the index, the newest first."""
    query = (
        select(*_READ).where(~entry.c.indexed).order_by(entry.c.id.desc()).limit(INDEXED_AT_ONCE)
    )
    return [_unindexed(row) for row in await db.execute(query)]


def _unindexed(row: Row[*tuple[Any, ...]]) -> Unindexed:
    return Unindexed(
        id=row.id,
        title=row.title,
        summary=row.summary,
        content=row.content,
        language=row.language,
    )


async def put(db: Db, tokens: Mapping[Unindexed, Sequence[str]]) -> int:
    """Put entries into the index by their tokens; how many they were.

    One that was changed or forgotten since it was read is left out: its words are others now.
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
    query = select(*_READ).where(entry.c.id.in_([one.id for one in tokens]))
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
        "SELECT entry.id, story_id, language, title FROM archive "
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
    return [
        Hit(id=row.id, story=row.story_id, language=row.language, title=row.title) for row in rows
    ]


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
    await db.execute(text(f"SET LOCAL statement_timeout = {round(SECONDS * 1000)}"))
    try:
        found = await _rows(db, _AMONG_NEWEST, match)
        if len(found) < MOST_FOUND:
            found = await _rows(db, _BY_INDEX, match)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "57014":  # query_canceled
            raise SearchTooLongError from None
        raise
    await db.execute(
        text("SET LOCAL statement_timeout TO DEFAULT; SET LOCAL enable_seqscan TO DEFAULT")
    )
    return found


# Words that are everywhere are among the newest; the others are few. Left to itself the server
# takes one way for the other, because it cannot tell how often a word's beginning occurs: 350 ms
# for 18 of 300,000 entries.
_AMONG_NEWEST = """
SELECT entry.id, story_id, language, title
FROM (SELECT id, words FROM archive ORDER BY id DESC LIMIT :newest) AS recent
JOIN entry ON entry.id = recent.id
WHERE words @@ CAST(:match AS tsquery) ORDER BY recent.id DESC LIMIT :most
"""
_BY_INDEX = """
WITH hit AS MATERIALIZED (SELECT id FROM archive WHERE words @@ CAST(:match AS tsquery))
SELECT entry.id, story_id, language, title
FROM (SELECT id FROM hit ORDER BY id DESC LIMIT :most) AS latest
JOIN entry ON entry.id = latest.id ORDER BY latest.id DESC
"""


async def _rows(db: Db, statement: str, match: str) -> list[Hit]:
    if statement is _BY_INDEX:
        await db.execute(text("SET LOCAL enable_seqscan = off"))
    values: dict[str, object] = {"match": match, "most": MOST_FOUND}
    if statement is _AMONG_NEWEST:
        values["newest"] = NEWEST
    return _hits(await db.execute(text(statement), values))


def _tsquery(token: Wanted) -> str:
    quoted = "'" + token.text.replace("'", "''") + "'"
    return f"{quoted}:*" if token.begins else quoted
