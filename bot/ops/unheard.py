"""The alerts that reached nobody: one answer for the canary, the sign of life and the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import storage.switch
import storage.told
from storage.db import Db
from storage.told import Unheard

UNHEARD_AFTER = timedelta(minutes=2)  # an alert that nobody has by then is itself news


async def unheard(db: Db, *, token: str, now: datetime) -> Sequence[Unheard]:
    """The alerts that reached nobody by now; none while an operator lets none leave."""
    if await storage.switch.off_since(db, token) is not None:
        return ()
    return await storage.told.unheard(db, now=now, after=UNHEARD_AFTER)
