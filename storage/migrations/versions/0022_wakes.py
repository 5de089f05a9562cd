"""The severity that a story about security must have to wake a chat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; chats go on being told of all that is important."""
    wakes = sa.Column("wakes", sa.String(), nullable=False, server_default="important")
    op.add_column("chat", wakes)
