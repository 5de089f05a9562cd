"""The fan-out as this program makes it: with the chats' filters and what channels' policies ask."""

from __future__ import annotations

import storage.fan_out
from bot.deliver.sieve import sieve
from bot.deliver.unread import UnreadAlerts
from storage.db import Store
from storage.withheld import Editor


async def fan_out(store: Store, editor: Editor, unread: UnreadAlerts) -> int | None:
    """Make one chunk of deliveries; how many, None where no alert is open. Operators hear of alerts
    that cannot be read.
    """
    async with store.writing() as db:
        size = await storage.fan_out.fan_out(db, sieve=sieve, editor=editor, unread=unread.alerts)
    await unread.tell()
    return size
