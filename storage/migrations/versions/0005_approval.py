"""Alerts that wait for an operator's word."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where an alert stands."""
    op.add_column("alert", sa.Column("approval", sa.String(), nullable=True))
