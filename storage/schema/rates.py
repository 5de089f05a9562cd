"""Rates by series, those that are held back, and series that another source contradicts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from storage.schema.base import metadata
from storage.types import ExactDecimal, Json, Key, UtcDateTime

series = Table(  # one source's rates of one pair and kind
    "series",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", String, nullable=False),
    Column("base", String(3), nullable=False),
    Column("quote", String(3), nullable=False),
    Column("kind", String, nullable=False),
    Column("alerted", Json),  # the last alerted rate: the baseline of the next move
    Column("alerted_at", UtcDateTime),
    Column("alerted_severity", String),
    UniqueConstraint("source", "base", "quote", "kind"),
)

rate = Table(  # append-only; a corrected value is a new revision
    "rate",
    metadata,
    Column("series_id", BigInteger, ForeignKey("series.id"), primary_key=True),
    Column("effective_on", Date, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("value", ExactDecimal, nullable=False),
    Column("units", Integer, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

held_rate = Table(  # implausible: neither stored as a rate nor dropped
    "held_rate",
    metadata,
    Column("id", Key, primary_key=True),
    Column("series_id", BigInteger, ForeignKey("series.id"), nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("value", ExactDecimal, nullable=False),
    Column("units", Integer, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    # polls that brought the same value
    Column("seen_times", Integer, nullable=False, server_default="1"),
    Column("reasons", Json, nullable=False),
    Column("state", String, nullable=False),  # as in bot.model.rates
    UniqueConstraint("series_id", "effective_on", "value", "units"),
)

dispute = Table(  # series that another source contradicts now
    "dispute",
    metadata,
    Column("source", String, primary_key=True),
    Column("base", String(3), primary_key=True),
    Column("quote", String(3), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("against", String, nullable=False),
)
