"""A start: whose database it is, and what an earlier process left in it."""

from __future__ import annotations

import structlog

import storage.belonging
import storage.highwater
import storage.lapsed
from bot.alerts.notices import Notice, OnTrouble
from bot.errors import StorageError
from storage.db import Store

log = structlog.get_logger(__name__)


async def must_be_of(store: Store, bot: str) -> None:
    """ConfigError when the database belongs to another bot: its numbers mean other messages."""
    async with store.reading() as db:
        noted = await storage.belonging.noted(db)
    if noted == bot:
        return
    try:
        async with store.writing() as db:
            await storage.belonging.claim(db, bot)
    except StorageError as error:  # a full disk does not keep us from answering
        log.warning("start without writing", error=str(error))


async def begin_alone(store: Store, tell: OnTrouble) -> None:
    """A start with the file to ourselves: leases are nobody's; operators hear what it lost."""
    async with store.writing() as db:
        await storage.lapsed.free_all(db)
    gone = await storage.highwater.missing(store)
    try:
        if gone is not None:
            until = "–"
            if gone.until is not None:
                until = f"{gone.until:%Y-%m-%d %H:%M:%S}"
            reached = f"{gone.reached:%Y-%m-%d %H:%M:%S}"
            log.warning("the database is older than what ran here", until=until, reached=reached)
            await tell(Notice.of("notice.older", until=until, reached=reached))
        await storage.highwater.advance(store)
    except StorageError as error:  # a full disk does not keep us from answering
        log.warning("start without writing", error=str(error))
