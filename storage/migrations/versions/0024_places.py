"""Places that chats chose as near to them, and those that an alert is near to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Json

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column; no chat has a place yet."""
    op.create_table(
        "chat_place",
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"],
            ["chat.id"],
            name=op.f("fk_chat_place_chat_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("chat_id", "place", name=op.f("pk_chat_place")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_chat_place_place"), "chat_place", ["place"])
    op.add_column("alert", sa.Column("near", Json, nullable=True))
