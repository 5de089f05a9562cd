"""The poll flow: fetch, parse, store, detect, enqueue. One function for rates, one for news."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Self
from zoneinfo import ZoneInfo

import structlog

import storage.sources
from bot import metrics, schedule
from bot.clock import utc_now
from bot.config import Settings
from bot.errors import FetchError, ParseError, SourceError
from bot.fetch import Fetcher
from bot.ingest import trust
from bot.ingest.documents import Documents, Looked, trouble_of
from bot.ingest.notices import TOLD_AFTER, note_partly, note_well, tell
from bot.ingest.rates import keep_rates, revise_rates
from bot.ingest.stories import FLOOD, judge_entry, keep_entry, reword_entries, unknown_entries
from bot.model.news import Entry
from bot.model.rates import Rate, SeenRate, Series
from bot.sources.base import Request
from bot.sources.specs import Catalog, NewsSpec, RateSpec
from bot.workers import Workers
from storage.db import Db, Store
from storage.sources import Document, SourceState

__all__ = ["Ingest", "IngestReport"]

log = structlog.get_logger(__name__)

# after a rate was held; doubled by each poll that brings it again
ASK_AGAIN = timedelta(seconds=60)
LAST_DOUBLING = 10  # 17 hours: beyond, the source's own interval is shorter
LONGEST_WAIT = 7 * 86400.0  # seconds a server may ask us to stay away
LONGEST_ERROR = 300  # characters of a source's trouble that are kept, for /status and the log


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What a poll of a source brought; `error` in our words when it failed, whole or `partly`."""

    source: str
    fetched: int = 0
    new: int = 0
    alerts: int = 0
    error: str | None = None
    partly: bool = False

    @property
    def outcome(self) -> str:
        """How it went, in a word: ok, partly or failed."""
        if self.error is None:
            return "ok"
        if self.partly:
            return "partly"
        return "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What polling needs: way out, store, the process for heavy parsing, the operator's choices.

    `feeds` are the catalog's, by key: how far those are trusted who report the same story.
    """

    store: Store
    fetcher: Fetcher
    workers: Workers
    clock: Callable[[], datetime]
    poll_every: timedelta | None = None
    security_policy: str = "publish"
    admins: Sequence[int] = ()
    feeds: Mapping[str, NewsSpec] = field(default_factory=dict)

    @classmethod
    def composed(
        cls,
        settings: Settings,
        catalog: Catalog,
        *,
        store: Store,
        fetcher: Fetcher,
        workers: Workers,
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """The poll flow by an operator's settings and catalog."""
        return cls(
            store=store,
            fetcher=fetcher,
            workers=workers,
            clock=clock,
            poll_every=settings.poll_every,
            security_policy=settings.security_policy,
            admins=settings.admin_ids,
            feeds=catalog.news,
        )

    async def poll(self, spec: RateSpec | NewsSpec) -> IngestReport:
        """Poll one source; its trouble is recorded against it and never raised."""
        async with self.store.reading() as db:
            state = (await storage.sources.states(db)).get(spec.key) or SourceState(key=spec.key)
        try:
            if isinstance(spec, RateSpec):
                report = await self.rates(spec, state)
            else:
                report = await self.news(spec, state)
        except SourceError as error:
            report = await self._failed(spec, state, error)
        metrics.POLLS.labels(spec.key, report.outcome).inc()
        if report.outcome != "failed":
            metrics.FRESH.labels(spec.key).set(self.clock().timestamp())
        log.info(
            "polled",
            source=report.source,
            fetched=report.fetched,
            new=report.new,
            alerts=report.alerts,
            error=report.error,
        )
        return report

    async def rates(self, spec: RateSpec, state: SourceState) -> IngestReport:
        """fetch | parse | store | detect | enqueue

        The last three share one transaction: a rate is never stored without its
        alerts, nor alerted without being stored. The first poll never alerts.
        """
        today = self.clock().astimezone(ZoneInfo(spec.poll.zone)).date()
        asked = await self._documents.fetch(spec.key, spec.requests(today))
        now = self.clock()  # of the decision: fetching may have taken its time
        looked, rates, problems = _read(spec, asked)
        trouble = trouble_of(looked)
        seen: list[Document] = []
        for one in looked:
            if one.seen is not None:
                seen.append(one.seen)
        if trouble is not None and not seen:
            raise trouble
        async with self.store.writing() as db:
            believed, held = await trust.believed(db, spec, rates, admins=self.admins, now=now)
            quiet = state.first_ok_at is None
            added, alerts = await keep_rates(
                db, spec, believed, quiet=quiet, admins=self.admins, now=now
            )
            due = schedule.next_due(spec.poll, now=now, every=self.poll_every)
            # asked for again soon, then ever less often; and read again even if it did not change
            if held:
                due = min(due, now + ASK_AGAIN * (1 << min(held - 1, LAST_DOUBLING)))
                seen = [replace(item, etag=None, last_modified=None, digest=None) for item in seen]
            wait = _wait_of(trouble)
            if wait is not None:
                due = max(due, now + timedelta(seconds=min(wait, LONGEST_WAIT)))
            error = None
            if trouble is not None:
                error = str(trouble)[:LONGEST_ERROR]
            await storage.sources.record_success(
                db, spec.key, now=now, next_due_at=due, seen=seen, error=error
            )
            await note_partly(db, self.admins, spec.key, error, now=now)
            await note_well(db, self.admins, spec.key, told=_was_told(state), now=now)
            await trust.watch(db, spec, admins=self.admins, now=now)
        for problem in problems[:5]:
            log.warning("row not believed", source=spec.key, problem=problem)
        return IngestReport(
            source=spec.key,
            fetched=len(rates),
            new=len(added),
            alerts=alerts,
            error=error,
            partly=error is not None,
        )

    async def news(self, spec: NewsSpec, state: SourceState) -> IngestReport:
        """fetch | parse | store | detect | enqueue

        The last three share one transaction. The first poll never alerts, nor does
        a flood of "new" entries from a known feed, nor what is older than the
        freshness window.
        """
        (looked,) = await self._documents.fetch(spec.key, [Request(url=spec.url)])
        if looked.error is not None:  # a feed is one document: without it there is nothing
            raise looked.error
        seen: list[Document] = []
        if looked.seen is not None:
            seen.append(looked.seen)
        entries: list[Entry] = []
        if looked.changed is not None:
            entries += await self._documents.read(spec, looked.changed, now=self.clock())
        async with self.store.reading() as db:
            new = await unknown_entries(db, spec, entries)
        if spec.article is not None and len(new) <= FLOOD:
            new = await self._documents.with_articles(spec, spec.article, new)
        # Judged before the transaction: texts take long, and others wait for the one writer.
        judged = {item: judge_entry(item, spec) for item in new}
        now = self.clock()  # of the decision: fetching may have taken its time
        async with self.store.writing() as db:
            # another process may have polled it meanwhile
            fresh = await unknown_entries(db, spec, new)
            feeds = {**self.feeds, spec.key: spec}
            keep = partial(
                keep_entry,
                db,
                spec,
                policy=self.security_policy,
                admins=self.admins,
                feeds=feeds,
                now=now,
            )
            quiet = state.first_ok_at is None or len(fresh) > FLOOD
            alerts = 0
            for item in reversed(fresh):  # feeds list the newest first
                alerts += await keep(item, judged[item], quiet=quiet)
            await reword_entries(db, spec, entries, feeds=feeds, now=now)
            if state.first_ok_at is not None and len(fresh) > FLOOD:
                await tell(
                    db,
                    self.admins,
                    "notice.flood",
                    {"source": spec.key, "n": str(len(fresh))},
                    now=now,
                )
            due = schedule.next_due(spec.poll, now=now, every=self.poll_every)
            await storage.sources.record_success(db, spec.key, now=now, next_due_at=due, seen=seen)
            await note_well(db, self.admins, spec.key, told=_was_told(state), now=now)
        return IngestReport(source=spec.key, fetched=len(entries), new=len(fresh), alerts=alerts)

    async def revised(self, db: Db, added: Sequence[SeenRate]) -> None:
        """What follows of a past revised by a backfill: corrections of what was told, no news."""
        await revise_rates(db, added, now=self.clock())

    async def _failed(
        self, spec: RateSpec | NewsSpec, state: SourceState, error: SourceError
    ) -> IngestReport:
        now = self.clock()
        gone = isinstance(error, FetchError) and error.status == 410
        due = schedule.retry_due(
            spec.poll,
            now=now,
            failures=state.failures,
            retry_after=_wait_of(error),
            every=self.poll_every,
            gone=gone,
        )
        async with self.store.writing() as db:
            # what an operator approved does not wait for the bank to be well
            if isinstance(spec, RateSpec):
                quiet = state.first_ok_at is None
                await keep_rates(db, spec, [], quiet=quiet, admins=self.admins, now=now)
                await trust.watch(db, spec, admins=self.admins, now=now)
            said = str(error)[:LONGEST_ERROR]
            await storage.sources.record_failure(
                db, spec.key, now=now, next_due_at=due, error=said, gone=gone
            )
            # What is gone is asked once a day: many failures in a row would be many days.
            if (gone and state.gone_at is None) or state.failures + 1 == TOLD_AFTER:
                await tell(
                    db,
                    self.admins,
                    "notice.source",
                    {"source": spec.key, "why": str(error)[:200]},
                    now=now,
                )
        return IngestReport(source=spec.key, error=said)

    @property
    def _documents(self) -> Documents:
        return Documents(store=self.store, fetcher=self.fetcher, workers=self.workers)


