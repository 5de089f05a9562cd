"""The forum topics of a chat: one for each kind of post."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the topics of kinds in the place of the one topic, which nothing could choose."""
    op.add_column("chat", sa.Column("threads", sa.String(), nullable=False, server_default=""))
    op.drop_column("chat", "thread")
