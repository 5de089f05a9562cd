"""Filters: the news that a chat will not hear of, or all that it will."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Key, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of filters."""
    op.create_table(
        "news_filter",
        sa.Column("id", Key, nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("sense", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("kept", sa.Integer(), server_default="0", nullable=False),
        sa.Column("kept_alert", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["chat_id"],
            ["chat.id"],
            name=op.f("fk_news_filter_chat_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news_filter")),
        sa.UniqueConstraint(
            "chat_id", "mark", "what", name=op.f("uq_news_filter_chat_id_mark_what")
        ),
        sqlite_autoincrement=True,
    )
    ends = sa.text("until_at IS NOT NULL")
    op.create_index(
        op.f("ix_news_filter_until_at"),
        "news_filter",
        ["until_at"],
        sqlite_where=ends,
        postgresql_where=ends,
    )
