"""All that is done again and again: one list, JOBS.

One more job is one line of it; what runs it is `bot/jobs.py`, or beside other replicas `cluster`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from zoneinfo import ZoneInfo

import structlog

import storage.keeping
import storage.old_copies
import storage.retention
import storage.sources
from bot import archive, canary, presence, schedule
from bot.alerts.notices import Notice
from bot.boards import keep_boards
from bot.broadcasts import show_progress
from bot.deliver import fan_out as deliveries
from bot.digests import enqueue_digests
from bot.errors import BotError, StorageError
from bot.jobs import TICK, Doer, Job
from bot.running import Running
from storage.migrate import must_stay_readable
from storage.shared_clock import SharedClock

log = structlog.get_logger(__name__)

HOUR = 3600.0
UNHEARD_LOOK = 15.0  # seconds between looks for alerts that reached nobody
HEARTBEAT = 60.0  # seconds between two signs of life
BACKUP_HOUR = 3  # o'clock in the operator's zone: the night's copy is made from then on
BACKUP_LOOK = 600.0  # seconds between looks whether it is time
TIDYING_PAUSE = 0.05  # seconds between pieces of what is forgotten: others write in between


async def due(bot: Running) -> list[str]:
    """Sources to poll now, by key, the longest overdue first; none without the database.

    Only those are looked at whose time has come, and those never met before. What another catalog
    put off is brought forward when it is met.
    """
    known = bot.catalog.by_key
    unmet = known.keys() - bot.met
    still, now = bot.still("poll"), bot.clock()
    if still.holds(now) and not unmet:
        return []
    try:
        async with bot.store.reading() as db:
            states = await storage.sources.due(db, now=now, known=known)
            met = await storage.sources.states(db, unmet) if unmet else {}
            # where something is written each second, the moment would be asked for in vain
            nothing = not states and not unmet and still.repeats
            first = await storage.sources.first_due(db, after=now) if nothing else None
        every = bot.settings.poll_every
        if sooner := schedule.brought_forward([known[key] for key in met], met, every=every):
            async with bot.store.writing() as db:
                await storage.sources.bring_forward(db, sooner)
    except StorageError as error:
        log.warning("schedule waits for the database", error=str(error))
        return []
    still.found(nothing=nothing, until=first)
    bot.met |= met.keys()
    # of a replica with another catalog there may be others
    asked = [known[key] for key in [*states, *(unmet - met.keys())] if key in known]
    return [spec.key for spec in schedule.due(asked, states, now=bot.clock())]


def host(bot: Running, key: str) -> str | None:
    """The host that a source asks, of which few are polled at a time."""
    spec = bot.catalog.by_key.get(key)
    return None if spec is None else spec.host


def here(bot: Running) -> Collection[str]:
    """The sources of this program's catalog; another replica may have others."""
    return bot.catalog.by_key


async def poll(bot: Running, key: str) -> bool:
    """Poll one source, whose trouble stays its own; whether alerts came of it."""
    spec = bot.catalog.by_key.get(key)
    if spec is None:  # of a replica with another catalog
        return False
    try:
        report = await bot.ingest.poll(spec)
    except StorageError as error:
        log.warning("poll waits for the database", source=spec.key, error=str(error))
        return False
    if report.new and key in bot.catalog.rates:
        bot.services.cards.forget()
    if report.alerts:
        bot.worker.wake()
    return report.alerts > 0


async def fan_out(bot: Running) -> None:
    """Give open alerts their deliveries, chunk by chunk."""
    try:
        size: int | None = 0
        while size is not None and not bot.stopping.is_set():
            size = await deliveries.fan_out(bot.store, bot.editor, bot.unread)
            bot.worker.wake()
    except StorageError as error:
        log.warning("fan-out waits for the database", error=str(error))


async def own_feeds(bot: Running) -> None:
    """Poll the feeds that readers added, until the time of none has come."""
    try:
        await bot.services.own_feeds.poll_due(bot.worker.wake, bot.stopping)
    except StorageError as error:
        log.warning("readers' own feeds wait for the database", error=str(error))


async def broadcasts(bot: Running) -> bool:
    """Write how far the operators' messages to all have come; whether any is under way."""
    try:
        return await show_progress(bot.store, bot.api, bot.worker.turn, bot.looks)
    except StorageError as error:
        log.warning("the progress of broadcasts waits for the database", error=str(error))
        return True


async def boards(bot: Running) -> bool:
    """Make, pin and edit the boards of channels and groups, where there is something to do;
    whether there are any.
    """
    admins = bot.settings.admin_ids
    try:
        enqueued = await keep_boards(bot.store, bot.catalog, bot.clock, admins=admins)
    except StorageError as error:
        log.warning("boards wait for the database", error=str(error))
        return True
    if enqueued:
        bot.worker.wake()
    return enqueued is not None


async def hubs(bot: Running) -> None:
    """Subscribe at the hubs of feeds that name one."""
    if bot.hubs is None:
        return
    try:
        await bot.hubs.renew()
    except StorageError as error:
        log.warning("hubs wait for the database", error=str(error))


async def look_for_unheard(bot: Running) -> None:
    """Tell the operators of alerts that reached nobody."""
    try:
        await canary.look_for_unheard(bot)
    except StorageError as error:
        log.warning("the look for unheard alerts waits for the database", error=str(error))


async def beat(bot: Running) -> None:
    """Give the dead man's switch its sign of life, once Telegram knows us."""
    try:
        await canary.beat(bot)
    except StorageError as error:
        log.warning("no sign of life without the database", error=str(error))


