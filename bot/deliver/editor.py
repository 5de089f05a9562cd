"""The demands of channels' editorial policies, asked about in the fan-out's own transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import storage.alerts
import storage.setups
from bot.alerts import asked
from bot.model.chats import Editorial
from bot.sources.specs import NewsSpec
from storage.alerts import StoredAlert
from storage.db import Db, db_now
from storage.withheld import Withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEditor:
    """The demands of channels' policies on stories, by who publishes which of the `feeds`."""

    feeds: Mapping[str, NewsSpec]

    async def unmet(self, db: Db, told: StoredAlert) -> Collection[Editorial]:
        """The policies by which a story's alert may not be posted yet."""
        return await asked.unmet(db, told, self.feeds)

    async def ask(self, db: Db, kept: Sequence[Withheld]) -> None:
        """Ask the owner of each channel, once; of one without an owner nobody, until it has one."""
        now = await db_now(db)
        for one in kept:
            owner = await storage.setups.owner_of(db, one.chat)
            if owner is not None:
                await storage.alerts.enqueue(db, asked.alert(one, owner, now=now))
