"""Indexes of alerts by the subscription they were for, and of what leaves while others may not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes."""
    _index("ix_alert_audience_key", "audience_key", "audience_key IS NOT NULL")
    _index("ix_alert_passing", "expires_at", "kind IN ('answer', 'notice')")


def _index(name: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "alert", [column], sqlite_where=condition, postgresql_where=condition)
