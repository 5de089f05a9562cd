"""A database of any earlier schema, with data in it, comes through to this program on both
databases.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import pyfiles
from sqlalchemy import Connection, MetaData, column, insert, table
from sqlalchemy import text as sql

import storage.alerts
import storage.chats
import storage.deliveries
import storage.inbox
import storage.privacy
import storage.rules
import storage.stories
from bot.alerts.moves import RateMoved
from bot.alerts.rules import RuleFired
from bot.alerts.stories import StoryBroke
from bot.detect.moves import Moved
from bot.model.rules import Condition, RuleState
from bot.reasons import reasons_from_json
from storage.connecting import connect_for_writing
from storage.db import Store
from storage.migrate import bring_up, schema_of
from storage.schema import metadata
from storage.versions import HEAD, MIN_READER, REVISIONS, SCRIPTS
from tests.factories import NOW, a_reason, rate
from tests.storage.every_table import (
    DOUBTS,
    MEANT,
    SENTENCES,
    Row,
    Rows,
    changed,
    differences,
    expect,
    fill,
    rows_of,
    tables_of,
    unfilled,
)

#: Those that a program before 0007 wrote as a sentence each.
REASONS = tuple(a_reason(*one) for one in SENTENCES.values())
#: The sentences that there were, by their code.
OLD_SENTENCES = {
    "grave": "grave",
    "danger": "danger",
    "near": "near",
    "dead": "{} dead",
    "calm": "not happening now",
    "found": "{}: {}",
    "against": "−{}: {}",
    "official": "official source",
    "aggregators": "only aggregators",
    "fixing": "{} % against the fixing of {}",
    "drift": "{} % since the alert of {}",
    "drift_first": "{} % since the first rate of {}",
    "high": "highest in {} days",
    "low": "lowest in {} days",
    "usual": "a usual day moves {} %",
    "revised": "{} revised its rate",
    "above": "above {}, was {}",
    "below": "below {}, was {}",
    "since": "{} % since {}",
    "far_day": "effective on {}, far from the days it publishes for",
    "no_price": "{} for {} is not a price",
    "agrees": "{} agrees",
    "shift": "decimal shift: {} times the rate of {}",
    "units": "units changed from {} to {}",
    "swapped": "took the value of {}, which took this one's: rows swapped",
    "leap": "{} % against {}, more than {} %",
    "said": "{}",
}
MOVED = RateMoved(
    Moved(
        baseline=rate(on="2021-10-01"),
        previous=rate(),
        new=rate(on="2021-10-21"),
        rules=("fixing",),
        usual=Decimal("0.12"),
    )
)
RULE = {
    "v": 1,
    "pair": "USD/KGS",
    "kind": "official",
    "condition": "level",
    "amount": "84",
    "direction": "up",
    "inclusive": False,
    "window": None,
    "once": False,
    "until": None,
    "paused": False,
}
AT = NOW - timedelta(hours=1)
#: Chats that were closed: why, and whether their readers had asked for silence.
AWAY = {1002: ("blocked", False), 1003: ("stopped", True), 1004: ("blocked", True)}


def _to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _fill(connection: Connection, revision: str, found: MetaData) -> None:
    """Rows as a program of that schema wrote them: only of the tables and columns that there
    were.
    """
    sentences: Any = list(SENTENCES)
    if revision >= "0007":
        sentences = {"v": 1, "reasons": list(map(list, SENTENCES.values()))}

    def add(name: str, /, **values: Any) -> None:
        if name not in found.tables:
            return
        # the stored forms of times and JSON are those of today's columns
        today, there = metadata.tables[name].c, found.tables[name].c
        typed = table(name, *[column(key, today[key].type) for key in values if key in there])
        connection.execute(
            insert(typed).values(**{key: values[key] for key in values if key in there})
        )

    settings = {
        "language": "ru",
        "time_zone": "Asia/Bishkek",
        "home": "KGS",
        "style": "short",
        "title": "",
    }
    add("chat", id=1001, kind="private", active=True, created_at=AT, **settings)
    for number, (telegrams, stopped) in AWAY.items():
        why = telegrams
        if stopped and telegrams != "stopped" and revision < "0012":
            why = f"stopped, {telegrams}"
        left = {"active": False, "inactive_why": why, "inactive_at": AT, "stopped": stopped}
        add("chat", id=number, kind="private", created_at=AT, **left, **settings)
    add("subscription", key="topic:security", chat_id=1001, since_at=AT)
    add("story", id=1, at=AT, severity="notable", reasons=sentences)
    add("story_topic", topic="security", story_id=1)
    words = {"title": "t", "title_key": "k", "summary": "s", "content": "c", "language": "en"}
    places = {"feed": "f", "guid": "g", "link": None, "link_key": None, "topics": ["security"]}
    add("entry", id=1, story_id=1, seen_at=AT, severity="notable", **words, **places)
    told = {
        "severity": "notable",
        "lane": 1,
        "reasons": sentences,
        "created_at": AT,
        "expires_at": NOW,
    }
    story = StoryBroke(story=1, topics=("security",)).to_json()
    add(
        "alert",
        id=1,
        dedup_key="story:1",
        kind="story",
        payload=story,
        audience_key="topic:security",
        supersede_key="story:1",
        about_story=1,
        **told,
    )
    moved = MOVED.to_json()
    about = {"about_series": "nbkr:USD/KGS:official", "about_day": MOVED.moved.new.effective_on}
    add(
        "alert",
        id=2,
        dedup_key="move:x",
        kind="move",
        payload=moved,
        audience_key="pair:USD/KGS",
        **about,
        **told,
    )
    own = {**moved, "rules": ["USD/KGS > 84 once"], "usual": "0", "told": False, "rule": 1}
    add("alert", id=3, dedup_key="rule:x", kind="rule", payload=own, **about, **told)
    gone = {"v": 1, "msgid": "notice.gone", "values": [["chat", "-100"], ["why", "kicked"]]}
    add("alert", id=4, dedup_key="notice:x", kind="notice", payload=gone, about_chat=-100, **told)
    add("alert", id=5, dedup_key="c:x", kind="correction", payload=moved, **about, **told)
    nobody = {**gone, "values": [["chat", "-"], ["why", "kicked"]]}
    add("alert", id=6, dedup_key="notice:y", kind="notice", payload=nobody, **told)
    add("alert", id=70, dedup_key="notice:z", kind="notice", payload=gone, about_chat=-100, **told)
    late = {"v": 1, "method": "sendMessage", "body": {"text": "84.7935"}}
    theirs = {"payload": late, "audience_chat": 1001}
    add("alert", id=7, dedup_key="answer:x", kind="answer", **theirs, **told)
    to_all = {"payload": {"v": 1, "text": "Hello", "entities": []}, "audience_key": "*"}
    add("alert", id=8, dedup_key="cast:x", kind="broadcast", **to_all, **told)
    grown = {"v": 1, "told": 1}
    keys = {"dedup_key": "correction:4:ab", "supersede_key": "correction:4"}  # of one kind more
    add("alert", id=9, kind="edit", payload=grown, audience_told=1, **keys, **told)
    place = '{"update_id": 1, "message": {"location": {"latitude": 42.8}}}'
    for number, body in enumerate((place, '{"update_id": 2}'), start=1):
        where = {"body": body, "fleeting": body == place}
        add("inbox", update_id=number, kind="message", received_at=AT, **where)
    for number in (1, 2):
        sent = {
            "state": "sent",
            "message_id": 40 + number,
            "not_before": AT,
            "expires_at": NOW,
            "finished_at": AT,
        }
        add("delivery", id=number, alert_id=number, chat_id=1001, lane=1, **sent)
    state = {"v": 1, "armed": False, "anchor": None, "fired_on": None}
    series = {"source": "nbkr", "base": "USD", "quote": "KGS", "kind": "official"}
    add("rule", id=1, chat_id=1001, rule=RULE, state=state, standing="on", created_at=AT, **series)
    add("series", id=1, **series)
    held = {
        "effective_on": rate().effective_on,
        "value": Decimal(9),
        "units": 1,
        "seen_at": AT,
        "state": "held",
    }
    doubts: Any = list(DOUBTS)
    if revision >= "0007":
        doubts = {"v": 1, "reasons": list(map(list, DOUBTS.values()))}
    add("held_rate", id=1, series_id=1, reasons=doubts, **held)
    add("mark", name="min_reader", value=revision)
    if revision < "0008":
        add("mark", name="dispute:nbkr:USD/KGS:official", value="cbr")


@pytest.fixture
def row_by_row(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Migrations that read and write some rows at a time do so with one; their names."""
    found: list[str] = []
    load = pyfiles.load_module_py

    def loaded(module_id: str, path: str) -> ModuleType:
        module = load(module_id, path)
        if hasattr(module, "CHUNK"):
            module.CHUNK = 1
            found.append(Path(path).name[:4])
        return module

    monkeypatch.setattr(pyfiles, "load_module_py", loaded)
    return found


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.cases(keep=3)
async def test_a_database_of_an_earlier_schema_comes_through_with_what_is_in_it(
    database_url: str, revision: str, row_by_row: list[str]
) -> None:
    """Every row of every table too, each column of it: as it was, or as a migration says; also
    where a migration has more to do than it does at a time.
    """
    store = connect_for_writing(database_url)
    async with store.writing() as db:
        await db.run_sync(_to, revision)
        tables = await db.run_sync(tables_of)
        await db.run_sync(_fill, revision, tables)
        every = changed(None, tables)
        rows, empty = await db.run_sync(_filled, revision, tables, {}, every, {})
    assert not empty, "\n".join(empty)
    await bring_up(store)
    assert await schema_of(store) == HEAD
    expect(rows, *[later for later in REVISIONS if later > revision])
    if revision != HEAD:
        rows["mark"]["min_reader",]["value"] = MIN_READER
    async with store.reading() as db:
        found = await db.run_sync(lambda it: rows_of(it, tables_of(it)))
    wrong = list(differences(rows, found))
    assert not wrong, "\n".join(wrong)
    await _is_whole(store, revision)
    await _is_silent(store)
    await _is_forgotten(store)
    await store.close()
    assert {"0007", "0009", "0010"} <= set(row_by_row)


