"""Rates from a publisher's bytes to alert rows, as the rows of the fault table promise; on every
database.
"""

from __future__ import annotations

import csv
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text, update
from structlog.testing import capture_logs

import storage.alerts
import storage.chats
import storage.claims
import storage.deliveries
import storage.fan_out
import storage.held_rates
import storage.rates
import storage.rules
import storage.sources
from bot.alerts import kind_of
from bot.alerts.corrections import RateCorrected
from bot.alerts.moves import RateMoved, move
from bot.convert.rules import parse_rule
from bot.detect.replay import replay_csv
from bot.detect.rules import initial_state
from bot.errors import UserError
from bot.ingest.rates import Pasts, judge_by_rules
from bot.ingest.trust import believed
from bot.model.alerts import State
from bot.model.rates import CardRow, Freshness, Pair, RateCard, RateKind, Series, rate_from_json
from bot.model.rules import Rule
from bot.readers.rates import current_rates, rate_card
from bot.readers.status import source_statuses
from bot.reasons import reasons_from_json
from bot.render import rates as render
from bot.render.numbers import as_printed
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.claims import Claimed
from storage.db import Db, Store
from storage.deliveries import Mark
from storage.schema import chat as chat_table
from storage.schema import held_rate, rate
from tests import factories
from tests.factories import a_reason, chat
from tests.publishers import bank_at, bank_page
from tests.world import OPERATOR, READER, SAMPLE, World, polling

#: Polls and what follows on PostgreSQL are in test_ingest and the faults; here the cases differ.
pytestmark = pytest.mark.cases

MONDAY = date(2021, 10, 18)
EVENING = 12  # UTC; 18:00 in Bishkek, inside the window


def catalog(url: str) -> Catalog:
    """Two official banks of one country, each with its document, publishing on weekdays before
    seven.
    """
    poll = (
        'poll = { every = "30m", between = "14:00-19:00", zone = "Asia/Bishkek", days = "mon-fri" }'
    )
    return parse_catalog(f"""
[rates.nbkr]
name = {{ en = "National Bank" }}
urls = ["{url}/nbkr.xml"]
{poll}
holidays = ["2021-10-27"]
rank = 1
[rates.second]
parser = "nbkr"
name = {{ en = "Second Bank" }}
urls = ["{url}/second.xml"]
{poll}
rank = 2
""")


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Both banks polled once, on Monday evening, with Tuesday's rates; one operator."""
    async with polling(store, catalog, now=datetime(2021, 10, 18, EVENING, tzinfo=UTC)) as made:
        await made.publish(MONDAY)
        await made.publish(MONDAY + timedelta(days=1))
        yield made


async def card_now(world: World, *codes: str, on: date | None = None) -> RateCard:
    """The card that /rates shows now."""
    async with world.store.reading() as db:
        return await rate_card(db, world.catalog, home="KGS", now=world.now, codes=codes, on=on)


async def row_now(world: World, code: str) -> CardRow:
    """One currency of it."""
    return (await card_now(world, code)).rows[0]


async def held(world: World) -> dict[str, str]:
    """Held values and where they stand."""
    async with world.store.reading() as db:
        rows = await db.execute(
            select(held_rate.c.value, held_rate.c.state).order_by(held_rate.c.id)
        )
        return {str(row.value): row.state for row in rows}


async def watch(world: World, words: str, *, chat_id: int = READER) -> None:
    """A reader's own rule on a rate of the National Bank."""
    own = parse_rule(words, home="KGS")
    async with world.store.writing() as db:
        await storage.chats.add(db, chat(chat_id), now=world.now)
        await _save_rule(db, world, own, Series("nbkr", own.pair, own.kind), chat_id)


async def alter(world: World, words: str, *, chat_id: int = READER) -> None:
    """Change a reader's only rule, which begins anew with what was before the day it spoke of."""
    own = parse_rule(words, home="KGS")
    async with world.store.writing() as db:
        (old,) = await storage.rules.of_chat(db, chat_id)
        await _save_rule(db, world, own, old.series, chat_id, replaces=old.id)


async def _save_rule(
    db: Db, world: World, own: Rule, series: Series, chat_id: int, *, replaces: int | None = None
) -> None:
    past = await storage.rates.history(db, series, since=date(2021, 1, 1), until=world.now.date())
    number = await storage.rules.propose(db, chat_id, series, own, now=world.now, replaces=replaces)
    waiting = await storage.rules.get(db, chat_id, number, pending=True)
    assert waiting is not None
    await storage.rules.save(db, waiting, initial_state(own, past))


async def subscribe(world: World, *chats: int) -> None:
    """Private chats that follow the dollar from now on."""
    async with world.store.writing() as db:
        for number in chats:
            await storage.chats.add(db, chat(number), now=world.now)
            await storage.chats.subscribe(db, number, ["pair:USD/KGS"], now=world.now)


async def claim(world: World, limit: int = 100) -> list[Claimed]:
    """Give open alerts their deliveries, and take some as a sender does."""
    async with world.store.writing() as db:
        while await storage.fan_out.fan_out(db) is not None:
            pass
        # no chat has to wait for its own pace
        await db.execute(update(chat_table).values(tat=None))
        span = timedelta(minutes=1)
        taken = await storage.claims.claim(
            db, token="1", rate=1000.0, horizon=span, lease=span, limit=limit
        )
    return list(taken.deliveries)


