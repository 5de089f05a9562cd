"""The chat that a notice is about, and the updates that say where somebody is: in columns, instead
of a search through their words.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Json

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHUNK = 1000  # rows that are read and written at a time


def upgrade() -> None:
    """Add the columns, and fill them."""
    op.add_column("alert", sa.Column("about_chat", sa.BigInteger(), nullable=True))
    _fill_chats()
    there = sa.text("about_chat IS NOT NULL")
    op.create_index(
        "ix_alert_about_chat",
        "alert",
        ["about_chat"],
        sqlite_where=there,
        postgresql_where=there,
    )
    op.add_column("inbox", sa.Column("fleeting", sa.Boolean(), nullable=False, server_default="0"))
    inbox = sa.table("inbox", sa.column("body", sa.Text()), sa.column("fleeting", sa.Boolean()))
    place = inbox.c.body.like('%"location"%')
    op.execute(sa.update(inbox).where(place).values(fleeting=sa.true()))


def _fill_chats() -> None:
    alert = sa.table(
        "alert",
        sa.column("id", sa.BigInteger()),
        sa.column("kind", sa.String()),
        sa.column("payload", Json),
        sa.column("about_chat", sa.BigInteger()),
    )
    bind = op.get_bind()
    notices = sa.select(alert.c.id, alert.c.payload).where(alert.c.kind == "notice")
    change = sa.update(alert).where(alert.c.id == sa.bindparam("its_id"))
    last = -1
    while True:
        rows = bind.execute(
            notices.where(alert.c.id > last).order_by(alert.c.id).limit(CHUNK)
        ).all()
        if not rows:
            break
        last = rows[-1].id
        named = {row.id: dict(row.payload["values"]).get("chat", "") for row in rows}
        filled = [
            {"its_id": pk, "about_chat": int(chat)}
            for pk, chat in named.items()
            if chat.removeprefix("-").isdecimal()
        ]
        if filled:
            bind.execute(change.values(about_chat=sa.bindparam("about_chat")), filled)
