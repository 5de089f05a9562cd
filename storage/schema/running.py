"""Updates that came in, and what the program remembers of its own running."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, SmallInteger, String, Table, Text

from storage.schema.base import metadata, partial_index
from storage.types import UtcDateTime

inbox = Table(  # stored before Telegram is told that it arrived
    "inbox",
    metadata,
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("chat_id", BigInteger),
    Column("kind", String, nullable=False),
    Column("body", Text),  # emptied when retention passes
    # it says where somebody is: its body is emptied when it is handled
    Column("fleeting", Boolean, nullable=False, server_default="0"),
    Column("received_at", UtcDateTime, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("holder", String),
    Column("lease_until", UtcDateTime),
    Column("finished_at", UtcDateTime),
    # done, ignored, failed, unreadable; begun while a suspect is handled
    Column("outcome", String),
)
partial_index("ix_inbox_undone", inbox.c.chat_id, inbox.c.update_id, where="finished_at IS NULL")

lease = Table(  # "exactly one": a role, who has it, until when
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

note = Table(  # small facts about the whole: high-water marks, last runs; "mark" is its older name
    "mark",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)
