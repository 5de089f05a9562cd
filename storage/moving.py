"""Moving a whole database to another one, between a file and a server in either direction.

One transaction of the target: every table is copied, the numbers that are given next are set, the
index of words is built, and then each table is read again and compared with what was read at the
source. Only when all is the same it is committed; whoever is killed before leaves the target empty
and the source as it was. The job queue is not moved: the program makes it anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Table, func, select, text

import storage.about
import storage.replicas
from bot.errors import BotError, ConfigError
from storage import migrate
from storage.address import absent, is_file, parse_url
from storage.connecting import connect, connect_for_writing
from storage.copies import Tell, must_fit, untold
from storage.db import Db, Store
from storage.instance import only_instance
from storage.migrate import DamagedError
from storage.moved_rows import Digest, copy_table, copy_words, digest_of, digest_of_words
from storage.opening import held_store
from storage.ownership import make_folder
from storage.schema import lease, metadata, note

#: Tables that a database has rows in before anybody used it.
OF_THE_PROGRAM = frozenset({note.name, lease.name})
#: How the copy of the search index is called among the tables.
WORDS = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A move that was made, or would be: each table with its rows and a digest of them."""

    source: str
    target: str
    tables: dict[str, Digest]


async def move(
    source_url: str, target_url: str, *, dry_run: bool = False, tell: Tell = untold
) -> Moved:
    """Copy everything into an empty database, compare, commit; the source stays as it is.

    ConfigError while a bot runs on either, BotError when the target has data already or a table
    differs. With `dry_run` both are looked at alone, and the target is not even made.
    """
    source_address = parse_url(source_url)
    with _said_of_the_target():
        _must_be_another(source_address, parse_url(target_url))
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(_source(source_url))
        reading = await stack.enter_async_context(_snapshot(source))
        if dry_run:
            with _said_of_the_target():
                await _look_at_target(target_url)
            return await _counted(reading, source, target_url)
        size = (await storage.about.database(reading)).size
        with _said_of_the_target():
            target = await stack.enter_async_context(_target(target_url, size))
        async with target.writing() as writing:
            await _prepare(writing)
            tables = await _copy_all(reading, writing, tell)
            await _compare(writing, tables, tell)
        return Moved(source=_shown(source.url), target=_shown(target.url), tables=tables)


@contextmanager
def _said_of_the_target() -> Iterator[None]:
    """What is wrong with an address is said of the target: DATABASE_URL names the source here.

    No copy is put in the place of a file that this program perhaps never made.
    """
    try:
        yield
    except DamagedError as error:
        raise ConfigError(
            f"the target: {error.path} cannot be used ({error.why}): name an empty database, or a "
            f"file that is not there yet"
        ) from error
    except ConfigError as error:
        said = [one.replace("DATABASE_URL", "the target", 1) for one in error.problems]
        raise type(error)(said) from error


def _must_be_another(source: URL, target: URL) -> None:
    """ConfigError where both are one file, whatever it is called."""
    one, other = Path(source.database or ""), Path(target.database or "")
    if not (is_file(source) and is_file(target) and one.exists() and other.exists()):
        return
    if one.samefile(other):
        raise ConfigError(
            f"DATABASE_URL: {other} is the database that is to be moved: name another one"
        )


@asynccontextmanager
async def _source(text_url: str) -> AsyncIterator[Store]:
    """The database to be moved, which nobody else has meanwhile; of this program's schema."""
    url = parse_url(text_url)
    async with AsyncExitStack() as stack:
        if is_file(url):
            if (path := absent(url)) is not None:
                # SQLite would make an empty one
                raise ConfigError(f"DATABASE_URL: {path} does not exist: there is nothing to move")
            stack.enter_context(only_instance(Path(url.database or "")))
            store = connect(text_url)
        else:
            store = connect_for_writing(text_url)  # to lock its tables
        stack.push_async_callback(store.close)
        await migrate.must_be_ours(store)
        yield store


@asynccontextmanager
async def _snapshot(store: Store) -> AsyncIterator[Db]:
    """The source at one moment, while nobody writes to it."""
    if store.alone:
        async with store.reading() as db:
            yield db
        return
    async with store.writing() as db:
        # first of all: by default each statement has a moment of its own
        await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await _take_the_time_it_needs(db)
        names = ", ".join(f'"{name}"' for name in sorted(metadata.tables))
        # the workers' table too: a bot that starts now waits before it has done anything
        await db.execute(text(f"LOCK TABLE {names}, procrastinate_workers IN SHARE MODE"))
        await storage.replicas.must_rest(db)
        yield db


async def _take_the_time_it_needs(db: Db) -> None:
    """Let one transaction of a server think and stand still as long as a move takes."""
    for setting in ("idle_in_transaction_session_timeout", "statement_timeout"):
        await db.execute(text(f"SET LOCAL {setting} = 0"))
    await db.execute(text("SET LOCAL lock_timeout = '10s'"))


