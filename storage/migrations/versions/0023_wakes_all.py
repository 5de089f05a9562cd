"""An index of the chats that want to be told of every story about security: they are few."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    of_all = sa.text("wakes = 'all'")
    op.create_index(
        "ix_chat_wakes_all", "chat", ["id"], sqlite_where=of_all, postgresql_where=of_all
    )
