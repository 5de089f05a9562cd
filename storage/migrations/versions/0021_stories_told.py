"""An index of the alerts of stories by their time: how many the last hour told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    of_stories = sa.text("kind = 'story'")
    op.create_index(
        "ix_alert_story",
        "alert",
        ["created_at"],
        sqlite_where=of_stories,
        postgresql_where=of_stories,
    )
