"""One storage contract, every database."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.adapt import Dumper
from sqlalchemy import Connection, insert, select, text

import storage.chats
import storage.connecting
import storage.db
import storage.deliveries
import storage.entries
import storage.leases
import storage.rates
import storage.sources
import storage.stories
import storage.supergroups
from bot.errors import ConfigError, StorageError
from bot.model.alerts import Severity, State
from bot.model.news import Verdict
from bot.reasons import Reason, said
from storage import migrate
from storage.db import Db, Store, db_now
from storage.entries import NewEntry
from storage.opening import open_store
from storage.schema import metadata, note, pace, rate
from storage.versions import HEAD, MIN_READER, REVISIONS, SCRIPTS
from tests.factories import NOW, chat, entry
from tests.factories import rate as a_rate

QUIET = Verdict(security=False, score=0.0, severity=Severity.INFO)


async def test_a_decimal_comes_back_with_exactly_its_digits(store: Store) -> None:
    """Neither padded nor rounded, on either database."""
    values = ["84.7935", "0.0045994", "1.20", "100", "12345678901234567890.123456789"]
    rates = [a_rate(value=value, on=f"2021-10-{day:02}") for day, value in enumerate(values, 1)]
    async with store.writing() as db:
        await storage.rates.add(db, rates, seen_at=NOW)
        got = await storage.rates.history(
            db, rates[0].series, since=date(2021, 10, 1), until=date(2021, 10, 31)
        )
    assert [str(item.value) for item in got] == values


async def test_the_past_of_a_rate_is_its_series_before_its_day_within_reach(store: Store) -> None:
    """A revision has the same past as the value it replaces; what came later is no past."""
    days = [a_rate(value=str(day), on=f"2021-10-{day:02}") for day in range(1, 8)]
    other = a_rate(pair="EUR/KGS", on="2021-10-04")
    revised = a_rate(value="50", on="2021-10-05")
    async with store.writing() as db:
        await storage.rates.add(db, [*days, other], seen_at=NOW)
        for new in (days[4], revised):
            past = await storage.rates.before(db, new, reach=timedelta(days=3))
            assert [str(item.value) for item in past] == ["2", "3", "4"]
            await storage.rates.add(db, [revised], seen_at=NOW)


async def test_the_pasts_of_many_rates_are_each_series_own_days_once(store: Store) -> None:
    """Of days that lie near, and of one far away; the last word on each, and of no other series."""
    days = [a_rate(value=str(day), on=f"2021-10-{day:02}") for day in range(1, 15)]
    euros = [a_rate(pair="EUR/KGS", value=str(day), on=f"2021-10-{day:02}") for day in (2, 14)]
    others = [a_rate(pair="RUB/KGS", on="2021-10-05"), a_rate(source="cbr", on="2021-10-05")]
    revised = a_rate(value="50", on="2021-10-05")
    async with store.writing() as db:
        await storage.rates.add(db, [*days, *euros, *others], seen_at=NOW)
        await storage.rates.add(db, [revised], seen_at=NOW)
        asked = [days[4], days[5], days[13], euros[0]]
        pasts = await storage.rates.pasts(db, asked, reach=timedelta(days=2))
    found = {str(of.pair): [str(one.value) for one in past] for of, past in pasts.items()}
    assert found == {"USD/KGS": ["3", "4", "50", "6", "12", "13", "14"], "EUR/KGS": ["2"]}


async def test_a_time_comes_back_in_utc_to_the_microsecond(store: Store) -> None:
    """Whatever zone it had when it was stored."""
    bishkek = datetime(2021, 10, 20, 15, 12, 0, 123456, tzinfo=timezone(timedelta(hours=6)))
    async with store.writing() as db:
        await storage.rates.add(db, [a_rate()], seen_at=bishkek)
        got = await storage.rates.around(db, "nbkr", date(2021, 10, 20))
    assert got[0].seen_at == bishkek
    assert got[0].seen_at.tzinfo is UTC


async def test_a_naive_time_is_refused(store: Store) -> None:
    """A time without a zone is a mistake of the caller."""
    with pytest.raises(Exception, match="naive"):
        async with store.writing() as db:
            await db.execute(pace.insert().values(name="x", tat=datetime(2021, 1, 1)))  # noqa: DTZ001 - the mistake


async def test_nan_is_refused(store: Store) -> None:
    """NaN is no rate."""
    with pytest.raises(Exception, match="finite"):
        async with store.writing() as db:
            await storage.rates.add(db, [a_rate(value="NaN")], seen_at=NOW)


async def test_a_second_opinion_is_what_others_hold_of_the_same_pair_that_day(store: Store) -> None:
    """Neither one's own rate, nor another pair's, nor what comes later; the last word on its
    day.
    """
    others = [a_rate(on=day, source="ecb") for day in ("2021-10-18", "2021-10-19", "2021-10-21")]
    async with store.writing() as db:
        await storage.rates.add(
            db, [a_rate(), *others, a_rate("EUR/KGS", source="cbr")], seen_at=NOW
        )
        await storage.rates.add(db, [replace(others[1], value=Decimal(85))], seen_at=NOW)
        found = await storage.rates.elsewhere(db, [a_rate().series], on=a_rate().effective_on)
    assert [(one.source, str(one.effective_on), one.value) for one in found] == [
        ("ecb", "2021-10-19", Decimal(85))
    ]


async def test_R4_same_value_is_kept_once_and_a_different_one_is_a_revision(store: Store) -> None:
    """History is kept; the last word is what is shown."""
    async with store.writing() as db:
        assert len(await storage.rates.add(db, [a_rate()], seen_at=NOW)) == 1
        assert await storage.rates.add(db, [a_rate()], seen_at=NOW) == []
        (revised,) = await storage.rates.add(db, [a_rate(value="84.80")], seen_at=NOW)
        shown = await storage.rates.around(db, "nbkr", date(2021, 10, 20))
        rows = (await db.execute(rate.select())).all()
    assert revised.revision == 1
    assert [item.value for item in shown] == [Decimal("84.80")]
    assert len(rows) == 2


async def test_R4_of_what_is_stored_together_each_word_on_a_day_follows_the_one_before(
    store: Store,
) -> None:
    """As if they came one by one: the first, the same again, another, another day's."""
    said = [a_rate(), a_rate(), a_rate(value="84.80"), a_rate(effective_on=date(2021, 10, 21))]
    async with store.writing() as db:
        added = await storage.rates.add(db, said, seen_at=NOW)
    assert [(new.value, new.revision) for new in added] == [
        (said[0].value, 0),
        (said[2].value, 1),
        (said[3].value, 0),
    ]


