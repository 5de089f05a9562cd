"""The rows of a table on their way to another database, and a digest by which two are compared.

A row is read as values that mean the same on both, and JSON as the text that it is, because a JSON
`null` is not an absent value. A digest does not depend on the order of rows: databases sort words
each in its own way.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    String,
    Table,
    Text,
    TextClause,
    bindparam,
    cast,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from bot.errors import BotError
from storage.advice import storage_error
from storage.copies import Tell
from storage.db import Db
from storage.types import EPOCH, MICROSECOND, Json

AT_ONCE = 1_000  # rows read and written in one go
BYTES = 16  # of a digest


@dataclass(slots=True)
class Digest:
    """The number of rows, and one number that differs when any of them does."""

    rows: int = 0
    total: int = 0

    def add(self, values: Sequence[object]) -> None:
        """Take one row in."""
        written = "\x1f".join([_WRITTEN[value.__class__](value) for value in values])
        hashed = blake2b(written.encode("utf-8", "surrogatepass"), digest_size=BYTES).digest()
        self.rows += 1
        # a sum, so that the order of rows does not matter; XOR would not see a row that came twice
        self.total = (self.total + int.from_bytes(hashed)) % (1 << BYTES * 8)

    @property
    def hex(self) -> str:
        """The number in hexadecimal, as people compare it."""
        return f"{self.total:0{BYTES * 2}x}"


class _Json(str):
    """The text of a JSON value."""

    __slots__ = ()


def _written_json(value: _Json) -> str:
    # whole numbers and others are one to JSON: 1e16 comes back as 10000000000000000
    return "j" + json.dumps(
        json.loads(value, parse_int=_number, parse_float=_number), sort_keys=True
    )


def _number(written: str) -> float:
    return float(written) + 0.0  # a server has no sign for zero: -0.0 is 0.0 then


#: How a value of each kind is written, the same whichever database it came from: by its very class,
#: because a row has ten of them and a table may have millions of rows.
_WRITTEN: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "-",
    bool: lambda value: f"i{value:d}",
    int: lambda value: f"i{value}",
    str: lambda value: "s" + value,
    bytes: lambda value: "b" + value.hex(),
    Decimal: lambda value: f"n{value or abs(value):f}",  # zero has no sign here either
    date: lambda value: f"d{value}",
    datetime: lambda value: f"t{(value - EPOCH) // MICROSECOND}",
    _Json: _written_json,
}


async def copy_table(source: Db, target: Db, table: Table, tell: Tell) -> Digest:
    """Copy a table's rows, `AT_ONCE` at a time; the digest of what was read at the source."""
    digest = Digest()
    names = [column.name for column in table.columns]
    async for rows in _parts(source, table):
        for row in rows:
            digest.add(row)
        try:
            if target.dialect.name == "sqlite":
                await target.execute(
                    _writing(table), [dict(zip(names, row, strict=True)) for row in rows]
                )
            else:
                await _copy_in(target, table.name, names, rows)
        except DBAPIError as error:
            raise BotError(f"{table.name}: {storage_error(error)}") from error
        tell(f"copied {digest.rows:,} of {table.name}")
    return digest


async def digest_of(db: Db, table: Table) -> Digest:
    """The digest of a table's rows as they are in this transaction."""
    digest = Digest()
    async for rows in _parts(db, table):
        for row in rows:
            digest.add(row)
    return digest


async def copy_words(source: Db, target: Db, tell: Tell) -> Digest:
    """Copy the index of words, which each database keeps in its own way."""
    digest = Digest()
    if target.dialect.name != "sqlite":
        await target.execute(
            text("CREATE TEMPORARY TABLE moved_words (id bigint, words text) ON COMMIT DROP")
        )
    async for rows in _word_parts(source):
        for row in rows:
            digest.add(row)
        if target.dialect.name == "sqlite":
            await target.execute(
                text("INSERT INTO archive (rowid, words) VALUES (:id, :words)"),
                [{"id": pk, "words": words} for pk, words in rows],
            )
        else:
            await _copy_in(target, "moved_words", ["id", "words"], rows)
        tell(f"copied {digest.rows:,} of the index")
    if target.dialect.name != "sqlite":
        await target.execute(
            text(
                "INSERT INTO archive (id, words) SELECT id, "
                "array_to_tsvector(string_to_array(words, ' ')) FROM moved_words"
            )
        )
    return digest


