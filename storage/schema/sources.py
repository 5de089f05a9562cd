"""The sources that are polled, and how that went."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from storage.schema.base import metadata
from storage.types import UtcDateTime

source = Table(
    "source",
    metadata,
    Column("key", String, primary_key=True),  # the catalog's key
    Column("first_ok_at", UtcDateTime),  # before this nothing alerts: a backlog is not news
    Column("last_tried_at", UtcDateTime),
    Column("last_ok_at", UtcDateTime),
    Column("next_due_at", UtcDateTime),
    Column("asked_at", UtcDateTime),  # somebody wishes it polled now
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("error", Text),  # of the last attempt, as bot.reasons writes it
    Column("gone_at", UtcDateTime),  # the publisher said 410: asked once a day
    Column("pause", Integer),  # seconds between polls, where the catalog leaves them to us
    Column("paused_at", UtcDateTime),  # an operator does not want it polled
    Index("source_due", "next_due_at"),
    Index("source_asked", "asked_at"),
)

document = Table(  # one URL of a source: what makes the next request conditional
    "document",
    metadata,
    Column("source", String, primary_key=True),
    Column("url", Text, primary_key=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("digest", String),  # SHA-256 of the last body that was stored
    Column("listed", LargeBinary),  # of its items, eight bytes each
    Column("moved_to", Text),  # where permanent redirects point
    # how often in a row they did
    Column("moved_seen", Integer, nullable=False, server_default="0"),
)
