"""The clues (few words and facts) by which a story is found when another report of it comes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index of clues; stories told before it have none, and are compared no more."""
    op.create_table(
        "clue",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("story_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "slot", name=op.f("pk_clue")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_clue_story_id"), "clue", ["story_id"])
