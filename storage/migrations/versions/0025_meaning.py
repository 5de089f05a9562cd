"""The vectors of entries: what they mean, where somebody asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no entry has one yet."""
    op.add_column("entry", sa.Column("meaning", sa.LargeBinary(), nullable=True))
