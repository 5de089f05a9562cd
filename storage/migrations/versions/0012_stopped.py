"""Whether a chat's readers asked for silence, apart from why Telegram lets us not write to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STOPPED, STOPPED_AND = "stopped", "stopped, "


def upgrade() -> None:
    """Add the column, and read it out of the reasons, which then are Telegram's alone."""
    op.add_column("chat", sa.Column("stopped", sa.Boolean(), nullable=False, server_default="0"))
    why = sa.column("inactive_why", sa.String())
    chat = sa.table("chat", why, sa.column("stopped", sa.Boolean()))
    asked = sa.or_(why == STOPPED, why.startswith(STOPPED_AND))
    op.execute(chat.update().where(asked).values(stopped=sa.true()))
    telegrams = sa.func.substr(why, len(STOPPED_AND) + 1)
    op.execute(chat.update().where(why.startswith(STOPPED_AND)).values(inactive_why=telegrams))
