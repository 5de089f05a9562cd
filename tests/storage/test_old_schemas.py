"""A database of any earlier schema, with data in it, comes through to this program on both
databases.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, column, insert, table
from sqlalchemy import text as sql

import storage.alerts
import storage.deliveries
import storage.news
import storage.rules
from bot.model.alerts import RateMoved, StoryBroke
from bot.model.reasons import ENGLISH, Reason, reason
from bot.model.rules import Condition, RuleState
from storage.connecting import connect_for_writing
from storage.db import Store
from storage.migrate import bring_up, schema_of
from storage.schema import metadata
from storage.versions import HEAD, REVISIONS, SCRIPTS
from tests.factories import NOW, rate

#: What each version up to 0006 wrote as the reasons of an alert and a story, and what it means.
SENTENCES = {
    "grave": reason("grave"),
    "3 dead": reason("dead", 3),
    "not happening now": reason("calm"),
    "border: border guard*": reason("found", "border", "border guard*"),
    "−sport: match": reason("against", "sport", "match"),
    "only aggregators": reason("aggregators"),
    "−3.20 % against the fixing of 2021-10-19": reason("fixing", "−3.20", "2021-10-19"),
    "+2.10 % since the first rate of 2021-10-01": reason("drift_first", "+2.10", "2021-10-01"),
    "highest in 250 days": reason("high", 250),
    "a usual day moves 0.12 %": reason("usual", "0.12"),
    "nbkr revised its rate": reason("revised", "nbkr"),
    "above 84, was 83.9": reason("above", 84, "83.9"),
    "+1.59 % since 2021-10-03": reason("since", "+1.59", "2021-10-03"),
    "as nobody says any more": reason("said", "as nobody says any more"),
}
MOVED = RateMoved(
    baseline=rate(on="2021-10-01"),
    previous=rate(),
    new=rate(on="2021-10-21"),
    rules=("fixing",),
    usual=Decimal("0.12"),
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


def _to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _fill(connection: Connection) -> None:
    """Rows as a program of that schema wrote them: only of the tables and columns that there
    were.
    """
    found = MetaData()
    found.reflect(connection)

    def add(name: str, **values: Any) -> None:
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
    add("subscription", key="topic:security", chat_id=1001, since_at=AT)
    add("story", id=1, at=AT, severity="notable", reasons=list(SENTENCES))
    add("story_topic", topic="security", story_id=1)
    words = {"title": "t", "title_key": "k", "summary": "s", "content": "c", "language": "en"}
    places = {"feed": "f", "guid": "g", "link": None, "link_key": None, "topics": ["security"]}
    add("entry", id=1, story_id=1, seen_at=AT, severity="notable", **words, **places)
    told = {
        "severity": "notable",
        "lane": 1,
        "reasons": list(SENTENCES),
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
        **told,
    )
    moved = MOVED.to_json()
    add(
        "alert",
        id=2,
        dedup_key="move:x",
        kind="move",
        payload=moved,
        audience_key="pair:USD/KGS",
        **told,
    )
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
    far = "effective on 2021-10-20, far from the days it publishes for"
    add("held_rate", id=1, series_id=1, reasons=[far, "84.1 for 1 is not a price"], **held)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_database_of_an_earlier_schema_comes_through_with_what_is_in_it(
    database_url: str, revision: str
) -> None:
    store = connect_for_writing(database_url)
    async with store.writing() as db:
        await db.run_sync(_to, revision)
        if revision < "0007":
            await db.run_sync(_fill)
    await bring_up(store)
    assert await schema_of(store) == HEAD
    if revision < "0007":
        await _is_whole(store, revision)
    await store.close()


async def _is_whole(store: Store, revision: str) -> None:
    async with store.reading() as db:
        moved, told = await storage.alerts.get(db, 2), await storage.alerts.get(db, 1)
        assert moved is not None
        assert told is not None
        assert (moved.payload, told.payload) == (MOVED, StoryBroke(story=1, topics=("security",)))
        assert told.reasons == tuple(SENTENCES.values())
        assert [str(one) for one in told.reasons] == list(SENTENCES)
        assert await storage.deliveries.message_of(db, 2, 1001) == 42
        assert await storage.alerts.moves_told(db, rate().series, since=AT.date()) == [
            MOVED.new.effective_on
        ]
        assert await storage.alerts.said_by_rules(db, rate().series, MOVED.new.effective_on) == []
        story = await storage.news.get(db, 1)
        assert story is not None
        assert story.reasons == tuple(SENTENCES.values())
        if revision >= "0002":
            (rule,) = await storage.rules.of_chat(db, 1001)
            assert (rule.rule.condition, rule.rule.amount) == (Condition.LEVEL, 84)
            assert rule.state == RuleState(armed=False)
        held = (await db.execute(sql("SELECT reasons FROM held_rate"))).scalar_one()
        assert "far_day" in str(held)
        assert "no_price" in str(held)


def test_every_reason_of_today_would_be_read_back_from_its_english() -> None:
    """The migration reads every sentence there ever was: none ends as words that nobody is
    shown.
    """
    import importlib

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
    for code, sentence in ENGLISH.items():
        made = Reason(code, samples.get(code, ("7",) * sentence.count("{}")))
        assert script._values([str(made)]) == {"v": 1, "reasons": [[made.code, *made.values]]}