@asynccontextmanager
async def _target(text_url: str, size: int) -> AsyncIterator[Store]:
    """The database to move to, with its tables made, ours alone."""
    url = parse_url(text_url)
    async with AsyncExitStack() as stack:
        if is_file(url):
            path = Path(url.database or "")
            migrate.must_be_makeable(path)
            make_folder(path.parent)
            must_fit(path.parent, size)
        store = await stack.enter_async_context(held_store(text_url))
        await migrate.must_be_ours(store)
        yield store


async def _look_at_target(text_url: str) -> None:
    """Look at the target as a move would: BotError when it has data, ConfigError if unusable."""
    url = parse_url(text_url)
    if (path := absent(url)) is not None:
        migrate.must_be_makeable(path)
        return
    store = connect(text_url)
    try:
        if await migrate.schema_of(store) is None:
            return
        await migrate.must_be_ours(store)
        async with store.reading() as db:
            await _must_be_empty(db)
            await storage.replicas.must_rest(db)
    finally:
        await store.close()


async def _prepare(db: Db) -> None:
    """An empty target that nobody else fills: of two moves at once the second finds the first's."""
    if db.dialect.name != "sqlite":
        await _take_the_time_it_needs(db)
        await db.execute(text("LOCK TABLE alembic_version IN EXCLUSIVE MODE"))
        await storage.replicas.must_rest(db)
    await _must_be_empty(db)
    # the source's own rows come in their place
    for name in OF_THE_PROGRAM:
        await db.execute(metadata.tables[name].delete())


async def _must_be_empty(db: Db) -> None:
    for table in metadata.sorted_tables:
        if table.name not in OF_THE_PROGRAM and await _count(db, table):
            raise BotError(
                f"the target has data already (in {table.name!r}): name an empty database"
            )


async def _count(db: Db, table: Table) -> int:
    return (await db.execute(select(func.count()).select_from(table))).scalar_one()


async def _counted(db: Db, source: Store, target_url: str) -> Moved:
    tables: dict[str, Digest] = {}
    for table in metadata.sorted_tables:
        tables[table.name] = Digest(rows=await _count(db, table))
    target = _shown(parse_url(target_url))
    return Moved(source=_shown(source.url), target=target, tables=tables)


def _shown(url: URL) -> str:
    """An address as an operator writes it, without its password."""
    return url.set(drivername=url.get_backend_name()).render_as_string()


async def _copy_all(source: Db, target: Db, tell: Tell) -> dict[str, Digest]:
    """Every table, what it refers to first; what each was at the source."""
    tables: dict[str, Digest] = {}
    for table in metadata.sorted_tables:
        rows = await _count(source, table)
        tables[table.name] = await copy_table(source, target, table, tell)
        if (read := tables[table.name].rows) != rows:
            raise BotError(f"{table.name} has {rows} rows, of which {read} could be read")
        if (highest := await _highest_number(source, table)) is not None:
            await _go_on_after(target, table, highest)
    tables[WORDS] = await copy_words(source, target, tell)
    return tables


async def _compare(db: Db, tables: dict[str, Digest], tell: Tell) -> None:
    """BotError, which undoes it all, names a table that is not as it was at the source."""
    for table in metadata.sorted_tables:
        tell(f"comparing {table.name}")
        if (found := await digest_of(db, table)) != tables[table.name]:
            was = tables[table.name]
            raise BotError(
                f"{table.name}: {was.rows} rows of digest {was.hex} became {found.rows} of "
                f"{found.hex}: nothing was moved"
            )
    if await digest_of_words(db) != tables[WORDS]:
        raise BotError("the index of words is not as it was: nothing was moved")


async def _highest_number(db: Db, table: Table) -> int | None:
    """The highest number that a table's rows were ever given; None of one that gives none.

    Rows that are gone count where a number must never be given twice, because an old button
    carries it.
    """
    if not _gives_numbers(table):
        return None
    highest = (await db.execute(select(func.max(table.c.id)))).scalar() or 0
    if db.dialect.name == "sqlite":
        given = 0
        if table.dialect_options["sqlite"]["autoincrement"]:
            query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
            given = (await db.execute(query, {"name": table.name})).scalar() or 0
    else:
        sequence = await _sequence(db, table)
        row = (await db.execute(text(f"SELECT last_value, is_called FROM {sequence}"))).one()  # noqa: S608 - the server's own name
        # a sequence that gave no number yet says 1
        given = row.last_value if row.is_called else 0
    return max(int(highest), int(given))


def _gives_numbers(table: Table) -> bool:
    column = table.autoincrement_column
    return column is not None and column.name == "id"


async def _sequence(db: Db, table: Table) -> str:
    query = text("SELECT pg_get_serial_sequence(:name, 'id')")
    return str((await db.execute(query, {"name": f'"{table.name}"'})).scalar_one())


async def _go_on_after(db: Db, table: Table, highest: int) -> None:
    """Let the next row have a number above `highest`."""
    if highest == 0:
        return
    if db.dialect.name != "sqlite":
        query = text("SELECT setval(CAST(:sequence AS regclass), :highest)")
        values = {"sequence": await _sequence(db, table), "highest": highest}
        await db.execute(query, values)
    elif table.dialect_options["sqlite"]["autoincrement"]:
        values = {"name": table.name, "highest": highest}
        # that table has no key by which an upsert would find its row
        await db.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        await db.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :highest)"), values)
