"""What a reader is shown, put together from the store and the catalog: cards, pages, digests, the status.

Read by the handlers, by the worker that composes messages, and by the command line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

import storage.marks
import storage.news
import storage.overview
import storage.rates
import storage.sources
from bot.convert import Answer, Question, convert, currency_at, day_at, plain_text
from bot.convert.rules import CurrencyFound, code_at, parse_rule, parse_typed_rule
from bot.detect.offers import as_level, offered
from bot.detect.plausibility import disagree
from bot.detect.rules import initial_state, preview
from bot.errors import UserError
from bot.model.alerts import RuleFired
from bot.model.news import NewsPage, Story
from bot.model.rates import CardRow, Dispute, Freshness, Pair, Rate, RateCard, RateKind, SeenRate, Series
from bot.model.rules import Condition, Direction, Rule, RuleState, TypedRule
from bot.model.status import SourceStatus, Status
from bot.render.rules import RuleLine, RuleWords, Standing, words
from bot.sources.catalog import Catalog, PollSpec
from bot.sources.standing import led
from storage.db import Db
from storage.rules import StoredRule

#: What a card and a digest show when the reader chose nothing, in this order.
CURRENCIES = ("USD", "EUR", "RUB", "KZT", "CNY")
DIGEST_CURRENCIES = ("USD", "EUR", "RUB")
TOPICS = ("security", "economy", "politics", "society")
PAGE = 5
YEAR = timedelta(days=365)
ANSWERABLE = frozenset({RateKind.OFFICIAL, RateKind.REFERENCE})  # whose word on a pair is for everybody
COMPARED = timedelta(days=7)  # older rates of another source dispute nothing
DISPUTE = "dispute:"
WORTH_SENDING = 500  # of home currency: the smallest of the round amounts; for RUB/KGS that is 1,000 roubles
SLICE = 1000  # days of history read at once: ten years in one go would hold the loop for 30 ms
RESTING_DAYS = 4  # a rate older than a long weekend is not resting, it is late


def leading_source(catalog: Catalog, home: str) -> str:
    """The source whose rates against `home` lead: the first of the catalog that quotes it; UserError when none does."""
    leader = catalog.leader(home) or next((spec for spec in catalog.rates.values() if not spec.disabled), None)
    if leader is not None:
        return leader.key
    raise UserError("error.no_rates")


def local_day(catalog: Catalog, source: str, now: datetime) -> date:
    """Today, where the source is."""
    return now.astimezone(ZoneInfo(catalog.rates[source].poll.zone)).date()


async def rate_card(
    db: Db, catalog: Catalog, *, home: str, now: datetime, codes: Sequence[str] = (), on: date | None = None
) -> RateCard:
    """The card of the leading source against `home`, today's or a past day's.

    UserError for an unknown currency, a day in the future, a day or a store without rates.
    """
    source = leading_source(catalog, home)
    today = local_day(catalog, source, now)
    day = on or today
    if day > today + timedelta(days=1):
        raise UserError("error.date_future", day=day)
    spec = catalog.rates[source]
    by_code = await _by_code(db, source, day, home, codes or CURRENCIES)
    if not by_code or not by_code.keys() >= set(codes):
        by_code = await _by_code(db, source, day, home, ())
    if not by_code:
        raise UserError("error.no_rates")
    unknown = [code for code in codes if code not in by_code]
    if unknown:
        raise UserError("error.currency", code=unknown[0], known=", ".join(sorted(by_code)))
    chosen = codes or [code for code in CURRENCIES if code in by_code] or sorted(by_code)[:5]
    rows = tuple(_row(by_code[code], day, past=day < today) for code in chosen)
    if all(row.today is None and row.tomorrow is None for row in rows):
        days = [item.effective_on for items in by_code.values() for item in items]
        nearest = min(days, key=lambda one: abs(one - day))
        raise UserError("error.no_rates_on", day=day, nearest=nearest)
    newest = max(filter(None, [row.tomorrow or row.today for row in rows]), key=lambda item: item.effective_on)
    holding = max((row.today.effective_on for row in rows if row.today), default=None)
    return RateCard(
        source=source,
        source_names=dict(spec.names),
        zone=spec.poll.zone,
        kind=newest.kind,
        quote=newest.pair.quote,
        on=day,
        rows=rows,
        freshness=await _freshness_of(db, source, spec.poll, newest, now) if day >= today else Freshness.CURRENT,
        seen_at=newest.seen_at if _seen_as_published(spec.poll, newest) else None,
        holds_from=holding,
        next_on=next((row.tomorrow.effective_on for row in rows if row.tomorrow), None),
        expected_by=spec.poll.between[1] if spec.poll.between else None,
        disputes=await _disputes(db, catalog, rows) if day >= today else (),
    )


async def _by_code(db: Db, source: str, day: date, home: str, codes: Sequence[str]) -> dict[str, list[SeenRate]]:
    """A source's rates around a day by the currency that is not `home`; of some currencies only, or of all."""
    found: dict[str, list[SeenRate]] = {}
    for item in await storage.rates.around(db, source, day, codes=[code for code in codes if code != home]):
        found.setdefault(item.pair.base if item.pair.quote == home else item.pair.quote, []).append(item)
    return found


