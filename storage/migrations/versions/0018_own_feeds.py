"""Feeds and channels that readers added themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of such feeds, and of what they have brought."""
    op.create_table(
        "own_feed",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("next_due_at", UtcDateTime(), nullable=False),
        sa.Column("last_ok_at", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_own_feed")),
        sa.UniqueConstraint("url", name=op.f("uq_own_feed_url")),
    )
    op.create_index(op.f("ix_own_feed_next_due_at"), "own_feed", ["next_due_at"])
    op.create_table(
        "own_entry",
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed"], ["own_feed.key"], name=op.f("fk_own_entry_feed"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feed", "entry", name=op.f("pk_own_entry")),
        sqlite_with_rowid=False,
    )
