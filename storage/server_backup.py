"""Copies of a PostgreSQL database, and putting one back, by the server's own programs.

A copy is one file of `pg_dump`'s own form, read through to its end before it gets its name. It
holds the tables, functions and types of the bot's schema, without owners and rights, and not the
rows of the job queue, which the program makes anew.

Putting one back is one transaction: what was there is dropped and what the copy has is made, with
every constraint checked, and only then is it committed. A restore that is killed, refused or finds
a torn file changes nothing.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import URL

from bot.errors import BotError, ConfigError, StorageError
from bot.reasons import said
from bot.typed import typed
from storage.address import is_to_blame
from storage.backup import USED
from storage.copies import (
    Tell,
    in_place,
    make_copies_folder,
    must_be_file,
    must_fit,
    never,
    stamped,
    untold,
)
from storage.ownership import Owner, owner_of
from storage.replicas import HEART_STOPPED
from storage.schema import metadata, note
from storage.server_tools import (
    Tools,
    connection_options,
    environment,
    fitting,
    in_words,
    run,
)
from storage.versions import HEAD, REVISIONS, may_use

#: Our tables beside those of `metadata`; those of the job queue begin so.
BESIDE, QUEUE = frozenset({"alembic_version", "archive"}), "procrastinate_"
PACKED = 8  # a table's bytes are at least so many of its copy's
NEEDED = {"alembic_version", "chat", "alert"}
#: The schema and one of NEEDED, as `pg_restore` lists what a copy holds; a schema may have spaces.
#: 215; 0 16386 TABLE DATA public chat jarchy
_HELD = re.compile(rf"^\d+; \d+ \d+ TABLE DATA (.+?) ({'|'.join(sorted(NEEDED))}) ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server and its database as they were found, before anything is done to them."""

    major: int
    schema: str
    version: str | None  # of our tables; None where there are none
    tables: frozenset[str]
    size: int  # bytes of the tables, without their indexes
    used: bool
    running: bool


def dump(
    url: URL,
    target: Path,
    *,
    owner: Owner | None = None,
    stop: Callable[[], bool] = never,
    tell: Tell = untold,
) -> None:
    """A consistent, checked copy for its owner alone, whole or not there; of a database in use."""
    server = look_at_server(url)
    if server.version is None:
        raise BotError("the database has no tables of this program: there is nothing to copy")
    tools = fitting(server.major)
    env, words = environment(url)
    with in_place("the database", target, owner=owner) as half:
        must_fit(target.absolute().parent, server.size // PACKED)

        def look() -> None:
            if half.exists():
                tell(f"copied {half.stat().st_size >> 10:,} kB")

        command = [tools.path("pg_dump"), "--format=custom", "--no-password", *words]
        command += ["--no-owner", "--no-privileges", f'--schema="{server.schema}"']
        command += [f'--exclude-table-data="{server.schema}".{QUEUE}*', f"--file={half}"]
        try:
            run(command, env=env, stop=stop, look=look)
            tell("checking the copy")
            whole = [tools.path("pg_restore"), "--file=/dev/null", str(half)]
            run(whole, env=env, stop=stop, look=lambda: None)
        except BotError as error:
            raise BotError(f"cannot copy the database to {target}: {error}") from error


def restore(
    url: URL, source: Path, *, force: bool, aside: Path | None = None, tell: Tell = untold
) -> tuple[dict[str, int], Path | None]:
    """Put a copy in the place of the database; its rows by table, and a copy of what was there.

    A database that was used is only replaced by `force`, and copied first: into the folder
    `aside`, else beside the file.
    ConfigError while a bot runs on it.
    """
    must_be_file(source)
    server = look_at_server(url)
    tools = fitting(server.major)
    _must_be_ours(tools, source, server)
    if server.running:
        raise ConfigError("another Jarchy is using the database: stop it first")
    _must_be_replaceable(server, force=force)
    kept = None
    if server.used:
        tell("copying what is there")
        kept = stamped((aside or source.parent) / source.name, "before-restore")
        make_copies_folder(kept.parent)
        dump(url, kept, owner=owner_of(kept), tell=tell)
    _replace(url, server, tools, source, tell=tell)
    return counts(url), kept


def look_at_server(url: URL) -> Server:
    """The server and its database as they are now.

    StorageError when it does not answer, ConfigError where a PgBouncer stands in between: it gives
    the connection that a program set up for itself to the bot afterwards.
    """
    with _connected(url) as connection:
        said = connection.execute("SELECT pg_backend_pid(), current_schema()").fetchone()
        if said is None or said[0] != connection.info.backend_pid:
            raise ConfigError(
                "DATABASE_URL leads through a PgBouncer or its like, which pg_dump and psql must "
                "not use: give this verb the server's own address, as in "
                f"DATABASE_URL=postgresql://… {typed('db backup')}"
            )
        schema = said[1] or "public"
        tables = frozenset(_column(connection, _TABLES, schema))
        version = None
        if "alembic_version" in tables:
            version = next(
                iter(_column(connection, "SELECT version_num FROM alembic_version")), None
            )
        used = False
        for name in sorted(tables.intersection(USED)):
            used = used or bool(_column(connection, _ANY.format(sql.Identifier(name))))
        running = QUEUE + "workers" in tables and bool(
            _column(connection, _RUNNING, HEART_STOPPED.seconds)
        )
        return Server(
            major=connection.info.server_version // 10_000,
            schema=schema,
            version=version,
            tables=tables,
            size=sum(_column(connection, _SIZES, schema)),
            used=used,
            running=running,
        )


def counts(url: URL) -> dict[str, int]:
    """The rows of each of our tables that are there."""
    found: dict[str, int] = {}
    tables = look_at_server(url).tables
    with _connected(url) as connection:
        for name in sorted(tables.intersection(metadata.tables)):
            (found[name],) = _column(connection, _COUNT.format(sql.Identifier(name)))
    return found


_TABLES: LiteralString = (
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s)) "
    "AND relkind IN ('r', 'p', 'v', 'm', 'f')"
)
_SIZES: LiteralString = (
    "SELECT pg_table_size(oid)::bigint FROM pg_class "
    "WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relkind = 'r'"
)
_ANY = sql.SQL("SELECT 1 FROM {} LIMIT 1")
_COUNT = sql.SQL("SELECT count(*) FROM {}")
_RUNNING: LiteralString = (
    "SELECT 1 FROM procrastinate_workers "
    "WHERE last_heartbeat > clock_timestamp() - make_interval(secs => %s) LIMIT 1"
)