async def sent(world: World, claimed: Sequence[Claimed]) -> list[tuple[int, str, str]]:
    """They arrived: whose, of what kind, with which figure."""
    heard = []
    async with world.store.writing() as db:
        marks = [
            Mark(id=one.id, fence=one.fence, state=State.SENT, message_id=one.id) for one in claimed
        ]
        await storage.deliveries.finish(db, marks)
        for one in claimed:
            stored = await storage.alerts.get(db, one.alert)
            assert stored is not None
            kind = kind_of(stored)
            new = kind.rate(stored) or RateCorrected.read(stored.payload).new
            heard.append((one.chat, kind.payload.KIND, str(new.value)))
    return heard


async def deliver(world: World) -> list[tuple[int, str, str]]:
    """Everything that is due arrives, chat by chat in order."""
    heard = []
    while claimed := await claim(world):
        heard += await sent(world, claimed)
    return sorted(heard, key=lambda one: one[0])


# ── R1 ──────────────────────────────────────────────────────────────────────


async def test_tomorrow_has_todays_rate_only_while_its_bank_rests(world: World) -> None:
    """On a working day its own is still to come, and unknown before that."""
    tuesday = MONDAY + timedelta(days=1)
    assert (await card_now(world, "USD", on=tuesday)).rows[0].today
    world.now += timedelta(hours=14)  # Tuesday morning
    with pytest.raises(UserError) as refused:
        await card_now(world, "USD", on=tuesday + timedelta(days=1))
    assert refused.value.msgid == "error.date_future"
    world.now = datetime(2021, 10, 23, EVENING, tzinfo=UTC)  # Saturday
    assert (await card_now(world, "USD", on=date(2021, 10, 24))).rows[0].today


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize("value", ["0,0000", "-84,7935", "NaN", "Inf", "n/a", " "])
async def test_R1_what_is_no_price_never_replaces_one_nor_alerts(world: World, value: str) -> None:
    """The old value stays under its own day; the row beside it is stored."""
    day = MONDAY + timedelta(days=2)
    report = await world.publish(day, USD=value, EUR="98,9000")
    assert (report.error, report.alerts) == (None, 0)
    card = await card_now(world, "USD", "EUR")
    dollar, euro = card.rows
    assert dollar.tomorrow is not None
    assert dollar.tomorrow.effective_on == MONDAY + timedelta(days=1)
    assert str(dollar.tomorrow.value) == "84.7935"
    assert euro.tomorrow is not None
    assert await world.alerts() == []


async def test_R1_what_a_parser_let_through_is_refused_in_the_log(world: World) -> None:
    """A publisher's file that is no good costs its row: it is neither held nor asked about."""
    day = str(MONDAY + timedelta(days=2))
    rates = [factories.rate("USD/KGS", "-1", day), factories.rate("EUR/KGS", "98.9000", day)]
    spec = world.catalog.rates["nbkr"]
    async with world.store.writing() as db:
        with capture_logs() as said:
            trusted, times = await believed(db, spec, rates, admins=(OPERATOR,), now=world.now)
    assert (trusted, times) == ([rates[1]], 0)
    why = "-1 for 1 is not a price"
    refused = {"source": "nbkr", "pair": "USD/KGS", "why": why, "log_level": "warning"}
    assert said == [{"event": "rate refused", **refused}]
    assert (await held(world), await world.notices()) == ({}, [])


# ── R2 ──────────────────────────────────────────────────────────────────────


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize("value", ["8479,35", "0,8479", "847,93"])
async def test_R2_a_shifted_comma_is_held_until_a_second_source_agrees(
    world: World, value: str
) -> None:
    """However often it comes; a believed source that says the same releases it."""
    day = MONDAY + timedelta(days=2)
    for _ in range(3):
        assert (await world.publish(day, USD=value)).alerts == 0
    printed = value.replace(",", ".")
    assert await held(world) == {printed: "held"}
    assert [(msgid, values["rate"]) for msgid, values in await world.notices()] == [
        ("notice.held", f"USD/KGS {printed}")
    ]
    await world.publish(day, "second", USD=value)
    assert (await world.publish(day, USD=value)).alerts == 1
    assert await held(world) == {printed: "released"}


async def test_R2_a_nominal_that_changes_with_its_value_is_no_move(world: World) -> None:
    """100 roubles for 119.48 is what one was for 1.1948; a nominal changed alone is held."""
    day = MONDAY + timedelta(days=2)
    world.serve("nbkr", bank_page(day, {"RUB": "119,4800"}, {"RUB": 100}))
    assert ((await world.poll()).new, await held(world)) == (1, {})
    world.serve("nbkr", bank_page(day + timedelta(days=1), {"RUB": "1,1950"}, {"RUB": 100}))
    assert ((await world.poll()).new, await held(world)) == (0, {"1.1950": "held"})
    assert await world.alerts() == []


FEBRUARY_2022 = [  # the National Bank's own days; the som lost 11.75 % to the dollar in one of them
    row for row in csv.DictReader(files("bot.demo").joinpath("rates.csv").read_text().splitlines())
    if "2022-02-22" <= row["date"] <= "2022-03-12"
]  # fmt: skip
SHOCK = date(2022, 2, 26)


async def february(world: World, key: str = "nbkr", *, until: date = SHOCK) -> int:
    """A bank publishes the real figures, each the evening before its day; how many alerts the last
    day brought.
    """
    alerts = 0
    for row in FEBRUARY_2022:
        day = date.fromisoformat(row["date"])
        if day <= until:
            world.at(day - timedelta(days=1))
            values = {code: row[code].replace(".", ",") for code in ("USD", "EUR", "RUB", "KZT")}
            world.serve(key, bank_page(day, values))
            alerts = (await world.poll(key)).alerts
    return alerts


