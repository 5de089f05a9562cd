"""The fan-out as this program makes it: with the chats' filters and what channels' policies ask."""

from __future__ import annotations

from functools import partial

import storage.fan_out
from bot.deliver.editor import ChannelEditor
from bot.deliver.sieve import sieve
from bot.deliver.unread import UnreadAlerts
from storage.db import Store


async def fan_out(store: Store, editor: ChannelEditor, unread: UnreadAlerts) -> int | None:
    """Make one chunk of deliveries; how many, None where no alert is open. Operators hear of alerts
    that cannot be read.
    """
    asked = partial(sieve, feeds=editor.feeds)
    async with store.writing() as db:
        size = await storage.fan_out.fan_out(db, sieve=asked, editor=editor, unread=unread.alerts)
    await unread.tell()
    return size