async def index(bot: Running) -> bool:
    """Put what is new into the index of the archive's words; whether there was any."""
    try:
        return await archive.index(bot.store, stopping=bot.stopping.is_set) > 0
    except StorageError as error:
        log.warning("indexing waits for the database", error=str(error))
        return True


async def digests(bot: Running) -> None:
    """Enqueue the digests whose time has come."""
    try:
        if await enqueue_digests(bot.store, now=bot.clock()):
            bot.worker.wake()
    except StorageError as error:
        log.warning("digests wait for the database", error=str(error))


async def tidy(bot: Running) -> None:
    """Forget what is too old, piece by piece; StorageError when the database goes away."""
    try:
        for step in storage.retention.STEPS:
            while not bot.stopping.is_set():
                async with bot.store.writing() as db:
                    rows = await step(db, bot.clock())
                if not rows:
                    break
                await bot.pause(TIDYING_PAUSE)
    except StorageError as error:
        log.warning("tidying waits for the database", error=str(error))
        raise
    finally:
        bot.services.chats.clear()  # one that is forgotten is met anew when it comes back
        bot.met.clear()  # a store that was put back under us may not know them


async def back_up(bot: Running) -> None:
    """Tonight's copy, once it is late enough; the operators hear of a failure."""
    now = bot.clock()
    local = now.astimezone(ZoneInfo(bot.settings.time_zone))
    if local.hour < BACKUP_HOUR:
        return
    try:
        made = await storage.keeping.back_up(
            bot.store,
            bot.settings.backups,
            today=local.date(),
            stop=bot.stopping.is_set,
        )
        if made is not None:
            log.info("backed up", file=made.name)
    except BotError as error:
        await _tell_no_backup(error, bot)
    # folders and names of files are the operator's: whatever is odd about them, alerts go on
    except Exception as error:
        log.warning("a backup failed as none should", exc_info=error)
        await _tell_no_backup(BotError(type(error).__name__), bot)


async def forget_copies(bot: Running) -> None:
    """Forget the copies of a month ago that are on this machine; one that stays is logged."""
    try:
        forgotten = await asyncio.to_thread(
            storage.old_copies.forget_old, bot.store.url, bot.settings.backups, now=bot.clock()
        )
        if forgotten:
            log.info("old copies forgotten", files=[one.name for one in forgotten])
    except BotError as error:
        log.warning("an old copy stays", error=str(error))
    # as with tonight's: whatever is odd about a folder, alerts go on
    except Exception as error:
        log.warning("old copies stay as none should", exc_info=error)


async def _tell_no_backup(error: BotError, bot: Running) -> None:
    if bot.stopping.is_set():
        return  # cut short
    log.warning("no backup", error=str(error))
    with suppress(StorageError):
        await bot.tell(Notice.of("notice.backup"), error.reason)


async def look_again(bot: Running) -> None:
    """Ask about chats given up, once a day for all replicas, once Telegram knows us."""
    while not bot.ready.is_set() and not bot.stopping.is_set():
        await bot.pause(TICK)
    if not bot.stopping.is_set():
        await presence.look_again(
            bot.store, bot.api, presence.bot_id_of(bot.settings), bot.clock, bot.pause
        )
        bot.services.chats.clear()  # which are written to again, or have another number


async def keep_fresh(bot: Running) -> None:
    """Keep to the shared clock, and make cards anew when any replica read a source of rates."""
    with suppress(StorageError):
        async with bot.store.reading() as db:
            if isinstance(bot.clock, SharedClock):
                await bot.clock.look(db)
            polled = await storage.sources.last_ok_at(db, bot.catalog.rates)
        # one that polled made its own cards anew; the others notice it here
        if polled != bot.polled:
            bot.polled = polled
            bot.services.cards.forget()


async def keep_to_schema(bot: Running) -> bool:
    """Go on where a newer program brought the database up to date, if that one allows it; else
    ConfigError, the end. Whether that is to be asked again though nothing is written.
    """
    try:
        await must_stay_readable(bot.store)
    except StorageError:
        return True
    return False


#: Everything that recurs, in the order it is begun.
JOBS = (
    # which are due is `schedule`'s
    Job(name="poll", every=TICK, due=due, host=host, known=here, do=poll),
    Job(name="fan_out", follows="poll", do=fan_out),
    Job(name="digests", every=5.0, do=digests),  # so exact is a digest's hour
    Job(name="own_feeds", every=10.0, do=own_feeds),  # each in its quarter of an hour
    # so old is the progress that is shown
    Job(name="broadcasts", every=2.0, do=broadcasts, rests=True),
    Job(name="boards", every=5.0, do=boards, rests=True),
    Job(name="canary", every=UNHEARD_LOOK, do=look_for_unheard, after=UNHEARD_LOOK),
    Job(name="heartbeat", every=HEARTBEAT, do=beat, after=10.0),  # by then it is ready
    Job(name="hubs", every=60.0, do=hubs, after=5.0),  # whose leases end by the day
    Job(name="index", every=5.0, do=index, rests=True),
    Job(name="tidy", every=HOUR, do=tidy, again=2.0, after=60.0),
    Job(name="standing", every=HOUR, do=look_again, who=Doer.EACH),
    Job(name="backups", every=BACKUP_LOOK, do=back_up, after=60.0),
    Job(name="old_copies", every=HOUR, do=forget_copies, who=Doer.EACH, after=60.0),
    Job(name="freshness", every=TICK, do=keep_fresh, who=Doer.REPLICA),
    # read at start
    Job(name="schema", every=15.0, do=keep_to_schema, who=Doer.EACH, after=2.0, rests=True),
)
