"""The alerts that reached nobody: one answer for the canary, the sign of life and the page.

Some chats wait for (`Unheard`); for the others nobody waits any more (`Missed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import storage.missed
import storage.switch
import storage.told
from bot.alerts import KINDS
from storage.db import Db
from storage.missed import Missed
from storage.told import Unheard

UNHEARD_AFTER = timedelta(minutes=2)  # an alert that nobody has by then is itself news
#: How long it is seen so before that is said; less than the pause between two looks of the canary.
SEEN_FOR = timedelta(seconds=10)
#: The kinds of alert that somebody has to hear of: a word to one person is that person's affair.
_HEARD_OF = [name for name, kind in KINDS.items() if not kind.payload.TERMS.personal]


async def missed(db: Db, *, now: datetime) -> Sequence[Missed]:
    """The alerts that are over and reached nobody, of which no operator was told yet."""
    return await storage.missed.missed(db, _HEARD_OF, now=now, after=UNHEARD_AFTER)


class UnheardLooks:
    """This process's looks for alerts that reached nobody, whoever looks.

    One look proves nothing: an operator approved the story after ten minutes and its first message
    is on its way, the clock was set, or the machine slept.
    """

    def __init__(self) -> None:
        self._since: dict[int, datetime] = {}

    async def look(self, db: Db, *, token: str, now: datetime) -> Sequence[Unheard | Missed]:
        """The alerts that reached nobody by now and had not `SEEN_FOR` ago, and those that chats
        missed which can be written to; none while an operator lets none leave.
        """
        if await storage.switch.off_since(db, token) is not None:
            self._since = {}
            return []
        seen = await storage.told.unheard(db, now=now, after=UNHEARD_AFTER)
        since: dict[int, datetime] = {}
        for one in seen:
            # a clock that was set back is waited for by nobody
            since[one.alert] = min(self._since.get(one.alert, now), now)
        self._since = since
        waiting = [one for one in seen if since[one.alert] <= now - SEEN_FOR]
        # what is over stays so, and needs no second look
        return [*waiting, *(one for one in await missed(db, now=now) if one.chats)]
