"""The catalog may ask for a channel's board, and then the operators hear of its troubles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every board there is was asked for in a chat."""
    op.add_column(
        "board", sa.Column("of_catalog", sa.Boolean(), nullable=False, server_default="0")
    )
