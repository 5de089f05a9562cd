"""The numbers of alerts and deliveries, none of which is given twice."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables anew on SQLite, which gives the highest number again once its row is gone:
    that of a chat that was erased. Nothing refers to them by a foreign key.
    """
    if op.get_bind().dialect.name != "sqlite":  # a sequence goes on by itself
        return
    for name in ("alert", "delivery"):
        with op.batch_alter_table(
            name, recreate="always", table_kwargs={"sqlite_autoincrement": True}
        ):
            pass
