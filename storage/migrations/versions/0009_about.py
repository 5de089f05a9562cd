"""Columns for what an alert is about: the series and the day of the rate that it tells of."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op

from storage.types import Json

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHUNK = 1000  # rows that are read and written at a time


def upgrade() -> None:
    """Add the columns, and fill them from what alerts about rates carry."""
    op.add_column("alert", sa.Column("about_series", sa.String(), nullable=True))
    op.add_column("alert", sa.Column("about_day", sa.Date(), nullable=True))
    alert = sa.table(
        "alert",
        sa.column("id", sa.BigInteger()),
        sa.column("kind", sa.String()),
        sa.column("payload", Json),
        sa.column("about_series", sa.String()),
        sa.column("about_day", sa.Date()),
    )
    bind = op.get_bind()
    change = (
        sa.update(alert)
        .where(alert.c.id == sa.bindparam("its_id"))
        .values(about_series=sa.bindparam("series"), about_day=sa.bindparam("day", type_=sa.Date()))
    )
    last = -1
    while True:
        query = sa.select(alert.c.id, alert.c.payload).where(
            alert.c.kind.in_(("move", "rule", "correction"))
        )
        rows = bind.execute(query.where(alert.c.id > last).order_by(alert.c.id).limit(CHUNK)).all()
        if not rows:
            break
        last = rows[-1].id
        told = [(row.id, row.payload["new"]) for row in rows]
        filled = [
            {
                "its_id": pk,
                "series": f"{new['source']}:{new['pair']}:{new['kind']}",
                "day": date.fromisoformat(new["effective_on"]),
            }
            for pk, new in told
        ]
        bind.execute(change, filled)
    there = sa.text("about_series IS NOT NULL")
    op.create_index(
        "ix_alert_about",
        "alert",
        ["about_series", "about_day"],
        sqlite_where=there,
        postgresql_where=there,
    )
