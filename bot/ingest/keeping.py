"""The consequences of polls: store, detect and enqueue, several polls in a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

import storage.hubs
import storage.notes
import storage.sources
from bot import schedule
from bot.alerts.notices import Notice, tell
from bot.errors import FetchError, SourceError
from bot.ingest import silence, trust
from bot.ingest.found import (
    FLOOD,
    During,
    Failed,
    Found,
    IngestReport,
    Kept,
    NewsFound,
    RatesFound,
    unforeseen,
    was_told,
)
from bot.ingest.notices import TOLD_AFTER, note_partly, note_well
from bot.ingest.rates import keep_rates
from bot.ingest.rewording import reword_entries
from bot.ingest.stories import keep_entries
from bot.ingest.telling import NewsPolicy
from bot.model.news import Entry
from bot.reasons import SourceKey
from bot.sources.specs import RateSpec
from storage.db import Db, Store
from storage.sources import Good

log = structlog.get_logger(__name__)

# after a rate was held; doubled by each poll that brings it again
ASK_AGAIN = timedelta(seconds=60)
LONGEST_WAIT = 7 * 86400.0  # seconds a server may ask us to stay away
# calm new entries of one source that are written in one transaction, or what weighs as much
ENTRIES_AT_ONCE = 50


class _TriedError(Exception):
    """Ends a transaction that was only to be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Stores what polls found, with all that follows of it; `policy` is the operator's choice."""

    store: Store
    clock: Callable[[], datetime]
    poll_every: timedelta | None
    policy: NewsPolicy

    async def keep(self, found: Sequence[Found]) -> list[IngestReport]:
        """Store what polls found, in one transaction; each as a whole or not at all.

        Where one of them cannot be stored, each is stored by itself, and that one has failed.
        """
        ahead: dict[str, Kept] = {}
        try:
            return await self._keep_together(found, ahead)
        except Exception as error:
            if storage.sources.is_away(error):
                raise
            # said here too: each may go well by itself
            log.warning("polls are stored one by one", polls=len(found), error=str(error))
        return [await self._keep_alone(one, ahead) for one in found]

    async def _keep_alone(self, found: Found, ahead: dict[str, Kept]) -> IngestReport:
        """Store what one poll found; where that fails, what of it can be stored."""
        try:
            (report,) = await self._keep_together([found], ahead)
        except Exception as error:
            if storage.sources.is_away(error) or isinstance(found, Failed):
                raise
            why = unforeseen(found.spec, error, during=During.STORING)
            if isinstance(found, NewsFound):
                part = await self._sound(found, why)
                if part is not None:
                    return await self._keep_alone(part, ahead)
            failed = Failed(spec=found.spec, state=found.state, error=why)
            (report,) = await self._keep_together([failed], ahead)
        return report

    async def _sound(self, found: NewsFound, why: SourceError) -> NewsFound | None:
        """The findings of a poll without the entries that cannot be stored; None where that leaves
        nothing of a first poll, or the trouble another one.

        Its document is not remembered: they are tried again at the next poll, which comes in time.
        """
        if found.trouble is not None:  # this was such a part
            return None
        sound: set[Entry] = set()
        for piece in replace(found, reworded=()).pieces(ENTRIES_AT_ONCE):
            sound.update(await self._storable(piece, list(piece.judged)))
        if not sound and found.state.first_ok_at is None:
            return None
        return replace(
            found,
            judged={item: verdict for item, verdict in found.judged.items() if item in sound},
            reworded=(),
            looked=replace(found.looked, seen=None),
            trouble=why.reason,
        )

    async def _storable(self, found: NewsFound, items: Sequence[Entry]) -> list[Entry]:
        """The new entries of a poll that can be stored, tried by halves and taken back."""
        judged = {item: found.judged[item] for item in items}
        try:
            async with self._trying() as db:
                tried = replace(found, judged=judged)
                await keep_entries(db, [tried], self.policy, now=self.clock())
        except Exception as error:
            if storage.sources.is_away(error):
                raise
            if len(items) == 1:
                log.warning("entry not stored", source=found.spec.key, entry=items[0].id[:100])
                return []
        else:
            return list(items)
        half = len(items) // 2
        first = await self._storable(found, items[:half])
        return [*first, *await self._storable(found, items[half:])]

    async def _keep_together(
        self, found: Sequence[Found], ahead: dict[str, Kept]
    ) -> list[IngestReport]:
        """Store what polls found: what must be stored together in one transaction.

        Many entries of a source are stored in pieces before their last: nobody waits for them all.
        When the program ends in between, the next poll finds the others new, or in other words. To
        `ahead` goes what was kept of each source by such pieces, also where a later one fails.
        """
        specs = [one.spec for one in found if isinstance(one, NewsFound) and not one.unchanged]
        policy = self.policy.knowing(specs)
        news: list[NewsFound] = []
        for one in found:
            if isinstance(one, NewsFound):
                *before, last = one.pieces(ENTRIES_AT_ONCE)
                for piece in before:
                    kept = await self._keep_piece(piece, policy)
                    ahead[one.spec.key] = ahead.get(one.spec.key, Kept()) + kept
                news.append(last)
        unchanged = all(isinstance(one, NewsFound) and one.unchanged for one in found)
        async with self._deciding(alone=not unchanged) as db:
            now = self.clock()  # of the decision: fetching may have taken its time
            reports = await self._keep_news(db, news, ahead, policy, now=now)
            for one in found:
                match one:
                    case RatesFound():
                        reports[one.spec.key] = await self._keep_rates(db, one, now=now)
                    case Failed():
                        before_it = ahead.get(one.spec.key, Kept())
                        reports[one.spec.key] = await self._keep_failure(
                            db, one, before_it, now=now
                        )
        return [reports[one.spec.key] for one in found]

    async def _keep_piece(self, piece: NewsFound, policy: NewsPolicy) -> Kept:
        """Store a piece of what a poll found, before the others."""
        key = piece.spec.key
        async with self._deciding() as db:
            now = self.clock()
            # whoever stores the rest after us knows of how many it is
            if piece.flood:
                await storage.notes.put(db, storage.notes.flood(key), str(piece.flood))
            if piece.rewritten:
                await storage.notes.put(db, storage.notes.rewriting(key), str(piece.rewriting))
            kept = (await keep_entries(db, [piece], policy, now=now)).get(key, Kept())
            return kept + Kept(alerts=await reword_entries(db, piece, policy, now=now))

    @asynccontextmanager
    async def _deciding(self, *, alone: bool = True) -> AsyncIterator[Db]:
        """A transaction; `alone` among all replicas when something may be decided in it."""
        async with self.store.writing() as db:
            if alone:
                await storage.notes.alone(db, storage.notes.DECIDING)
            yield db

    @asynccontextmanager
    async def _trying(self) -> AsyncIterator[Db]:
        """A transaction that decides as a real one does, and is rolled back."""
        with suppress(_TriedError):
            async with self._deciding() as db:
                yield db
                raise _TriedError

    async def _keep_rates(self, db: Db, found: RatesFound, *, now: datetime) -> IngestReport:
        """store | detect | enqueue: a rate is never stored without its alerts, nor alerted without
        being stored. The first poll never alerts.
        """
        spec, state, seen = found.spec, found.state, found.seen
        admins = self.policy.admins
        believed, held = await trust.believed(db, spec, found.rates, admins=admins, now=now)
        await trust.contradicted(db, found.contradicted, admins=admins, now=now)
        quiet = state.first_ok_at is None
        added, alerts = await keep_rates(db, spec, believed, quiet=quiet, admins=admins, now=now)
        pause = schedule.next_pause(spec.poll, state.pause, len(added))
        due = schedule.next_due(spec.poll, now=now, every=self.poll_every, pause=pause)
        # asked for again soon, then ever less often; and read again even if it did not change
        if held:
            due = min(due, now + schedule.doubled(ASK_AGAIN, held - 1))
            seen = [replace(item, etag=None, last_modified=None, digest=None) for item in seen]
        wait = _wait_of(found.trouble)
        if wait is not None:
            due = max(due, now + timedelta(seconds=min(wait, LONGEST_WAIT)))
        error = None
        if found.trouble is not None:
            error = found.trouble.reason
        good = Good(
            key=spec.key,
            next_due_at=due,
            seen=seen,
            error=error,
            pause=pause,
            asked_at=state.asked_at,
        )
        await storage.sources.record_success(db, [good], now=now)
        await note_partly(db, admins, spec.key, error, now=now)
        await note_well(db, admins, spec.key, told=was_told(state), now=now)
        await trust.watch(db, spec, admins=admins, now=now)
        for problem in found.problems[:5]:
            log.warning("row not believed", source=spec.key, problem=str(problem))
        return IngestReport(
            source=spec.key,
            fetched=len(found.rates),
            new=len(added),
            alerts=alerts,
            error=error,
            partly=error is not None,
        )

    async def _keep_news(
        self,
        db: Db,
        found: Sequence[NewsFound],
        ahead: Mapping[str, Kept],
        policy: NewsPolicy,
        *,
        now: datetime,
    ) -> dict[str, IngestReport]:
        """store | detect | enqueue

        The first poll never alerts, nor does a flood of "new" entries from a known feed, nor what
        is older than the freshness window. `ahead` is what was kept of each source before.
        """
        changed = [one for one in found if not one.unchanged]
        kept = await keep_entries(db, changed, policy, now=now)
        with_hub = await storage.hubs.among(db, [one.spec.key for one in changed])
        reports: dict[str, IngestReport] = {}
        good: list[Good] = []
        for one in found:
            spec = one.spec
            whole = ahead.get(spec.key, Kept()) + kept.get(spec.key, Kept())
            graver = await reword_entries(db, one, policy, now=now)
            count = max(whole.new, one.flood)
            if one.flood:
                await storage.notes.drop(db, storage.notes.flood(spec.key))
            if one.rewritten and one.trouble is None:
                await storage.notes.drop(db, storage.notes.rewriting(spec.key))
            if one.state.first_ok_at is not None and count > FLOOD:
                told = Notice.of("notice.flood", {"source": SourceKey(spec.key)}, n=count)
                await tell(db, self.policy.admins, told, now=now)
            await note_well(db, self.policy.admins, spec.key, told=was_told(one.state), now=now)
            if one.looked.changed is not None:  # one that did not change says nothing of its hub
                await _note_hub(db, one, known=spec.key in with_hub)
            pause = schedule.next_pause(spec.poll, one.state.pause, whole.new)
            due = schedule.next_due(spec.poll, now=now, every=self.poll_every, pause=pause)
            seen = one.looked.to_remember
            why = one.trouble
            if why is not None or one.state.error is not None:
                await note_partly(db, self.policy.admins, spec.key, why, now=now)
            good.append(
                Good(
                    key=spec.key,
                    next_due_at=due,
                    seen=seen,
                    error=why,
                    pause=pause,
                    asked_at=one.state.asked_at,
                )
            )
            reports[spec.key] = IngestReport(
                source=spec.key,
                fetched=one.entries,
                new=whole.new,
                alerts=whole.alerts + graver,
                error=why,
                partly=why is not None,
            )
        await storage.sources.record_success(db, good, now=now)
        brought = {one.source: one.new for one in reports.values()}
        await silence.watch(db, changed, brought, admins=self.policy.admins, now=now)
        return reports

    async def _keep_failure(
        self, db: Db, found: Failed, ahead: Kept, *, now: datetime
    ) -> IngestReport:
        spec, state, error = found.spec, found.state, found.error
        gone = isinstance(error, FetchError) and error.status == 410
        due = schedule.retry_due(
            spec.poll,
            now=now,
            failures=state.failures,
            retry_after=_wait_of(error),
            every=self.poll_every,
            gone=gone,
        )
        # what an operator approved does not wait for the bank to be well
        if isinstance(spec, RateSpec):
            quiet = state.first_ok_at is None
            await keep_rates(db, spec, [], quiet=quiet, admins=self.policy.admins, now=now)
            await trust.watch(db, spec, admins=self.policy.admins, now=now)
        await storage.sources.record_failure(
            db,
            spec.key,
            now=now,
            next_due_at=due,
            error=error.reason,
            gone=gone,
            asked_at=state.asked_at,
            seen=found.seen,
        )
        # What is gone is asked once a day: many failures in a row would be many days.
        if (gone and state.gone_at is None) or state.failures + 1 == TOLD_AFTER:
            told = Notice.of("notice.source", {"source": SourceKey(spec.key)})
            await tell(db, self.policy.admins, told, now=now, reasons=(error.reason,))
        return IngestReport(source=spec.key, new=ahead.new, alerts=ahead.alerts, error=error.reason)


async def _note_hub(db: Db, found: NewsFound, *, known: bool) -> None:
    """Note the hub that a changed document names; one that it names no more has no lease renewed,
    and is a stranger when it rings.
    """
    if found.hub is not None:
        await storage.hubs.note(db, found.spec.key, found.hub.hub, found.hub.topic)
    elif known:
        await storage.hubs.drop(db, found.spec.key)


def _wait_of(trouble: SourceError | None) -> float | None:
    """Seconds that a server asks us to stay away; None when it does not say."""
    if isinstance(trouble, FetchError):
        return trouble.retry_after
    return None
