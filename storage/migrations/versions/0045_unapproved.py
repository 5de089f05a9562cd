"""Reports that wait for an operator's word, or got none: no story shows them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there is shown."""
    op.add_column(
        "entry", sa.Column("unapproved", sa.Boolean(), nullable=False, server_default="0")
    )
