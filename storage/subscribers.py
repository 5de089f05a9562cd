"""All chats with what each asked for, as one file, and back from it into another database.

A line of JSON each: first what the file is, then the feeds that readers added, then a chat a line
with its subscriptions, rules, filters and places, last how many there were, by which a torn file is
known. It has no news, no rates and no message. It is private data, for its owner alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import orjson
from sqlalchemy import Column, Table, insert, select
from sqlalchemy.exc import DataError, IntegrityError

import storage.belonging
import storage.chats
import storage.quiet
from bot.errors import BotError
from bot.typed import typed
from storage.advice import storage_error
from storage.belonging import UNMET
from storage.boards import BLANK
from storage.copies import in_place, must_be_file
from storage.db import Db, db_now, upsert
from storage.privacy import OF_A_FEED
from storage.schema import (
    board,
    chat,
    chat_place,
    news_filter,
    own_feed,
    rule,
    setup,
    subscription,
)
from storage.types import Json, UtcDateTime
from storage.versions import HEAD

FORM, VERSION = "jarchy subscribers", 1
#: What goes with a chat: the name in the file, the table, and the columns that mean nothing
#: elsewhere: numbers, messages, what is reckoned from the rest.
PARTS: tuple[tuple[str, Table, frozenset[str]], ...] = (
    ("subscriptions", subscription, frozenset({"chat_id"})),
    ("rules", rule, frozenset({"chat_id", "id"})),
    ("filters", news_filter, frozenset({"chat_id", "id", "kept", "kept_alert"})),
    ("places", chat_place, frozenset({"chat_id"})),
    ("setup", setup, frozenset({"chat_id", "id", "message_id", "shown_at", "told_at"})),
    ("board", board, frozenset({"chat_id", *BLANK} - {"trouble"})),
)
OF_THE_CHAT = frozenset({"tat", "quiet_begins_at", "quiet_ends_at"})  # reckoned anew there


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The number of chats that a file brought, and of those that were here and stay as they are."""

    bot: str
    chats: int
    skipped: int


async def export(db: Db, target: Path) -> int:
    """Write all chats into a file for its owner alone, whole or not there. How many."""
    lines = 0
    parts = await _parts(db)
    with in_place("the subscribers", target) as half, half.open("wb") as file:
        head = {"form": FORM, "version": VERSION, "schema": HEAD}
        bot = await storage.belonging.owner(db)
        file.write(_line({**head, "bot": bot, "at": await db_now(db)}))
        for row in await db.execute(select(own_feed).order_by(own_feed.c.key)):
            file.write(_line({"own_feed": {name: row._mapping[name] for name in OF_A_FEED}}))  # noqa: SLF001 - SQLAlchemy's public name
        for row in await db.execute(select(chat).order_by(chat.c.id)):
            kept = _without(row._mapping, OF_THE_CHAT)  # noqa: SLF001 - likewise
            theirs = {name: rows[row.id] for name, rows in parts.items() if row.id in rows}
            file.write(_line({"chat": kept, **theirs}))
            lines += 1
        file.write(_line({"end": lines}))
    return lines


async def _parts(db: Db) -> dict[str, dict[int, list[dict[str, Any]]]]:
    """The rows that go with chats, by their name in the file and then by the chat."""
    found: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for name, table, left_out in PARTS:
        of_chats = found.setdefault(name, {})
        for row in await db.execute(select(table)):
            kept = _without(row._mapping, left_out)  # noqa: SLF001 - SQLAlchemy's public name
            of_chats.setdefault(row.chat_id, []).append(kept)
    return found


def _without(row: Any, left_out: frozenset[str]) -> dict[str, Any]:  # noqa: ANN401 - a mapping of columns
    return {str(name): value for name, value in row.items() if name not in left_out}


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


async def bring(db: Db, source: Path, bot: str | None) -> Imported:
    """Take in the chats of a file. Those that are here already stay as they are.

    Under the bot that the file is of they go on as they were; under another they are written to
    once it has met them. BotError, and nothing is taken, when the file is torn or no such file, or
    has a line that is not as an export writes it.
    """
    head, *lines = _read(source)
    was = head.get("bot")
    met = was is not None and was == bot
    now = await db_now(db)
    known = set((await db.execute(select(chat.c.id))).scalars())
    chats = skipped = 0
    for number, line in enumerate(lines, 2):
        try:
            if "own_feed" in line:
                begun = _values(own_feed, line["own_feed"], created_at=now, next_due_at=now)
                await db.execute(upsert(db, own_feed).values(begun).on_conflict_do_nothing())
                continue
            values = _values(chat, line.get("chat"))
            if values["id"] in known:
                skipped += 1
                continue
            await _add(db, values, line, None if met else now)
        except (DataError, IntegrityError) as error:
            raise _wrong(source, number, storage_error(error)) from None
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise _wrong(source, number, error) from None
        known.add(values["id"])
        chats += 1
    return Imported(bot=str(was), chats=chats, skipped=skipped)


