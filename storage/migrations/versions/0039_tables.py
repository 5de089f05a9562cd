"""Whether a chat gets figures as Telegram's tables, which some clients show blank."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every chat goes on getting words."""
    op.add_column("chat", sa.Column("tables", sa.Boolean(), nullable=False, server_default="0"))