async def dollar_alerts(world: World, source: str = "nbkr") -> list[tuple[str, str, bool]]:
    """The alerts about the dollar of the shock's day: figure, severity, confirmed."""
    return [
        (row.payload["new"]["value"], row.severity, row.payload["confirmed"])
        for row in await world.alerts("move")
        if (row.payload["new"]["pair"], row.payload["new"]["source"]) == ("USD/KGS", source)
        and row.payload["new"]["effective_on"] == str(SHOCK)
    ]


async def test_R2_the_true_shock_of_february_2022_is_told_at_once_and_once(world: World) -> None:
    """By one source alone: urgent, and marked as unconfirmed; the days after it as the replay of
    the table says.
    """
    await february(world)
    assert await dollar_alerts(world) == [("94.7626", "urgent", False)]
    assert await held(world) == {}
    (shock,) = [
        row
        for row in await world.alerts("move")
        if row.severity == "urgent" and "USD" in row.dedup_key
    ]
    told = move(
        RateMoved.from_json(shock.payload).moved,
        alert=1,
        language="en",
        source_names={"en": "Bank"},
    )
    assert "unconfirmed" in told.text
    await february(world, until=date(2022, 3, 12))
    assert await dollar_alerts(world) == [("94.7626", "urgent", False)]
    table = ["date,USD", *(f"{row['date']},{row['USD']}" for row in FEBRUARY_2022)]
    replayed = [str(move.effective_on) for move in replay_csv(table, "KGS")]
    dollars = [row.payload["new"] for row in await world.alerts("move")]
    assert [new["effective_on"] for new in dollars if new["pair"] == "USD/KGS"] == replayed


async def test_R2_a_shock_that_a_second_bank_has_too_is_confirmed(world: World) -> None:
    """Whoever came first; each bank's readers hear it once."""
    await february(world, "second")
    await february(world)
    assert await dollar_alerts(world, "second") == [("94.7626", "urgent", False)]
    assert await dollar_alerts(world) == [("94.7626", "urgent", True)]


async def test_R8_a_shock_that_a_second_bank_denies_waits_for_it(world: World) -> None:
    """The other bank holds the old rate for that day, then follows: told then, once, as
    confirmed.
    """
    await february(world, "second", until=date(2022, 2, 25))
    await world.publish(SHOCK, "second", USD="84,8000")
    await february(world)
    assert await dollar_alerts(world) == []
    await world.publish(SHOCK, "second", USD="94,5000")
    assert await dollar_alerts(world) == [("94.7626", "urgent", True)]


