"""Alerts that tell a story have its number beside them, and questions about an entry's words a key
of their own: it could be that of a rate's correction.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

OLD, NEW = "correction:", "wording:"
TELLS = "story:"  # and the story's number: how the keys of its alerts begin


def upgrade() -> None:
    """Add the column and its index, fill it for what is stored, and write the keys anew."""
    op.add_column("alert", sa.Column("about_story", sa.BigInteger()))
    alert = sa.table(
        "alert",
        sa.column("kind", sa.String()),
        sa.column("dedup_key", sa.String()),
        sa.column("supersede_key", sa.String()),
        sa.column("about_story", sa.BigInteger()),
    )
    replaced = alert.c.supersede_key
    told = sa.func.substr(replaced, 1, len(TELLS)) == TELLS
    number = sa.cast(sa.func.substr(replaced, len(TELLS) + 1), sa.BigInteger())
    stories = sa.update(alert).where(alert.c.kind == "story", told)
    op.execute(stories.values(about_story=number))
    asked = sa.func.substr(replaced, 1, len(OLD)) == OLD
    op.execute(
        sa.update(alert)
        .where(alert.c.kind == "edit", asked)
        .values(dedup_key=_anew(alert.c.dedup_key), supersede_key=_anew(replaced))
    )
    some = sa.text("about_story IS NOT NULL")
    op.create_index(
        "ix_alert_about_story",
        "alert",
        ["about_story"],
        sqlite_where=some,
        postgresql_where=some,
    )


def _anew(key: sa.ColumnClause[str]) -> sa.ColumnElement[str]:
    return sa.literal(NEW).concat(sa.func.substr(key, len(OLD) + 1))