def dispute_mark(series: Series) -> str:
    """The name of the mark that says a series is contradicted by another source; polling sets and removes it."""
    return f"{DISPUTE}{series.source}:{series.pair}:{series.kind}"


def stale_mark(source: str) -> str:
    """The name of the mark that says a source brings nothing new since a day; polling sets and removes it."""
    return f"stale:{source}"


async def rival(db: Db, new: SeenRate) -> SeenRate | None:
    """Another source's rate that contradicts this one, if any.

    Banks date the same market differently: what agrees with the new rate, or with ours of its own day, is none.
    """
    for other in await storage.rates.elsewhere(db, new.series, on=new.effective_on):
        near = new.effective_on - other.effective_on <= COMPARED
        if not near or other.kind not in ANSWERABLE or not disagree(new, other):
            continue
        ours = await storage.rates.holding(db, new.series, other.effective_on)
        if ours is not None and disagree(ours, other):
            return other
    return None


async def _disputes(db: Db, catalog: Catalog, rows: Sequence[CardRow]) -> tuple[Dispute, ...]:
    """What other sources say of the rows that are in dispute."""
    newest = {dispute_mark(rate.series): rate for row in rows if (rate := row.tomorrow or row.today)}
    marked = await storage.marks.among(db, newest)
    found = []
    for ours in (rate for name, rate in newest.items() if name in marked):
        theirs = await rival(db, ours)
        if theirs is not None:
            spec = catalog.rates.get(theirs.source)
            found.append(Dispute(ours=ours, theirs=theirs, names=dict(spec.names) if spec else {}))
    return tuple(found)


def _seen_as_published(poll: PollSpec, newest: SeenRate) -> bool:
    """Whether it came to us when it was published: not when it was backfilled, or was there before we were."""
    return newest.seen_at.astimezone(ZoneInfo(poll.zone)).date() <= newest.effective_on


def _row(rates: Sequence[SeenRate], day: date, *, past: bool) -> CardRow:
    held = [item for item in rates if item.effective_on <= day]
    coming = [item for item in rates if item.effective_on > day]
    return CardRow(
        pair=rates[0].pair,
        today=held[-1] if held else None,
        tomorrow=coming[0] if coming and not past and (coming[0].effective_on - day).days <= RESTING_DAYS else None,
        previous=held[-2] if len(held) > 1 else None,
    )


async def _freshness_of(db: Db, source: str, poll: PollSpec, newest: SeenRate, now: datetime) -> Freshness:
    """How the card stands; currencies that are set more seldom than others rest while their bank publishes."""
    found = _freshness(poll, newest, now)
    if found is Freshness.LATE:
        last = await storage.rates.newest_day(db, source, until=poll.near(now)[1])
        published = replace(newest, effective_on=last) if last is not None else newest
        if _freshness(poll, published, now) is not Freshness.LATE:
            return Freshness.RESTING
    return found


def _freshness(poll: PollSpec, newest: SeenRate, now: datetime) -> Freshness:
    """Late when the last publishing window passed and brought nothing: no rate of its own day, or, of a bank whose
    rates come the day before they count, none of a later day."""
    zone = ZoneInfo(poll.zone)
    ahead = newest.seen_at.astimezone(zone).date() < newest.effective_on
    expected = poll.last_window(now) + timedelta(days=ahead)
    if newest.effective_on < expected:
        return Freshness.LATE
    return Freshness.CURRENT if newest.effective_on >= now.astimezone(zone).date() else Freshness.RESTING


