"""The alerts that reached nobody: one answer for the canary, the sign of life and the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import storage.switch
import storage.told
from storage.db import Db
from storage.told import Unheard

UNHEARD_AFTER = timedelta(minutes=2)  # an alert that nobody has by then is itself news
#: How long it is seen so before that is said; less than the pause between two looks of the canary.
SEEN_FOR = timedelta(seconds=10)


class UnheardLooks:
    """This process's looks for alerts that reached nobody, whoever looks.

    One look proves nothing: an operator approved the story after ten minutes and its first message
    is on its way, the clock was set, or the machine slept.
    """

    def __init__(self) -> None:
        self._since: dict[int, datetime] = {}

    async def look(self, db: Db, *, token: str, now: datetime) -> Sequence[Unheard]:
        """The alerts that reached nobody by now and had not `SEEN_FOR` ago; none while an operator
        lets none leave.
        """
        seen: Sequence[Unheard] = ()
        if await storage.switch.off_since(db, token) is None:
            seen = await storage.told.unheard(db, now=now, after=UNHEARD_AFTER)
        since: dict[int, datetime] = {}
        for one in seen:
            # a clock that was set back is waited for by nobody
            since[one.alert] = min(self._since.get(one.alert, now), now)
        self._since = since
        return [one for one in seen if since[one.alert] <= now - SEEN_FOR]
