"""The poll flow: fetch, parse, store, detect, enqueue. One readable function for rates, one for news."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import structlog

import storage.marks
import storage.news
import storage.outbox
import storage.rates
import storage.rules
import storage.sources
from bot import metrics, schedule, views
from bot.convert import convert
from bot.detect import moves, plausibility, stories
from bot.detect.rules import Fired, Rule, RuleState, evaluate, to_link
from bot.detect.security import detect
from bot.detect.stories import title_key
from bot.detect.topics import topics_of
from bot.errors import FetchError, ParseError, SourceError
from bot.fetch import Fetched, Fetcher, Validators
from bot.model.alerts import (
    Alert,
    Audience,
    Lane,
    Notice,
    RateCorrected,
    RateMoved,
    RuleFired,
    Severity,
    StoryBroke,
    StoryGrew,
)
from bot.model.news import Entry, Verdict
from bot.model.rates import Move, Pair, Rate, RateKind, SeenRate, Series
from bot.sources.base import Request
from bot.sources.catalog import FeedSpec, PageSpec, RateSpec
from bot.sources.feeds import normalise_link, parse_feed
from bot.sources.pages import parse_article, parse_list_page
from bot.workers import WorkerError, Workers
from storage.db import Db, Store
from storage.outbox import StoredAlert
from storage.rules import StoredRule
from storage.sources import Document, SourceState

T = TypeVar("T")

log = structlog.get_logger(__name__)

HISTORY = timedelta(days=400)
FRESH = timedelta(hours=12)  # older entries are stored, not told: a backlog is not news
FLOOD = 20  # so many new entries at once from a known feed: its ids changed, or it was down for long
SAME_EVENT = timedelta(hours=48)
MOVE_LASTS = timedelta(hours=24)
CORRECTION_LASTS = timedelta(days=2)
BACKLOG = timedelta(days=5)  # a rate effective longer ago than a long weekend is history, not news
PLAUSIBLE = timedelta(days=60)  # the past a new value is compared with
ASK_AGAIN = timedelta(seconds=60)
STUCK = 3  # days of publication that went by with nothing new, before the operators are told
CONFIRMED = 2  # polls that must bring the same implausible value before it is believed
EDITS = 5  # edits of one message at most: beyond, one more agency is no news to anybody
STORY_LASTS = timedelta(hours=6)  # and so long an operator has to approve it, where that is asked
ASKED_TEXT = 500  # characters of a story in the question to the operator
PARSE_SECONDS = 10.0
ARTICLES = 10  # so many new entries of a list page are followed to their articles, the others stay headlines
ARTICLES_TAKE = 40.0  # seconds for all of them: a host is asked once a second
MOVED_AFTER = 3  # equal permanent redirects before the new address is asked first


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What one poll of one source brought; `error` in our words when it failed."""

    source: str
    fetched: int = 0
    new: int = 0
    alerts: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What polling needs: the way out, the store, the process for heavy parsing, and the operator's choices."""

    store: Store
    fetcher: Fetcher
    workers: Workers
    clock: Callable[[], datetime]
    poll_every: timedelta | None = None
    security_policy: str = "publish"
    admins: Sequence[int] = ()

    async def poll(self, spec: RateSpec | FeedSpec) -> IngestReport:
        """Poll one source; its trouble is recorded against it and never raised."""
        async with self.store.reading() as db:
            state = (await storage.sources.states(db)).get(spec.key) or SourceState(key=spec.key)
        try:
            report = await (self.rates(spec, state) if isinstance(spec, RateSpec) else self.news(spec, state))
        except SourceError as error:
            report = await self._failed(spec, state, error)
        metrics.POLLS.labels(spec.key, "failed" if report.error else "ok").inc()
        if report.error is None:
            metrics.FRESH.labels(spec.key).set(self.clock().timestamp())
        log.info("polled", **{name: getattr(report, name) for name in ("source", "fetched", "new", "alerts", "error")})
        return report

    async def rates(self, spec: RateSpec, state: SourceState) -> IngestReport:
        """fetch | parse | store | detect | enqueue

        The last three share one transaction: a rate is never stored without its
        alerts, nor alerted without being stored. The first poll never alerts.
        """
        today = self.clock().astimezone(ZoneInfo(spec.poll.zone)).date()
        changed, seen = await self._fetch(spec.key, spec.requests(today))
        now = self.clock()  # of the decision: fetching may have taken its time
        rates: list[Rate] = []
        problems: list[str] = []
        for answer in changed:
            parsed = spec.parse(answer.body or b"", url=answer.url)
            rates += parsed.rates
            problems += parsed.problems
        async with self.store.writing() as db:
            believed, held = await self._believed(db, spec, rates, now=now)
            added, alerts = await self._keep_rates(db, spec, believed, quiet=state.first_ok_at is None, now=now)
            due = schedule.next_due(spec.poll, now=now, every=self.poll_every)
            if held:  # asked for again soon, then ever less often; and read again even if it did not change
                due = min(due, now + ASK_AGAIN * (1 << min(held - 1, 10)))
                seen = [replace(item, etag=None, last_modified=None, digest=None) for item in seen]
            await storage.sources.record_success(db, spec.key, now=now, next_due_at=due, seen=seen)
            await self._watch(db, spec, now=now)
        for problem in problems[:5]:
            log.warning("row not believed", source=spec.key, problem=problem)
        return IngestReport(source=spec.key, fetched=len(rates), new=len(added), alerts=alerts)

    async def news(self, spec: FeedSpec, state: SourceState) -> IngestReport:
        """fetch | parse | store | detect | enqueue

        The last three share one transaction. The first poll never alerts, nor does
        a flood of "new" entries from a known feed, nor what is older than the
        freshness window.
        """
        changed, seen = await self._fetch(spec.key, [Request(url=spec.url)])
        entries: list[Entry] = []
        for answer in changed:
            entries += await self._read(spec, answer)
        async with self.store.reading() as db:
            new = await self._unknown(db, spec, entries)
        if isinstance(spec, PageSpec) and len(new) <= FLOOD:
            new = await self._with_articles(spec, new)
        judged = [(item, _judge(item, spec)) for item in new]
        now = self.clock()  # of the decision: fetching may have taken its time
        async with self.store.writing() as db:
            still = set(await self._unknown(db, spec, new))  # another process may have polled it meanwhile
            fresh = [(item, verdict) for item, verdict in judged if item in still]
            quiet = state.first_ok_at is None or len(fresh) > FLOOD
            alerts = 0
            for item, verdict in reversed(fresh):  # feeds list the newest first
                alerts += await self._keep(db, spec, item, verdict, quiet=quiet, now=now)
            await self._reword(db, spec, entries, now=now)
            if state.first_ok_at is not None and len(fresh) > FLOOD:
                await self._tell(db, "notice.flood", {"source": spec.key, "n": str(len(fresh))}, now=now)
            due = schedule.next_due(spec.poll, now=now, every=self.poll_every)
            await storage.sources.record_success(db, spec.key, now=now, next_due_at=due, seen=seen)
        return IngestReport(source=spec.key, fetched=len(entries), new=len(fresh), alerts=alerts)

    # ── fetching ────────────────────────────────────────────────────────────

    async def _fetch(self, key: str, requests: Sequence[Request]) -> tuple[list[Fetched], list[Document]]:
        """Answers with changed bodies, and what to remember of every answer; the first failure is raised."""
        async with self.store.reading() as db:
            known = await storage.sources.documents(db, key)
        changed, seen = [], []
        for request in requests:
            old = known.get(request.url) or Document(source=key, url=request.url)
            address = old.moved_to if old.moved_to and old.moved_seen >= MOVED_AFTER else request.url
            answer = await self.fetcher.get(
                address,
                validators=Validators(etag=old.etag, last_modified=old.last_modified),
                data=request.body,
                headers=request.headers,
            )
            digest = hashlib.sha256(answer.body).hexdigest() if answer.body is not None else old.digest
            if answer.body is not None and digest != old.digest:
                changed.append(answer)
            seen.append(_remember(old, answer, digest))
        return changed, seen

    async def _read(self, spec: FeedSpec, answer: Fetched) -> Sequence[Entry]:
        """The entries of a feed or of a list page, read in a worker process."""
        if isinstance(spec, PageSpec):
            job = partial(parse_list_page, spec=spec, now=self.clock(), url=answer.url, content_type=_kind(answer))
            return await self._parse(job, answer)
        return (await self._parse(partial(parse_feed, url=answer.url, content_type=_kind(answer)), answer)).entries

    async def _parse(self, job: Callable[[bytes], T], answer: Fetched) -> T:
        try:
            return await self.workers.run(job, answer.body or b"", timeout=PARSE_SECONDS)
        except WorkerError as error:
            raise ParseError(f"it could not be read: {error}") from None

    async def _with_articles(self, spec: PageSpec, new: Sequence[Entry]) -> list[Entry]:
        """The first of the new entries with the text of their articles; one that cannot be had stays a headline."""
        read: dict[Entry, Entry] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(ARTICLES_TAKE):
                for item in new[:ARTICLES]:
                    with suppress(SourceError):
                        read[item] = await self._with_article(spec, item)
        return [read.get(item, item) for item in new]

    async def _with_article(self, spec: PageSpec, item: Entry) -> Entry:
        answer = await self.fetcher.get(item.link or "", found_on=spec.url)
        job = partial(parse_article, url=answer.url, content_type=_kind(answer), selector=spec.body)
        article = await self._parse(job, answer)
        return replace(
            item,
            content=article.text,
            published_at=item.published_at or article.published_at,
            language=item.language or article.language,
        )

    async def _failed(self, spec: RateSpec | FeedSpec, state: SourceState, error: SourceError) -> IngestReport:
        now = self.clock()
        gone = isinstance(error, FetchError) and error.status == 410
        wait = error.retry_after if isinstance(error, FetchError) else None
        due = schedule.retry_due(spec.poll, now=now, failures=state.failures, retry_after=wait, every=self.poll_every)
        async with self.store.writing() as db:
            if isinstance(spec, RateSpec):  # what an operator approved does not wait for the bank to be well
                await self._keep_rates(db, spec, [], quiet=state.first_ok_at is None, now=now)
                await self._watch(db, spec, now=now)
            await storage.sources.record_failure(
                db, spec.key, now=now, next_due_at=due, error=str(error)[:300], gone=gone
            )
            if gone or state.failures + 1 == 5:
                await self._tell(db, "notice.source", {"source": spec.key, "why": str(error)[:200]}, now=now)
        return IngestReport(source=spec.key, error=str(error)[:300])

    # ── rates ───────────────────────────────────────────────────────────────

    async def _keep_rates(
        self, db: Db, spec: RateSpec, believed: Sequence[Rate], *, quiet: bool, now: datetime
    ) -> tuple[list[SeenRate], int]:
        """Store what is believed and what an operator approved, with all that follows; what was new, and the alerts."""
        approved = await storage.rates.approved(db, spec.key)
        for item in approved:
            await storage.rates.release(db, item)
        rates = {(item.series, item.effective_on): item for item in [*approved, *believed]}
        added = await storage.rates.add(db, rates.values(), seen_at=now)
        disputed = await self._disputed(db, spec.key, added, now=now)
        alerts = await self._moves(db, added, disputed, quiet=quiet, now=now)
        for new in (item for item in added if item.revision):
            alerts += await self._revise_rules(db, new, now=now)
        alerts += await self._rules(db, [new for new in added if new not in disputed], now=now)
        for new in await self._settled(db, added):
            alerts += await self._moves(db, [new], (), quiet=False, now=now) + await self._rules(db, [new], now=now)
        return added, alerts

    async def revised(self, db: Db, added: Sequence[SeenRate]) -> None:
        """What follows when the past is revised (by a backfill): corrections of what was told, and nothing new."""
        now = self.clock()
        for new in added:
            known = await storage.rates.baseline(db, new.series)
            baseline = moves.Baseline(rate=known[0], severity=known[1]) if known else moves.Baseline(rate=new)
            since, day = new.effective_on - HISTORY, new.effective_on - timedelta(days=1)
            past = await storage.rates.history(db, new.series, since=since, until=day)
            await self._revise_move(db, past, new, baseline, now=now)
            await self._revise_rules(db, new, now=now)

    async def _watch(self, db: Db, spec: RateSpec, *, now: datetime) -> None:
        """Tell the operators, once, that a source answers but brings nothing new, and once that it does again."""
        newest = await storage.rates.newest_day(db, spec.key)
        if newest is None:
            return
        name = views.stale_mark(spec.key)
        told = await storage.marks.get(db, name)
        stuck = spec.poll.missed(newest, now) >= STUCK
        if stuck == (told is not None):
            return
        await (storage.marks.put(db, name, str(newest)) if stuck else storage.marks.drop(db, name))
        word = "notice.stale" if stuck else "notice.fresh"
        await self._tell(db, word, {"bank": spec.key, "day": str(newest)}, now=now)

    # ── two sources of one pair ─────────────────────────────────────────────

    async def _disputed(self, db: Db, key: str, added: Sequence[SeenRate], *, now: datetime) -> list[SeenRate]:
        """The new rates that another source contradicts; the operators are told when that begins."""
        shared = await storage.rates.shared(db, key) if added else set()
        found = []
        for new in added:
            fresh = now.date() - new.effective_on <= BACKLOG
            rival = await views.rival(db, new) if fresh and new.pair in shared else None
            if rival is None:
                continue
            found.append(new)
            if await storage.marks.get(db, views.dispute_mark(new.series)) is None:
                values = {"bank": key, "rate": f"{new.per_unit:f}", "pair": str(new.pair)}
                other = {"other": rival.source, "theirs": f"{rival.per_unit:f}"}
                await self._tell(db, "notice.dispute", {**values, **other}, now=now)
            for one, against in ((new, rival), (rival, new)):
                await storage.marks.put(db, views.dispute_mark(one.series), against.source)
        return found

    async def _settled(self, db: Db, added: Sequence[SeenRate]) -> list[SeenRate]:
        """The newest rates of other sources' series whose dispute these new rates ended: they may be told now."""
        pairs = {new.pair for new in added}
        judged = {new.series for new in added}
        found = []
        for name in await storage.marks.starting(db, views.DISPUTE) if pairs else ():
            source, pair, kind = name.split(":")
            series = Series(source, Pair.parse(pair), RateKind(kind))
            newest = await storage.rates.holding(db, series, date.max) if series.pair in pairs else None
            if newest is not None and await views.rival(db, newest) is None:
                await storage.marks.drop(db, views.dispute_mark(series))
                found += [newest] if series not in judged else []
        return found

    async def _believed(
        self, db: Db, spec: RateSpec, rates: Sequence[Rate], *, now: datetime
    ) -> tuple[list[Rate], int]:
        """Those that are plausible, and how often the least asked for of the held ones came (0: none is held)."""
        believed: list[Rate] = []
        held: list[int] = []
        changed: list[tuple[Rate, list[SeenRate]]] = []
        for new in sorted(rates, key=lambda item: item.effective_on):
            day = new.effective_on
            past = await storage.rates.history(db, new.series, since=day - PLAUSIBLE, until=day)
            if not (past and past[-1].effective_on == day and past[-1].per_unit == new.per_unit):
                changed.append((new, [item for item in past if item.effective_on < day]))
        beside: dict[date, list[Move]] = {}  # rows of one page, to notice that two changed places
        for new, before in changed:
            if before:
                beside.setdefault(new.effective_on, []).append(Move(old=before[-1], new=new))
        for new, before in changed:
            siblings = beside.get(new.effective_on, ())
            others: list[Rate] = [*await storage.rates.elsewhere(db, new.series, on=new.effective_on)]
            found = plausibility.judge(before, new, others, siblings=siblings)
            if found.standing is plausibility.Standing.HELD:
                others += await self._crosses(db, new)
                found = plausibility.judge(before, new, others, siblings=siblings)
            if found.standing is plausibility.Standing.REFUSED:
                log.warning("rate refused", source=spec.key, pair=str(new.pair), why="; ".join(found.reasons))
                continue
            times = await self._held(db, spec, new, found, now=now) if found.reasons else None
            if times is None:
                believed.append(new)
            elif times:
                held.append(times)
        return believed, min(held, default=0)

    async def _held(
        self, db: Db, spec: RateSpec, new: Rate, found: plausibility.Plausibility, *, now: datetime
    ) -> int | None:
        """Put a value aside, tell the operators and ask other sources the first time; None when it is now believed.

        Else how many polls brought it; 0 when an operator rejected it, and nobody needs to ask again.
        """
        held = await storage.rates.hold(db, new, reasons=found.reasons, now=now)
        if held.state == "rejected":
            return 0
        if not found.ok and held.state == "held" and (found.needs_source or held.times < CONFIRMED):
            if held.times == 1:
                why = "; ".join(found.reasons)
                values = {"source": spec.key, "rate": f"{new.pair} {new.value}", "why": why, "held": str(held.id)}
                await self._tell(db, "notice.held", values, now=now)
                await storage.sources.ask(db, await self._seconds(db, new), now=now)
            return held.times
        await storage.rates.release(db, new)
        return None

    async def _seconds(self, db: Db, new: Rate) -> list[str]:
        """The other sources that know both currencies of a rate."""
        known: dict[str, set[str]] = {}
        for one in await storage.rates.known_series(db):
            known.setdefault(one.source, set()).update((one.pair.base, one.pair.quote))
        return [key for key, codes in known.items() if key != new.source and {new.pair.base, new.pair.quote} <= codes]

    async def _crosses(self, db: Db, new: Rate) -> list[Rate]:
        """The same pair by way of another bank's own currency: our arithmetic, good enough to compare with."""
        found = []
        for key in await self._seconds(db, new):
            around = await storage.rates.around(db, key, new.effective_on)
            latest = {one.series: one for one in around if one.effective_on <= new.effective_on}
            homes = Counter(code for one in latest for code in (one.pair.base, one.pair.quote))
            home = homes.most_common(1)[0][0] if homes else new.pair.quote
            answer = convert(Decimal(1), new.pair.base, new.pair.quote, list(latest.values()), home)
            if answer is not None:
                on = min(rate.effective_on for rate in answer.path)
                kind, value = RateKind.CROSS, answer.rate
                found.append(Rate(source=key, pair=new.pair, kind=kind, effective_on=on, value=value, units=1))
        return found

    async def _moves(
        self, db: Db, added: Sequence[SeenRate], disputed: Collection[SeenRate], *, quiet: bool, now: datetime
    ) -> int:
        """Enqueue the big moves among new rates; where watching a series begins, its drift is measured from there.

        Of a disputed rate nothing new is said, and drift goes on being measured from what was said last.
        """
        alerts = 0
        for new in sorted(added, key=lambda item: item.effective_on):
            day = new.effective_on
            past = await storage.rates.history(db, new.series, since=day - HISTORY, until=day - timedelta(days=1))
            known = await storage.rates.baseline(db, new.series)
            first = past[-1] if past and not quiet else new
            baseline = moves.Baseline(rate=known[0], severity=known[1]) if known else moves.Baseline(rate=first)
            if known is None:
                await storage.rates.set_baseline(db, first, severity=None, now=now)
            if quiet:
                continue
            found = moves.big_move(past, new, baseline, now=now) if new not in disputed else None
            if found is not None:
                await storage.rates.set_baseline(db, new, severity=found.severity, now=now)
                alerts += await self._tell_move(db, found, new, now=now)
            elif new.revision:
                settled = past if new not in disputed else []
                alerts += await self._revise_move(db, settled, new, baseline, now=now)
        return alerts

    async def _tell_move(self, db: Db, found: moves.BigMove, new: SeenRate, *, now: datetime) -> int:
        """Enqueue a move once a day, direction and severity; once more when the first was taken back before anybody
        heard of it."""
        if found.severity is Severity.URGENT and not await self._confirmed(db, new):
            found = replace(found, moved=replace(found.moved, confirmed=False))
        made = _move_alert(found, now=now)
        if await storage.outbox.enqueue(db, made) is not None:
            return 1
        for known in await storage.outbox.by_keys(db, [made.dedup_key] if new.revision else []):
            if not (await storage.outbox.withdraw(db, known.id)).reached:
                made = replace(made, dedup_key=f"{made.dedup_key}:{new.revision}")
                return int(await storage.outbox.enqueue(db, made) is not None)
        return 0

    async def _confirmed(self, db: Db, new: SeenRate) -> bool:
        """Whether another source, or a cross by way of one, says the same."""
        others: list[Rate] = [*await storage.rates.elsewhere(db, new.series, on=new.effective_on)]
        return plausibility.agreeing(new, [*others, *await self._crosses(db, new)]) is not None

    async def _revise_move(
        self, db: Db, past: Sequence[Rate], new: SeenRate, baseline: moves.Baseline, *, now: datetime
    ) -> int:
        """A revised figure: those who were told the old one are told; those who still wait hear only the new one, if
        that is a move; drift is measured from what was heard."""
        told = await storage.outbox.by_keys(db, _move_keys(new))
        alerts, reached, waiting = 0, None, None
        for one in told:
            left = await storage.outbox.withdraw(db, one.id)
            reached = one if left.reached else reached
            waiting = one if left.waiting else waiting
            alerts += await self._correct(db, one, new, now=now) if left.reached else 0
        heard = replace(baseline, rate=new)
        if waiting is not None:
            before = _baseline_of(reached or told[0])
            found = moves.big_move(past, new, before, now=now)
            if found is not None:
                alerts += await self._move_again(db, found, waiting, new.revision)
            elif reached is None:
                heard = before
        if baseline.rate.effective_on == new.effective_on:
            await storage.rates.set_baseline(db, heard.rate, severity=heard.severity, now=now)
        return alerts

    async def _move_again(self, db: Db, found: moves.BigMove, withdrawn: StoredAlert, revision: int) -> int:
        """A move in the place of one that was taken back, for those who would have got that and did not."""
        first = _move_alert(found, now=withdrawn.created_at)
        audience = replace(first.audience, told=withdrawn.id)
        again = replace(first, dedup_key=f"{first.dedup_key}:{revision}", audience=audience)
        return int(await storage.outbox.enqueue(db, again) is not None)

    async def _correct(self, db: Db, told: StoredAlert, new: SeenRate, *, now: datetime) -> int:
        """Tell those who got an alert what its figure is now."""
        old = told.payload.new if isinstance(told.payload, RateMoved) else None
        if old is None or old.per_unit == new.per_unit:  # revised back: what they know is the last correction
            old = await storage.rates.before_revision(db, new)
        if old is None or old.per_unit == new.per_unit:
            return 0
        correction = Alert(
            dedup_key=f"correction:{told.id}:{new.revision}",
            payload=RateCorrected(told=told.id, old=old, new=new),
            severity=Severity.NOTABLE,
            lane=Lane.ALERT,
            audience=Audience(told=told.id),
            created_at=now,
            expires_at=now + CORRECTION_LASTS,
            reasons=(f"{new.source} revised its rate",),
            supersede_key=f"correction:{told.id}",
        )
        return int(await storage.outbox.enqueue(db, correction) is not None)

    async def _revise_rules(self, db: Db, new: SeenRate, *, now: datetime) -> int:
        """The same for chats' own rules: what was heard is corrected, what was not is taken back, to be judged anew."""
        spoken = await storage.outbox.said_by_rules(db, new.series, new.effective_on)
        rules = {item.id: item for item in await storage.rules.ever_watching(db, new.series)} if spoken else {}
        alerts, corrected = 0, set[int]()
        for told in reversed(spoken):  # a rule that was changed may have spoken twice: its last word is corrected
            fired = cast("RuleFired", told.payload)
            left = await storage.outbox.withdraw(db, told.id)
            if left.reached and fired.rule not in corrected:
                corrected.add(fired.rule)
                alerts += await self._correct(db, told, new, now=now)
            elif left.waiting and fired.rule in rules:
                state = RuleState.from_json(rules[fired.rule].state)
                if state.fired_on == new.effective_on:
                    await storage.rules.remember(db, fired.rule, RuleState(anchor=fired.baseline).to_json())
        return alerts

    async def _rules(self, db: Db, added: Sequence[SeenRate], *, now: datetime) -> int:
        """Enqueue what chats' own rules say of new rates; a rule remembers an old rate, but does not speak of it."""
        alerts = 0
        for new in sorted(added, key=lambda item: item.effective_on):
            watching = await storage.rules.watching(db, new.series, now=now)
            if not watching:
                continue
            day = new.effective_on
            past = await storage.rates.history(db, new.series, since=day - HISTORY, until=day - timedelta(days=1))
            for item in watching:
                fired, state = evaluate(Rule.from_json(item.rule), RuleState.from_json(item.state), past, new, now=now)
                if (after := state.to_json()) != item.state:
                    await storage.rules.remember(db, item.id, after)
                if fired is not None and now.date() - day <= BACKLOG:
                    alerts += await storage.outbox.enqueue(db, _rule_alert(item, fired, now=now)) is not None
        return alerts

    # ── news ────────────────────────────────────────────────────────────────

    async def _unknown(self, db: Db, spec: FeedSpec, entries: Sequence[Entry]) -> list[Entry]:
        """Those that this feed has not brought before, neither by id nor by link."""
        links = [normalise_link(item.link) for item in entries if item.link]
        ids, known_links = await storage.news.known(db, spec.key, [item.id for item in entries], links)
        return [
            item
            for item in entries
            if item.id not in ids and not (item.link and normalise_link(item.link) in known_links)
        ]

    async def _keep(self, db: Db, spec: FeedSpec, item: Entry, verdict: Verdict, *, quiet: bool, now: datetime) -> int:
        """Store one entry in its story, and tell the story when it is fresh, about security and notable."""
        at = min(item.published_at or now, now)
        title = title_key(item.title)
        pk = await storage.news.same_title(db, title, since=now - SAME_EVENT)
        if pk is None and verdict.security:
            since, language = now - SAME_EVENT, verdict.language
            recent = await storage.news.recent(db, since=since, language=language)
            recent += await storage.news.recent(db, since=since, language=language, abroad="security")
            told = stories.best_match(replace(item, language=verdict.language), recent, now=now)
            pk = told[0].story if told is not None else None
        before = await storage.news.get(db, pk) if pk is not None else None
        if pk is None:
            pk = await storage.news.add_story(db, at=at, verdict=verdict)
        else:
            await storage.news.join_story(db, pk, verdict)
        link = normalise_link(item.link) if item.link else None
        await storage.news.add_entry(
            db, spec.key, item, story_pk=pk, link_key=link, title_key=title, verdict=verdict, now=now
        )
        language = item.language or verdict.language
        if before and not quiet and (spec.key not in before.feeds or language not in before.languages):
            await self._edit(db, pk, f"{spec.key}:{item.id}", now=now)
        weak = not verdict.security or verdict.severity is Severity.INFO
        if quiet or now - at > FRESH or (weak and self.security_policy != "two_sources"):
            return 0  # for two sources a second agency counts, however it words the event
        return await self._break(db, pk, now=now)

    async def _reword(self, db: Db, spec: FeedSpec, entries: Sequence[Entry], *, now: datetime) -> None:
        """Headlines that a feed has changed since: stored, and edited where they were told; nobody is told anew.

        An id that stands in the feed twice has no headline of its own, and a page's list gives no text.
        """
        twice = Counter(item.id for item in entries)
        once = [] if isinstance(spec, PageSpec) else [item for item in entries if twice[item.id] == 1]
        known = await storage.news.titles(db, spec.key, [item.id for item in once])
        changed = [item for item in once if item.id in known and known[item.id][2] != title_key(item.title)]
        for item in changed:
            pk, story_pk, _ = known[item.id]
            await storage.news.correct(db, pk, item, title_key=title_key(item.title))
            story = await storage.news.get(db, story_pk)
            mine = next((one for one in story.entries if one.pk == pk), None) if story else None
            # else nobody reads this one
            if story and mine and story.told_in(mine.entry.language or "").lead is mine and len(changed) <= FLOOD:
                await self._edit(db, story_pk, f"{spec.key}:{item.id}:{item.title}", now=now)

    async def _break(self, db: Db, pk: int, *, now: datetime) -> int:
        """Tell a story as loud as the loudest report of it, as the operator's policy has it."""
        story = await storage.news.get(db, pk)
        if story is None or "security" not in story.topics or story.severity is Severity.INFO:
            return 0
        if self.security_policy == "two_sources" and len(story.feeds) < 2:
            return 0
        urgent = story.severity is Severity.URGENT
        alert = Alert(
            dedup_key=_story_keys(pk)[urgent],
            payload=StoryBroke(story=pk, topics=story.topics),
            severity=story.severity,
            lane=Lane.URGENT if urgent else Lane.ALERT,
            audience=Audience(subscription="topic:security"),
            created_at=now,
            expires_at=now + STORY_LASTS,
            reasons=story.reasons,
            supersede_key=f"story:{pk}",
            approval=self.security_policy == "approve",
        )
        stored = await storage.outbox.enqueue(db, alert)
        if stored is not None and alert.approval:
            lead = story.lead.entry
            text = (lead.summary or lead.content)[:ASKED_TEXT]
            values = {"title": lead.title, "text": text, "link": lead.link or "", "feeds": ", ".join(story.feeds)}
            why = f"{story.severity}: {'; '.join(story.reasons)}"
            await self._tell(db, "notice.story", {**values, "why": why, "held": str(stored)}, now=now)
        return int(stored is not None)

    async def _edit(self, db: Db, pk: int, why: str, *, now: datetime) -> None:
        """Edit the messages that told a story, for as long as it is fresh and not again and again; `why` is unique."""
        digest = hashlib.sha256(why.encode()).hexdigest()[:16]
        for told in await storage.outbox.by_keys(db, _story_keys(pk)):
            expires_at, key = told.created_at + FRESH, f"edit:{told.id}"
            if now >= expires_at or await storage.outbox.times_got(db, key) >= EDITS:
                continue
            edit = Alert(
                dedup_key=f"{key}:{digest}",
                payload=StoryGrew(told=told.id),
                severity=Severity.INFO,
                lane=Lane.ROUTINE,
                audience=Audience(told=told.id),
                created_at=now,
                expires_at=expires_at,
                supersede_key=key,
            )
            await storage.outbox.enqueue(db, edit)

    async def _tell(self, db: Db, msgid: str, values: Mapping[str, str], *, now: datetime) -> None:
        """Tell the operators, once a day for one trouble."""
        for admin in self.admins:
            await storage.outbox.enqueue(db, notice(admin, msgid, values, now=now))