def _wait_of(trouble: SourceError | None) -> float | None:
    """How long a server asks us to stay away, in seconds; None when it does not say."""
    if isinstance(trouble, FetchError):
        return trouble.retry_after
    return None


def _was_told(state: SourceState) -> bool:
    """Whether operators were told that a source fails: it was gone, or failed many times."""
    return state.gone_at is not None or state.failures >= TOLD_AFTER


def _read(spec: RateSpec, asked: Sequence[Looked]) -> tuple[list[Looked], list[Rate], list[str]]:
    """What became of each document, the rates of the changed ones, and the rows not believed.

    A document that cannot be read is forgotten, to be read again next time. What two documents say
    differently of one day is not believed of either.
    """
    looked: list[Looked] = []
    rates: dict[tuple[Series, date], Rate] = {}
    problems: list[str] = []
    disputed: set[tuple[Series, date]] = set()
    for one in asked:
        if one.changed is None:
            looked.append(one)
            continue
        try:
            parsed = spec.parse(one.changed.body or b"", url=one.changed.url)
        except ParseError as error:
            looked.append(Looked(url=one.url, error=error))
            continue
        looked.append(one)
        problems += parsed.problems
        for rate in parsed.rates:
            about = (rate.series, rate.effective_on)
            if about in rates and rates[about].per_unit != rate.per_unit:
                disputed.add(about)
            rates.setdefault(about, rate)
    for series, day in disputed:
        del rates[series, day]
        problems.append(f"{series.pair}: two documents say different values for {day}")
    return looked, list(rates.values()), problems
