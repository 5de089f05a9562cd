"""Series that another source contradicts: rows of their own instead of names of marks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PREFIX = (
    "dispute:"  # of a mark named "dispute:nbkr:USD/KGS:official", whose value is the other source
)


def upgrade() -> None:
    """Make the table and move the disputes into it that the marks tell of."""
    dispute = op.create_table(
        "dispute",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("base", sa.String(3), primary_key=True),
        sa.Column("quote", sa.String(3), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("against", sa.String(), nullable=False),
    )
    mark = sa.table("mark", sa.column("name", sa.String()), sa.column("value", sa.Text()))
    disputes = mark.c.name.startswith(PREFIX, autoescape=True)
    rows = []
    for found in op.get_bind().execute(sa.select(mark.c.name, mark.c.value).where(disputes)):
        source, pair, kind = found.name.removeprefix(PREFIX).split(":")
        base, quote = pair.split("/")
        row = {"source": source, "base": base, "quote": quote, "kind": kind, "against": found.value}
        rows.append(row)
    if rows:
        op.bulk_insert(dispute, rows)
        op.execute(mark.delete().where(disputes))
