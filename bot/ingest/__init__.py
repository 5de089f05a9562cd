"""The poll flow: fetch, parse and judge, each source beside the others; then store what several
found at one time together (`keeping`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Self
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

import structlog

import storage.notes
import storage.sources
from bot import metrics
from bot.clock import utc_now
from bot.config import Settings
from bot.detect.meaning import installed
from bot.errors import SourceError, StorageError
from bot.fetch import Fetcher
from bot.fetch.answers import Fetched, whole_due
from bot.ingest import silence
from bot.ingest.documents import Documents, Looked, at_other_places
from bot.ingest.found import (
    FAILED,
    FLOOD,
    OUTCOMES,
    During,
    Failed,
    Found,
    IngestReport,
    NewsFound,
    Past,
    RatesFound,
    Recognised,
    Spec,
    fresh_in_a_flood,
    is_rewritten,
    rates_in,
    unforeseen,
    weight_of,
)
from bot.ingest.keeping import Keeper
from bot.ingest.meaning import with_meanings
from bot.ingest.numbered import recognise_numbered
from bot.ingest.rates import revise_rates
from bot.ingest.recognising import Read, recognise_all
from bot.ingest.revising import ReadRates, compared
from bot.ingest.side_by_side import SOURCES_AT_ONCE, Slot
from bot.ingest.stories import judge_entries, said_before
from bot.ingest.telling import NewsPolicy
from bot.ingest.together import Together
from bot.model.news import Entry
from bot.model.places import Place
from bot.model.rates import SeenRate
from bot.sources import hubs
from bot.sources.base import Request
from bot.sources.listed import HubOffer
from bot.sources.specs import Catalog, NewsSpec, RateSpec
from bot.workers import Workers
from storage.db import Db, Store
from storage.sources import Document, SourceState

__all__ = ["Ingest", "IngestReport"]

log = structlog.get_logger(__name__)

# polls whose states are read together, and rows that are written together: new entries, and of a
# poll that brought none its own
AT_ONCE = 200
# seconds that a poll waits for others under way, to be looked up or written with them: a
# transaction costs as much as a hundred of its rows
PATIENCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """The polling of sources: way out, store, the process for heavy parsing, the operator's
    choices.

    `feeds` and `places` are the catalog's, by key: how far those are trusted who report the same
    story, and where readers may live.
    `meaning` is whether vectors are asked where words do not decide.
    """

    store: Store
    fetcher: Fetcher
    workers: Workers
    clock: Callable[[], datetime]
    poll_every: timedelta | None = None
    security_policy: str = "publish"
    alerts_per_hour: int = 20
    admins: Sequence[int] = ()
    feeds: Mapping[str, NewsSpec] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    meaning: bool = False
    _remembered: Together[str, Past] = field(init=False)
    _recognised: Together[Read, Recognised | SourceError] = field(init=False)
    _kept: Together[Found, IngestReport] = field(init=False)
    #: The polls that have begun and not ended, each by its own number.
    _under_way: set[object] = field(init=False, default_factory=set)
    #: The turns of sources, by key, as long as somebody has or awaits one.
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(
        init=False, default_factory=WeakValueDictionary
    )
    #: The sources whose documents are being read or looked up.
    _read: set[str] = field(init=False, default_factory=set)
    _asked: asyncio.Semaphore = field(
        init=False, default_factory=lambda: asyncio.Semaphore(SOURCES_AT_ONCE)
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_remembered", Together(self._remember, most=AT_ONCE))
        recognised = Together(
            self._recognise, most=AT_ONCE, patience=PATIENCE, expected=lambda: len(self._read)
        )
        object.__setattr__(self, "_recognised", recognised)
        kept = Together(
            self._keep,
            most=AT_ONCE,
            weigh=weight_of,
            patience=PATIENCE,
            expected=lambda: len(self._under_way),
        )
        object.__setattr__(self, "_kept", kept)

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
        sources = [spec.key for spec in catalog.polled]
        metrics.POLLS.expect(sources, OUTCOMES)
        metrics.ENTRIES.expect(sources)
        return cls(
            store=store,
            fetcher=fetcher,
            workers=workers,
            clock=clock,
            poll_every=settings.poll_every,
            security_policy=settings.security_policy,
            alerts_per_hour=settings.alerts_per_hour,
            admins=settings.admin_ids,
            feeds=catalog.news,
            places=catalog.places,
            meaning=installed(),
        )

    async def poll(self, spec: Spec) -> IngestReport:
        """Poll one source; its trouble is recorded against it and never raised.

        What several polls found at one time is stored together, and those of one source follow one
        another: two would both find the same entry new. StorageError when the database is away: the
        source is still due.
        """
        async with self._turns.setdefault(spec.key, asyncio.Lock()):
            report = await self._poll(spec)
        metrics.POLLS.add(spec.key, report.outcome)
        metrics.ENTRIES.add(spec.key, count=report.new)
        if report.outcome != FAILED:
            metrics.FRESH.set(self.clock().timestamp(), spec.key)
        log.info(
            "polled",
            source=report.source,
            fetched=report.fetched,
            new=report.new,
            alerts=report.alerts,
            error=report.error and str(report.error),
        )
        return report

    async def _poll(self, spec: Spec) -> IngestReport:
        """The report of a poll whose turn it is."""
        mine = object()
        self._under_way.add(mine)
        try:
            return await self._kept(await self._found(spec))
        finally:
            self._under_way.discard(mine)

    async def _found(self, spec: Spec) -> Found:
        """The findings of a source's poll, its trouble too; only a lost database is raised."""
        past = await self._remembered(spec.key)
        try:
            return await self._look(spec, past)
        except SourceError as error:
            why = error
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one source makes us do wrong, the others go on
            why = unforeseen(spec, error, during=During.READING)
        finally:
            self._read.discard(spec.key)
        seen = at_other_places(past.documents.values())
        return Failed(spec=spec, state=past.state, error=why, seen=seen)

    async def _look(self, spec: Spec, past: Past) -> Found:
        """The findings of a source, fetched, read and judged; nothing is stored yet."""
        if isinstance(spec, RateSpec):
            return await self._rates(spec, past)
        return await self._news(spec, past)

    async def _rates(self, spec: RateSpec, past: Past) -> RatesFound:
        now = self.clock()
        today = now.astimezone(ZoneInfo(spec.poll.zone)).date()
        whole = whole_due(spec.key, past.state.last_ok_at, now=now)
        with Slot(self._asked) as slot:
            asked = await self._documents.fetch(
                spec.key, spec.requests(today), past.documents, slot=slot, whole=whole
            )
            read = [await self._read_rates(spec, one) for one in asked]
        known = past.documents
        ask = partial(self._read_whole, spec, known)
        told = await compared(self.store, spec.requests(today), known, read, ask=ask)
        found = rates_in(spec, past.state, told)
        failed = [known[one.url] for one, _ in told if one.error is not None and one.url in known]
        return replace(found, seen=[*found.seen, *at_other_places(failed)])

    async def _read_whole(
        self, spec: RateSpec, known: Mapping[str, Document], request: Request
    ) -> ReadRates:
        """A document of a bank, asked for and read though it did not change."""
        afresh: dict[str, Document] = {}
        if (old := known.get(request.url)) is not None:
            afresh[request.url] = replace(old, digest=None)
        with Slot(self._asked) as slot:
            (looked,) = await self._documents.fetch(
                spec.key, [request], afresh, slot=slot, whole=True
            )
            return await self._read_rates(spec, looked)

    async def _read_rates(self, spec: RateSpec, looked: Looked) -> ReadRates:
        """The rates of one of a bank's documents; a fault of ours over it is its alone."""
        try:
            return await self._documents.rates(spec, looked)
        except Exception as error:  # noqa: BLE001 - the bank's other documents are used
            why = unforeseen(spec, error, during=During.READING)
            return Looked(url=looked.url, error=why), None

    async def _news(self, spec: NewsSpec, past: Past) -> NewsFound:
        whole = whole_due(spec.key, past.state.last_ok_at, now=self.clock())
        requests = [spec.request]
        # with what was read: documents that wait to be read take memory
        with Slot(self._asked) as slot:
            (looked,) = await self._documents.fetch(
                spec.key, requests, past.documents, slot=slot, whole=whole
            )
            if looked.error is not None:  # a feed is one document: without it there is nothing
                raise looked.error
            if looked.changed is None:
                return NewsFound(spec=spec, state=past.state, looked=looked, whole=whole)
            document = past.documents.get(spec.request.url)
            known = (document and document.listed) or b""
            now = self.clock()
            met = past.state.first_ok_at is not None
            self._read.add(spec.key)
            listed, verdicts = await self._documents.read(
                spec, looked.changed, now=now, known=known, first=not met
            )
        said = said_before(spec, listed.entries, verdicts)
        if listed.numbered is None:
            recognised = await self._recognise_in(spec, listed.entries, met=met)
        else:
            async with self.store.reading() as db:
                recognised = await recognise_numbered(db, spec, listed, listed.numbered)
        if listed.skipped and recognised.unsure:
            listed, _ = await self._documents.read(spec, looked.changed, now=now)
            recognised = await self._recognise_in(spec, listed.entries, met=met)
        looked = looked.with_items(listed.items)
        new = recognised.unknown
        if spec.article is not None and len(new) <= FLOOD:
            new = await self._documents.with_articles(spec, spec.article, new)
        judged = await judge_entries(self.workers, spec, new, said)
        # so many are no editor's work, and are not judged anew; an institute revises its values
        many = is_rewritten(spec, max(len(recognised.reworded), past.rewriting))
        reworded = () if many else recognised.reworded
        silent_until = None
        if met and new and not known and await silence.is_broken(self.store, spec):
            silent_until = past.state.last_ok_at
        return NewsFound(
            spec=spec,
            state=past.state,
            looked=looked,
            whole=whole,
            entries=listed.count,
            hub=_hub_of(looked.changed) or listed.hub,
            judged=judged,
            fingerprints=recognised.fingerprints,
            reworded=recognised.reworded,
            judged_anew=await judge_entries(self.workers, spec, reworded, said),
            quiet=bool(not met or silent_until or past.flood or len(new) > FLOOD),
            flood=past.flood,
            rewriting=past.rewriting,
            loud=fresh_in_a_flood(judged, spec, self.clock(), silent_until) if met else frozenset(),
        )

    async def _recognise_in(
        self, spec: NewsSpec, entries: Sequence[Entry], *, met: bool
    ) -> Recognised:
        """The new and the changed entries of a document."""
        if not entries:  # as where a feed only says that it was built anew
            self._read.discard(spec.key)
            return Recognised()
        read = Read(spec=spec, entries=entries, at=self.clock(), met=met)
        recognised = await self._recognised(read)
        self._read.discard(spec.key)
        if isinstance(recognised, SourceError):
            raise recognised
        return recognised

    async def _remember(self, keys: Sequence[str]) -> list[Past]:
        """The past of polling each of these sources, and its documents as they were last seen."""
        async with self.store.reading() as db:
            states = await storage.sources.states(db, keys)
            documents = await storage.sources.documents(db, keys)
            floods = [storage.notes.flood(key) for key in keys]
            rewritings = [storage.notes.rewriting(key) for key in keys]
            noted = await storage.notes.among(db, [*floods, *rewritings])
        past: list[Past] = []
        for key in keys:
            state = states.get(key) or SourceState(key=key)
            past.append(
                Past(
                    state=state,
                    documents=documents.get(key, {}),
                    flood=int(noted.get(storage.notes.flood(key), 0)),
                    rewriting=int(noted.get(storage.notes.rewriting(key), 0)),
                )
            )
        return past

    async def _recognise(self, asked: Sequence[Read]) -> list[Recognised | SourceError]:
        """The new entries of each document; or why they cannot be told, of that one alone."""
        try:
            return [*await self._recognise_all(asked)]
        except Exception as error:
            if storage.sources.is_away(error):
                raise
        apart: list[Recognised | SourceError] = []
        for one in asked:
            try:
                apart += await self._recognise_all([one])
            except Exception as error:
                if storage.sources.is_away(error):
                    raise
                apart.append(unforeseen(one.spec, error, during=During.KNOWING))
        return apart

    async def _recognise_all(self, asked: Sequence[Read]) -> list[Recognised]:
        async with self.store.reading() as db:
            return await recognise_all(db, asked)

    async def _keep(self, found: Sequence[Found]) -> list[IngestReport]:
        keeper = Keeper(
            store=self.store,
            clock=self.clock,
            poll_every=self.poll_every,
            policy=NewsPolicy(
                security=self.security_policy,
                an_hour=self.alerts_per_hour,
                admins=self.admins,
                feeds=self.feeds,
                places=self.places,
            ),
        )
        if self.meaning:
            found = await with_meanings(self.store, self.workers, found, now=self.clock())
        return await keeper.keep(found)

    async def revised(self, db: Db, added: Sequence[SeenRate]) -> None:
        """Correct what was told of a past that a backfill revised; it is no news."""
        await revise_rates(db, added, now=self.clock())

    @property
    def _documents(self) -> Documents:
        return Documents(fetcher=self.fetcher, workers=self.workers)


def _hub_of(answer: Fetched | None) -> HubOffer | None:
    """The hub in an answer's headers, which count before the document's."""
    if answer is None or not answer.links:
        return None
    return hubs.offer(hubs.header_links(answer.links), answer.url)
