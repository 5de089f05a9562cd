"""Feeds that readers added."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from storage.schema.base import metadata
from storage.types import UtcDateTime

own_feed = Table(  # one address, whoever follows it (`subscription`: feed:KEY)
    "own_feed",
    metadata,
    Column("key", String, primary_key=True),
    Column("url", Text, nullable=False, unique=True),
    Column("channel", String),  # of a public Telegram channel its name
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_due_at", UtcDateTime, nullable=False),
    Column("last_ok_at", UtcDateTime),  # before the first nothing is told: a backlog is not news
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("etag", Text),
    Column("last_modified", Text),
    Column("digest", String),  # SHA-256 of the last body that was read
)
Index(None, own_feed.c.next_due_at)

own_entry = Table(  # what such a feed has brought, by hashes alone
    "own_entry",
    metadata,
    Column("feed", String, ForeignKey("own_feed.key", ondelete="CASCADE"), primary_key=True),
    Column("entry", String, primary_key=True),
    Column("seen_at", UtcDateTime, nullable=False),  # the last time that it was listed
    sqlite_with_rowid=False,
)
