"""An entry is recognised by all it has; sequences of a feed's documents, on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

import pytest

from bot.ingest import IngestReport
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from storage.schema import entry
from tests.world import World, polling

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)  # noon in Bishkek


def catalog(url: str) -> Catalog:
    """Two agencies of Bishkek."""
    return parse_catalog(
        "".join(
            f"""
[feeds.{key}]
name = {{ en = "{key}" }}
url = "{url}/{key}.xml"
language = "en"
"""
            for key in ("one", "two")
        )
    )


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Nothing polled yet; one operator."""
    async with polling(store, catalog, now=NOW) as made:
        yield made


@dataclass(frozen=True)
class Item:
    """An item as a feed has it; what is None is not there."""

    title: str | None = None
    text: str | None = None
    guid: str | None = None
    link: str | None = None
    date: datetime | str | None = NOW

    def __str__(self) -> str:
        date = format_datetime(self.date) if isinstance(self.date, datetime) else self.date
        parts = {
            "title": self.title,
            "description": self.text,
            "guid": self.guid,
            "link": self.link,
            "pubDate": date,
        }
        told = [f"<{name}>{escape(text)}</{name}>" for name, text in parts.items() if text]
        return f"<item>{''.join(told)}</item>"


def ago(**length: float) -> datetime:
    """So long before the time of the test."""
    return NOW - timedelta(**length)


WEATHER = Item(
    "Weather for today", "It stays warm and dry in the capital.", "w", "https://a.example/w",
    ago(days=1),
)  # fmt: skip
EXPLOSION = "Explosion at a shopping centre in Bishkek kills three people, ten wounded"
EXPLOSION_TEXT = "The blast went off in the morning on the ground floor, rescuers are at work."
QUAKE = "Earthquake of magnitude 6.1 in Osh region kills people, houses destroyed"
QUAKE_TEXT = "The tremor was felt in Osh and Uzgen; the ministry of emergencies has sent teams."


async def poll(world: World, *items: Item, key: str = "one") -> IngestReport:
    """A feed serves these and is polled."""
    body = f"<rss version='2.0'><channel><title>A</title>{''.join(map(str, items))}</channel></rss>"
    world.serve(key, body.encode())
    report = await world.poll(key)
    assert report.error is None
    return report


async def polls(world: World, *documents: Sequence[Item]) -> list[tuple[int, int]]:
    """New entries and alerts of each document, the newest item first in each; every document is
    served once more with a difference that is none, and brings nothing then.
    """
    told: list[tuple[int, int]] = []
    for document in documents:
        report = await poll(world, *document)
        told.append((report.new, report.alerts))
        again = await poll(world, *reversed(document))
        assert (again.new, again.alerts) == (0, 0)
    return told


async def stories(world: World) -> int:
    """How many stories there are."""
    return len({row.story_id for row in await world.stored(entry)})


@pytest.mark.cases
@pytest.mark.parametrize("hour", [0.1, 10, 14, 19.5, 23.9])
@pytest.mark.parametrize("day", ["25.11.2026", "Wed, 25 Nov 2026", "2026-11-25T00:00:00+06:00"])
async def test_F20_an_article_of_today_is_fresh_all_day(
    world: World, hour: float, day: str
) -> None:
    """Whatever the hour at which it is seen; the day before it is not fresh any more."""
    midnight = datetime(2026, 11, 24, 18, tzinfo=UTC)
    world.now = midnight - timedelta(hours=1)
    await poll(world, WEATHER)
    world.now = midnight + timedelta(hours=hour)
    blast = Item(EXPLOSION, EXPLOSION_TEXT, "b", "https://a.example/b", day)
    quake = Item(QUAKE, QUAKE_TEXT, "q", "https://a.example/q", "24.11.2026")
    report = await poll(world, blast, *[quake] * (hour > 4), WEATHER)
    assert report.alerts == 1
    (told,) = [row for row in await world.stored(entry) if row.guid == "b"]
    assert told.seen_at == world.now
