"""Sources found by when they are due, without reading all of them."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two indexes a look for due sources goes by."""
    op.create_index("source_due", "source", ["next_due_at"])
    op.create_index("source_asked", "source", ["asked_at"])
