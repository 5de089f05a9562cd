"""Alerts have the terms of their kind beside them, so that no query asks which kind one is of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

#: Term → the kinds that promised it when there were no columns.
TERMS = {
    "awaited": ("answer",),
    "passes_stop": ("answer", "notice"),
    "personal": ("answer", "notice"),
    "announces": ("broadcast",),
    "graded": ("story",),
}


def upgrade() -> None:
    """Add the columns, fill them for what is stored, and look for alerts by them."""
    alert = sa.table("alert", sa.column("kind", sa.String()), *map(_column, TERMS))
    for term, kinds in TERMS.items():
        op.add_column("alert", _column(term))
        is_so = sa.update(alert).where(alert.c.kind.in_(kinds))
        op.execute(is_so.values({term: sa.true()}))
    op.drop_index("ix_alert_passing", "alert")
    passes = sa.text("passes_stop")
    op.create_index(
        "ix_alert_passing",
        "alert",
        ["expires_at"],
        sqlite_where=passes,
        postgresql_where=passes,
    )
    op.drop_index("ix_alert_story", "alert")
    op.create_index(op.f("ix_alert_kind_created_at"), "alert", ["kind", "created_at"])


def _column(term: str) -> sa.Column[bool]:
    return sa.Column(term, sa.Boolean(), nullable=False, server_default="0")