@contextmanager
def _connected(url: URL) -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own; StorageError in one line, ConfigError where the address is to
    blame.
    """
    try:
        options: dict[str, Any] = connection_options(url)
        with psycopg.connect(
            "", autocommit=True, prepare_threshold=None, connect_timeout=10, **options
        ) as connection:
            yield connection
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        if is_to_blame(lines[0], error.sqlstate or ""):
            raise ConfigError(f"DATABASE_URL: {lines[0]}") from error
        if error.sqlstate is None:  # no answer of a server
            lines[0] += ": is the server up, and the address right?"
        raise StorageError(said(lines[0])) from error


def _column(
    connection: psycopg.Connection[Any], query: LiteralString | sql.Composed, *values: object
) -> list[Any]:
    """The first column of what a query finds."""
    return [row[0] for row in connection.execute(query, values or None)]


def _must_be_ours(tools: Tools, source: Path, server: Server) -> None:
    """BotError for a file that is no copy of this program, of a newer one, or of another schema."""
    listed = _read(tools, ["--list", str(source)], source).decode(errors="replace")
    held: dict[str, set[str]] = {}
    for schema, table in _HELD.findall(listed):
        held.setdefault(schema, set()).add(table)
    ours = [schema for schema, tables in held.items() if tables >= NEEDED]
    if not ours:
        raise BotError(f"{source} is no database of this program")
    if ours != [server.schema]:
        raise BotError(
            f"{source} is of the schema {ours[0]!r}, and the database's is {server.schema!r}: make "
            f"them the same by DATABASE_URL (…?options=-csearch_path={ours[0]})"
        )
    version, *_ = [*_rows_in(tools, source, server, "alembic_version"), ""]
    if not may_use(version, _note_in(tools, source, server, "min_reader")):
        raise BotError(
            f"{source} has schema {version}, newer than this program knows ({HEAD}): use the newer "
            f"program"
        )


def note_in(url: URL, source: Path, name: str) -> str | None:
    """The value of a note in a copy; None where it has none. BotError for an unsound copy."""
    server = look_at_server(url)
    return _note_in(fitting(server.major), source, server, name)


def _note_in(tools: Tools, source: Path, server: Server, name: str) -> str | None:
    for row in _rows_in(tools, source, server, note.name):
        values = row.split("\t")
        if values[0] == name:
            return values[1]
    return None


def _rows_in(tools: Tools, source: Path, server: Server, table: str) -> list[str]:
    """The rows of a table in a copy, as COPY writes them."""
    words = ["--data-only", f"--schema={server.schema}", f"--table={table}", "--file=-"]
    script = _read(tools, [*words, str(source)], source).decode(errors="replace")
    _, _, after = script.partition("FROM stdin;\n")
    rows, _, _ = after.partition("\n\\.\n")
    return rows.splitlines()


def _read(tools: Tools, words: list[str], source: Path) -> bytes:
    """The output of `pg_restore` for a file; BotError where that is no sound backup."""
    done = subprocess.run(
        [tools.path("pg_restore"), *words], capture_output=True, check=False, env={}
    )
    if done.returncode:
        raise BotError(f"{source} is no sound backup: {in_words(done.stderr)}")
    return done.stdout


def _must_be_replaceable(server: Server, *, force: bool) -> None:
    """BotError for a database that is in use, or that others share."""
    others = [name for name in sorted(server.tables) if not _is_ours(name)]
    if server.version is not None and server.version not in REVISIONS:
        others = []  # tables of a newer program, which go with the rest
    if others:
        raise BotError(
            f"the database holds tables that are not this program's ({', '.join(others[:3])}): "
            f"give the bot a database of its own"
        )
    if server.used and not force:
        raise BotError("the database is in use: --force replaces it and keeps a copy beside FILE")


def _is_ours(table: str) -> bool:
    return table in metadata.tables or table in BESIDE or table.startswith(QUEUE)


#: Drops all that is ours; refuses when a bot began to run meanwhile.
_CLEAR = """
BEGIN;
SET LOCAL lock_timeout = '10s';
SET LOCAL statement_timeout = 0;
SET LOCAL client_min_messages = warning;
SET LOCAL idle_in_transaction_session_timeout = 0;
DO $clear$
DECLARE
  ours regnamespace := {schema}::regnamespace;
  one text;