@pytest.mark.parametrize("by", ["second fetch", "second source"])
async def test_R2_a_shock_over_the_limit_is_held_until_confirmed(
    world: World, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Were the limit 10 %: not a word until the same comes again, or another bank says it; then one
    alert.
    """
    monkeypatch.setattr("bot.detect.plausibility.LARGEST_UNASKED", Decimal(10))
    if by == "second source":
        await february(world, "second", until=date(2022, 2, 25))
    await february(world)
    assert (await held(world))["94.7626"] == "held"
    assert await dollar_alerts(world) == []
    # which was held itself, and believed because the first says the same by now
    if by == "second source":
        await february(world, "second")
        await world.poll("second")
    await world.poll()
    assert (await held(world))["94.7626"] == "released"
    assert await dollar_alerts(world) == [("94.7626", "urgent", by == "second source")]
    await world.poll()
    assert len(await dollar_alerts(world)) == 1


# ── by way of another bank's own currency ───────────────────────────────────


async def moscow(world: World, day: date, *, usd: str, kgs: str) -> None:
    """The rates of a bank that quotes in roubles, and prints the som by the hundred."""
    both = [
        factories.rate("USD/RUB", usd, str(day), source="cbr"),
        factories.rate("KGS/RUB", kgs, str(day), source="cbr", units=100),
    ]
    async with world.store.writing() as db:
        await storage.rates.add(db, both, seen_at=world.now)


async def test_R2_a_shifted_comma_that_a_cross_shows_as_well_is_no_mistake(world: World) -> None:
    """Another bank's dollar in its own currency, and its som: together they vouch for the value."""
    day = MONDAY + timedelta(days=2)
    await moscow(world, day, usd="70.0000", kgs="8.2500")  # 848.48 som for a dollar
    assert (await world.publish(day, USD="847,9350")).alerts == 1
    assert (await held(world), await world.notices()) == ({"847.9350": "released"}, [])
    (kept,) = await world.stored(held_rate)
    assert reasons_from_json(kept.reasons)[-1] == a_reason("agrees", "cbr")
    (told,) = await world.alerts("move")
    assert told.payload["confirmed"]


async def asked(world: World) -> dict[str, datetime]:
    """The banks that are to be asked now, and since when."""
    async with world.store.reading() as db:
        states = await storage.sources.states(db)
    return {key: state.asked_at for key, state in states.items() if state.asked_at}


@pytest.mark.parametrize(
    ("ahead", "usd", "kgs"),
    [
        pytest.param(2, "70.0000", "82.5000", id="it says the old value"),
        pytest.param(3, "70.0000", "8.2500", id="it speaks of the day after"),
        pytest.param(-3, "70.0000", "8.2500", id="it speaks of days ago"),
    ],
)
async def test_R2_a_cross_of_another_value_or_day_vouches_for_nothing(
    world: World, ahead: int, usd: str, kgs: str
) -> None:
    """The value waits, and every other bank that knows both currencies is asked now."""
    day = MONDAY + timedelta(days=2)
    await world.publish(MONDAY, "second")
    await moscow(world, MONDAY + timedelta(days=ahead), usd=usd, kgs=kgs)
    async with world.store.writing() as db:  # it knows the dollar alone, and is not asked
        euro = factories.rate("EUR/USD", "1.1650", str(MONDAY), source="ecb")
        await storage.rates.add(db, [euro], seen_at=world.now)
    assert (await world.publish(day, USD="847,9350")).alerts == 0
    assert await held(world) == {"847.9350": "held"}
    assert await asked(world) == {"second": world.now, "cbr": world.now}
    await world.publish(MONDAY, "second")
    assert await asked(world) == {"cbr": world.now}


async def test_R2_what_an_operator_rejected_is_not_asked_for_again(world: World) -> None:
    """However often it comes: nobody is told, and no poll comes sooner for its sake."""
    day = MONDAY + timedelta(days=2)
    await world.publish(day, USD="847,9350")
    async with world.store.writing() as db:
        number = (await db.execute(select(held_rate.c.id))).scalar_one()
        await storage.held_rates.decide(db, number, approve=False)
    for _ in range(2):
        assert (await world.publish(day, USD="847,9350")).alerts == 0
    assert await held(world) == {"847.9350": "rejected"}
    async with world.store.reading() as db:
        due = (await storage.sources.states(db))["nbkr"].next_due_at
    assert due is not None
    assert due - world.now > timedelta(minutes=20)
    assert [msgid for msgid, _ in await world.notices()] == ["notice.held"]


# ── R3 ──────────────────────────────────────────────────────────────────────


async def test_R3_a_rate_carried_over_a_weekend_is_no_move(world: World) -> None:
    """The same number under Saturday's, Sunday's and Monday's date wakes neither subscribers nor a
    chat's own rule.
    """
    await watch(world, "USD 0.1%")
    for ahead in range(2, 8):
        world.at(MONDAY + timedelta(days=ahead))
        report = await world.publish(MONDAY + timedelta(days=ahead))
        assert (report.error, report.alerts) == (None, 0)
    assert await world.alerts() == []


@pytest.mark.parametrize(("days", "told"), [(5, True), (6, False)])
async def test_R3_a_rate_that_comes_late_fires_a_rule_while_it_is_news(
    world: World, days: int, *, told: bool
) -> None:
    """A rate older than a long weekend is remembered in silence: it is no news by now."""
    await watch(world, "USD > 85")
    late = MONDAY + timedelta(days=2)
    world.at(late + timedelta(days=days))
    assert (await world.publish(late, USD="85,1000")).new == 3
    assert [row.kind for row in await world.alerts("rule")] == ["rule"] * told
    assert (await world.publish(late + timedelta(days=1), USD="85,2000")).new == 3
    assert len(await world.alerts("rule")) == told


async def test_R3_a_source_stuck_for_three_days_is_told_once_and_again_when_it_recovers(
    world: World,
) -> None:
    """By its name and last day; weekends and the bank's holidays do not count; failing to answer is
    stuck too.
    """
    friday = MONDAY + timedelta(days=4)
    world.at(friday)
    await world.publish(friday + timedelta(days=1))
    # a weekend, Mon, Tue, a holiday on Wed
    quiet = [friday + timedelta(days=ahead) for ahead in (1, 2, 3, 4, 5)]
    for day in quiet:
        world.at(day, 14)  # after the window
        await world.poll()
    assert await world.notices() == []
    stuck = friday + timedelta(days=6)
    world.at(stuck, 12)
    await world.poll()
    assert await world.notices() == []  # Thursday's window is open yet
    world.publishers.put("/nbkr.xml", b"down", status=503)
    for day, hour in (
        (stuck, 14),
        (stuck, 15),
        (stuck + timedelta(days=1), 14),
        (stuck + timedelta(days=4), 14),
    ):
        world.at(day, hour)
        await world.poll()
    told = ("notice.stale", {"bank": "nbkr", "day": "2021-10-23"})
    assert await world.notices() == [told]
    assert await world.alerts() == []
    back = stuck + timedelta(days=5)
    world.at(back)
    for _ in range(2):
        await world.publish(back + timedelta(days=1))
    # said once: it publishes the day after as well
    world.at(back + timedelta(days=1))
    await world.publish(back + timedelta(days=2))
    assert await world.notices() == [told, ("notice.fresh", {"bank": "nbkr", "day": "2021-11-03"})]


async def test_R3_of_two_banks_that_stand_still_each_is_told(world: World) -> None:
    """And of each that it publishes again; its status says since when."""
    await world.publish(MONDAY + timedelta(days=1), "second")
    world.at(MONDAY + timedelta(days=8), 14)
    for key in ("nbkr", "second", "nbkr", "second"):
        await world.poll(key)
    await world.publish(MONDAY + timedelta(days=9), "second")
    async with world.store.reading() as db:
        statuses = await source_statuses(db, world.catalog, now=world.now)
    stuck = {one.key: one.stuck_on for one in statuses}
    assert stuck == {"nbkr": MONDAY + timedelta(days=1), "second": None}
    assert [(msgid, values["bank"]) for msgid, values in await world.notices()] == [
        ("notice.stale", "nbkr"),
        ("notice.stale", "second"),
        ("notice.fresh", "second"),
    ]


async def test_R3_a_missed_window_is_said_on_the_card_that_very_evening(world: World) -> None:
    """A bank whose rates come the day before they count is late when its window closes without
    tomorrow's.
    """
    tuesday = MONDAY + timedelta(days=1)
    seen = []
    for hour in (12, 14):  # 18:00, within its hours, and 20:00, after them
        world.at(tuesday, hour)
        seen.append((await card_now(world, "USD")).freshness)
    assert seen == [Freshness.CURRENT, Freshness.LATE]
    assert (
        "today's rate is not published yet, expected by 19:00"
        in render.card(await card_now(world, "USD"), "en").text
    )
    await world.publish(tuesday + timedelta(days=1))
    assert (await card_now(world, "USD")).freshness is Freshness.CURRENT
    friday = MONDAY + timedelta(days=4)
    world.at(friday)
    await world.publish(friday + timedelta(days=1))
    world.at(friday + timedelta(days=2), 14)
    assert (
        await card_now(world, "USD")
    ).freshness is Freshness.RESTING  # Saturday's rate holds on a Sunday evening


async def test_R3_a_currency_set_once_a_week_rests_while_its_bank_publishes(world: World) -> None:
    """The pound of Saturday's weekly page is not late on Thursday; nothing published at all is."""
    await world.publish(MONDAY + timedelta(days=1), GBP="116,8000")
    thursday = MONDAY + timedelta(days=3)
    world.at(thursday)
    await world.publish(thursday + timedelta(days=1))
    world.at(thursday, 14)
    card = await card_now(world, "GBP")
    assert card.freshness is Freshness.RESTING
    assert "Tuesday's rate holds (19\u00a0Oct)" in render.card(card, "en").text
    world.at(thursday + timedelta(days=1), 14)
    assert (await card_now(world, "GBP")).freshness is Freshness.LATE


# ── R4 ──────────────────────────────────────────────────────────────────────


async def test_R4_the_same_day_again_is_kept_once_and_another_value_is_a_revision(
    world: World,
) -> None:
    """The card shows the last word, the history keeps every one."""
    tuesday = MONDAY + timedelta(days=1)
    # other bytes, the same rate
    world.publishers.put("/nbkr.xml", bank_page(tuesday, {"USD": "84,7935"}) + b"\n")
    assert (await world.poll()).new == 0
    assert (await world.publish(tuesday, USD="84,8000")).new == 1
    dollar = await row_now(world, "USD")
    assert dollar.tomorrow is not None
    assert (str(dollar.tomorrow.value), dollar.tomorrow.revision) == ("84.8000", 1)
    async with world.store.reading() as db:
        day = (
            rate.c.effective_on == tuesday,
            rate.c.value.in_([Decimal("84.7935"), Decimal("84.8000")]),
        )
        assert len((await db.execute(select(rate).where(*day))).all()) == 2


# ── R5 ──────────────────────────────────────────────────────────────────────

TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=ahead) for ahead in (1, 2, 3))