def notice(admin: int, msgid: str, values: Mapping[str, str], *, now: datetime) -> Alert:
    """An operator's message; the same trouble is told once a day."""
    digest = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:16]
    return Alert(
        dedup_key=f"notice:{admin}:{msgid}:{digest}:{now:%Y-%m-%d}",
        payload=Notice(msgid=msgid, values=tuple(sorted(values.items()))),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=admin),
        created_at=now,
        expires_at=now + timedelta(days=2),
    )


def _kind(answer: Fetched) -> str | None:
    return f"{answer.content_type}; charset={answer.charset}" if answer.charset else answer.content_type


def _judge(item: Entry, spec: FeedSpec) -> Verdict:
    text, language = item.summary or item.content, item.language or spec.language
    found = detect(item.title, text, language)
    others = topics_of(item.title, text, language)
    topics = dict.fromkeys([*spec.topics, *(["security"] if found.security else []), *others])
    return Verdict(
        security=found.security,
        score=found.score,
        severity=found.severity if found.security else Severity.INFO,
        topics=tuple(topics),
        reasons=found.reasons,
        language=item.language or spec.language or found.language,
    )


def _story_keys(pk: int) -> tuple[str, str]:
    """The keys of a story's alerts: as it broke, and as it became urgent."""
    return f"story:{pk}", f"story:{pk}:urgent"