def _wrong(source: Path, number: int, why: Exception) -> BotError:
    return BotError(f"{source}, line {number}: {why}")


async def _add(
    db: Db, values: dict[str, Any], line: dict[str, Any], unmet_since: datetime | None
) -> None:
    """One chat with all that goes with it; unmet since then, unless it is None. ValueError says
    what is wrong with the line.
    """
    # one that said /stop stays so by its own word, met or not
    if unmet_since is not None and not values.get("stopped"):
        values |= {"active": False, "inactive_why": UNMET, "inactive_at": unmet_since}
    await db.execute(insert(chat).values(values))
    if others := set(line) - {"chat", *(name for name, _, _ in PARTS)}:
        raise ValueError(f"nothing is called {min(others)!r}")
    for name, table, _ in PARTS:
        rows = line.get(name, [])
        if not isinstance(rows, list):
            raise ValueError(f"{name} should be a list")  # noqa: TRY004 - of a file, not of code
        for row in rows:
            theirs = _values(table, row, chat_id=values["id"])
            await db.execute(insert(table).values(theirs))
    # when its quiet hours begin and end was left out of the file
    await storage.quiet.plan(db, values["id"])
    # a word that no program wrote would come up at its first question
    await storage.chats.get(db, values["id"])


def _values(table: Table, row: object, **given: object) -> dict[str, Any]:
    """A row of the file, with what is `given` besides, as the table takes it; what an older program
    did not write is usual. ValueError says what is wrong.
    """
    if not isinstance(row, dict):
        raise ValueError(f"{table.name} should be an object")  # noqa: TRY004 - likewise
    values: dict[str, Any] = {}
    for name, value in row.items():
        column = table.c.get(name)
        if column is None:
            raise ValueError(f"{table.name} has no {name!r}")
        values[name] = _value(column, value)
    values |= given
    for column in table.c:
        usual = column.nullable or column.server_default is not None
        if column.name not in values and not usual and column is not table.autoincrement_column:
            raise ValueError(f"{column} is missing")
    return values


def _value(column: Column[Any], value: object) -> object:
    """A value of the file as its column takes it; ValueError of anything else."""
    kind = column.type
    if (value is None and column.nullable) or isinstance(kind, Json):
        return value
    if isinstance(kind, UtcDateTime):
        return _instant(column, value)
    right = type(value) is kind.python_type
    if type(value) is int:  # what no database takes
        right = right and -(2**63) <= value < 2**63
    if not right:
        raise ValueError(f"{column} should be {_CALLED[kind.python_type]}")
    return value


_CALLED = {bool: "true or false", int: "a whole number", str: "text"}


def _instant(column: Column[Any], value: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{column} should be a time with its zone")


def _read(source: Path) -> list[dict[str, Any]]:
    """The lines of a file without the last, once it is known to be whole and ours."""
    must_be_file(source)
    # all of it first: of a torn file nothing is taken
    lines: list[Any] = []
    for line in source.read_bytes().splitlines():
        try:
            lines.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            break  # cut off here, or not ours from the first
    if not lines or not isinstance(lines[0], dict) or lines[0].get("form") != FORM:
        raise BotError(f"{source} is no file of `{typed('subscribers export')}`")
    for number, one in enumerate(lines, 1):
        if not isinstance(one, dict):
            raise BotError(f"{source}, line {number}: should be an object")
    schema = lines[0].get("schema", "")
    if not isinstance(schema, str):
        raise BotError(f"{source}, line 1: schema should be text")
    # revisions begin with their number: as texts they stand in their order
    if lines[0].get("version") != VERSION or schema > HEAD:
        raise BotError(f"{source} is of a newer program than this one: use that one")
    if lines[-1].get("end") != _chats_among(lines):
        raise BotError(f"{source} is torn: its end is missing")
    return lines[:-1]


def _chats_among(lines: Iterable[dict[str, Any]]) -> int:
    return sum("chat" in line for line in lines)
