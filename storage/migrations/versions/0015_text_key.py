"""A key of an entry's text, by which the entry is recognised when its id and link change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the key and its index; what is stored has none, and its text is compared instead."""
    op.add_column("entry", sa.Column("text_key", sa.String(), nullable=True))
    op.create_index(op.f("ix_entry_text_key"), "entry", ["text_key"])
