"""Reasons have their figures by name from here on, and what goes wrong outside has a reason too.

What is stored stays as it is, and is read: it is earlier programs that cannot read what this one
writes (`storage.versions.MIN_READER`).
"""

from __future__ import annotations

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing changes but the oldest program that may work here."""