BEGIN
  IF to_regclass('procrastinate_workers') IS NOT NULL THEN
    LOCK TABLE procrastinate_workers, alembic_version IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT 1 FROM procrastinate_workers
               WHERE last_heartbeat > clock_timestamp() - interval '{stopped} seconds') THEN
      RAISE EXCEPTION 'another Jarchy began to use the database: stop it first';
    END IF;
  END IF;
  FOR one IN SELECT oid::regprocedure FROM pg_proc
             WHERE pronamespace = ours
             AND (proname LIKE 'procrastinate\\_%' OR proname = 'story_topic_at'
                  OR oid IN (SELECT tgfoid FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid
                             WHERE relnamespace = ours)) LOOP
    EXECUTE 'DROP ROUTINE IF EXISTS ' || one || ' CASCADE';
  END LOOP;
  SELECT string_agg(oid::regclass::text, ', ') INTO one FROM pg_class
    WHERE relnamespace = ours AND relkind IN ('r', 'p');
  IF one IS NOT NULL THEN
    EXECUTE 'DROP TABLE ' || one;
  END IF;
  FOR one IN SELECT oid::regtype FROM pg_type
             WHERE typnamespace = ours AND typtype IN ('e', 'c')
             AND typname LIKE 'procrastinate\\_%' LOOP
    EXECUTE 'DROP TYPE IF EXISTS ' || one;
  END LOOP;
END
$clear$;
"""


def _replace(url: URL, server: Server, tools: Tools, source: Path, *, tell: Tell) -> None:
    """Drop what is there and make what the copy has, in one transaction."""
    env, words = environment(url)
    command = [tools.path("psql"), "--no-psqlrc", "--quiet", "--no-password", *words]
    command += ["--set=ON_ERROR_STOP=1", "--file=-"]
    read = [tools.path("pg_restore"), "--no-owner", "--no-privileges", "--no-comments"]
    read += [f"--schema={server.schema}", "--file=-", str(source)]
    with (
        subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as taker,
        subprocess.Popen(read, env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as giver,
    ):
        assert taker.stdin is not None and giver.stdout is not None  # noqa: S101, PT018 - pipes as asked for above
        try:
            quoted = "'" + '"' + server.schema.replace("'", "''") + '"' + "'"
            taker.stdin.write(_CLEAR.format(schema=quoted, stopped=HEART_STOPPED.seconds).encode())
            _pass_on(giver.stdout, taker.stdin, server, tell)
            torn = giver.wait()
            # Without this word the server undoes it all when psql ends, as when anybody is killed.
            if not torn:
                taker.stdin.write(b"\nCOMMIT;\n")
        except BrokenPipeError:  # psql ended over an error, which it told
            torn = 0
            giver.kill()
        except BaseException:
            taker.kill()
            giver.kill()
            raise
        _, refused = taker.communicate()
        said = giver.stderr.read() if giver.stderr is not None else b""
    if torn:
        raise BotError(f"{source} is no sound backup: {in_words(said)}")
    if taker.returncode:
        raise BotError(f"{source} was not put back, all is as before: {in_words(refused)}")


def _pass_on(giver: IO[bytes], taker: IO[bytes], server: Server, tell: Tell) -> None:
    """Hand the copy's statements to the server, with a word for each table that begins."""
    for line in giver:
        # Newer programs than the server say it, whatever server they read for.
        if server.major < 17 and line == b"SET transaction_timeout = 0;\n":
            continue
        if line.startswith(b"COPY "):
            tell(f"putting back {line.split()[1].decode(errors='replace')}")
        taker.write(line)
    taker.flush()
