"""Reports by which a publisher takes back what it told: they confirm nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there counts as a report, as before, and so does what an earlier
    program stores.
    """
    op.add_column("entry", sa.Column("retracts", sa.Boolean(), nullable=False, server_default="0"))
