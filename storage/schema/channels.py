"""Channels that somebody set up in private, and the boards of channels and groups."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table

from storage.schema.base import metadata, of_chat
from storage.types import Key, UtcDateTime

setup = Table(  # a channel, and who set it up
    "setup",
    metadata,
    Column("id", Key, primary_key=True),
    of_chat(unique=True),
    Column("owner_id", BigInteger, nullable=False),  # by their number
    Column("message_id", BigInteger),  # in which message of their private chat it is set up
    Column("shown_at", UtcDateTime),  # since when it is, or is about to be
    Column("told_at", UtcDateTime),  # when they were told that it cannot be written to any more
    # a number is never given twice: an old button must not mean a newer channel
    sqlite_autoincrement=True,
)
Index(None, setup.c.owner_id)

board = Table(  # the pinned message of a channel or a group, edited in place
    "board",
    metadata,
    of_chat(primary_key=True),
    Column("version", Integer, nullable=False, server_default="0"),  # of the last of its alerts
    Column("shown", String),  # a hash of what it shows, or will when that alert is sent
    Column("made_by", BigInteger),  # the alert that makes the message,
    Column("message_id", BigInteger),  # which message that is, once it is sent,
    Column("pinned_by", BigInteger),  # the alert that pins it,
    Column("edited_by", BigInteger),  # and the last that edits it
    Column("remade", Boolean, nullable=False, server_default="0"),  # it was deleted once before
    Column("trouble", String),  # as in bot.model.channels: why it may not be kept any more
    Column("of_catalog", Boolean, nullable=False, server_default="0"),  # who asked for it last
)
