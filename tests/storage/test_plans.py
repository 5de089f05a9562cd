"""Statements that a reader waits for seek in indexes, by the databases' own plans."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

import storage.alerts
import storage.chats
import storage.claims
import storage.fan_out
import storage.filters
import storage.missed
import storage.overview
import storage.privacy
import storage.rates
import storage.stories
import storage.switch
import storage.told
import storage.withheld
from bot.alerts.notices import Notice
from bot.alerts.notices import alert as notice
from bot.model.alerts import Alert, Audience, Lane, Severity
from bot.model.chats import Editorial
from bot.model.filters import Filter, Sense, StoredFilter, Trait
from bot.model.rates import Pair, RateKind, Series
from bot.model.subjects import CURRENCIES
from bot.readers.rates import rate_card
from bot.reasons import reasons_to_json
from bot.sources.catalog import parse_catalog
from storage.alerts import StoredAlert
from storage.db import Db, Store
from storage.kept_back import Sift
from storage.schema import alert, delivery, kept_back, news_filter, series, subscription
from storage.schema import chat as chats
from storage.withheld import ANY_CHANNEL
from tests.factories import a_notice, chat
from tests.storage.many import add_all, repeat
from tests.storage.test_withheld import EDITOR

TODAY = date(2021, 10, 20)
NOW = datetime(2021, 10, 20, 4, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
DAYS = 50
CODES = tuple(f"{one}{two}C" for one in "ABDEFGHI" for two in "LMNOP") + CURRENCIES
CATALOG = parse_catalog("""
[rates.nbkr]
name = { en = "National Bank" }
urls = ["http://127.0.0.1:9/daily.xml"]
""")
_FILL = """
INSERT INTO rate (series_id, effective_on, revision, value, units, seen_at)
SELECT series.id, {day}, 0, {value}, 1, {now} FROM series, {numbers}
"""
_STORY = """
INSERT INTO story (id, at, severity, reasons) SELECT n + 1, {at}, 'info', '[]' FROM {numbers}
"""
_TOPIC = """
INSERT INTO story_topic (topic, story_id, at)
SELECT CASE WHEN n < 600 THEN 'old' ELSE 'busy' END, n + 1, {at} FROM {numbers}
"""


async def fill(db: AsyncConnection) -> None:
    """Twenty-five thousand rates of ten banks, and the statistics a database keeps."""
    banks = [
        {"source": source, "base": code, "quote": "KGS", "kind": "official"}
        for source in ("nbkr", *"abcdefghi")
        for code in CODES
    ]
    await add_all(db, series, banks)
    if db.dialect.name == "sqlite":
        words = {
            "day": "CASE n WHEN 0 THEN '2022-01-01' "
            "ELSE date('2021-10-21', '-' || n || ' days') END",
            "value": "'84.' || n",
            "now": "0",
        }
    else:
        words = {
            "day": "CASE n WHEN 0 THEN date '2022-01-01' ELSE date '2021-10-21' - n END",
            "value": "84 + n * 0.0001",
            "now": "to_timestamp(0)",
        }
    await db.execute(text(_FILL.format(numbers=numbers(db, DAYS), **words)))
    await db.execute(text("ANALYZE"))


def numbers(db: AsyncConnection, last: int) -> str:
    """The numbers 0 … last as `n`, to be selected from."""
    if db.dialect.name != "sqlite":
        return f"generate_series(0, {last}) AS up(n)"
    above = f"SELECT n + 1 FROM up WHERE n < {last}"  # noqa: S608 - a number
    up = f"WITH RECURSIVE up(n) AS (SELECT 0 UNION ALL {above})"
    return f"({up} SELECT n FROM up)"  # noqa: S608 - likewise


@contextmanager
def statements(db: AsyncConnection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are asked of the database meanwhile, with their parameters."""
    asked: list[tuple[str, Any]] = []

    def note(
        _c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> None:
        asked.append((statement, parameters))

    event.listen(db.sync_connection, "before_cursor_execute", note)
    yield asked
    event.remove(db.sync_connection, "before_cursor_execute", note)


async def plan(db: AsyncConnection, statement: str, parameters: Any) -> str:
    """The database's plan of a statement."""
    word = "EXPLAIN QUERY PLAN" if db.dialect.name == "sqlite" else "EXPLAIN"
    rows = await db.exec_driver_sql(f"{word} {statement}", parameters)
    return "\n".join(str(row[-1]) for row in rows)


def scans(found: str, table: str) -> list[str]:
    """The lines of a plan that read a whole table."""
    return [
        line
        for line in found.splitlines()
        if line.startswith("SCAN") or f"Seq Scan on {table}" in line
    ]


async def test_what_readers_and_polls_wait_for_is_found_by_seeks_alone(store: Store) -> None:
    """Every statement behind `/rates`, on a cache miss: a search of an index for each rate shown,
    no scan; and what every poll asks: is the source stuck, and what held on a day.
    """
    async with store.writing() as db:
        await fill(db)
        with statements(db) as asked:
            assert await storage.rates.newest_day(db, "nbkr") == date(2022, 1, 1)
            dollar = Series("nbkr", Pair("USD", "KGS"), RateKind.OFFICIAL)
            held = await storage.rates.holding(db, dollar, TODAY)
        assert held is not None
        assert held.effective_on == TODAY
        for statement, parameters in asked:
            found = await plan(db, statement, parameters)
            assert [line for line in scans(found, "rate") if "rate" in line] == [], found
    for codes in ((), ("USD",)):
        await _a_card_is_sought(store, codes)


async def _a_card_is_sought(store: Store, codes: tuple[str, ...]) -> None:
    async with store.reading() as db:
        with statements(db) as asked:
            card = await rate_card(db, CATALOG, home="KGS", now=NOW, codes=codes)
        assert len(card.rows) == len(codes or CURRENCIES)
        assert asked
        for statement, parameters in asked:
            found = await plan(db, statement, parameters)
            assert scans(found, "rate") == [], found
            if "FROM series" in statement:
                assert (
                    "SEARCH rate USING PRIMARY KEY (series_id=? AND effective_on=?" in found
                ) or ("Index" in found and "pk_rate" in found), found


async def test_the_alerts_of_a_revised_figure_are_found_by_their_keys(store: Store) -> None:
    """However many alerts there ever were: no scan of them, nor of a rule's or an alert's
    deliveries.
    """
    async with store.writing() as db:
        told = Alert(
            dedup_key="notice:1:7",
            payload=Notice(msgid="notice.other"),
            severity=Severity.INFO,
            lane=Lane.ALERT,
            audience=Audience(chat=1),
            created_at=NOW,
            expires_at=NOW + timedelta(days=1),
        )
        await storage.alerts.enqueue(db, told)
        await repeat(db, alert, "dedup_key", [f"notice:1:{number}" for number in range(8, 400)])
        await db.execute(text("ANALYZE"))
        with statements(db) as asked:
            (found,) = await storage.alerts.by_keys(db, ["notice:1:7", "notice:1:7:1"])
            await storage.alerts.withdraw(db, found.id)
        shown = [await plan(db, statement, parameters) for statement, parameters in list(asked)[:4]]
    searches = [line for found_plan in shown for line in found_plan.splitlines()]
    assert any(
        "uq_alert_dedup_key" in line or "sqlite_autoindex_alert" in line for line in searches
    ), shown
    assert not [line for line in searches if "SCAN alert" in line or "Seq Scan on alert" in line], (
        shown
    )


async def test_what_is_followed_is_found_by_one_look_for_each_key(store: Store) -> None:
    """However many chats follow it, and in whatever order the database sorts words; no key at all
    is none.
    """
    keys = {"digest:09:00@Asia/Bishkek", "digest:21:30@Europe/Moscow", "pair:USD/KGS", "topic:a"}
    async with store.writing() as db:
        assert await storage.chats.followed(db) == []
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.chats.subscribe(db, 1, sorted(keys), now=NOW)
        await repeat(db, chats, "id", range(2, 151))
        await repeat(db, subscription, "chat_id", range(2, 151))
        await db.execute(text("ANALYZE"))
        with statements(db) as asked:
            found = await storage.chats.followed(db)
        shown = await plan(db, *asked[0])
    assert sorted(found) == sorted(keys)
    assert "Seq Scan on subscription" not in shown, shown
    assert "SCAN subscription" not in shown.replace("SCAN subscription USING COVERING INDEX", "")


async def test_the_notices_about_a_chat_are_found_by_it(store: Store) -> None:
    """Only these are erased with the chat, among all alerts of a month."""
    async with store.writing() as db:
        gone = a_notice("notice.gone", {"chat": "-7", "why": "blocked"})
        await storage.alerts.enqueue(db, notice(7, gone, now=NOW))
        others = [_an_alert(number, None, about_chat=-number) for number in range(1000, 2000)]
        await add_all(db, alert, others)
        await db.execute(text("ANALYZE"))
        with statements(db) as asked:
            await storage.privacy.erase(db, -7)
        about = [one for one in asked if "about_chat" in one[0]]
        shown = await plan(db, *about[0])
        left = (await db.execute(text("SELECT count(*) FROM alert"))).scalar_one()
    assert left == 1000
    assert "ix_alert_about_chat" in shown, shown
    assert "ix_alert_audience_chat" in shown, shown


async def test_when_a_subscription_last_told_something_is_found_by_its_key(store: Store) -> None:
    """Among all alerts of a month; an operator's message to a topic's readers is none of it."""
    keys = ["topic:economy", "pair:USD/KGS"]
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        rows = [_an_alert(number, f"feed:{number}") for number in range(2000)]
        rows += [_an_alert(2000, keys[0], announces=True), _an_alert(2001, keys[1])]
        await add_all(db, alert, rows)
        made = [_a_delivery(number, 1, state="sent") for number in range(1, 2003)]
        await add_all(db, delivery, made)
        await db.execute(text("ANALYZE"))
        with statements(db) as asked:
            assert await storage.alerts.last_told(db, 1, keys) == {keys[1]: NOW}
        shown = await plan(db, *asked[0])
    assert "ix_alert_audience_key" in shown, shown
    assert scans(shown, "alert") == scans(shown, "delivery") == [], shown


async def test_what_leaves_while_all_is_stopped_is_found_without_walking_what_waits(
    store: Store,
) -> None:
    """However much that is, and in which lanes: it is looked for each second."""
    async with store.writing() as db:
        await add_all(db, alert, [_an_alert(number, "*") for number in range(300)])
        await db.execute(insert(alert), [_an_alert(300, None, passes_stop=True, audience_chat=1)])
        for number in range(1, 11):
            await storage.chats.add(db, chat(number), now=NOW)
        at = {"lane": int(Lane.ALERT)}
        waiting = [_a_delivery(one, to, **at) for one in range(1, 301) for to in range(1, 11)]
        await add_all(db, delivery, waiting)
        await db.execute(insert(delivery), [_a_delivery(301, 1, **at)])
        await db.execute(text("ANALYZE"))
        await storage.switch.turn_off(db, "t")
        with statements(db) as asked:
            found = await storage.claims.claim(
                db,
                token="t",
                rate=1000,
                horizon=timedelta(seconds=1),
                lease=timedelta(minutes=1),
            )
        assert [one.alert for one in found.deliveries] == [301]
        (looked,) = (one for one in asked if "threads" in one[0])
        shown = await plan(db, *looked)
    assert "ix_alert_passing" in shown, shown
    assert "ix_delivery_due" not in shown, shown


async def test_what_waits_is_counted_without_walking_what_was_sent(store: Store) -> None:
    """Among all deliveries of a month, and each alert that waits is looked up by its number."""
    async with store.writing() as db:
        await add_all(db, alert, [_an_alert(number, "*") for number in range(2000)])
        made = [_a_delivery(number, 1, state="sent") for number in range(1, 1999)]
        made += [_a_delivery(number, 1) for number in (1999, 2000)]
        await add_all(db, delivery, made)
        await db.execute(text("ANALYZE"))
        with statements(db) as asked:
            lanes = await storage.overview.lanes(db, now=NOW)
        assert sum(one.waiting for one in lanes) == 2
        (looked,) = (one for one in asked if "FROM delivery" in one[0])
        shown = await plan(db, *looked)
    assert "ix_delivery_open" in shown, shown
    assert [line for line in scans(shown, "alert") if "alert" in line] == [], shown


def _an_alert(number: int, key: str | None, **changes: Any) -> dict[str, Any]:
    """A row of an alert, the `number`-th."""
    row = {
        "dedup_key": str(number),
        "kind": "feed",
        "payload": {},
        "severity": "notable",
        "lane": int(Lane.ROUTINE),
        "reasons": [],
        "audience_key": key,
        "created_at": NOW,
        "expires_at": FAR,
        "fanned_at": NOW,
        "announces": False,
    }
    return {**row, **changes}


def _a_delivery(told: int, to: int, **changes: Any) -> dict[str, Any]:
    """A row of a delivery."""
    row = {
        "alert_id": told,
        "chat_id": to,
        "lane": int(Lane.ROUTINE),
        "state": "pending",
        "not_before": NOW,
        "expires_at": FAR,
        "finished_at": NOW,
    }
    return {**row, **changes}


async def test_a_chunk_of_chats_without_filters_is_one_look_into_an_index(store: Store) -> None:
    """However many others have some: their chats are not looked for."""
    word = Filter(sense=Sense.NEVER, trait=Trait.WORD, what="flood", said="flood")
    members = select(subscription.c.chat_id)
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.filters.add(db, 1, [word])
        await repeat(db, chats, "id", range(2, 1001))
        await repeat(db, news_filter, "chat_id", range(2, 1001))
        await db.execute(text("ANALYZE"))
        with statements(db) as asked:
            assert await storage.filters.among(db, members, after=1000, last=2000) == []
        looked = [one for one in asked if "news_filter" in one[0]]
        assert len(looked) == 1
        shown = await plan(db, *looked[0])
        assert scans(shown, "news_filter") == [], shown
        with statements(db) as asked:
            await storage.filters.of_chat(db, 7)
        listed = [one for one in asked if "news_filter" in one[0]]
        assert scans(await plan(db, *listed[0]), "news_filter") == []


async def test_a_round_among_those_an_alert_is_kept_from_looks_at_them_alone(store: Store) -> None:
    """However many others follow its subject, and however much else is kept back."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.chats.subscribe(db, 1, ["topic:security"], now=NOW)
        await repeat(db, chats, "id", range(2, 1001))
        await repeat(db, subscription, "chat_id", range(2, 1001))
        told: dict[str, Any] = {
            "grew_at": NOW,
            "among_kept": True,
            "about_story": 1,
            "fanned_at": None,
        }
        told["reasons"] = reasons_to_json(())
        kept = [{"alert_id": 2, "chat_id": number, "filter_id": 9} for number in range(1, 1001)]
        kept += [{"alert_id": 1, "chat_id": number, "filter_id": 9} for number in (7, 500, 900)]
        await db.execute(insert(alert), _an_alert(1, "topic:security", **told))
        await add_all(db, kept_back, kept)
        await db.execute(text("ANALYZE"))
        with statements(db) as asked:
            assert await storage.fan_out.fan_out(db, sieve=no_filter_says_anything) == 3
        looked = [one for one in asked if "FROM subscription" in one[0] or "FROM kept_" in one[0]]
        assert len(looked) >= 3
        for one in looked:
            shown = await plan(db, *one)
            assert [*scans(shown, "subscription"), *scans(shown, "kept_back")] == [], shown


async def no_filter_says_anything(_db: Db, _told: StoredAlert) -> Sift:
    """All is let through."""

    async def sift(_filters: Sequence[StoredFilter]) -> Collection[int]:
        return ()

    return sift


async def test_what_an_hour_told_of_a_kind_is_found_by_it(store: Store) -> None:
    """Among all alerts of a month; and what one operator was told of that kind, and which of some
    kinds are over and reached nobody.
    """
    async with store.writing() as db:
        of_old = {"created_at": NOW - timedelta(days=9)}
        kinds = ("story", "feed", "notice")
        rows = [_an_alert(one, None, kind=kinds[one % 3], **of_old) for one in range(3000)]
        rows += [_an_alert(one, None, kind=kinds[one % 3]) for one in range(3000, 3003)]
        for to, row in enumerate(rows):
            row |= {"audience_chat": to, "reasons": reasons_to_json(())}
        await add_all(db, alert, rows)
        await db.execute(text("ANALYZE"))
        since = NOW - timedelta(hours=1)
        with statements(db) as asked:
            for calm in (True, False):
                times = {"since": since, "until": NOW, "most": 9, "calm": calm}
                assert await storage.told.times_told(db, "story", **times) == 1
            after = timedelta(minutes=2)
            assert not await storage.missed.missed(db, ["story", "feed"], now=NOW, after=after)
            (found,) = await storage.alerts.sent_to(db, "notice", 3002, most=9, since=since)
        alerts = [one for one in asked if "FROM alert" in one[0]]
        first, second, *others = [await plan(db, *one) for one in alerts]
    assert found.payload.kind == "notice"
    for shown in (first, second):
        assert (
            "ix_alert_kind_created_at (kind=? AND created_at>?" in shown
            or "Index Cond: (((kind)::text = 'story'::text) AND (created_at >" in shown
        ), shown
    for shown in others:
        assert scans(shown, "alert") == [], shown


async def test_channels_with_a_policy_and_what_they_keep_back_are_found_by_their_indexes(
    store: Store,
) -> None:
    """Among all readers of a story, and all deliveries of a month."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await repeat(db, chats, "id", range(2, 401))
        await storage.chats.add(db, chat(-1, policy=Editorial.APPROVE), now=NOW)
        told = {"v": 2, "story": 1, "topics": [], "answers": None}
        tells = {"kind": "story", "payload": told, "reasons": reasons_to_json(())}
        stories = [_an_alert(one, None, about_story=one, **tells) for one in range(1, 9)]
        await add_all(db, alert, stories)
        made = [_a_delivery(one, to) for one in range(1, 9) for to in range(1, 401)]
        await add_all(db, delivery, [*made, _a_delivery(1, -1)])
        await db.execute(text("ANALYZE"))
        first = await storage.alerts.get(db, 1)
        assert first is not None
        with statements(db) as asked:
            await storage.withheld.withhold(db, first, EDITOR, after=None, last=None)
            await storage.withheld.confirmed(db, 1)
            await storage.withheld.expire(db, chunk=10)
            await storage.withheld.look(db, EDITOR.unmet)
            await storage.stories.latest(db, reader=ANY_CHANNEL)
            await storage.stories.latest(db, reader=-1)
        seen = ""
        for statement, parameters in asked:
            if "delivery" in statement:
                seen += await plan(db, statement, parameters) + "\n"
    whole = [one for one in scans(seen, "delivery") + scans(seen, "chat") if "INDEX" not in one]
    assert whole == [], seen
    assert "ix_chat_policy" in seen, seen
    assert "ix_delivery_withheld" in seen, seen
    assert "ix_delivery_demand" in seen, seen


async def test_a_page_of_stories_is_read_by_indexes_alone(store: Store) -> None:
    """Neither all stories nor all topics are read, also where a topic has had none for long; SQLite
    is told nothing of what is in its tables, as in life.
    """
    async with store.writing() as db:
        at = "n" if db.dialect.name == "sqlite" else "to_timestamp(n)"
        for statement in (_STORY, _TOPIC):
            await db.execute(text(statement.format(numbers=numbers(db, 5_000), at=at)))
        if db.dialect.name != "sqlite":
            await db.execute(text("ANALYZE"))
        with statements(db) as asked:
            await storage.stories.latest(db, topics=["old", "busy"], before=NOW, offset=5)
            await storage.stories.several(db, range(100, 106))
        seen = ""
        for statement, parameters in asked:
            seen += await plan(db, statement, parameters) + "\n"
    assert "Seq Scan on story" not in seen, seen
    assert "SCAN story" not in seen, seen
    assert "SCAN listed" not in seen, seen
    assert "ix_story_topic_topic_at_story_id" in seen, seen
    assert "ix_story_topic_story_id" in seen, seen
