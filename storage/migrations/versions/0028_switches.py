"""Sources that an operator paused, and since when no alert leaves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; every source is polled, and alerts leave."""
    op.add_column("source", sa.Column("paused_at", UtcDateTime(), nullable=True))
    op.add_column("pace", sa.Column("stopped_at", UtcDateTime(), nullable=True))
