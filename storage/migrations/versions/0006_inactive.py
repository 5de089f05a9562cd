"""The time since which a chat is not written to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the time, and count it from now for those whose leaving was not dated."""
    op.add_column("chat", sa.Column("inactive_at", UtcDateTime(), nullable=True))
    chat = sa.table(
        "chat", sa.column("active", sa.Boolean()), sa.column("inactive_at", UtcDateTime())
    )
    clock = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
    now = clock if op.get_bind().dialect.name == "sqlite" else "clock_timestamp()"
    op.execute(chat.update().where(~chat.c.active).values(inactive_at=sa.text(now)))
    away = sa.text("inactive_at IS NOT NULL")
    op.create_index(
        "ix_chat_inactive_at", "chat", ["inactive_at"], sqlite_where=away, postgresql_where=away
    )
