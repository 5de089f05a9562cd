"""Entries that feeds have brought, found by their keys, on every database."""

from __future__ import annotations

from datetime import timedelta

import storage.brought
import storage.entries
import storage.stories
from bot.model.alerts import Severity
from bot.model.hazards import HazardKind
from bot.model.news import Verdict
from storage.brought import NAMESAKES, Keys
from storage.db import Store
from storage.entries import NewEntry
from tests.factories import NOW, entry

CALM = Verdict(security=False, score=0, severity=Severity.INFO)


def brought(feed: str, name: str, title: str) -> NewEntry:
    item = entry(id=name, title=title)
    return NewEntry(feed=feed, item=item, at=NOW, link_key=None, title_key=title, verdict=CALM)


async def test_a_feed_that_says_the_same_every_day_hides_nothing_of_another(store: Store) -> None:
    """Asked together, a thousand entries under one headline leave room for the other feed's one."""
    many = [brought("daily", str(number), "Weather") for number in range(3 * NAMESAKES)]
    wanted = [
        ("daily", Keys(guids=(), title_keys=("Weather",))),
        ("other", Keys(guids=(), title_keys=("Bridge",))),
    ]
    async with store.writing() as db:
        await storage.stories.add_alone(db, [brought("other", "one", "Bridge")], now=NOW)
        await storage.stories.add_alone(db, many, now=NOW)
        daily, other = await storage.brought.by_keys(db, wanted)
    assert [one.guid for one in other] == ["one"]
    assert daily[0].guid == str(3 * NAMESAKES - 1)


async def test_no_number_of_warnings_hides_what_was_measured_of_another_kind(store: Store) -> None:
    """The latest two hundred are of the kinds that are asked for."""

    def warned(name: str, kind: HazardKind) -> NewEntry:
        item = entry(id=name, title=name, content=f"{kind.value}: Osh")
        return NewEntry(feed="met", item=item, at=NOW, link_key=None, title_key=name, verdict=CALM)

    storms = [warned(f"storm {number}", HazardKind.STORM) for number in range(201)]
    async with store.writing() as db:
        await storage.stories.add_alone(db, [warned("quake", HazardKind.EARTHQUAKE)], now=NOW)
        await storage.stories.add_alone(db, storms, now=NOW + timedelta(minutes=1))
        kinds = [HazardKind.EARTHQUAKE, HazardKind.FLOOD]
        found = await storage.entries.measured(db, ["met"], kinds, since=NOW)
    assert [one.entry.id for one in found] == ["quake"]
