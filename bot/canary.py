"""Whether alerts come through: what reached nobody is told, and all being well is told elsewhere.

Whoever watches from inside says nothing when the whole process is gone: so a dead man's switch, a
service that waits for a sign of life (healthchecks.io and its like), is told while all is well.
"""

from __future__ import annotations

from datetime import datetime

import structlog

import storage.missed
import storage.sources
import storage.switch
from bot.alerts import notices
from bot.alerts.notices import Notice
from bot.errors import SourceError
from bot.ops.readiness import stale
from bot.ops.unheard import missed
from bot.running import Running
from storage.told import Unheard

log = structlog.get_logger(__name__)


async def look_for_unheard(bot: Running) -> int:
    """Tell the operators of an alert that reached nobody, though chats wait for it or should have
    had it; returns how many such alerts there are.

    Not while an operator lets none leave, for then it is meant; nor at the first look that sees it.
    """
    now = bot.clock()
    async with bot.store.reading() as db:
        found = await bot.unheard.look(db, token=bot.settings.token_name, now=now)
        over = await missed(db, now=now)
    if found:
        named = [one.alert for one in found]
        log.warning("alerts reached nobody", alerts=named, why=str(found[0].why))
    if waiting := [one for one in found if isinstance(one, Unheard)]:
        await _tell_of_waiting(bot, waiting[0], now)
    if over:
        await _tell_of_missed(bot, now)
    return len(found)


async def _tell_of_waiting(bot: Running, first: Unheard, now: datetime) -> None:
    """One trouble, however many alerts: told once an hour."""
    told = Notice.of("notice.not_given", alert=first.alert)
    if first.waiting is not None:
        told = Notice.of("notice.unheard", alert=first.alert, count=first.waiting)
    why = () if first.why is None else (first.why,)
    async with bot.store.writing() as db:
        await notices.tell(db, bot.settings.admin_ids, told, now=now, reasons=why)
    bot.worker.wake()


async def _tell_of_missed(bot: Running, now: datetime) -> None:
    """Each is told once, also over a restart: it stays so for ever. Where everybody who should have
    had it is away, in words that say so.

    While an operator lets none leave, it is settled without a word. What another one's hour keeps
    back is told after it, all in one.
    """
    token, admins = bot.settings.token_name, bot.settings.admin_ids
    async with bot.store.writing() as db:
        meant = await storage.switch.off_since(db, token) is not None
        over = await missed(db, now=now)
        for is_fault, word in ((True, "notice.missed"), (False, "notice.missed_away")):
            found = [one for one in over if bool(one.chats) is is_fault]
            if not found:
                continue
            last = found[-1]
            told = Notice.of(word, alert=last.alert, count=last.chats or last.away, n=len(found))
            why = (last.why,) if is_fault else ()
            if meant or await notices.tell(db, admins, told, now=now, reasons=why):
                await storage.missed.settle(db, [one.alert for one in found], now=now)
    bot.worker.wake()


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
