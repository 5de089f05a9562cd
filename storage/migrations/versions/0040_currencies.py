"""The order in which a chat has its currencies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every chat goes on with the usual order."""
    op.add_column("chat", sa.Column("currencies", sa.String(), nullable=False, server_default=""))
