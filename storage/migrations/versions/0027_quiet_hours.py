"""Quiet hours of chats, what they hold, and how loud each kind of post is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; no chat has quiet hours, and all is as loud as it was."""
    op.add_column("chat", sa.Column("quiet", sa.String(), nullable=True))
    op.add_column("chat", sa.Column("quiet_begins_at", UtcDateTime(), nullable=True))
    op.add_column("chat", sa.Column("quiet_ends_at", UtcDateTime(), nullable=True))
    op.add_column(
        "chat", sa.Column("quiet_urgent", sa.Boolean(), nullable=False, server_default="1")
    )
    op.add_column("chat", sa.Column("sounds", sa.String(), nullable=False, server_default=""))
    op.add_column("alert", sa.Column("post", sa.String(), nullable=True))
    op.add_column("delivery", sa.Column("within", sa.BigInteger(), nullable=True))
    for name in ("quiet_begins_at", "quiet_ends_at"):
        _index(f"ix_chat_{name}", "chat", name, f"{name} IS NOT NULL")
    _index("ix_delivery_held", "delivery", "not_before", "state = 'held'")
    _index("ix_delivery_held_chat", "delivery", "chat_id", "state = 'held'")
    _index("ix_delivery_within", "delivery", "within", "within IS NOT NULL")


def _index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(op.f(name), table, [column], sqlite_where=condition, postgresql_where=condition)
