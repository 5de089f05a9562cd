"""The alerts for one chat, found by it: it asks for them, and they are erased with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    there = sa.text("audience_chat IS NOT NULL")
    op.create_index(
        "ix_alert_audience_chat",
        "alert",
        ["audience_chat"],
        sqlite_where=there,
        postgresql_where=there,
    )