def _filled(
    connection: Connection,
    revision: str,
    tables: MetaData,
    rows: Rows,
    only: Collection[str],
    made: dict[bool, dict[str, Row]],
) -> tuple[Rows, list[str]]:
    """The rows of every table of a database, of which some are filled, and what is not."""
    if not only:
        return rows, []
    fill(connection, revision, tables, 2 * REVISIONS.index(revision) + 100, only=only, made=made)
    rows = rows_of(connection, tables)
    return rows, unfilled(rows, tables)


@pytest.mark.cases
async def test_no_migration_loses_or_changes_what_any_earlier_schema_stored(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One database through all of them, one by one, with rows in every table from each that changed
    it: which migration it was is in the list.
    """
    scripts = ScriptDirectory(str(SCRIPTS))  # read once, not again for each of them
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _config: scripts)
    store = connect_for_writing(database_url)
    rows: Rows = {}
    before: MetaData | None = None
    made: dict[bool, dict[str, Row]] = {}
    for revision in REVISIONS:
        async with store.writing() as db:
            await db.run_sync(_to, revision)
            expect(rows, revision)
            tables = await db.run_sync(tables_of)
            found = await db.run_sync(rows_of, tables)
            wrong = list(differences(rows, found))
            only = changed(None if revision in MEANT else before, tables)
            rows, empty = await db.run_sync(_filled, revision, tables, found, only, made)
            before = tables
        assert not wrong + empty, f"{revision}: " + "\n".join(wrong + empty)
    await store.close()


async def _is_whole(store: Store, revision: str) -> None:
    async with store.reading() as db:
        moved, told = await storage.alerts.get(db, 2), await storage.alerts.get(db, 1)
        assert moved is not None
        assert told is not None
        assert RateMoved.read(moved.payload) == MOVED
        assert StoryBroke.read(told.payload) == StoryBroke(story=1, topics=("security",))
        assert told.reasons == REASONS
        assert await storage.deliveries.message_of(db, 2, 1001) == 42
        on = MOVED.moved.new.effective_on
        days = await storage.alerts.days_told(db, "move", rate().series, since=AT.date())
        assert days == [on]
        (spoken,) = await storage.alerts.about_rate(db, "rule", rate().series, on)
        assert RuleFired.read(spoken.payload).rule.amount == 84
        assert len(await storage.alerts.about_rate(db, "correction", rate().series, on)) == 1
        story = await storage.stories.get(db, 1)
        assert story is not None
        assert story.reasons == REASONS
        if revision >= "0002":
            (rule,) = await storage.rules.of_chat(db, 1001)
            assert (rule.rule.condition, rule.rule.amount) == (Condition.LEVEL, 84)
            assert rule.state == RuleState(armed=False)
        held = (await db.execute(sql("SELECT reasons FROM held_rate WHERE id = 1"))).scalar_one()
        assert "far_day" in str(held)
        assert "no_price" in str(held)


async def _is_silent(store: Store) -> None:
    """Readers who asked for silence keep it after Telegram's refusal is over; the others do not."""
    query = sql("SELECT id, inactive_why FROM chat WHERE id IN (1002, 1003, 1004) ORDER BY id")
    async with store.writing() as db:
        whys = {row.id: row.inactive_why for row in await db.execute(query)}
        assert whys == {1002: "blocked", 1003: "stopped", 1004: "blocked"}
        assert [await storage.chats.revive(db, number) for number in AWAY] == [True, False, False]


async def _is_forgotten(store: Store) -> None:
    """A notice is forgotten with the chat that it is about, and a place when it is handled."""
    async with store.writing() as db:
        await storage.privacy.erase(db, -100)
        await storage.inbox.finish(db, [(1, "done"), (2, "done")])
    async with store.reading() as db:
        assert await storage.alerts.get(db, 3) is not None
        assert await storage.alerts.get(db, 4) is None
        assert await storage.alerts.get(db, 6) is not None
        assert await storage.alerts.get(db, 70) is None
        own = sql("SELECT body FROM inbox WHERE update_id < 3 ORDER BY update_id")
        bodies = (await db.execute(own)).scalars()
        assert [body is None for body in bodies] == [True, False]


def test_every_migration_says_its_number_what_it_follows_and_what_it_does() -> None:
    """A file that lacks one of them is named: without this every test that opens a database fails
    with words of Alembic's.
    """
    for before, number in pairwise((None, *REVISIONS)):
        named = sorted((SCRIPTS / "versions").glob(f"{number}_*.py"))
        assert len(named) == 1, f"more than one migration is {number}: {named}"
        name = named[0].stem
        said = vars(importlib.import_module(f"storage.migrations.versions.{name}"))
        assert said.get("revision") == number, f"{name}.py does not say: revision = {number!r}"
        follows = said.get("down_revision")
        assert follows == before, f"{name}.py follows {follows!r}, not {before!r}"
        assert callable(said.get("upgrade")), f"{name}.py has no upgrade()"


def test_every_reason_of_today_would_be_read_back_from_its_english() -> None:
    """The migration reads every sentence there ever was: none ends as words that nobody is
    shown. Reasons that came later never were sentences.
    """
    script = importlib.import_module("storage.migrations.versions.0007_reasons")
    samples: dict[str, tuple[str, ...]] = {
        "found": ("border", "border guard*"),
        "against": ("sport", "match"),
    }
    samples |= dict.fromkeys(("fixing", "drift", "drift_first", "since"), ("−3.20", "2021-10-19"))
    samples |= {
        "far_day": ("2021-10-19",),
        "shift": ("10.02", "2021-10-19"),
        "leap": ("+31.00", "2021-10-19", "30"),
    }
    for code, sentence in OLD_SENTENCES.items():
        values = samples.get(code, ("7",) * sentence.count("{}"))
        written = {"v": 1, "reasons": [[code, *values]]}
        assert script._values([sentence.format(*values)]) == written
        # and what the migration wrote is read
        assert [one.code for one in reasons_from_json(written)] == [code]
