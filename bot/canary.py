"""Whether alerts come through: what reached nobody is told, and all being well is told elsewhere.

Whoever watches from inside says nothing when the whole process is gone: so a dead man's switch, a
service that waits for a sign of life (healthchecks.io and its like), is told while all is well.
"""

from __future__ import annotations

import structlog

import storage.sources
from bot.alerts import notices
from bot.alerts.notices import Notice
from bot.errors import SourceError
from bot.ops.readiness import stale
from bot.running import Running

log = structlog.get_logger(__name__)


async def look_for_unheard(bot: Running) -> int:
    """Tell the operators of an alert that reached nobody, though chats wait for it; returns how
    many such alerts there are.

    Not while an operator lets none leave, for then it is meant; nor at the first look that sees it.
    """
    now = bot.clock()
    async with bot.store.reading() as db:
        found = await bot.unheard.look(db, token=bot.settings.token_name, now=now)
    if not found:
        return 0
    first = found[0]
    log.warning("alerts reached nobody", alerts=[one.alert for one in found], why=str(first.why))
    told = Notice.of("notice.not_given", alert=first.alert)
    if first.waiting is not None:
        told = Notice.of("notice.unheard", alert=first.alert, count=first.waiting)
    why = () if first.why is None else (first.why,)
    async with bot.store.writing() as db:
        # one trouble, however many alerts: told once an hour
        await notices.tell(db, bot.settings.admin_ids, told, now=now, reasons=why)
    bot.worker.wake()
    return len(found)


async def beat(bot: Running) -> None:
    """Tell the dead man's switch that all is well; while anything is not, it is told nothing."""
    url = bot.settings.heartbeat_url
    if url is None:
        return
    async with bot.store.reading() as db:
        # looked for here too: of replicas another one may do the canary's looks
        if await bot.unheard.look(db, token=bot.settings.token_name, now=bot.clock()):
            return
        read_at, failures = await storage.sources.last_read(db)
    old = stale(read_at, bot.clock(), failures=failures)
    if bot.readiness.troubles() or old is not None:
        return
    try:
        await bot.ingest.fetcher.get(url, own_service=True)
    except SourceError as error:
        log.warning("the dead man's switch was not told", error=str(error))
