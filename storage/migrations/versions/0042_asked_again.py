"""Whom filters keep an alert from, so that they are asked again when its story grows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the columns; whom earlier alerts were kept from is not known."""
    op.create_table(
        "kept_back",
        sa.Column("alert_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("filter_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "chat_id", name=op.f("pk_kept_back")),
        sqlite_with_rowid=False,
    )
    op.add_column("alert", sa.Column("grew_at", UtcDateTime()))
    op.add_column(
        "alert", sa.Column("among_kept", sa.Boolean(), server_default="0", nullable=False)
    )
