"""The database's times: each step by what it is, for the operator's figures.

A step counts from the question to the answer, the turns of the event loop in between included: on a
loop that stands still every database is slow.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import metrics

#: How statements begin, and what each is called; a transaction begins in its wait, on a
#: file in its first statement.
OPERATIONS: Mapping[str, str] = {
    "SELECT": "select",
    "WITH": "select",
    "INSERT": "insert",
    "UPDATE": "update",
    "DELETE": "delete",
}
WAIT = "wait"  # for a connection, and on a server for the beginning
COMMIT = "commit"
_BEGUN = "jarchy_begun"


def observe(operation: str, since: float) -> None:
    """A step that began then, by `time.perf_counter`, and ends now."""
    metrics.DATABASE.observe(time.perf_counter() - since, operation)


def time_statements(engine: AsyncEngine) -> None:
    """Count each statement of an engine's connections."""
    metrics.DATABASE.expect([*OPERATIONS.values(), WAIT, COMMIT])

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def begin(connection: Connection, *_of_the_event: object) -> None:
        connection.info[_BEGUN] = time.perf_counter()

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def end(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        operation = OPERATIONS.get(statement[:6].partition(" ")[0].upper())
        if operation is not None:
            observe(operation, connection.info[_BEGUN])
