"""Chats, and what each has asked for."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.schema.base import metadata, of_chat, partial_index
from storage.types import Json, Key, UtcDateTime

chat = Table(
    "chat",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("language", String, nullable=False),
    Column("time_zone", String, nullable=False),
    Column("home", String(3), nullable=False),
    Column("style", String, nullable=False),
    # how grave a story about security must be: all, important, urgent
    Column("wakes", String, nullable=False, server_default="important"),
    Column("quiet", String),  # as bot.model.quiet writes it
    # the quiet hours that are now, or else the next ones; they go on until what was held is told
    Column("quiet_begins_at", UtcDateTime),
    Column("quiet_ends_at", UtcDateTime),
    Column("quiet_urgent", Boolean, nullable=False, server_default="1"),  # it comes all the same
    # how loud kinds of post are, as bot.model.chats writes it
    Column("sounds", String, nullable=False, server_default=""),
    # the forum topics of kinds of post, as bot.model.chats writes them
    Column("threads", String, nullable=False, server_default=""),
    # the currencies that it put first, "RUB USD"; others come after them as usual
    Column("currencies", String, nullable=False, server_default=""),
    # whether figures come to it as Telegram's tables, which some clients show blank
    Column("tables", Boolean, nullable=False, server_default="0"),
    # what of the news it posts by itself, as in bot.model.chats
    Column("policy", String, nullable=False, server_default="publish"),
    # whether who writes as the group may change it
    Column("anonymous", Boolean, nullable=False, server_default="0"),
    Column("active", Boolean, nullable=False),
    # its readers asked for silence: until /start, whatever Telegram says meanwhile
    Column("stopped", Boolean, nullable=False, server_default="0"),
    # when they asked for it, or for its end, last: on Telegram's clock
    Column("word_at", UtcDateTime),
    Column("inactive_why", String),  # a reason, as bot.reasons writes it
    Column("inactive_at", UtcDateTime),  # since then; on the database's clock
    Column("created_at", UtcDateTime, nullable=False),
    Column("tat", UtcDateTime),  # theoretical arrival time: this chat's own pace
)

partial_index(None, chat.c.inactive_at, where="inactive_at IS NOT NULL")
partial_index(None, chat.c.quiet_begins_at, where="quiet_begins_at IS NOT NULL")
partial_index(None, chat.c.quiet_ends_at, where="quiet_ends_at IS NOT NULL")
partial_index("ix_chat_wakes_all", chat.c.id, where="wakes = 'all'")
partial_index("ix_chat_policy", chat.c.id, where="policy <> 'publish'")

subscription = Table(  # keys as in bot.model.alerts.Audience
    "subscription",
    metadata,
    Column("key", String, primary_key=True),
    of_chat(primary_key=True),
    Column("since_at", UtcDateTime, nullable=False),
    Column("snoozed_until", UtcDateTime),
    sqlite_with_rowid=False,
)
Index(None, subscription.c.chat_id)

rule = Table(  # a chat's own condition on a series
    "rule",
    metadata,
    Column("id", Key, primary_key=True),
    of_chat(),
    Column("source", String, nullable=False),
    Column("base", String(3), nullable=False),
    Column("quote", String(3), nullable=False),
    Column("kind", String, nullable=False),
    Column("rule", Json, nullable=False),  # as bot.model.rules writes it
    Column("state", Json, nullable=False),  # likewise: what it remembers between rates
    Column("standing", String, nullable=False),  # pending (its preview waits for Save), on, paused
    Column("snoozed_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    # a number is never given twice: an old button must not mean a newer rule
    sqlite_autoincrement=True,
)
Index(None, rule.c.chat_id)
Index(None, rule.c.source, rule.c.base, rule.c.quote)

news_filter = Table(  # what a chat will not hear of in the news, or all that it will
    "news_filter",
    metadata,
    Column("id", Key, primary_key=True),
    of_chat(),
    # as in bot.model.filters
    Column("sense", String, nullable=False),
    Column("mark", String, nullable=False),
    Column("what", String, nullable=False),
    Column("said", String, nullable=False),
    Column("until_at", UtcDateTime),  # on the database's clock
    Column("created_at", UtcDateTime, nullable=False),
    Column("kept", Integer, nullable=False, server_default="0"),  # messages that it kept back
    Column("kept_alert", BigInteger),  # the last of them, to a program before 0042
    UniqueConstraint("chat_id", "mark", "what"),
    # a number is never given twice: an old button must not mean a newer filter
    sqlite_autoincrement=True,
)
partial_index(None, news_filter.c.until_at, where="until_at IS NOT NULL")

chat_place = Table(  # places of the catalog that a chat chose as near to it
    "chat_place",
    metadata,
    of_chat(primary_key=True),
    Column("place", String, primary_key=True),
    sqlite_with_rowid=False,
)
Index(None, chat_place.c.place)