async def test_R9_tomorrows_rate_stands_beside_todays(store: Store) -> None:
    """`around` gives the day before, the day, and what is announced."""
    days = ["2021-10-18", "2021-10-19", "2021-10-20", "2021-10-21", "2021-10-22"]
    async with store.writing() as db:
        await storage.rates.add(db, [a_rate(on=day) for day in days], seen_at=NOW)
        got = await storage.rates.around(db, "nbkr", date(2021, 10, 20))
    assert [item.effective_on.day for item in got] == [19, 20, 21]


async def test_what_fails_midway_leaves_nothing(store: Store) -> None:
    """A transaction is all or nothing."""
    with pytest.raises(RuntimeError):
        async with store.writing() as db:
            await storage.rates.add(db, [a_rate()], seen_at=NOW)
            raise RuntimeError
    async with store.reading() as db:
        assert await storage.rates.around(db, "nbkr", date(2021, 10, 20)) == []


@pytest.mark.parametrize("name", ["football, Osh", None], ids=["a key", "a row"])
async def test_an_error_shows_nothing_of_what_was_to_be_stored(
    store: Store, name: str | None
) -> None:
    """Its traceback is in the log, which keeps no words of people's; a server would say which row
    or key it refuses. Nobody is told that the database is in trouble.
    """
    words = insert(note).values(name=name, value="football, Talas")
    with pytest.raises(StorageError) as caught:
        async with store.writing() as db:
            await db.execute(words)
            await db.execute(words)
    shown = "".join(traceback.format_exception(caught.value))
    assert "INSERT INTO mark" in shown
    assert "constraint" in str(caught.value)
    assert "football" not in shown
    assert store.trouble is None, "it is well: no operator need look after it"


async def test_a_source_forgets_its_failures_when_it_answers(store: Store) -> None:
    """Failures in a row are counted; the first success is remembered for ever."""
    async with store.writing() as db:
        for _ in range(3):
            await storage.sources.record_failure(
                db, "nbkr", now=NOW, next_due_at=NOW, error=said("no answer")
            )
        assert (await storage.sources.states(db))["nbkr"].failures == 3
        later = NOW + timedelta(days=1)
        seen = [storage.sources.Document(source="nbkr", url="https://x/", etag='"1"')]
        good = storage.sources.Good(key="nbkr", next_due_at=later, seen=seen)
        await storage.sources.record_success(db, [good], now=NOW)
        await storage.sources.record_success(db, [good], now=later)
        state = (await storage.sources.states(db))["nbkr"]
        documents = await storage.sources.documents(db, ["nbkr"])
    assert (state.failures, state.error, state.first_ok_at, state.last_ok_at) == (
        0,
        None,
        NOW,
        later,
    )
    assert documents["nbkr"]["https://x/"].etag == '"1"'


