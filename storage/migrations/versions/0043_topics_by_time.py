"""The stories of a topic by their time, and the topics of a story."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put a story's time beside each of its topics, with the indexes by which both are found.

    A program of before that goes on beside this one does not write it: the database does.
    """
    op.add_column("story_topic", sa.Column("at", UtcDateTime()))
    op.execute("UPDATE story_topic SET at = (SELECT story.at FROM story WHERE story.id = story_id)")
    op.create_index(
        op.f("ix_story_topic_topic_at_story_id"), "story_topic", ["topic", "at", "story_id"]
    )
    op.create_index(op.f("ix_story_topic_story_id"), "story_topic", ["story_id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER story_topic_at AFTER INSERT ON story_topic WHEN new.at IS NULL BEGIN "
            "UPDATE story_topic SET at = (SELECT at FROM story WHERE id = new.story_id) "
            "WHERE topic = new.topic AND story_id = new.story_id; END"
        )
        return
    # or replace: a program of before leaves it where it puts back a copy
    op.execute(
        "CREATE OR REPLACE FUNCTION story_topic_at() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "SELECT story.at INTO new.at FROM story WHERE story.id = new.story_id; RETURN new; END $$"
    )
    op.execute(
        "CREATE TRIGGER story_topic_at BEFORE INSERT ON story_topic FOR EACH ROW "
        "WHEN (new.at IS NULL) EXECUTE FUNCTION story_topic_at()"
    )