async def test_R5_both_alerts_of_one_day_are_corrected(world: World) -> None:
    """A notable move, an urgent one by a revision, and a revision of that: each message that was
    wrong is answered.
    """
    await subscribe(world, 1)
    assert (await world.publish(WEDNESDAY, USD="88,0000")).alerts == 1
    assert await deliver(world) == [(1, "move", "88.0000")]
    assert (await world.publish(WEDNESDAY, USD="94,7000")).alerts == 1
    assert await deliver(world) == [(1, "move", "94.7000")]
    assert (await world.publish(WEDNESDAY, USD="93,9000")).alerts == 2
    assert await deliver(world) == [(1, "correction", "93.9000")] * 2
    moves = [row.id for row in await world.alerts("move")]
    corrections = await world.alerts("correction")
    assert [row.payload["told"] for row in corrections] == moves
    assert [row.payload["old"]["value"] for row in corrections] == ["88.0000", "94.7000"]


async def test_R5_a_figure_revised_twice_and_back_is_corrected_each_time(world: World) -> None:
    """A reader's figure is the last correction's, also when the bank returns to its first."""
    await subscribe(world, 1)
    await world.publish(WEDNESDAY, USD="88,0000")
    await deliver(world)
    for usd in ("88,5000", "88,0000"):
        await world.publish(WEDNESDAY, USD=usd)
        await deliver(world)
    told = [
        (row.payload["old"]["value"], row.payload["new"]["value"])
        for row in await world.alerts("correction")
    ]
    assert told == [("88.0000", "88.5000"), ("88.5000", "88.0000")]


async def test_R5_a_chats_own_rule_that_spoke_of_a_revised_figure_is_corrected(
    world: World,
) -> None:
    """Also a rule that rests by now; it does not speak twice of one day."""
    await watch(world, "USD > 86")
    await watch(world, "USD 1%", chat_id=READER + 1)
    assert (await world.publish(WEDNESDAY, USD="86,5000")).alerts == 2
    heard = [(READER, "rule", "86.5000"), (READER + 1, "rule", "86.5000")]
    assert await deliver(world) == heard
    async with world.store.writing() as db:
        (resting,) = await storage.rules.of_chat(db, READER + 1)
        await storage.rules.pause(db, resting.id, paused=True)
    assert (await world.publish(WEDNESDAY, USD="86,7000")).alerts == 2
    assert await deliver(world) == [
        (READER, "correction", "86.7000"),
        (READER + 1, "correction", "86.7000"),
    ]
    assert (await world.publish(THURSDAY, USD="86,8000")).alerts == 0


async def test_R5_a_figure_told_by_a_rule_that_was_deleted_or_changed_since_is_corrected(
    world: World,
) -> None:
    """Whoever got the wrong figure gets the right one, once; the changed rule may speak of that day
    too.
    """
    await watch(world, "USD > 86")
    await watch(world, "USD > 86", chat_id=READER + 1)
    assert (await world.publish(WEDNESDAY, USD="86,5000")).alerts == 2
    assert [who for who, *_ in await deliver(world)] == [READER, READER + 1]
    async with world.store.writing() as db:
        (gone,) = await storage.rules.of_chat(db, READER)
        await storage.rules.remove(db, gone.id)
    await alter(world, "USD > 86.6", chat_id=READER + 1)
    assert (await world.publish(WEDNESDAY, USD="86,7000")).alerts == 3
    heard = await deliver(world) + await deliver(world)
    corrections = [(READER, "correction", "86.7000"), (READER + 1, "correction", "86.7000")]
    assert sorted(heard) == [*corrections, (READER + 1, "rule", "86.7000")]
    assert await deliver(world) == []