async def test_a_source_is_brought_forward_and_never_put_off(store: Store) -> None:
    """Only those that are named."""
    hour = timedelta(hours=1)
    async with store.writing() as db:
        good = [storage.sources.Good(key=key, next_due_at=NOW + 2 * hour) for key in "abc"]
        await storage.sources.record_success(db, good, now=NOW)
        await storage.sources.bring_forward(db, {"b": NOW + 3 * hour, "a": NOW + hour})
        states = await storage.sources.states(db)
    due = {key: state.next_due_at for key, state in states.items()}
    assert due == {"a": NOW + hour, "b": NOW + 2 * hour, "c": NOW + 2 * hour}


async def test_a_poll_fulfils_the_wish_that_it_knew_and_no_later_one(store: Store) -> None:
    """However it went; to the microsecond."""
    wish = NOW + timedelta(microseconds=123457)
    failed = {"now": NOW, "next_due_at": NOW, "error": said("no answer")}
    async with store.writing() as db:
        for known in (None, wish):
            await storage.sources.ask(db, ["a", "b"], now=wish)
            await storage.sources.record_failure(db, "a", **failed, asked_at=known)
            good = storage.sources.Good(key="b", next_due_at=NOW, asked_at=known)
            await storage.sources.record_success(db, [good], now=NOW)
            states = await storage.sources.states(db)
            left = None if known else wish
            assert [states[key].asked_at for key in "ab"] == [left, left]


async def test_F12_an_entry_is_stored_once(store: Store) -> None:
    """The same id from the same feed is the same entry."""
    async with store.writing() as db:
        pk = await storage.stories.add_story(db, at=NOW, verdict=QUIET)
        for _ in range(2):
            new = NewEntry(
                feed="feed", item=entry(), at=NOW, link_key="k", title_key="t", verdict=QUIET
            )
            await storage.entries.add_entry(db, new, story_pk=pk, now=NOW)
        (story,) = await storage.stories.latest(db)
    assert len(story.entries) == 1
    assert story.lead.entry.title == entry().title


async def test_the_latest_of_some_topics_are_found_behind_any_number_of_others(
    store: Store,
) -> None:
    """Newest first, a story of several of them once, page by page; without topics all."""
    about = [("economy", "politics"), ("society",), *[("sport",)] * 70, ()]
    async with store.writing() as db:
        pks = await _told_a_minute_apart(db, about)
        wanted = ["economy", "politics", "society"]
        some = await storage.stories.latest(db, topics=wanted, limit=3)
        second = await storage.stories.latest(db, topics=wanted, offset=1, limit=1)
        before = await storage.stories.latest(db, topics=wanted, before=NOW)
        every = await storage.stories.latest(db, limit=100)
    assert [story.pk for story in some] == [pks[1], pks[0]]
    assert [story.pk for story in second + before] == [pks[0], pks[0]]
    assert [story.pk for story in every] == pks[::-1]


async def test_a_topic_lists_by_time_what_a_program_of_before_stored_or_joined(
    store: Store,
) -> None:
    """It writes no time beside a topic, and may go on beside this one; nor is it lost where a story
    gets a topic by another report, or by being made one with another.
    """
    async with store.writing() as db:
        first, second, third, fourth = await _told_a_minute_apart(db, [()] * 4)
        for pk in (third, second):
            row = "INSERT INTO story_topic (topic, story_id) VALUES ('sport', :pk)"
            await db.execute(text(row), {"pk": pk})
        await storage.stories.join_story(db, first, replace(QUIET, topics=("sport",)))
        await storage.stories.join(db, third, into=fourth)
        found = await storage.stories.latest(db, topics=["sport"])
    assert [story.pk for story in found] == [fourth, second, first]


async def _told_a_minute_apart(db: Db, about: Sequence[tuple[str, ...]]) -> list[int]:
    """Stories about these topics, the oldest first; their numbers."""
    pks: list[int] = []
    for number, topics in enumerate(about):
        verdict = replace(QUIET, topics=topics)
        at = NOW + timedelta(minutes=number)
        pks.append(await storage.stories.add_story(db, at=at, verdict=verdict))
        item = entry(id=str(number))
        new = NewEntry(
            feed="f", item=item, at=at, link_key=None, title_key=str(number), verdict=verdict
        )
        await storage.entries.add_entry(db, new, story_pk=pks[-1], now=at)
    return pks


