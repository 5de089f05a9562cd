"""Stories, their entries, and what is known of both."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.schema.base import metadata, partial_index
from storage.types import Json, Key, UtcDateTime

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
    # its story's, written by the database where a program of before 0043 leaves it out
    Column("at", UtcDateTime),
    sqlite_with_rowid=False,
)
Index(None, story_topic.c.topic, story_topic.c.at, story_topic.c.story_id)
Index(None, story_topic.c.story_id)

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
    # whether an operator has not let it through: it stands in no story that anybody reads
    Column("unapproved", Boolean, nullable=False, server_default="0"),
    # whether its publisher takes back by it what it told; of before 0046 nobody knows
    Column("retracts", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("feed", "guid"),
)
Index(None, entry.c.story_id)
Index(None, entry.c.link_key)
Index(None, entry.c.text_key)
Index(None, entry.c.title_key, entry.c.seen_at)
Index(None, entry.c.seen_at)
partial_index("entry_not_indexed", entry.c.id, where="NOT indexed")

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
