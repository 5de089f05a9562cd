"""Channels choose what of the news they post by themselves, and what is kept back until then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and their indexes; every channel posts all, and nothing is kept back."""
    op.add_column(
        "chat", sa.Column("policy", sa.String(), nullable=False, server_default="publish")
    )
    op.add_column("delivery", sa.Column("demand", sa.String(), nullable=True))
    _index("ix_chat_policy", "chat", "id", "policy <> 'publish'")
    _index("ix_delivery_withheld", "delivery", "expires_at", "state = 'withheld'")
    _index("ix_delivery_demand", "delivery", "alert_id", "demand IS NOT NULL")


def _index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(op.f(name), table, [column], sqlite_where=condition, postgresql_where=condition)