async def test_F11_a_date_in_the_future_is_not_believed(store: Store) -> None:
    """An entry is never newer than the moment we saw it."""
    async with store.writing() as db:
        pk = await storage.stories.add_story(db, at=NOW, verdict=QUIET)
        future = entry(published_at=NOW + timedelta(days=900))
        new = NewEntry(feed="f", item=future, at=NOW, link_key=None, title_key="t", verdict=QUIET)
        await storage.entries.add_entry(db, new, story_pk=pk, now=NOW)
        (story,) = await storage.stories.latest(db)
    assert story.lead.at == NOW


async def test_a_known_chat_keeps_its_settings(store: Store) -> None:
    """/start twice does not reset the language."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(), now=NOW)
        await storage.chats.change(db, 1001, language="ky")
        assert (await storage.chats.add(db, chat(), now=NOW)).language == "ky"


async def test_G8_a_migrated_chat_keeps_its_subscriptions(store: Store) -> None:
    """A group that became a supergroup is the same chat under another id."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(-5), now=NOW)
        await storage.chats.subscribe(db, -5, ["topic:security", "pair:USD/KGS"], now=NOW)
        await storage.supergroups.migrate(db, -5, -1005)
        await storage.supergroups.migrate(db, -5, -1005)
        assert await storage.chats.subscriptions(db, -1005) == ("pair:USD/KGS", "topic:security")
        assert await storage.chats.get(db, -5) is None


async def test_a_role_has_one_holder_until_it_ends(store: Store) -> None:
    """A second process waits; the fence grows with every change of hands."""
    span = timedelta(minutes=1)
    async with store.writing() as db:
        first = await storage.leases.acquire(db, "poll", holder="a", span=span)
        assert await storage.leases.acquire(db, "poll", holder="b", span=span) is None
        await storage.leases.release(db, "poll", holder="a")
        second = await storage.leases.acquire(db, "poll", holder="b", span=span)
    assert first is not None
    assert second is not None
    assert second > first


async def test_a_holder_that_prolongs_keeps_its_fence(store: Store) -> None:
    """Only a change of hands makes what the earlier one wrote old."""
    span = timedelta(minutes=1)
    async with store.writing() as db:
        first = await storage.leases.acquire(db, "poll", holder="a", span=span)
        assert await storage.leases.acquire(db, "poll", holder="a", span=span) == first


async def test_the_databases_clock_is_aware_and_moves(store: Store) -> None:
    """The clock that rules leases."""
    async with store.reading() as db:
        now = await db_now(db)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


async def test_the_migrations_make_the_schema(store: Store) -> None:
    """Alembic's tables are those that the statements expect, column for column."""

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        # the job queue's, and the index of words, which each database has in its own way
        return kind != "table" or not (name or "").startswith(("procrastinate_", "archive"))

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": ours})
        return list(compare_metadata(context, metadata))

    async with store.writing() as db:
        assert await db.run_sync(compare) == []


@pytest.mark.postgres
async def test_several_replicas_may_start_on_an_empty_database_at_once(postgres_url: str) -> None:
    """One migrates, the others wait for it; all find a whole schema."""
    stores = await asyncio.gather(*[open_store(postgres_url) for _ in range(4)])
    for each in stores:
        async with each.reading() as db:
            assert await storage.sources.states(db) == {}
        await each.close()


@pytest.mark.postgres
async def test_a_long_statement_and_a_slow_migration_are_not_ended_by_the_server(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a transaction that stands still is: the limit does not count work, and a migration has a
    longer one.
    """
    monkeypatch.setattr(storage.connecting, "IDLE_SECONDS", 1.0)
    upgrade = migrate._upgrade

    def slow(connection: Connection) -> None:
        time.sleep(1.5)  # a span that is the fault itself
        upgrade(connection)

    monkeypatch.setattr(migrate, "_upgrade", slow)
    store = await open_store(postgres_url)
    async with store.writing() as db:
        await db.execute(text("SELECT pg_sleep(1.5)"))
        await storage.chats.add(db, chat(1), now=NOW)
    async with store.reading() as db:
        assert await storage.chats.get(db, 1) is not None
    await store.close()


class Frozen(str):
    """A text that the process is stopped over: nothing of it runs until it is sent."""

    __slots__ = ()


class FrozenDumper(Dumper):
    """The driver's way to write one."""

    def dump(self, obj: Frozen) -> bytes:
        """Stand still, as a process that was stopped."""
        time.sleep(1)
        return obj.encode()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("rows", "at"), [(1, 1), (3, 3), (3, 1)], ids=["one row", "many rows", "amid many rows"]
)
async def test_P3_a_transaction_that_stands_still_is_ended_whatever_it_did_last(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch, rows: int, at: int
) -> None:
    """A frozen replica would keep what it locked from all others."""
    monkeypatch.setattr(storage.connecting, "IDLE_SECONDS", 1.0)
    psycopg.adapters.register_dumper(Frozen, FrozenDumper)

    def frozen(why: Reason | None) -> str:
        return Frozen("") if why == said("frozen") else ""

    monkeypatch.setattr("storage.deliveries.written_if", frozen)
    store = await open_store(migrated_postgres_url)
    marks = [
        storage.deliveries.Mark(
            id=number, fence=0, state=State.DEAD, error=said("frozen" if number == at else "")
        )
        for number in range(rows)
    ]
    with pytest.raises(StorageError, match="idle-in-transaction"):
        async with store.writing() as db:
            await storage.deliveries.finish(db, marks)
            if at == rows:
                time.sleep(1)  # noqa: ASYNC251 - as a process that was stopped
    await store.close()