async def current_rates(db: Db, catalog: Catalog, *, now: datetime) -> list[SeenRate]:
    """What holds now, of every enabled source: each series' latest rate effective by today, where the source is."""
    held: dict[Series, SeenRate] = {}
    for spec in catalog.rates.values():
        if spec.disabled:
            continue
        today = local_day(catalog, spec.key, now)
        for item in await storage.rates.around(db, spec.key, today):
            if item.effective_on <= today:
                held[item.series] = item  # oldest first: the last one stays
    return list(held.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One equation of an answer: `amount` of `base` in `quote`."""

    amount: Decimal
    base: str
    quote: str
    answer: Answer


def conversions(asked: Question, rates: Sequence[Rate], *, home: str) -> list[Conversion]:
    """A question's answers: each reading of its amount, and the way back too where no target was said.

    UserError when no source relates the two currencies.
    """
    target = asked.target or (home if asked.source != home else next(code for code in CURRENCIES if code != home))
    ways = [(asked.source, target)] if asked.target else [(asked.source, target), (target, asked.source)]
    found = []
    for base, quote in ways:
        must_know([base, quote], [rate.series for rate in rates], home=home)
        for amount in [asked.amount] if asked.other is None else [asked.amount, asked.other]:
            answer = convert(amount, base, quote, rates, home)
            if answer is None:
                raise UserError("error.no_conversion", base=base, quote=quote)
            found.append(Conversion(amount=amount, base=base, quote=quote, answer=answer))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Round amounts of a currency and the rates that tell what they are worth, now and a week ago."""

    amounts: tuple[Decimal, ...]
    latest: SeenRate
    week_ago: SeenRate | None
    today: date


async def round_amounts(db: Db, catalog: Catalog, code: str, *, home: str, now: datetime) -> Amounts:
    """What round amounts of a currency are worth at home, as people who send money ask; UserError without a rate."""
    source = leading_source(catalog, home)
    today = local_day(catalog, source, now)
    series = Series(source, Pair(code, home), RateKind(catalog.rates[source].kind)) if code != home else None
    week = today - timedelta(days=7)
    since = week - timedelta(days=14)  # a rate that nobody changed for longer is no rate of last week
    history = await storage.rates.history(db, series, since=since, until=today) if series else []
    if not history:
        must_know([code], await storage.rates.known_series(db), home=home)
        raise UserError("error.no_conversion", base=code, quote=home)
    latest = history[-1]
    first = next(10**power for power in range(12) if latest.per_unit * 10**power >= WORTH_SENDING or power == 11)
    return Amounts(
        amounts=tuple(Decimal(first * times) for times in (1, 5, 10, 50, 100)),
        latest=latest,
        week_ago=next((one for one in reversed(history) if one.effective_on <= week), None),
        today=today,
    )


async def chart_history(db: Db, catalog: Catalog, pair: Pair, *, home: str, days: int, now: datetime) -> list[SeenRate]:
    """A pair's last days, oldest first, of the source that leads for it; UserError when there are not two.

    What is announced for tomorrow is in it. `home` chooses what is named to somebody who asks for an unknown currency.
    """
    leader = catalog.leader(pair.quote)
    enabled = {key for key, spec in catalog.rates.items() if not spec.disabled}
    stored = await storage.rates.known_series(db)
    must_know([pair.base, pair.quote], stored, home=home)
    known = [one for one in stored if one.pair == pair and one.source in enabled]
    order = list(RateKind)
    known.sort(key=lambda one: (leader is None or one.source != leader.key, order.index(one.kind)))
    for series in known:
        end = local_day(catalog, series.source, now).toordinal() + 1
        history: list[SeenRate] = []
        for first in range(max(1, end - 1 - days), end + 1, SLICE):
            since, until = date.fromordinal(first), date.fromordinal(min(end, first + SLICE - 1))
            history += await storage.rates.history(db, series, since=since, until=until)
        if len(history) > 1:
            return history
    raise UserError("error.no_chart", pair=str(pair))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A rule tried on the past year: what it watches, the stored history, the days it would have spoken on.

    `state` is what is stored of it when it is saved now.
    """

    rule: Rule
    series: Series
    state: RuleState
    history: tuple[SeenRate, ...]
    fired: tuple[date, ...]
    today: date


async def read_rule(db: Db, text: str, *, home: str, today: date) -> TypedRule:
    """A rule as a person types it, currencies by any name; UserError says what is wrong with it.

    A currency we have no rate of is the first thing to be wrong. A day without its year is the next one after `today`.
    """
    stored = await storage.rates.known_series(db)

    def currency(text: str, at: int) -> CurrencyFound | None:
        found = currency_at(text, at) or code_at(text, at)
        if found is not None:
            must_know(found.codes, stored, home=home)
        return found

    day = partial(day_at, today=today, ahead=True)
    typed = parse_typed_rule(plain_text(text), home=home, currency=currency, day=day)
    must_know([typed.rule.pair.base, typed.rule.pair.quote], stored, home=home)
    return typed


async def try_rule(db: Db, catalog: Catalog, rule: Rule, *, now: datetime, bare: bool = False) -> Proposal:
    """A rule on stored history; UserError when nobody gives such a rate, or its last day is over.

    A `bare` number (`TypedRule`) becomes a level where it is near the latest rate.

    The source that leads for the pair is watched, else the first that has it. Where a pair has no official rate, its
    reference rate is what a rule without a kind means.
    """
    series = _watched(catalog, rule, await storage.rates.known_series(db))
    today = local_day(catalog, series.source, now)
    if rule.until is not None and rule.until < today:
        raise UserError("error.rule.date_past", day=rule.until)
    rule = replace(rule, kind=series.kind)
    history = await storage.rates.history(db, series, since=today - YEAR, until=today + timedelta(days=1))
    if bare and history:
        rule = as_level(rule, history[-1].per_unit)
    tried = await asyncio.to_thread(preview, rule, history)  # a long window takes 20 ms, which others would wait
    return Proposal(
        rule=rule,
        series=series,
        state=initial_state(rule, history),
        history=tuple(history),
        fired=tried.dates,
        today=today,
    )


def _watched(catalog: Catalog, rule: Rule, known: Sequence[Series]) -> Series:
    known = [one for one in known if one.source in catalog.rates]
    leader = catalog.leader(rule.pair.quote)
    order = {one: (leader is None or one.source != leader.key, place) for place, one in enumerate(known)}
    kinds = (rule.kind, RateKind.REFERENCE) if rule.kind is RateKind.OFFICIAL else (rule.kind,)
    for kind in kinds:
        fitting = [one for one in known if (one.pair, one.kind) == (rule.pair, kind)]
        if fitting:
            return min(fitting, key=order.__getitem__)
    others = tuple(dict.fromkeys(one.kind for one in known if one.pair == rule.pair))
    if others:
        raise UserError("error.rule.kind", pair=str(rule.pair), kind=rule.kind, known=others)
    must_know([rule.pair.base, rule.pair.quote], known, home=rule.pair.quote)
    codes = sorted({one.pair.base for one in known if one.pair.quote == rule.pair.quote})
    raise UserError("error.rule.pair", pair=str(rule.pair), known=", ".join(codes) or "–")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Where a pair stands, and the rules worth a button, row by row."""

    latest: SeenRate
    today: date
    rules: tuple[tuple[Rule, ...], ...]


async def rule_currencies(db: Db, *, home: str) -> list[str]:
    """What own rules can watch against `home`, the usual ones first."""
    series = await storage.rates.known_series(db)
    plain = (RateKind.OFFICIAL, RateKind.REFERENCE)
    codes = {one.pair.base for one in series if one.pair.quote == home and one.kind in plain}
    return [code for code in CURRENCIES if code in codes] + sorted(codes - set(CURRENCIES))


async def offer_rules(db: Db, catalog: Catalog, pair: Pair, *, now: datetime) -> Offer:
    """Rules at round figures near a pair's latest rate; UserError when there is none."""
    plain = Rule(pair=pair, condition=Condition.LEVEL, amount=Decimal(1), direction=Direction.UP)
    series = _watched(catalog, plain, await storage.rates.known_series(db))
    today = local_day(catalog, series.source, now)
    history = await storage.rates.history(db, series, since=today - YEAR, until=today + timedelta(days=1))
    if not history:
        raise UserError("error.no_rates")
    return Offer(latest=history[-1], today=today, rules=offered(pair, series.kind, history[-1].per_unit))


def rule_words(rule: Rule | StoredRule, language: str) -> str:
    """A rule in the reader's words."""
    return words(rule_said(rule if isinstance(rule, Rule) else rule.rule), language)


def fired_words(fired: RuleFired, language: str) -> str:
    """The rule that spoke, in the reader's words: as it was then, whatever became of it."""
    said = fired.rules[0]
    try:
        return rule_words(parse_rule(said, home=fired.new.pair.quote), language)
    except UserError:
        return said


def rule_said(rule: Rule) -> RuleWords:
    """What is to be said of a rule."""
    if rule.condition is Condition.LEVEL:
        sign = {Direction.UP: ">≥", Direction.DOWN: "<≤"}[rule.direction][rule.inclusive]
    else:
        sign = {Direction.UP: "+", Direction.DOWN: "−", Direction.BOTH: "±"}[rule.direction]
    return RuleWords(
        pair=rule.pair,
        kind=rule.kind,
        sign=sign,
        amount=rule.amount,
        percent=rule.condition is Condition.PERCENT,
        window=rule.window,
        once=rule.once,
        until=rule.until,
    )


def rule_line(stored: StoredRule, language: str, today: date) -> RuleLine:
    """A saved rule as the list shows it: its words, how it stands, the day it last spoke of."""
    rule, spoke = stored.rule, stored.state.fired_on
    standing = Standing.PAUSED if stored.paused else Standing.ON
    if rule.until is not None and rule.until < today:
        standing = Standing.EXPIRED
    elif rule.once and spoke is not None:
        standing = Standing.DONE
    return RuleLine(number=stored.id, words=rule_words(rule, language), standing=standing, spoke_on=spoke)


def must_know(codes: Sequence[str], stored: Sequence[Series], *, home: str) -> None:
    """UserError for a currency nobody gives a rate of, naming those that have one against `home`."""
    known = {code for one in stored for code in (one.pair.base, one.pair.quote)}
    if not known:
        raise UserError("error.no_rates")
    near = {code for one in stored if home in (pair := (one.pair.base, one.pair.quote)) for code in pair} - {home}
    for code in codes:
        if code not in known:
            raise UserError("error.currency", code=code, known=", ".join(sorted(near or known)))


async def news_page(db: Db, catalog: Catalog, *, topic: str | None, number: int, now: datetime) -> NewsPage:
    """A page of the latest stories, newest first."""
    stories = await storage.news.latest(db, topic=topic, before=now, offset=number * PAGE, limit=PAGE + 1)
    return NewsPage(
        stories=tuple(led(story, catalog.news) for story in stories[:PAGE]),
        topic=topic,
        number=number,
        more=len(stories) > PAGE,
        feed_names=catalog.feed_names,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a digest tells of a day: rates in order, and the one story worth it, if any."""

    day: date
    source: str | None
    rates: tuple[SeenRate, ...]
    story: Story | None


async def digest(
    db: Db,
    catalog: Catalog,
    *,
    day: date,
    home: str,
    zone: str,
    language: str,
    codes: Sequence[str] = (),
    topics: Sequence[str] = (),
) -> Digest:
    """The day's rates (those that hold on it) and its most severe story, one in the reader's language before others."""
    try:
        source = leading_source(catalog, home)
    except UserError:
        source = None
    rates: list[SeenRate] = []
    if source is not None:
        held = {
            item.pair.base: item
            for item in await storage.rates.around(db, source, day)
            if item.effective_on <= day and item.pair.quote == home and item.kind is not RateKind.CROSS
        }
        rates = [held[code] for code in codes or DIGEST_CURRENCIES if code in held]
    start = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    end = start + timedelta(days=1)
    last = end - timedelta(microseconds=1)
    stories = await storage.news.latest(db, since=start, before=last, limit=200, unasked=False)
    feeds = catalog.news
    wanted = [led(story, feeds) for story in stories if not topics or set(topics) & set(story.topics)]

    def worth(story: Story) -> tuple[bool, int, int, datetime]:
        mine = any(item.entry.language == language for item in story.entries)
        return mine, story.severity.rank, len(story.feeds), story.lead.at

    return Digest(day=day, source=source, rates=tuple(rates), story=max(wanted, key=worth, default=None))


async def status(db: Db, catalog: Catalog, *, now: datetime) -> Status:
    """How fresh every enabled source is, and how the queue stands."""
    states = await storage.sources.states(db)
    summary = await storage.overview.summary(db, now=now)
    stuck = await storage.marks.starting(db, stale_mark(""))
    sources = []
    for spec in catalog.polled:
        key = spec.key
        state = states.get(key)
        sources.append(
            SourceStatus(
                key=key,
                names=dict(spec.names),
                last_ok_at=state.last_ok_at if state else None,
                next_due_at=state.next_due_at if state else None,
                failures=state.failures if state else 0,
                error=state.error if state else None,
                stuck_on=date.fromisoformat(stuck[key]) if key in stuck else None,
            )
        )
    return Status(
        now=now,
        sources=tuple(sources),
        waiting=summary.waiting,
        oldest=summary.oldest,
        last_sent_at=summary.last_sent_at,
    )
