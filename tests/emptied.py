"""A migrated PostgreSQL database for one test after the other, emptied between them.

To delete rows takes a quarter of what it takes to copy five hundred files and remove them. A
database in which a test changed more than some rows (a table, a setting, the planner's statistics)
is dropped instead. Whoever empties it keeps its connection: a new one reads the server's own
tables anew, for twice as long as it empties.
"""

from __future__ import annotations

import atexit
import functools
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from tests.postgres import database, drop

#: What those who look for other connections see of ours.
EMPTIES = "empties"
#: All but rows: what there is, how it is made, and what the planner knows of it.
_MADE = """
SELECT md5(string_agg(one, ' ' ORDER BY one)) FROM (
    SELECT format('%s %s %s %s', oid, relname, relnamespace, reloptions) AS one
      FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT format('%s tuples %s', oid, reltuples)
      FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 't')
    UNION ALL SELECT format('%s %s %s', attrelid, attname, xmin)
      FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT format('%s %s', oid, xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT format('%s %s', oid, xmin) FROM pg_trigger WHERE oid >= 16384
    UNION ALL SELECT format('%s %s', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT format('%s %s', oid, xmin) FROM pg_type WHERE oid >= 16384
    UNION ALL SELECT format('%s %s', oid, xmin) FROM pg_namespace
    UNION ALL SELECT format('%s known', starelid) FROM pg_statistic WHERE starelid >= 16384
    UNION ALL SELECT format('%s %s', setrole, setconfig)
      FROM pg_db_role_setting JOIN pg_database ON setdatabase = pg_database.oid
      WHERE datname = current_database()
) AS all_of_it
"""
_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_WITH_ROWS = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
"""
#: A table that rows made so large that its plans would be others even without them.
_LARGE = """
SELECT 1 FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 65536
"""
_RENUMBERED = """
SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
#: Their names, addresses, and the connections that empty them.
_free: list[tuple[str, str, psycopg.Connection]] = []


@contextmanager
def emptied(server: str, template: str) -> Iterator[str]:
    """The address of a database as its template is; this process's alone until the end."""
    if _free:
        name, url, connection = _free.pop()
    else:
        with database(server, template=template, kept=True) as (name, url):
            _of_the_template(server, template)
        connection = psycopg.connect(url, autocommit=True, application_name=EMPTIES)
        atexit.register(connection.close)
    yield url
    with suppress(psycopg.Error):  # a test may have left it in any state
        if _empty(connection, *_of_the_template(server, template)):
            _free.append((name, url, connection))
            return
    connection.close()
    drop(server, name)


@functools.cache
def _of_the_template(server: str, template: str) -> tuple[str, dict[str, bytes]]:
    """How a template is made, and the rows of those of its tables that have some."""
    with database(server, template=template) as (_, url), psycopg.connect(url) as connection:
        rows: dict[str, bytes] = {}
        for (table,) in connection.execute(_WITH_ROWS).fetchall():
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
                rows[table] = b"".join(bytes(part) for part in copy)
        return _made(connection), rows


def _made(connection: psycopg.Connection) -> str:
    (made,) = connection.execute(_MADE).fetchone() or ("",)
    return str(made)


def _empty(connection: psycopg.Connection, made: str, rows: dict[str, bytes]) -> bool:
    """Whether a database is again as its template."""
    connection.execute(_OTHERS)
    if connection.execute(_LARGE).fetchone() is not None:
        return False
    statements = ["SET session_replication_role = replica"]  # in any order of the tables
    for (table,) in connection.execute(_WITH_ROWS).fetchall():
        statements.append(f'DELETE FROM "{table}"')  # noqa: S608 - its own
    connection.execute(";".join([*statements, _RENUMBERED]))
    for table, copied in rows.items():
        with connection.cursor().copy(f'COPY "{table}" FROM STDIN') as copy:
            copy.write(copied)
    return _made(connection) == made