def test_the_migrations_know_every_script_of_the_job_queue() -> None:
    """A newer Procrastinate with a newer schema needs a migration of ours."""
    scripts = [item.name for item in files("procrastinate.sql").joinpath("migrations").iterdir()]
    newest = max(name for name in scripts if name[0].isdigit())
    assert any(
        newest in path.read_text(encoding="utf-8") for path in (SCRIPTS / "versions").glob("*.py")
    ), newest


def test_every_migration_is_found_and_follows_the_one_before_it() -> None:
    """The revisions that start compares with are the chain that Alembic would go, none of them
    missing.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    chain = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(chain)) == REVISIONS
    assert chain[0] == HEAD
    assert MIN_READER in REVISIONS


async def test_P9_a_damaged_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Never an empty database over a damaged one."""
    path = tmp_path / "x.db"
    await (await open_store(f"sqlite:///{path}")).close()
    content = bytearray(path.read_bytes())
    content[:100] = b"\0" * 100
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="damaged"):
        await open_store(f"sqlite:///{path}")
    assert path.read_bytes() == bytes(content)


async def test_S19_the_file_is_the_operators_alone(tmp_path: Path) -> None:
    """Neither the database nor its log can be read by others."""
    path = tmp_path / "data" / "x.db"
    opened = await open_store(f"sqlite:///{path}")
    async with opened.writing() as db:
        await db.execute(note.insert().values(name="a", value="b"))
    modes = {item.name: oct(item.stat().st_mode & 0o777) for item in path.parent.iterdir()}
    await opened.close()
    assert set(modes.values()) == {"0o600"}
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """On SQLite there is one writing connection and no other."""
    opened = await open_store(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(StorageError, match="readonly"):
        async with opened.reading() as db:
            await db.execute(note.insert().values(name="a", value="b"))
    await opened.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "nonsense", "sqlite:///:memory:"])
async def test_a_wrong_address_is_a_setting_to_mend(url: str) -> None:
    """The message names the setting."""
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        await open_store(url)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.decimals(
        min_value=Decimal("1e-12"), max_value=Decimal("1e15"), allow_nan=False, places=None
    )
)
async def test_R10_any_decimal_survives(store: Store, value: Decimal) -> None:
    """Stored and read, a decimal is equal to itself, digit for digit."""
    plain = Decimal(format(value, "f"))
    async with store.writing() as db:
        await storage.rates.add(db, [a_rate(value=str(plain))], seen_at=NOW)
        (shown,) = await storage.rates.around(db, "nbkr", date(2021, 10, 20))
    assert str(shown.value) == str(plain)


async def test_a_task_cancelled_while_it_writes_leaves_the_store_free(store: Store) -> None:
    """Whatever it was doing is undone; the next one writes at once, however often that happens."""
    statement = note.insert().values(name="half", value="").returning(note.c.name)

    async def half(inside: asyncio.Event) -> None:
        async with store.writing() as db:
            inside.set()
            while True:
                await db.execute(statement)
                await db.execute(note.delete())

    for steps in range(30):
        inside = asyncio.Event()
        task = asyncio.create_task(half(inside))
        await inside.wait()
        for _ in range(steps % 7):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        async with asyncio.timeout(5), store.writing() as db:
            await db.execute(note.insert().values(name=f"whole {steps}", value=""))
    async with store.reading() as db:
        names = (await db.execute(select(note.c.name))).scalars().all()
    assert len([name for name in names if name.startswith("whole")]) == 30
    assert "half" not in names