def _move_key(new: Rate, direction: str, severity: Severity) -> str:
    return f"move:{new.source}:{new.pair}:{new.kind}:{new.effective_on}:{direction}:{severity}"


def _move_keys(new: SeenRate) -> list[str]:
    """The keys that alerts about earlier figures of this day can have."""
    plain = [_move_key(new, direction, severity) for direction in ("up", "down") for severity in Severity]
    return plain + [f"{key}:{revision}" for key in plain for revision in range(1, new.revision)]


def _rule_key(number: int, rule: Rule, new: Rate) -> str:
    """Once a rule, day and revision; a rule that was changed keeps its number, but is another."""
    revision = new.revision if isinstance(new, SeenRate) else 0
    return f"rule:{number}:{new.effective_on}:{to_link(rule)}" + (f":{revision}" if revision else "")


def _baseline_of(told: StoredAlert) -> moves.Baseline:
    """What drift was measured from before an alert was told."""
    payload = cast("RateMoved", told.payload)
    return moves.Baseline(rate=payload.baseline, severity=told.severity if payload.told else None)


def _move_alert(found: moves.BigMove, *, now: datetime) -> Alert:
    new = found.moved.new
    direction = "up" if found.headline.percent > 0 else "down"
    return Alert(
        dedup_key=_move_key(new, direction, found.severity),
        payload=found.moved,
        severity=found.severity,
        lane=Lane.URGENT if found.severity is Severity.URGENT else Lane.ALERT,
        audience=Audience(subscription=f"pair:{new.pair}"),
        created_at=now,
        expires_at=now + MOVE_LASTS,
        reasons=found.reasons,
        supersede_key=f"move:{new.source}:{new.pair}:{new.kind}",
    )


def _rule_alert(item: StoredRule, fired: Fired, *, now: datetime) -> Alert:
    move = fired.move
    return Alert(
        dedup_key=_rule_key(item.id, fired.rule, move.new),
        payload=RuleFired(
            baseline=move.old,
            previous=move.old,
            new=move.new,
            rules=(str(fired.rule),),
            usual=Decimal(0),
            told=False,
            rule=item.id,
        ),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=item.chat),
        created_at=now,
        expires_at=now + MOVE_LASTS,
        reasons=fired.reasons,
        supersede_key=f"rule:{item.id}",
    )


def _remember(old: Document, answer: Fetched, digest: str | None) -> Document:
    same = answer.moved_to is not None and answer.moved_to == old.moved_to
    return Document(
        source=old.source,
        url=old.url,
        etag=answer.validators.etag,
        last_modified=answer.validators.last_modified,
        digest=digest,
        moved_to=answer.moved_to or old.moved_to,
        moved_seen=old.moved_seen + 1
        if same or (answer.moved_to is None and old.moved_seen >= MOVED_AFTER)
        else int(answer.moved_to is not None),
    )