async def test_a_rule_that_was_changed_speaks_again_of_the_same_day(world: World) -> None:
    """The same rule does not, however often the rate is judged."""
    await watch(world, "USD > 86")
    assert (await world.publish(WEDNESDAY, USD="86,5000")).alerts == 1
    for words, again in (("USD > 86", 0), ("USD > 86.2", 1), ("USD > 86.2", 0)):
        await alter(world, words)
        async with world.store.writing() as db:
            series = Series("nbkr", Pair("USD", "KGS"), RateKind.OFFICIAL)
            rate = await storage.rates.holding(db, series, WEDNESDAY)
            assert rate is not None
            assert await judge_by_rules(db, [rate], Pasts(db), now=world.now) == again, words


async def test_R5_who_was_not_told_yet_hears_only_the_revised_figure(world: World) -> None:
    """One has it: a correction. One is being told at this moment: that too, after it. One waits:
    the new figure.
    """
    await subscribe(world, 1, 2, 3)
    await world.publish(WEDNESDAY, USD="88,0000")
    assert await sent(world, await claim(world, 1)) == [(1, "move", "88.0000")]
    under_way = await claim(world, 1)
    world.now += timedelta(minutes=1)
    await subscribe(world, 4)  # who asks now was told nothing, and hears of nothing old
    assert (await world.publish(WEDNESDAY, USD="88,5000")).alerts == 2
    next_ones = await claim(world)
    assert await sent(world, under_way) == [(2, "move", "88.0000")]
    assert await sent(world, next_ones) == [(1, "correction", "88.5000"), (3, "move", "88.5000")]
    assert await deliver(world) == [(2, "correction", "88.5000")]
    assert (await world.publish(WEDNESDAY, USD="88,6000")).alerts == 2
    assert await deliver(world) == [(who, "correction", "88.6000") for who in (1, 2, 3)]
    assert (
        await world.publish(THURSDAY, USD="88,7000")
    ).alerts == 0  # drift counts from what they heard


async def test_R5_a_move_that_was_a_mistake_is_never_told_to_who_still_waits(world: World) -> None:
    """Revised before anybody heard of it: as if it had never been; a rule's too, and both may still
    speak.
    """
    await subscribe(world, 1)
    await watch(world, "USD > 88", chat_id=2)
    assert (await world.publish(WEDNESDAY, USD="89,0000")).alerts == 2
    assert (await world.publish(WEDNESDAY, USD="84,9000")).alerts == 0
    assert await deliver(world) == []
    assert (await world.publish(WEDNESDAY, USD="88,2000")).alerts == 2
    assert await deliver(world) == [(1, "move", "88.2000"), (2, "rule", "88.2000")]
    assert (await world.publish(THURSDAY, USD="87,4000")).alerts == 0


# ── R6 ──────────────────────────────────────────────────────────────────────


async def test_R6_an_absent_currency_is_not_zero_and_the_others_are_stored(world: World) -> None:
    """Its last rate stays with its own day, and when it comes back it is compared with that."""
    wednesday = MONDAY + timedelta(days=2)
    world.at(MONDAY + timedelta(days=1))
    assert (await world.publish(wednesday, RUB="", USD="84,8000")).new == 2
    rouble = await row_now(world, "RUB")
    assert rouble.tomorrow is None
    assert rouble.today is not None
    assert (str(rouble.today.value), rouble.today.effective_on) == (
        "1.1948",
        MONDAY + timedelta(days=1),
    )
    assert (await world.publish(wednesday + timedelta(days=1), RUB="1,1000")).alerts == 1


async def test_R6_a_new_currency_is_stored_and_alerts_nobody(world: World) -> None:
    """It has no past to move against; its next rate has."""
    wednesday = MONDAY + timedelta(days=2)
    report = await world.publish(wednesday, CNY="13,2500")
    assert (report.new, report.alerts, await held(world)) == (4, 0, {})
    assert (await world.publish(wednesday + timedelta(days=1), CNY="14,0000")).alerts == 1


async def test_R6_swapped_codes_are_held_whatever_the_size_of_the_move(world: World) -> None:
    """Two rows that changed places, at most 15 % apart, are no moves; the operator hears of
    both.
    """
    await world.publish(MONDAY + timedelta(days=1), GBP="94,1000")
    wednesday = MONDAY + timedelta(days=2)
    for _ in range(3):  # the page repeats its own mistake
        report = await world.publish(wednesday, EUR="94,2000", GBP="98,9000")
        assert report.alerts == 0
    assert await held(world) == {"94.2000": "held", "98.9000": "held"}
    codes = [[one.code for one in reasons] for reasons in await world.notice_reasons()]
    assert codes == [["swapped"], ["swapped"]]
    assert (await world.publish(wednesday, EUR="98,9000", GBP="94,2000")).new == 2
    assert await world.alerts() == []


