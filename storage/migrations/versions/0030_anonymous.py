"""Whether an administrator who writes as the group may change it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no group has allowed it yet."""
    op.add_column("chat", sa.Column("anonymous", sa.Boolean(), nullable=False, server_default="0"))
