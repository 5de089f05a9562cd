"""An archive of so many entries of news, the same ones each time, written by the database itself.

A headline, a name and a text of three pools make an entry. Words are made ones of three languages,
each as frequent as its rank says (Zipf); the first are in nearly every entry, a name in a dozen of
a million. A fifth of the entries are second reports of a story. It spans half a year, however many
they are.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from sqlalchemy import text

from bot.detect.search import tokens_of
from bot.reasons import reasons_to_json
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Db, Store
from storage.types import EPOCH, MICROSECOND

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SPAN = 180 * 86_400  # seconds, as long as stories are kept
FEEDS = 400
BUSY, OLD, RARE = "economy", "society", "security"  # a topic of each kind
LETTERS = {
    "en": ("bcdfghklmnprstv", "aeiou"),
    "ru": ("бвгдзклмнпрст", "аеиоуы"),
    "ky": ("бгджзйклмнрст", "аеоөуүы"),
}
WORDS = 20_000  # of a language
# of a language; the first two have no factor in common, so that their pairs are many
HEADS, BODIES, NAMES = 1_999, 2_003, 25_000
HEAD_WORDS, BODY_WORDS = 7, 20
CHUNK = 50_000  # entries written in one go: SQLite's log stays small


class Piece(NamedTuple):
    """A part of an entry, and its tokens as the index has them."""

    words: str
    tokens: str


@cache
def vocabulary(language: str) -> tuple[str, ...]:
    """A language's words, the most frequent first."""
    made = random.Random(language)
    closed, opened = LETTERS[language]
    found: dict[str, None] = {}
    while len(found) < WORDS + NAMES:
        syllables = made.choices((2, 3, 4), (3, 4, 2))[0]
        word = "".join(made.choice(closed) + made.choice(opened) for _ in range(syllables))
        found[word + made.choice(closed)] = None
    return tuple(found)


def names(language: str) -> tuple[str, ...]:
    """A language's names, which a few entries have each."""
    return vocabulary(language)[WORDS:]


def _pieces(language: str, count: int, size: int) -> list[Piece]:
    made = random.Random(f"{language}{size}")
    words = vocabulary(language)[:WORDS]
    often = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
    found: list[Piece] = []
    for _ in range(count):
        said = " ".join(made.choices(words, cum_weights=often, k=size)).capitalize()
        found.append(Piece(said, " ".join(tokens_of(said, language))))
    return found