# ── R7 ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Maintenance</body></html>",
        bank_page(MONDAY + timedelta(days=2), {"USD": "99,0000"})[:-30],
        bank_page(MONDAY + timedelta(days=2), {"USD": "99,0000"}).replace(b"Value", b"Rate"),
        bank_page(MONDAY + timedelta(days=2), {"USD": "99,0000"}).replace(
            b"CurrencyRates", b"Rates"
        ),
    ],
)
async def test_R7_another_schema_is_refused_whole(world: World, body: bytes) -> None:
    """Nothing of it is stored or held, the trouble is recorded, the next good document counts."""
    world.publishers.put("/nbkr.xml", body)
    report = await world.poll()
    assert report.error
    assert (report.new, report.alerts, await held(world)) == (0, 0, {})
    assert (await world.publish(MONDAY + timedelta(days=2), USD="89,0000")).alerts == 1


# ── R8 ──────────────────────────────────────────────────────────────────────


async def test_R8_sources_that_disagree_are_both_shown_and_alert_nobody_until_they_agree(
    world: World,
) -> None:
    """Neither the move nor a chat's own rule; with the agreement both are told, once."""
    for ahead in (0, 1):
        await world.publish(MONDAY + timedelta(days=ahead), "second")
    await watch(world, "USD > 88")
    world.at(MONDAY + timedelta(days=1))
    wednesday = MONDAY + timedelta(days=2)
    await world.publish(wednesday, "second", USD="84,9000")
    for usd in ("89,9000", "89,9100"):
        assert (await world.publish(wednesday, USD=usd)).alerts == 0
    assert await world.alerts() == []
    values = {
        "bank": "nbkr",
        "pair": "USD/KGS",
        "rate": "89.9000",
        "other": "second",
        "theirs": "84.9000",
    }
    assert await world.notices() == [("notice.dispute", values)]
    card = await card_now(world, "USD", "EUR")
    shown = render.card(card, "en").text
    assert "National Bank 89.9100 · Second Bank 84.9000" in shown
    assert "EUR/KGS" not in shown
    agreed = await world.publish(wednesday, "second", USD="89,5000")
    assert agreed.alerts == 3  # the move of each bank, and the reader's own rule
    told = [(row.kind, rate_from_json(row.payload["new"]).source) for row in await world.alerts()]
    assert sorted(told) == [("move", "nbkr"), ("move", "second"), ("rule", "nbkr")]
    assert (await card_now(world, "USD")).disputes == ()
    assert (await world.publish(wednesday, USD="89,9100", EUR="98,8600")).alerts == 0


async def test_R8_a_dispute_of_one_currency_is_noticed_beside_others_nobody_else_has(
    world: World,
) -> None:
    """The second bank has no dollar: the euro after it is compared all the same."""
    wednesday = MONDAY + timedelta(days=2)
    await world.publish(wednesday, "second", USD="", RUB="", EUR="98,9000")
    assert (await world.publish(wednesday, USD="89,9000", EUR="104,9000")).alerts == 1
    ((msgid, values),) = await world.notices()
    assert (msgid, values["pair"], values["other"]) == ("notice.dispute", "EUR/KGS", "second")


async def test_R8_a_dispute_lasts_until_the_other_bank_has_spoken_again(world: World) -> None:
    """A new day of the one alone settles nothing; a bank that only lags behind disputes nothing."""
    for ahead in (0, 1):
        await world.publish(MONDAY + timedelta(days=ahead), "second")
    wednesday, thursday = MONDAY + timedelta(days=2), MONDAY + timedelta(days=3)
    assert (
        await world.publish(wednesday, EUR="103,9000")
    ).alerts == 1  # the second bank has no Wednesday yet
    await world.publish(wednesday, "second", EUR="104,0000", USD="84,8000")
    assert (await world.publish(wednesday, EUR="103,9000", USD="89,9000")).alerts == 0
    assert (await world.publish(thursday, EUR="103,9000", USD="90,1000")).alerts == 0
    assert (await world.publish(thursday, "second", EUR="103,9000", USD="90,0000")).alerts == 2


async def test_R8_a_move_that_was_in_dispute_is_told_even_if_the_rate_then_stands_still(
    world: World,
) -> None:
    """The second bank follows a day later, at the value the first has had since: told once, as
    drift.
    """
    for ahead in (0, 1):
        await world.publish(MONDAY + timedelta(days=ahead), "second")
    wednesday, thursday = MONDAY + timedelta(days=2), MONDAY + timedelta(days=3)
    await world.publish(wednesday, "second", USD="84,8000")
    assert (await world.publish(wednesday, USD="89,9000")).alerts == 0
    assert (await world.publish(thursday, USD="89,9000")).alerts == 0
    assert (await world.publish(thursday, "second", USD="89,9000")).alerts == 2
    told = {
        rate_from_json(row.payload["new"]).source: row.payload["rules"][0]
        for row in await world.alerts()
    }
    assert told == {"second": "fixing", "nbkr": "drift"}


# ── R9 ──────────────────────────────────────────────────────────────────────


async def test_R9_tomorrows_rate_stands_beside_todays_and_counts_from_its_day_where_the_bank_is(
    world: World,
) -> None:
    """Published on Monday for Tuesday: tomorrow's at 17:59 UTC, today's at 18:00, midnight in
    Bishkek.
    """
    await world.publish(MONDAY + timedelta(days=1), USD="84,9000")
    world.at(MONDAY, 17)
    before = await row_now(world, "USD")
    assert before.today is not None
    assert before.tomorrow is not None
    assert [str(before.today.value), str(before.tomorrow.value)] == ["84.7935", "84.9000"]
    world.at(MONDAY, 18)
    after = await row_now(world, "USD")
    assert after.today is not None
    assert (str(after.today.value), after.tomorrow) == ("84.9000", None)
    async with world.store.reading() as db:
        holding = await current_rates(db, world.catalog, now=world.now)
    assert {str(item.value) for item in holding if item.pair == Pair("USD", "KGS")} == {"84.9000"}


