"""The time of a chat's last /stop or /start: of two chats that become one, the later word holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was said before is older than anything said from now on."""
    op.add_column("chat", sa.Column("word_at", UtcDateTime()))
