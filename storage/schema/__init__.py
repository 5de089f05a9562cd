"""The tables, one file a subject. What a column means is said there; how it is used, in the file of
its subject.

All are gathered here, because `metadata` is whole only when each file was imported.
"""

from storage.schema.base import metadata
from storage.schema.channels import board, setup
from storage.schema.chats import chat, chat_place, news_filter, rule, subscription
from storage.schema.deliveries import alert, broadcast, delivery, kept_back, pace
from storage.schema.news import clue, decision, entry, story, story_topic
from storage.schema.own_feeds import own_entry, own_feed
from storage.schema.rates import dispute, held_rate, rate, series
from storage.schema.running import inbox, lease, note
from storage.schema.sources import document, source

__all__ = [
    "alert",
    "board",
    "broadcast",
    "chat",
    "chat_place",
    "clue",
    "decision",
    "delivery",
    "dispute",
    "document",
    "entry",
    "held_rate",
    "inbox",
    "kept_back",
    "lease",
    "metadata",
    "news_filter",
    "note",
    "own_entry",
    "own_feed",
    "pace",
    "rate",
    "rule",
    "series",
    "setup",
    "source",
    "story",
    "story_topic",
    "subscription",
]