# ── R10 ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [40, pytest.param(100, marks=pytest.mark.slow)])
async def test_R10_every_printed_number_reaches_the_reader_digit_for_digit(
    world: World, count: int
) -> None:
    """Many random currencies, values and nominals through bytes, store and card; SQLite keeps
    text.
    """
    luck = random.Random(10)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = sorted(
        {"".join(luck.choices(letters, k=3)) for _ in range(120)} - {"KGS", "USD", "EUR", "RUB"}
    )[:count]
    values, units = {}, {}
    for code in codes:
        digits = luck.randint(0, 8)
        # the most a bank prints
        number = Decimal(luck.randint(1, 10 ** luck.randint(1, 10) - 1)).scaleb(-digits)
        values[code], units[code] = f"{number:f}".replace(".", ","), 10 ** luck.randint(0, 4)
    day = MONDAY + timedelta(days=2)
    world.serve("nbkr", bank_page(day, values, units))
    assert (await world.poll()).new == len(codes)
    world.at(day)
    async with world.store.reading() as db:
        kept = [
            item for item in await storage.rates.around(db, "nbkr", day) if item.pair.base in values
        ]
        if db.dialect.name == "sqlite":
            kinds = await db.execute(text("SELECT DISTINCT typeof(value) FROM rate"))
            assert list(kinds.scalars()) == ["text"]
    assert len(kept) == len(codes)
    for item in kept:
        printed = values[item.pair.base].replace(",", ".")
        assert (format(item.value, "f"), item.units) == (printed, units[item.pair.base])
        assert item.per_unit * item.units == item.value == Decimal(printed)
        shown = re.sub(r"[^0-9.]", "", as_printed(item.per_unit, "en"))
        assert Decimal(shown) == item.per_unit


@contextmanager
def pasts_read() -> Iterator[Counter[str]]:
    """Counts of questions meanwhile for the past of one currency alone; "" for any question."""
    asked: Counter[str] = Counter()

    def note(_c: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        asked[""] += 1
        if "BETWEEN" in statement and "series.base = " in statement:
            given = values.values() if isinstance(values, Mapping) else values
            asked[next((code for code in SAMPLE if code in given), "other")] += 1

    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)


async def test_a_poll_asks_for_the_year_of_a_rate_once_where_it_moved_or_is_watched(
    world: World,
) -> None:
    """Not on an ordinary day, nor of what did not change, nor in a first poll, which tells
    nothing.
    """
    await watch(world, "USD > 86")
    await watch(world, "USD 1%", chat_id=READER + 1)
    changed = {"USD": "86,5000", "EUR": "99,1000", "RUB": "1,3500"}
    with pasts_read() as asked:
        assert (await world.publish(WEDNESDAY, **changed)).new == len(SAMPLE)
    assert {code: asked[code] for code in SAMPLE} == {"USD": 1, "EUR": 0, "RUB": 1}
    with pasts_read() as asked:
        assert (await world.publish(WEDNESDAY, **{**changed, "USD": "86,7000"})).new == 1
    assert {code: asked[code] for code in SAMPLE} == {"USD": 1, "EUR": 0, "RUB": 0}
    with pasts_read() as asked:
        assert (await world.publish(WEDNESDAY, "second")).new == len(SAMPLE)
    assert {code: asked[code] for code in SAMPLE} == dict.fromkeys(SAMPLE, 0)


async def test_F26_a_poll_of_forty_currencies_asks_the_store_hardly_more_than_one_of_three(
    world: World,
) -> None:
    """Everybody else who writes waits for it; and no answer is so long that all wait for that."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = [f"Q{one}{other}" for one in "WXYZ" for other in letters[:10]]
    counts = []
    for ahead, of in ((1, []), (2, codes), (3, codes), (4, [])):
        day = MONDAY + timedelta(days=1 + ahead)
        values = {**dict.fromkeys(of, f"5,0{ahead}00"), **SAMPLE, "USD": f"84,{ahead}000"}
        world.at(day)
        world.serve("nbkr", bank_page(day, values))
        with pasts_read() as asked:
            assert (await world.poll()).new == len(values)
        counts.append(asked[""])
    few, first, many, _ = counts
    assert max(first, many) <= few + 8, counts


async def test_each_day_of_one_document_has_a_past_of_its_own(store: Store) -> None:
    """Of days in any order, years of them too: only the newest day's past is kept."""
    days = [factories.rate(on=f"2021-10-{day}") for day in (18, 19, 20)]
    async with store.writing() as db:
        first, second, third = await storage.rates.add(db, days, seen_at=factories.NOW)
        pasts = Pasts(db)
        for new, past in (
            (second, [first]),
            (third, [first, second]),
            (second, [first]),
            (first, []),
        ):
            assert await pasts.of(new) == past
        with pasts_read() as asked:
            assert await pasts.of(third) == [first, second]
    assert asked == {}


async def test_R2_each_day_of_one_document_is_judged_by_the_sixty_days_before_it(
    store: Store,
) -> None:
    """What is older vouches for nothing, though an earlier day of the document is judged by it."""
    days = [factories.NOW.date() - timedelta(days=ago) for ago in (61, 1, 0)]
    known, shifted, new = (
        factories.rate(value=value, on=str(day))
        for value, day in zip(("84", "840", "840"), days, strict=True)
    )
    spec = parse_catalog(bank_at("http://127.0.0.1:9")).rates["nbkr"]
    async with store.writing() as db:
        await storage.rates.add(db, [known], seen_at=factories.NOW)
        document = [new, shifted]
        assert await believed(db, spec, document, admins=(), now=factories.NOW) == ([new], 1)