async def digest_of_words(db: Db) -> Digest:
    """The digest of the index of words as it is in this transaction."""
    digest = Digest()
    async for rows in _word_parts(db):
        for row in rows:
            digest.add(row)
    return digest


def _is_json(kind: TypeEngine[Any]) -> bool:
    return isinstance(kind, Json)


def _json_columns(table: Table) -> tuple[int, ...]:
    """The columns that hold JSON, by their index."""
    return tuple(index for index, one in enumerate(table.columns) if _is_json(one.type))


def _reading(table: Table) -> Select[Any]:
    columns: list[ColumnElement[Any]] = []
    for column in table.columns:
        if _is_json(column.type):
            columns.append(cast(column, Text).label(column.name))
        else:
            columns.append(column)
    reading: Select[Any] = select(*columns)
    return reading


def _writing(table: Table) -> TextClause:
    """A row's insertion into a file, JSON as the text that it is."""
    names = [column.name for column in table.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    parameters = ", ".join(f":{name}" for name in names)
    kinds: list[BindParameter[Any]] = []
    for column in table.columns:
        kind: TypeEngine[Any] = String() if _is_json(column.type) else column.type
        kinds.append(bindparam(column.name, type_=kind))
    return text(f'INSERT INTO "{table.name}" ({quoted}) VALUES ({parameters})').bindparams(*kinds)  # noqa: S608 - our own names


async def _parts(db: Db, table: Table) -> AsyncIterator[list[list[Any]]]:
    """A table's rows as lists of values, some at once, by its key: it may be larger than memory."""
    key = list(table.primary_key.columns)
    query = _reading(table).order_by(*key).limit(AT_ONCE)
    indexes = [list(table.columns).index(column) for column in key]
    json_columns = _json_columns(table)
    after: list[Any] = []
    while True:
        part = query
        if after:
            part = query.where(tuple_(*key) > tuple_(*after))
        rows = (await db.execute(part)).all()
        if not rows:
            return
        yield [_values(row, json_columns) for row in rows]
        after = []
        for index, column in zip(indexes, key, strict=True):
            after.append(literal(rows[-1][index], column.type))


async def _word_parts(db: Db) -> AsyncIterator[list[tuple[int, str]]]:
    """The index of words, some entries at once; of each its words, sorted."""
    query = "SELECT rowid AS id, words FROM archive WHERE rowid > :after ORDER BY rowid LIMIT :most"
    if db.dialect.name != "sqlite":
        query = (
            "SELECT id, array_to_string(tsvector_to_array(words), ' ') AS words FROM archive "
            "WHERE id > :after ORDER BY id LIMIT :most"
        )
    after = -1
    while rows := (await db.execute(text(query), {"after": after, "most": AT_ONCE})).all():
        yield [(row.id, " ".join(sorted(set(row.words.split())))) for row in rows]
        after = rows[-1].id


def _values(row: Row[Any], json_columns: Sequence[int]) -> list[Any]:
    values = list(row)
    for index in json_columns:
        if values[index] is not None:
            values[index] = _Json(values[index])
    return values


async def _copy_in(db: Db, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows by COPY, a hundred times as fast as one by one."""
    import psycopg
    from psycopg import sql

    driver = (await db.get_raw_connection()).driver_connection
    if not isinstance(driver, psycopg.AsyncConnection):
        raise TypeError(driver)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
    try:
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                await copy.write_row(row)
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BotError(f"{table}: {lines[0]}") from error
