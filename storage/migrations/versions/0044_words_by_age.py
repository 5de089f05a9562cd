"""The archive's words by the age of an entry (PostgreSQL)."""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index an entry's words together with its age and era (its number by four thousands, and by
    sixty-five thousands): what is looked for among the newest is found without all others.

    SQLite reads its index from the newest on by itself.
    """
    if op.get_bind().dialect.name == "sqlite":
        return
    # without a list of what is to be put into the index later, which each search would read
    op.execute(
        "CREATE INDEX archive_words_by_age ON archive "
        "USING gin (words, (ARRAY[id >> 12, -1 - (id >> 16)])) WITH (fastupdate = off)"
    )
    op.execute("DROP INDEX archive_words")
