"""The items that a document listed when it was stored last, and how often a source is asked now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; what is stored has neither, and is read whole and asked as the catalog says."""
    op.add_column("document", sa.Column("listed", sa.LargeBinary(), nullable=True))
    op.add_column("source", sa.Column("pause", sa.Integer(), nullable=True))
