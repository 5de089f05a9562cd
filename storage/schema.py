"""The tables. What a column means is said here; how it is used, in the file of its subject."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.types import ExactDecimal, Json, Key, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _partial_index(name: str | None, *columns: Column[Any], where: str) -> None:
    """An index of some rows of a table, on both databases: it stays small where few are open."""
    condition = text(where)
    Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


# --- sources: what we poll, and how that went -----------------------------------------------------

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
    Column("error", Text),  # of the last attempt, in our words
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

# --- rates ----------------------------------------------------------------------------------------

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
    Column("state", String, nullable=False),  # held, released, rejected
    UniqueConstraint("series_id", "effective_on", "value", "units"),
)

# --- news -----------------------------------------------------------------------------------------

story = Table(  # a cluster of entries about one event
    "story",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", UtcDateTime, nullable=False),  # of its lead: where it stands in the list
    Column("severity", String, nullable=False),
    Column("reasons", Json, nullable=False),
)
Index(None, story.c.at)

story_topic = Table(
    "story_topic",
    metadata,
    Column("topic", String, primary_key=True),
    Column("story_id", BigInteger, ForeignKey("story.id"), primary_key=True),
    sqlite_with_rowid=False,
)

clue = Table(  # few words and facts by which a story is found: `bot/detect/clues.py`
    "clue",
    metadata,
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", SmallInteger, primary_key=True, autoincrement=False),
    # no foreign key: checking one for each clue costs as much as writing it
    Column("story_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index(None, clue.c.story_id)

entry = Table(  # one item as published
    "entry",
    metadata,
    Column("id", Key, primary_key=True),
    Column("story_id", BigInteger, ForeignKey("story.id"), nullable=False),
    Column("feed", String, nullable=False),
    Column("guid", Text, nullable=False),
    Column("link", Text),
    Column("link_key", Text),  # the link without what does not matter
    Column("title", Text, nullable=False),
    Column("title_key", String, nullable=False),  # hash of the headline's words, "" without one
    Column("text_key", String),  # hash of how the text begins, "" without one; NULL before 0015
    Column("summary", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("language", String),
    Column("published_at", UtcDateTime),
    Column("updated_at", UtcDateTime),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("topics", Json, nullable=False),
    Column("severity", String, nullable=False),
    Column("headline", Text),  # as an operator worded it: shown in place of the title
    Column("meaning", LargeBinary),  # the vector of how it begins, 384 bytes, once it was asked for
    # whether its words are in the index that `storage.search` keeps
    Column("indexed", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("feed", "guid"),
)
Index(None, entry.c.story_id)
Index(None, entry.c.link_key)
Index(None, entry.c.text_key)
Index(None, entry.c.title_key, entry.c.seen_at)
Index(None, entry.c.seen_at)
Index(
    "entry_not_indexed",
    entry.c.id,
    sqlite_where=~entry.c.indexed,
    postgresql_where=~entry.c.indexed,
)

# --- chats ----------------------------------------------------------------------------------------

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
    # whether who writes as the group may change it
    Column("anonymous", Boolean, nullable=False, server_default="0"),
    Column("active", Boolean, nullable=False),
    # its readers asked for silence: until /start, whatever Telegram says meanwhile
    Column("stopped", Boolean, nullable=False, server_default="0"),
    Column("inactive_why", String),  # blocked, kicked, deactivated, not found, stopped
    Column("inactive_at", UtcDateTime),  # since then; on the database's clock
    Column("created_at", UtcDateTime, nullable=False),
    Column("tat", UtcDateTime),  # theoretical arrival time: this chat's own pace
)

_partial_index(None, chat.c.inactive_at, where="inactive_at IS NOT NULL")
_partial_index(None, chat.c.quiet_begins_at, where="quiet_begins_at IS NOT NULL")
_partial_index(None, chat.c.quiet_ends_at, where="quiet_ends_at IS NOT NULL")
_partial_index("ix_chat_wakes_all", chat.c.id, where="wakes = 'all'")

subscription = Table(  # keys as in bot.model.alerts.Audience
    "subscription",
    metadata,
    Column("key", String, primary_key=True),
    Column(
        "chat_id",
        BigInteger,
        ForeignKey("chat.id", onupdate="CASCADE", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("since_at", UtcDateTime, nullable=False),
    Column("snoozed_until", UtcDateTime),
    sqlite_with_rowid=False,
)
Index(None, subscription.c.chat_id)

rule = Table(  # a chat's own condition on a series
    "rule",
    metadata,
    Column("id", Key, primary_key=True),
    Column(
        "chat_id",
        BigInteger,
        ForeignKey("chat.id", onupdate="CASCADE", ondelete="CASCADE"),
        nullable=False,
    ),
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

broadcast = Table(  # what an operator is about to send to all, or sends
    "broadcast",
    metadata,
    Column("id", Key, primary_key=True),
    Column(
        "chat_id",  # the operator's own
        BigInteger,
        ForeignKey("chat.id", onupdate="CASCADE", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("step", String, nullable=False),  # as in bot.model.broadcasts
    Column("audience", String, nullable=False),  # as alert.audience_key
    Column("text", Text, nullable=False),
    Column("marks", Json, nullable=False),  # entities, as the Bot API has them
    Column("alert_id", BigInteger),  # once it is sent
    Column("message_id", BigInteger),  # where its progress stands
    # chats that it was confirmed for
    Column("reach", Integer, nullable=False, server_default="0"),
    Column("shown", Integer),  # deliveries settled when the progress was written last
    Column("until_at", UtcDateTime, nullable=False),  # on the database's clock
    # a number is never given twice: an old button must not mean a newer broadcast
    sqlite_autoincrement=True,
)
Index(None, broadcast.c.chat_id)

decision = Table(  # what operators decided about news, with a copy of the words
    "decision",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    # as in bot.model.decisions
    Column("question", String, nullable=False),
    Column("answer", Boolean, nullable=False),
    Column("first", Json, nullable=False),
    Column("second", Json),
)

news_filter = Table(  # what a chat will not hear of in the news, or all that it will
    "news_filter",
    metadata,
    Column("id", Key, primary_key=True),
    Column(
        "chat_id",
        BigInteger,
        ForeignKey("chat.id", onupdate="CASCADE", ondelete="CASCADE"),
        nullable=False,
    ),
    # as in bot.model.filters
    Column("sense", String, nullable=False),
    Column("mark", String, nullable=False),
    Column("what", String, nullable=False),
    Column("said", String, nullable=False),
    Column("until_at", UtcDateTime),  # on the database's clock
    Column("created_at", UtcDateTime, nullable=False),
    Column("kept", Integer, nullable=False, server_default="0"),  # messages that it kept back,
    Column("kept_alert", BigInteger),  # and the alert of the last of them
    UniqueConstraint("chat_id", "mark", "what"),
    # a number is never given twice: an old button must not mean a newer filter
    sqlite_autoincrement=True,
)
_partial_index(None, news_filter.c.until_at, where="until_at IS NOT NULL")

chat_place = Table(  # places of the catalog that a chat chose as near to it
    "chat_place",
    metadata,
    Column(
        "chat_id",
        BigInteger,
        ForeignKey("chat.id", onupdate="CASCADE", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("place", String, primary_key=True),
    sqlite_with_rowid=False,
)
Index(None, chat_place.c.place)

# --- feeds that readers added ---------------------------------------------------------------------

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

# --- alerts and deliveries ------------------------------------------------------------------------

alert = Table(  # a decision, stored once, without language or text
    "alert",
    metadata,
    Column("id", Key, primary_key=True),
    Column("dedup_key", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("payload", Json, nullable=False),
    Column("severity", String, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("audience_key", String),
    Column("audience_chat", BigInteger),
    Column("supersede_key", String),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("fanned_to", BigInteger),  # the last chat that has its delivery: where fan-out goes on
    Column("fanned_at", UtcDateTime),  # when fan-out was complete
    Column("audience_told", BigInteger),  # for those who got that alert: a correction
    Column("near", Json),  # of a story: the places it is near to; null of anything else
    Column("approval", String),  # waiting, approved, rejected, expired; null where nobody is asked
    Column("post", String),  # as in bot.model.chats; null where quiet hours do not matter
    Column("about_series", String),  # of alerts about a rate: its series as written,
    Column("about_day", Date),  # and the day that it counts for
    Column("about_chat", BigInteger),  # of notices about a chat: they are forgotten with it
)
_partial_index(
    "ix_alert_about", alert.c.about_series, alert.c.about_day, where="about_series IS NOT NULL"
)
_partial_index("ix_alert_audience_chat", alert.c.audience_chat, where="audience_chat IS NOT NULL")
_partial_index("ix_alert_about_chat", alert.c.about_chat, where="about_chat IS NOT NULL")
# how many stories an hour told
_partial_index("ix_alert_story", alert.c.created_at, where="kind = 'story'")
_partial_index("ix_alert_open", alert.c.id, where="fanned_at IS NULL")
_partial_index("ix_alert_supersede_key", alert.c.supersede_key, where="supersede_key IS NOT NULL")

delivery = Table(  # alert × chat
    "delivery",
    metadata,
    Column("id", Key, primary_key=True),
    # no foreign key: it cost a third of a fan-out on PostgreSQL
    Column("alert_id", BigInteger, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    # outcomes that may have been deliveries
    Column("doubts", SmallInteger, nullable=False, server_default="0"),
    # refused with entities: goes as plain text
    Column("plain", Boolean, nullable=False, server_default="0"),
    Column("lease_until", UtcDateTime),
    # number of the lease: an old one marks nothing
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("message_id", BigInteger),
    Column("finished_at", UtcDateTime),
    Column("error", Text),
    Column("within", BigInteger),  # of what was held: the alert that told it with the rest
    UniqueConstraint("alert_id", "chat_id"),
)
_partial_index("ix_delivery_due", delivery.c.lane, delivery.c.id, where="state = 'pending'")
_partial_index("ix_delivery_leased", delivery.c.lease_until, where="state = 'leased'")
_partial_index(
    "ix_delivery_open", delivery.c.chat_id, delivery.c.id, where="state IN ('pending', 'leased')"
)

_partial_index("ix_delivery_held", delivery.c.not_before, where="state = 'held'")
_partial_index("ix_delivery_held_chat", delivery.c.chat_id, where="state = 'held'")
_partial_index("ix_delivery_within", delivery.c.within, where="within IS NOT NULL")

pace = Table(  # rates shared by all replicas; one row a token
    "pace",
    metadata,
    Column("name", String, primary_key=True),
    Column("tat", UtcDateTime, nullable=False),
    Column("paused_until", UtcDateTime),  # Telegram refuses everything until then
    Column("stopped_at", UtcDateTime),  # an operator lets no alert leave
)

# --- updates in -----------------------------------------------------------------------------------

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
_partial_index("ix_inbox_undone", inbox.c.chat_id, inbox.c.update_id, where="finished_at IS NULL")

lease = Table(  # "exactly one": a role, who has it, until when
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until", UtcDateTime, nullable=False),
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

mark = Table(  # small facts about the whole: high-water marks, last runs
    "mark",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)
