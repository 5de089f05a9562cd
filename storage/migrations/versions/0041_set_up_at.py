"""When the set-up of a channel was shown last, so that whoever is shown it is told nothing else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; when earlier ones were shown is not known."""
    op.add_column("setup", sa.Column("shown_at", UtcDateTime()))
