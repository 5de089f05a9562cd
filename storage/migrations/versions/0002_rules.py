"""A chat's own rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Json, Key, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of rules."""
    op.create_table(
        "rule",
        sa.Column("id", Key, nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("base", sa.String(length=3), nullable=False),
        sa.Column("quote", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rule", Json, nullable=False),
        sa.Column("state", Json, nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("snoozed_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"],
            ["chat.id"],
            name=op.f("fk_rule_chat_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_rule_chat_id"), "rule", ["chat_id"], unique=False)
    op.create_index(
        op.f("ix_rule_source_base_quote"), "rule", ["source", "base", "quote"], unique=False
    )
