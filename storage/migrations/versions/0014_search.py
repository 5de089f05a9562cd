"""The archive by its words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index of words, which each database keeps in its own way, and what is not in it yet.

    It is filled by a job: words are cut by rules that no migration should carry.
    """
    op.add_column("entry", sa.Column("indexed", sa.Boolean(), nullable=False, server_default="0"))
    waits = sa.text("NOT indexed")
    op.create_index(
        "entry_not_indexed", "entry", ["id"], sqlite_where=waits, postgresql_where=waits
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE archive USING fts5("
            "words, prefix = '5 6 7 8', detail = none, tokenize = 'unicode61 remove_diacritics 0')"
        )
        op.execute(
            "CREATE TRIGGER archive_forgets AFTER DELETE ON entry BEGIN "
            "DELETE FROM archive WHERE rowid = old.id; END"
        )
        return
    op.execute(
        "CREATE TABLE archive (id bigint PRIMARY KEY REFERENCES entry ON DELETE CASCADE, "
        "words tsvector NOT NULL)"
    )
    op.execute("CREATE INDEX archive_words ON archive USING gin (words)")
