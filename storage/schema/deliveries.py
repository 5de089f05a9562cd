"""Alerts, their deliveries, and what paces and announces them."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bot.model.alerts import Terms
from storage.schema.base import metadata, of_chat, partial_index
from storage.types import Json, Key, UtcDateTime

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
    Column("approval", String),  # as in bot.model.alerts; null where nobody is asked
    Column("post", String),  # as in bot.model.chats; null where quiet hours do not matter
    Column("about_series", String),  # of alerts about a rate: its series as written,
    Column("about_day", Date),  # and the day that it counts for
    Column("about_story", BigInteger),  # of alerts that tell a story
    Column("about_chat", BigInteger),  # of notices about a chat: they are forgotten with it
    # of a story that somebody's filters keep back: when it grew last; they are asked about it again
    Column("grew_at", UtcDateTime),
    # by a round of its fan-out among those alone, once the first one was complete
    Column("among_kept", Boolean, nullable=False, server_default="0"),
    # on what terms it goes out: what each means is told there
    *(Column(one.name, Boolean, nullable=False, server_default="0") for one in fields(Terms)),
    # a number is never given twice: buttons have it, and so have the words that a process remembers
    sqlite_autoincrement=True,
)
partial_index(
    "ix_alert_about", alert.c.about_series, alert.c.about_day, where="about_series IS NOT NULL"
)
partial_index("ix_alert_audience_chat", alert.c.audience_chat, where="audience_chat IS NOT NULL")
partial_index("ix_alert_audience_key", alert.c.audience_key, where="audience_key IS NOT NULL")
partial_index("ix_alert_about_story", alert.c.about_story, where="about_story IS NOT NULL")
partial_index("ix_alert_about_chat", alert.c.about_chat, where="about_chat IS NOT NULL")
# how many stories an hour told
Index(None, alert.c.kind, alert.c.created_at)
# what leaves while all else is stopped
partial_index("ix_alert_passing", alert.c.expires_at, where="passes_stop")
partial_index("ix_alert_open", alert.c.id, where="fanned_at IS NULL")
partial_index("ix_alert_supersede_key", alert.c.supersede_key, where="supersede_key IS NOT NULL")

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
    Column("error", Text),  # why the last try failed, or why it ended: as bot.reasons writes it
    Column("within", BigInteger),  # of what was collected: the alert that tells it with the rest
    # of what was withheld: what its channel's policy asked for, as in bot.model.chats
    Column("demand", String),
    UniqueConstraint("alert_id", "chat_id"),
    # nor is one of these, by which a process marks what it has in hand
    sqlite_autoincrement=True,
)
partial_index("ix_delivery_due", delivery.c.lane, delivery.c.id, where="state = 'pending'")
partial_index("ix_delivery_leased", delivery.c.lease_until, where="state = 'leased'")
partial_index(
    "ix_delivery_open", delivery.c.chat_id, delivery.c.id, where="state IN ('pending', 'leased')"
)

partial_index("ix_delivery_held", delivery.c.not_before, where="state = 'held'")
partial_index("ix_delivery_held_chat", delivery.c.chat_id, where="state = 'held'")
partial_index("ix_delivery_withheld", delivery.c.expires_at, where="state = 'withheld'")
partial_index("ix_delivery_demand", delivery.c.alert_id, where="demand IS NOT NULL")
partial_index("ix_delivery_within", delivery.c.within, where="within IS NOT NULL")

kept_back = Table(  # alert × chat whose filters keep it back, as long as it is worth sending
    "kept_back",
    metadata,
    # no foreign keys, as above
    Column("alert_id", BigInteger, primary_key=True, autoincrement=False),
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("filter_id", BigInteger, nullable=False),  # one that counts it; it may be lifted by now
    sqlite_with_rowid=False,
)

pace = Table(  # rates shared by all replicas; one row a token
    "pace",
    metadata,
    Column("name", String, primary_key=True),
    Column("tat", UtcDateTime, nullable=False),
    Column("paused_until", UtcDateTime),  # Telegram refuses everything until then
    Column("stopped_at", UtcDateTime),  # an operator lets no alert leave
)

broadcast = Table(  # what an operator is about to send to all, or sends
    "broadcast",
    metadata,
    Column("id", Key, primary_key=True),
    of_chat(),  # the operator's own
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
