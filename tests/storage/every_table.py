"""Rows in every table of a schema, each column filled, and what migrations may make of them.

Values are made by the kind of a column, so that a table that comes later has rows too; `ODD` has
those that a plain value does not fit. What a migration changes of what was stored is a function in
`MEANT`, whose docstring says why: everything else must come through as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    insert,
    literal,
    null,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import JSON, NullType, TypeEngine

from storage.schema import metadata
from storage.types import ExactDecimal, Json, UtcDateTime
from tests.factories import NOW

Row = dict[str, Any]
#: Table → primary key → row.
Rows = dict[str, dict[tuple[Any, ...], Row]]

#: Tables without rows of ours: Alembic's own, and the pages in which SQLite keeps `archive`.
NOT_OURS = {
    "alembic_version",
    *(f"archive_{pages}" for pages in ("config", "content", "data", "docsize", "idx")),
}
#: What each version up to 0006 wrote as the reasons of an alert and a story, and what it means.
SENTENCES = {
    "grave": ("grave",),
    "3 dead": ("dead", "3"),
    "not happening now": ("calm",),
    "border: border guard*": ("found", "border", "border guard*"),
    "−sport: match": ("against", "sport", "match"),
    "only aggregators": ("aggregators",),
    "−3.20 % against the fixing of 2021-10-19": ("fixing", "−3.20", "2021-10-19"),
    "+2.10 % since the first rate of 2021-10-01": ("drift_first", "+2.10", "2021-10-01"),
    "highest in 250 days": ("high", "250"),
    "a usual day moves 0.12 %": ("usual", "0.12"),
    "nbkr revised its rate": ("revised", "nbkr"),
    "above 84, was 83.9": ("above", "84", "83.9"),
    "+1.59 % since 2021-10-03": ("since", "+1.59", "2021-10-03"),
    "as nobody says any more": ("said", "as nobody says any more"),
}
#: Why it held a rate back, likewise.
DOUBTS = {
    "effective on 2021-10-20, far from the days it publishes for": ("far_day", "2021-10-20"),
    "84.1 for 1 is not a price": ("no_price", "84.1", "1"),
}
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
FIRST = 1 << 40  # a number that only 64 bits hold
#: Words that quoting, encoding or trimming would spoil.
WORDS = " 'a' \"b\" %s :c \\ ыңгайлуу 🚀\n"


def _reasons(revision: str) -> Any:
    if revision < "0007":
        return list(SENTENCES)
    return {"v": 1, "reasons": list(map(list, SENTENCES.values()))}


#: Table and column → its value in a database of that revision, where its kind does not say it.
ODD: dict[tuple[str, str], Callable[[str], Any]] = {
    ("alert", "reasons"): _reasons,
    ("story", "reasons"): _reasons,
    ("held_rate", "reasons"): _reasons,
    ("archive", "words"): lambda _: "somebody",
    # a job that is to be ended is at work
    ("procrastinate_jobs", "status"): lambda _: "doing",
}


def tables_of(connection: Connection) -> MetaData:
    """The tables as they are in the database now."""
    if connection.dialect.name == "sqlite":
        found = _read_what_is_new(connection)
    else:
        found = MetaData()
        found.reflect(connection)
    for name in list(found.tables):
        if name in NOT_OURS:
            found.remove(found.tables[name])
    return found


#: Tables of a file by the statement that makes them: to read one takes a dozen statements.
_KNOWN: dict[str, Table] = {}
#: And all tables of a file by all those statements.
_TOGETHER: dict[frozenset[str], MetaData] = {}


def _read_what_is_new(connection: Connection) -> MetaData:
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    made = {name: sql for name, sql in connection.execute(query) if not name.startswith("sqlite_")}
    statements = frozenset(made.values())
    if statements not in _TOGETHER:
        new, found = MetaData(), MetaData()
        new.reflect(connection, only=[name for name, sql in made.items() if sql not in _KNOWN])
        for name, table in new.tables.items():
            table.indexes.clear()  # nobody looks at them, and to copy them takes long
            _KNOWN[made[name]] = table
        for sql in made.values():
            _KNOWN[sql].to_metadata(found)
        _TOGETHER[statements] = found
    return _TOGETHER[statements]


def changed(before: MetaData | None, found: MetaData) -> set[str]:
    """The tables that are new or otherwise than before, and those that their rows refer to."""
    names = {
        name
        for name, table in found.tables.items()
        if before is None
        or name not in before.tables
        or _shape(table) != _shape(before.tables[name])
    }
    for table in reversed(found.sorted_tables):
        if table.name in names:
            names |= {key.column.table.name for key in table.foreign_keys}
    return names


def _shape(table: Table) -> list[str]:
    return [f"{one.name} {one.type!r} {one.nullable} {one.primary_key}" for one in table.columns]


def fill(
    connection: Connection,
    revision: str,
    found: MetaData,
    number: int,
    *,
    only: Collection[str],
    made: dict[bool, dict[str, Row]],
) -> None:
    """Two rows in each table of `only`: one with a value in each column, one without those that may
    lack.

    A row refers to one that was `made` last; `number` and the next are theirs.
    """
    for whole in (True, False):
        latest = made.setdefault(whole, {})
        for table in found.sorted_tables:
            if table.name not in only:
                continue
            row = _row(table, revision, number + (not whole), latest, whole=whole)
            typed = {name: _typed(table, name, value) for name, value in row.items()}
            try:
                key = connection.execute(insert(table).values(**typed)).inserted_primary_key
            except SQLAlchemyError as error:
                raise AssertionError(f"{table.name} takes no such row, see ODD: {error}") from error
            numbered = zip(table.primary_key.columns.keys(), key or (), strict=False)
            latest[table.name] = {**dict(numbered), **row}


def _row(table: Table, revision: str, number: int, made: dict[str, Row], *, whole: bool) -> Row:
    row: Row = {}
    for column in table.columns:
        if column.identity is not None:
            continue
        odd = ODD.get((table.name, column.name))
        reference = next(iter(column.foreign_keys), None)
        if column.nullable and not whole and odd is None:
            row[column.name] = None
        elif reference is not None:
            parent, _, its = reference.target_fullname.rpartition(".")
            row[column.name] = made[parent][its]
        elif odd is not None:
            row[column.name] = odd(revision)
        else:
            row[column.name] = _value(table, column, number, whole=whole)
    return row


def _kind(table: Table, name: str) -> TypeEngine[Any]:
    """The type of a column today, which knows times and JSON; of one that is gone, as it was."""
    today = metadata.tables.get(table.name)
    if today is not None and name in today.c:
        return today.c[name].type
    return table.c[name].type


def _typed(table: Table, name: str, value: Any) -> Any:
    kind = _kind(table, name)
    if value is None:
        return null()
    return literal(value) if isinstance(kind, NullType) else literal(value, kind)


def _value(table: Table, column: Column[Any], number: int, *, whole: bool) -> Any:
    match _kind(table, column.name):
        case Json() | JSON():
            return {"n": number, "words": WORDS, "none": None, "list": ["1.10", 1.5, False]}
        case UtcDateTime() | DateTime():
            return NOW + timedelta(microseconds=number)
        case ExactDecimal():
            return Decimal(f"{number}.{number:030}00")  # more digits than a float holds, and zeros
        case Boolean():
            return whole
        case Date():
            return date(1960, 2, 29) + timedelta(days=number)
        case BigInteger():
            return FIRST + number
        case SmallInteger() | Integer():
            return number
        case LargeBinary():
            return bytes(range(256)) + str(number).encode()
        case Enum(enums=values):
            return values[0]
        case kind if (length := getattr(kind, "length", None)) is not None:
            return f"{number:0{min(length, 3)}}"
        case _:
            return f"{table.name}.{column.name} {number}{WORDS}"


def rows_of(connection: Connection, found: MetaData) -> Rows:
    """Every row as the database has it, not as a type of ours reads it."""
    rows: Rows = {}
    for table in found.sorted_tables:
        key = tuple(table.primary_key.columns.keys())
        every = "*" if key else "rowid, *"  # of SQLite's index of words
        read = connection.exec_driver_sql(f'SELECT {every} FROM "{table.name}"')  # noqa: S608 - its own
        key = key or ("rowid",)
        listed = [dict(row) for row in read.mappings()]
        rows[table.name] = {tuple(row[name] for name in key): row for row in listed}
    return rows


def unfilled(rows: Rows, found: MetaData) -> list[str]:
    """The tables without a row and the columns without a value, by name."""
    empty = [f"{name} has no row: fill it" for name, its in rows.items() if not its]
    for table in found.sorted_tables:
        its = rows[table.name].values()
        if its:
            empty += [
                f"{table.name}.{column.name} has no value: fill it"
                for column in table.columns
                if all(row[column.name] is None for row in its)
            ]
    return empty


def differences(expected: Rows, found: Rows) -> Iterator[str]:
    """A sentence for each row that was lost or came from nowhere, and each value that changed."""
    for name, rows in expected.items():
        if name not in found:
            yield f"the table {name} is gone"
            continue
        for key, row in rows.items():
            if key not in found[name]:
                yield f"{name} lost its row {key}"
                continue
            now = found[name][key]
            for column, value in row.items():
                if column not in now:
                    yield f"{name}.{column} is gone"
                elif now[column] != value or type(now[column]) is not type(value):
                    yield f"{name}.{column} of {key} was {value!r}, is {now[column]!r}"
        for key in found[name].keys() - rows.keys():
            yield f"{name} has a row {key} that was not there"


def expect(rows: Rows, *revisions: str) -> None:
    """Make of the rows what migrations to those revisions are to make of them."""
    for revision in revisions:
        if revision in MEANT:
            MEANT[revision](rows)


def _reasons_are_codes(rows: Rows) -> None:
    """0007: the English sentences of reasons become codes and figures."""
    meant = SENTENCES | DOUBTS
    for name in ("alert", "story", "held_rate"):
        for row in rows[name].values():
            written = row["reasons"]
            told = json.loads(written) if isinstance(written, str) else written
            stored = {"v": 1, "reasons": [list(meant[sentence]) for sentence in told]}
            row["reasons"] = compact(stored) if isinstance(written, str) else stored


def _disputes_have_a_table(rows: Rows) -> None:
    """0008: a dispute is a row of its own, not the name of a mark."""
    rows["dispute"] = {}
    for key in [key for key in rows["mark"] if key[0].startswith("dispute:")]:
        _, source, pair, kind = key[0].split(":")
        against = rows["mark"].pop(key)["value"]
        row = {"source": source, "base": pair[:3], "quote": pair[4:], "kind": kind}
        rows["dispute"][tuple(row.values())] = {**row, "against": against}


def _silence_is_apart(rows: Rows) -> None:
    """0012: that readers asked for silence is said apart from why Telegram refuses."""
    for row in rows["chat"].values():
        row["inactive_why"] = row["inactive_why"] and row["inactive_why"].removeprefix("stopped, ")


def _one_topic_is_gone(rows: Rows) -> None:
    """0029: the one forum topic of a chat, which nothing could choose, gives way to many."""
    for row in rows["chat"].values():
        del row["thread"]


def _terms_stand_beside(rows: Rows) -> None:
    """0035: an alert goes out on the terms that its kind had when no column said them."""
    for row in rows["alert"].values():
        answers, notices = row["kind"] == "answer", row["kind"] == "notice"
        terms = {
            "awaited": answers,
            "passes_stop": answers or notices,
            "personal": answers or notices,
            "announces": row["kind"] == "broadcast",
            "graded": row["kind"] == "story",
        }
        as_read = type(next(iter(rows["chat"].values()))["active"])  # SQLite keeps numbers
        row.update({name: as_read(value) for name, value in terms.items()})


def _stories_have_their_number(rows: Rows) -> None:
    """0036: beside an alert that tells a story stands which; questions about words have a key of
    their own.
    """
    for row in rows["alert"].values():
        row["about_story"] = None
        if row["kind"] == "story" and (row["supersede_key"] or "").startswith("story:"):
            row["about_story"] = int(row["supersede_key"].removeprefix("story:"))
        if row["kind"] == "edit" and (row["supersede_key"] or "").startswith("correction:"):
            for key in ("dedup_key", "supersede_key"):
                row[key] = row[key].replace("correction:", "wording:", 1)


def _rates_come_in_words(rows: Rows) -> None:
    """0039: nobody has chosen tables yet."""
    for row in rows["chat"].values():
        row["tables"] = type(row["active"])(0)  # SQLite keeps numbers


def _topics_have_their_storys_time(rows: Rows) -> None:
    """0043: beside a topic of a story stands when that was."""
    for row in rows["story_topic"].values():
        row["at"] = rows["story"][row["story_id"],]["at"]


MEANT: dict[str, Callable[[Rows], None]] = {
    "0007": _reasons_are_codes,
    "0008": _disputes_have_a_table,
    "0012": _silence_is_apart,
    "0029": _one_topic_is_gone,
    "0035": _terms_stand_beside,
    "0036": _stories_have_their_number,
    "0039": _rates_come_in_words,
    "0043": _topics_have_their_storys_time,
}