def phrases(count: int) -> list[str]:
    """Three words each of so many headlines, which stand side by side there."""
    heads = _pools()["bench_head"]
    found: list[str] = []
    for number in range(count):
        found.append(" ".join(heads[number * len(heads) // count].words.split()[2:5]))
    return found


@cache
def _pools() -> Mapping[str, Sequence[Piece]]:
    """The pools by their tables' names, language after language."""
    found: dict[str, list[Piece]] = {"bench_head": [], "bench_body": [], "bench_name": []}
    for language in LETTERS:
        found["bench_head"] += _pieces(language, HEADS, HEAD_WORDS)
        found["bench_body"] += _pieces(language, BODIES, BODY_WORDS)
        for name in names(language):
            found["bench_name"].append(
                Piece(name.capitalize(), " ".join(tokens_of(name, language)))
            )
    return found


def catalog() -> Catalog:
    """The feeds that the entries are of."""
    return parse_catalog(
        "".join(
            f'[feeds.f{number}]\nname = {{ en = "Paper {number}" }}\nurl = "http://f{number}.example/"\n'
            for number in range(FEEDS)
        )
    )


# entry n is a report of the story n, but every fifth of that before it
_STORY = "n - (CASE WHEN n % 5 = 4 THEN 1 ELSE 0 END)"
_STATEMENTS = (
    """
    INSERT INTO story (id, at, severity, reasons)
    SELECT n, {at}, 'info', {reasons} FROM {numbers} WHERE n % 5 <> 4
    """,
    """
    INSERT INTO story_topic (topic, story_id, at) SELECT topic, n, {at} FROM (
        SELECT '{busy}' AS topic, n FROM {numbers} WHERE n % 10 < 3
        UNION ALL SELECT 'politics', n FROM {numbers} WHERE n % 10 IN (2, 5)
        UNION ALL SELECT '{old}', n FROM {numbers} WHERE n % 5 = 1 AND n < {count} / 20
        UNION ALL SELECT '{rare}', n FROM {numbers} WHERE n % 5000 = 0
    ) AS topics
    """,
    """
    INSERT INTO entry (id, story_id, feed, guid, link, link_key, title, title_key, text_key,
        summary, content, language, published_at, seen_at, topics, severity, indexed)
    SELECT n, {story}, 'f' || (n % {feeds}), 'g' || n, 'https://p.example/' || n,
        'p.example/' || n, head.words || ' ' || name.words, 't' || n, 'x' || n,
        body.words || '.', '', head.language, {at}, {seen}, {none}, 'info', {true}
    FROM {numbers}
    JOIN bench_head AS head ON head.id = {head}
    JOIN bench_body AS body ON body.id = {body}
    JOIN bench_name AS name ON name.id = {name}
    """,
    """
    INSERT INTO archive ({key}, words)
    SELECT n, {tokens}
    FROM {numbers}
    JOIN bench_head AS head ON head.id = {head}
    JOIN bench_body AS body ON body.id = {body}
    JOIN bench_name AS name ON name.id = {name}
    """,
)


async def fill(store: Store, count: int) -> None:
    """Fill an empty store with so many entries, the newest at `NOW`."""
    pools = _pools()  # a server ends a transaction that stands still for so long
    index = ""
    async with store.writing() as db:
        if store.alone:
            # nobody else's words are in these pages
            await db.execute(text("PRAGMA secure_delete = OFF"))
            await db.execute(text("PRAGMA cache_size = -400000"))
        else:
            # made anew below, in a third of the time
            definition = "SELECT indexdef FROM pg_indexes WHERE indexname = 'archive_words_by_age'"
            index = (await db.execute(text(definition))).scalar_one()
            await db.execute(text("DROP INDEX archive_words_by_age"))
        for table, pieces in pools.items():
            await _add_pool(db, table, pieces)
    for first in range(1, count + 1, CHUNK):
        async with store.writing() as db:
            words = _words(store, count, first, min(first + CHUNK - 1, count))
            for statement in _STATEMENTS:
                await db.execute(text(statement.format(**words)), {"reasons": _REASONS})
    async with store.writing() as db:
        for table in pools:
            await db.execute(text(f"DROP TABLE {table}"))
        if not store.alone:
            await db.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
            await db.execute(text(index))
    if not store.alone:
        # what a server does by itself in life, and would now do beside the questions
        async with store.job_connections() as pool, pool.connection() as connection:
            await connection.set_autocommit(True)
            await connection.execute("VACUUM (ANALYZE)")


_REASONS = json.dumps(reasons_to_json(()))


def _words(store: Store, count: int, first: int, last: int) -> dict[str, object]:
    """The words of `_STATEMENTS` for the entries `first` … `last` of so many, for that database."""
    before = f"({count} - n) * {SPAN / count}"  # seconds before now that we saw it
    pick = "n % 3 * {size} + n / 3 * 7919 % {size}"
    said = "head.tokens || ' ' || body.tokens || ' ' || name.tokens"
    words: dict[str, object] = {"count": count, "story": _STORY, "feeds": FEEDS}
    words |= {"busy": BUSY, "old": OLD, "rare": RARE}
    words |= {
        "head": pick.format(size=HEADS),
        "body": pick.format(size=BODIES),
        "name": pick.format(size=NAMES),
    }
    if store.alone:
        up = f"SELECT {first} UNION ALL SELECT n + 1 FROM up WHERE n < {last}"  # noqa: S608 - numbers
        now = f"{(NOW - EPOCH) // MICROSECOND}"
        numbers = f"(WITH RECURSIVE up(n) AS ({up}) SELECT n FROM up)"  # noqa: S608 - likewise
        return words | {
            "numbers": numbers,
            "seen": f"{now} - CAST(({before}) * 1000000 AS INTEGER)",
            "at": f"{now} - CAST(({before} + n * 7919 % 3600) * 1000000 AS INTEGER)",
            "reasons": ":reasons",
            "none": "'[]'",
            "true": "1",
            "key": "rowid",
            "tokens": said,
        }
    now = f"TIMESTAMPTZ '{NOW}'"
    return words | {
        "numbers": f"generate_series({first}::bigint, {last}) AS up(n)",
        "seen": f"{now} - ({before}) * INTERVAL '1 second'",
        "at": f"{now} - ({before} + n * 7919 % 3600) * INTERVAL '1 second'",
        "reasons": "CAST(:reasons AS jsonb)",
        "none": "'[]'::jsonb",
        "true": "true",
        "key": "id",
        "tokens": f"array_to_tsvector(string_to_array({said}, ' '))",
    }


async def _add_pool(db: Db, table: str, pieces: Sequence[Piece]) -> None:
    """The table of a pool, language after language, numbered from nothing."""
    each = len(pieces) // len(LETTERS)
    rows: list[dict[str, object]] = []
    for number, piece in enumerate(pieces):
        language = tuple(LETTERS)[number // each]
        rows.append({"id": number, "language": language, **piece._asdict()})
    columns = "id integer PRIMARY KEY, language text, words text, tokens text"
    await db.execute(text(f"CREATE TABLE {table} ({columns})"))
    if db.dialect.name == "sqlite":
        read = ", ".join(f"json_extract(value, '$.{name}')" for name in rows[0])
        listed = f"SELECT {read} FROM json_each(:rows)"  # noqa: S608 - our own names
    else:
        read = columns.replace(" PRIMARY KEY", "")
        listed = f"SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS x({read})"  # noqa: S608 - likewise
    # one statement: the store sends a server many rows one by one
    await db.execute(text(f"INSERT INTO {table} {listed}"), {"rows": json.dumps(rows)})
