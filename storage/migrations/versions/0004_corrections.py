"""Alerts for those who got another one: corrections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the alert whose readers are meant."""
    op.add_column("alert", sa.Column("audience_told", sa.BigInteger(), nullable=True))
