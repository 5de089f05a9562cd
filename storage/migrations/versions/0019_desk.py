"""Operators' decisions about news, and the headlines that they word anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Json, Key, UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column of headlines and the table of decisions."""
    op.add_column("entry", sa.Column("headline", sa.Text(), nullable=True))
    op.create_table(
        "decision",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("answer", sa.Boolean(), nullable=False),
        sa.Column("first", Json, nullable=False),
        sa.Column("second", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
