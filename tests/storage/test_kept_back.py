"""What filters keep back, on every database: they are asked again when a story grows, and whoever
they let through then is told once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

import storage.alerts
import storage.chats
import storage.entries
import storage.fan_out
import storage.filters
import storage.kept_back
import storage.overview
import storage.places
import storage.privacy
import storage.retention
import storage.stories
import storage.supergroups
import storage.told
import storage.withheld
from bot.alerts import KINDS, Kit, edits, stories
from bot.deliver.sieve import sieve
from bot.model.alerts import Approval, Severity
from bot.model.chats import ChatKind, Wakes
from bot.model.filters import Filter, Sense, Trait
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import Verdict
from bot.sources.specs import Catalog
from storage.db import Db, Store, db_now
from storage.entries import NewEntry
from storage.opening import open_store
from storage.schema import alert, delivery, kept_back
from tests.factories import NOW, chat, entry
from tests.storage.test_filters import a_story, fanned, fanned_now, kept, never, readers
from tests.storage.test_withheld import (
    CAREFUL,
    EDITOR,
    OPEN,
    STRICT,
    blocked,
    channels,
    number_of,
    posts,
)

CALLED_OFF = Hazard(
    kind=HazardKind.FLOOD, size=None, place="Osh", latitude=None, longitude=None, withdrawn=True
)
CALM = Verdict(security=True, score=1, severity=Severity.INFO, topics=("security", "economy"))
FIRST = "A flood took the bridge"
MINUTE = timedelta(minutes=1)


def only(what: str, trait: Trait = Trait.WORD) -> Filter:
    """A filter of a chat that will hear of something alone."""
    return Filter(sense=Sense.ONLY, trait=trait, what=what, said=what)


def muted(feed: str) -> Filter:
    """A filter of a chat that will not hear of what one source alone reports."""
    return never(feed, Trait.SOURCE)


async def number(db: Db, told: int) -> int:
    """The number of an alert's story."""
    its = await db.execute(select(alert.c.about_story).where(alert.c.id == told))
    return int(its.scalar_one())


async def report(
    db: Db, told: int, feed: str, title: str = "Rain in the valley", **changes: Any
) -> None:
    """A source reports an alert's story, too: as a poll stores that."""
    pk = await number(db, told)
    item = entry(**{"id": f"{feed}{title}", "title": title, "summary": "", **changes})
    new = NewEntry(feed=feed, item=item, at=NOW, link_key=None, title_key=title, verdict=CALM)
    await storage.stories.join_story(db, pk, CALM)
    await storage.entries.add_entry(db, new, story_pk=pk, now=NOW)
    await storage.kept_back.ask_again(db, pk, now=NOW)


async def grown(store: Store, told: int, feed: str, title: str = "Rain in the valley") -> list[int]:
    """The chats that have a delivery of an alert after a source reported its story, too."""
    async with store.writing() as db:
        await report(db, told, feed, title)
    return await fanned(store, told, chunk=2)


async def kept_from_one(store: Store) -> int:
    """The alert of a story that the only reader's filter keeps back."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.filters.add(db, 1, [muted("f")])
        told = await a_story(db, FIRST)
    assert await fanned(store, told) == []
    return told


async def round_of(store: Store, told: int) -> Any:
    """How far the fan-out of an alert is."""
    columns = (alert.c.fanned_to, alert.c.fanned_at, alert.c.grew_at, alert.c.among_kept)
    async with store.reading() as db:
        return (await db.execute(select(*columns).where(alert.c.id == told))).one()


async def test_what_a_later_report_lets_through_is_told_once_and_not_counted(store: Store) -> None:
    """A source, a word, a place, a topic that only another report has; who wants none of them is
    kept from it as before, which counts once.
    """
    wishes = {
        2: [muted("f")],
        3: [muted("f"), muted("g")],
        4: [only("g", Trait.SOURCE)],
        5: [only("helicopter"), only("boats")],
        6: [only("osh", Trait.PLACE)],
        7: [only("economy", Trait.TOPIC)],
        8: [only("football")],
        9: [only("f", Trait.SOURCE), never("floods")],
    }
    async with store.writing() as db:
        await readers(db, *range(1, 10))
        for one, filters in wishes.items():
            await storage.filters.add(db, one, filters)
        told = await a_story(db, FIRST)
    assert await fanned(store, told, chunk=2) == [1]
    assert await kept(store, wishes) == [1] * 8
    assert await grown(store, told, "g", "Helicopters are on their way to Osh") == [
        1,
        2,
        4,
        5,
        6,
        7,
    ]
    assert await kept(store, wishes) == [0, 1, 0, 0, 0, 0, 1, 1]
    assert await grown(store, told, "g", "Still raining") == [1, 2, 4, 5, 6, 7]
    assert await kept(store, wishes) == [0, 1, 0, 0, 0, 0, 1, 1]
    assert await grown(store, told, "h", "Football is called off") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert await kept(store, wishes) == [0, 0, 0, 0, 0, 0, 0, 1]
    async with store.reading() as db:
        left = (await db.execute(select(kept_back.c.chat_id))).scalars().all()
    assert left == [9]


async def test_who_muted_somebody_after_it_was_told_is_neither_told_again_nor_counted(
    store: Store,
) -> None:
    """However far the delivery is. Who lifted the filter that kept it from them is told, and nobody
    whom it was kept from by anything else.
    """
    async with store.writing() as db:
        await readers(db, 1, 2, 3, 4, 5)
        await storage.chats.change(db, 5, wakes=Wakes.URGENT)
        await storage.filters.add(db, 4, [muted("f")])
        told = await a_story(db, FIRST)
    assert await fanned(store, told) == [1, 2, 3]
    async with store.writing() as db:
        for one, state in ((1, "sent"), (2, "held"), (3, "collected")):
            await db.execute(update(delivery).where(delivery.c.chat_id == one).values(state=state))
            await storage.filters.add(db, one, [muted("f"), muted("g"), muted("h")])
        await storage.filters.lift(db, 4)
        await storage.chats.change(db, 5, wakes=Wakes.ALL)
    assert await grown(store, told, "g") == [1, 2, 3, 4]
    assert await grown(store, told, "h") == [1, 2, 3, 4]
    async with store.reading() as db:
        of_all = select(delivery.c.state).order_by(delivery.c.chat_id)
        states = (await db.execute(of_all)).scalars().all()
    assert states == ["sent", "held", "collected", "pending"]
    assert await kept(store, (1, 2, 3)) == [0, 0, 0]


async def test_a_fan_out_that_is_at_it_when_the_story_grows_comes_to_its_end_first(
    store: Store,
) -> None:
    """Those who are told without filters do not wait for those that are asked again."""
    async with store.writing() as db:
        await readers(db, *range(1, 8))
        for one in (2, 6):
            await storage.filters.add(db, one, [muted("f")])
        told = await a_story(db, FIRST)
        await storage.fan_out.fan_out(db, chunk=3, sieve=sieve)
        await report(db, told, "g")
    assert await fanned_now(store, told) == [1, 3]
    assert (await round_of(store, told)).fanned_to == 3
    for at_last in ([1, 3, 4, 5, 6], [1, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7]):
        async with store.writing() as db:
            await storage.fan_out.fan_out(db, chunk=3, sieve=sieve)
        assert await fanned_now(store, told) == at_last
    assert (await round_of(store, told)).fanned_at is not None
    assert await kept(store, (2, 6)) == [0, 0]


async def test_whose_place_is_named_later_is_told_then_and_once(store: Store) -> None:
    """However far the fan-out is. Neither who has it, nor whose filter keeps it back, nor who lives
    elsewhere; where it waits for a word, it will be for those places.
    """
    async with store.writing() as db:
        await readers(db, *range(1, 10))
        for one in (2, 3, 5, 6, 8):
            await storage.chats.change(db, one, wakes=Wakes.URGENT)
        for one in (1, 2, 3, 6):
            await storage.places.toggle(db, one, "osh")
        await storage.places.toggle(db, 8, "naryn")
        await storage.filters.add(db, 3, [never("floods")])
        told = await a_story(db, FIRST)
        await storage.fan_out.fan_out(db, chunk=4, sieve=sieve)
        await is_near(db, told, "osh")
    assert await fanned_now(store, told) == [1, 4]
    assert await fanned(store, told, chunk=4) == [1, 2, 4, 6, 7, 9]
    async with store.writing() as db:
        await db.execute(update(delivery).values(state="sent"))
        await is_near(db, told, "osh", "naryn")
    assert await fanned(store, told, chunk=4) == [1, 2, 4, 6, 7, 8, 9]
    async with store.writing() as db:
        waits = {"approval": Approval.WAITING.value, "fanned_at": None, "near": None}
        await db.execute(update(alert).where(alert.c.id == told).values(**waits))
        await is_near(db, told, "osh")
        (waiting,) = await storage.alerts.all_waiting(db)
    assert waiting.near == {"osh"}


async def is_near(db: Db, told: int, *places: str) -> None:
    """The story of an alert turns out to be near to these places."""

    async def near() -> Collection[str]:
        return places

    await storage.kept_back.ask_again(db, await number(db, told), now=NOW, near=near)


async def test_a_story_that_grows_while_filters_are_asked_again_is_asked_about_from_the_first(
    store: Store,
) -> None:
    """Those asked already were asked of less."""
    async with store.writing() as db:
        await readers(db, 1, 2, 3, 4)
        await storage.filters.add(db, 1, [only("h", Trait.SOURCE)])
        for one in (2, 3, 4):
            await storage.filters.add(db, one, [only("g", Trait.SOURCE)])
        told = await a_story(db, FIRST)
    assert await fanned(store, told) == []
    async with store.writing() as db:
        await report(db, told, "g")
        await storage.fan_out.fan_out(db, chunk=2, sieve=sieve)
    assert await fanned_now(store, told) == [2]
    assert await grown(store, told, "h") == [1, 2, 3, 4]
    assert await kept(store, range(1, 5)) == [0, 0, 0, 0]


async def test_a_kill_between_two_chunks_repeats_and_loses_nothing(store: Store) -> None:
    """A chunk is a transaction: told, counted and remembered, or none of it."""
    async with store.writing() as db:
        await readers(db, *range(1, 7))
        for one in range(1, 7):
            await storage.filters.add(db, one, [muted("f")])
        told = await a_story(db, FIRST)
    assert await fanned(store, told) == []
    async with store.writing() as db:
        await report(db, told, "g")

    async def chunk(*, killed: bool) -> None:
        async with store.writing() as db:
            assert await storage.fan_out.fan_out(db, chunk=2, sieve=sieve) is not None
            if killed:
                raise RuntimeError("killed")

    for so_far in ([1, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5, 6]):
        with pytest.raises(RuntimeError, match="killed"):
            await chunk(killed=True)
        await chunk(killed=False)
        assert await fanned_now(store, told) == so_far
    assert await kept(store, range(1, 7)) == [0] * 6


async def test_nothing_is_done_where_filters_keep_it_from_nobody(store: Store) -> None:
    """The fan-out is not opened again, and no round follows the one that is at it."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.filters.add(db, 2, [never("football")])
        told = await a_story(db, FIRST)
        await report(db, told, "g")
    assert await fanned(store, told) == [1, 2]
    before = await round_of(store, told)
    assert (before.fanned_at is not None, before.grew_at) == (True, None)
    async with store.writing() as db:
        await report(db, told, "h")
    assert await round_of(store, told) == before


@pytest.mark.parametrize(
    "change",
    [
        {"approval": Approval.WAITING.value},
        {"approval": Approval.REJECTED.value},
        {"approval": Approval.EXPIRED.value},
        {"expires_at": NOW},
    ],
    ids=["waiting", "rejected", "unanswered", "over"],
)
@pytest.mark.cases
async def test_an_alert_that_may_not_be_sent_is_left_as_it_is(
    store: Store, change: dict[str, Any]
) -> None:
    """Whoever's word it lacks; what is no news any more."""
    told = await kept_from_one(store)
    async with store.writing() as db:
        await db.execute(update(alert).where(alert.c.id == told).values(**change))
    before = await round_of(store, told)
    assert await grown(store, told, "g") == []
    assert await round_of(store, told) == before


async def test_what_got_worse_is_told_by_its_own_alert_and_the_lesser_one_rests(
    store: Store,
) -> None:
    """One message about it; whoever had the lesser one hears of it as ever."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.filters.add(db, 2, [muted("f")])
        lesser = await a_story(db, FIRST)
    assert await fanned(store, lesser) == [1]
    async with store.writing() as db:
        await db.execute(update(delivery).values(state="sent"))
        await report(db, lesser, "g")
        found = await storage.stories.get(db, await number(db, lesser))
        assert found is not None
        grave = Verdict(security=True, score=1, severity=Severity.URGENT, topics=("security",))
        await storage.stories.join_story(db, found.pk, grave)
        found = await storage.stories.get(db, found.pk)
        assert found is not None
        worse = stories.alert(found, approval=False, now=NOW, answers=lesser)
        graver = await storage.alerts.enqueue(db, worse)
        assert graver is not None
    assert await fanned(store, graver) == [1, 2]
    assert await fanned_now(store, lesser) == [1]
    # a poll beside that one did not see the graver alert, and opened the lesser one again
    async with store.writing() as db:
        opened = {"fanned_at": None, "fanned_to": None, "among_kept": True, "grew_at": NOW}
        await db.execute(update(alert).where(alert.c.id == lesser).values(**opened))
    assert await fanned(store, lesser) == [1]
    assert await grown(store, lesser, "h") == [1]


@pytest.mark.parametrize(
    ("title", "changes"),
    [
        ("Floods: the road is open again", {}),
        ("Withdrawn: flood", {"content": str(CALLED_OFF)}),
    ],
    ids=["over", "withdrawn"],
)
@pytest.mark.cases
async def test_nobody_is_told_anew_of_what_is_over(
    store: Store, title: str, changes: dict[str, Any]
) -> None:
    """Nor of what an institute has taken back."""
    told = await kept_from_one(store)
    async with store.writing() as db:
        await report(db, told, "g", title, **changes)
    assert await fanned(store, told) == []
    assert (await round_of(store, told)).fanned_at is not None
    assert await kept(store, [1]) == [1]


async def test_who_was_told_late_and_mutes_the_story_gets_its_edits_no_more(store: Store) -> None:
    """Its end neither, which filters are not asked about again."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.filters.add(db, 1, [muted("f")])
        told = await a_story(db, FIRST)
    assert await fanned(store, told) == [2]
    assert await grown(store, told, "g") == [1, 2]
    async with store.writing() as db:
        await db.execute(update(delivery).values(state="sent"))
        story = str(await number(db, told))
        await storage.filters.add(db, 1, [never(story, Trait.STORY)])
        await report(db, told, "g", "Floods: the road is open again")
        edit = edits.alert(told, "over", now=NOW, expires_at=NOW + timedelta(days=1))
        edited = await storage.alerts.enqueue(db, edit)
        assert edited is not None
    assert await fanned(store, edited) == [2]


async def test_what_channels_withheld_is_not_withheld_again(store: Store) -> None:
    """The owner let it go; another channel's waits as it did, and nobody is asked twice."""
    async with store.writing() as db:
        await channels(db)
        await readers(db, 1)
        await storage.filters.add(db, 1, [muted("f")])
        told = await a_story(db, FIRST)

    async def fan_all() -> None:
        size: int | None = 0
        while size is not None:
            async with store.writing() as db:
                size = await storage.fan_out.fan_out(db, sieve=sieve, editor=EDITOR)

    await fan_all()
    async with store.writing() as db:
        assert await storage.withheld.send(db, await number_of(db, STRICT))
        before = {OPEN: "pending", CAREFUL: "withheld", STRICT: "pending"}
        assert await posts(db) == before
        asked = (await db.execute(select(func.count()).select_from(alert))).scalar_one()
        await report(db, told, "g")
    await fan_all()
    async with store.reading() as db:
        assert await posts(db) == before
        assert (await db.execute(select(func.count()).select_from(alert))).scalar_one() == asked
    assert 1 in await fanned_now(store, told)


async def test_an_alert_that_filters_kept_from_all_is_no_alert_that_hangs(store: Store) -> None:
    """Nobody waited for it before its story grew; nor is it told late: what counts is the report
    that let it through.
    """
    hour = timedelta(hours=1)
    told = await kept_from_one(store)
    async with store.writing() as db:
        await report(db, told, "g", published_at=NOW + hour)
        await storage.kept_back.ask_again(db, await number(db, told), now=NOW + hour)
    for given in ([], [1]):  # before a round of its fan-out, and after it
        if given:
            assert await fanned(store, told) == given
        async with store.reading() as db:
            late, later = NOW + hour + MINUTE, NOW + hour + 3 * MINUTE
            assert await storage.told.unheard(db, now=late, after=2 * MINUTE) == []
            (found,) = await storage.told.unheard(db, now=later, after=2 * MINUTE)
            assert found.alert == told
            lanes = await storage.overview.lanes(db, now=late)
            assert {one.oldest for one in lanes if one.waiting} == {MINUTE}
    async with store.reading() as db:
        stored = await storage.alerts.get(db, told)
        assert stored is not None
        kit = Kit(db=db, catalog=Catalog(), kinds=KINDS)
        assert await stories.Stories().published_at(kit, stored) == NOW + hour


async def test_it_is_forgotten_once_the_alert_is_over_or_its_chat_is(store: Store) -> None:
    """In pieces; with a group that moves it goes, and one of each alert stays."""
    async with store.writing() as db:
        await readers(db, *range(1, 6))
        for one in range(1, 6):
            await storage.filters.add(db, one, [muted("f")])
        told = await a_story(db, FIRST)
        other = await a_story(db, "A fire in a market")
        for one in (-1, -2):
            await storage.chats.add(db, chat(one, kind=ChatKind.GROUP), now=NOW)
    assert await fanned(store, told) == []
    async with store.writing() as db:
        exported = await storage.privacy.export(db, 5)
        rows = exported.tables["kept_back"]
        assert {row["alert_id"] for row in rows} == {told, other}
        await storage.privacy.erase(db, 5)
        moves = update(kept_back).where(kept_back.c.chat_id == 4)
        await db.execute(moves.values(chat_id=-1))
        moves = update(kept_back).where(kept_back.c.chat_id == 3, kept_back.c.alert_id == told)
        await db.execute(moves.values(chat_id=-2))
        await storage.supergroups.migrate(db, -1, -2)
        whose = select(kept_back.c.chat_id).order_by(kept_back.c.chat_id)
        of_told = whose.where(kept_back.c.alert_id == told)
        assert (await db.execute(of_told)).scalars().all() == [-2, 1, 2]
        past = await db_now(db) - MINUTE
        await db.execute(update(alert).where(alert.c.id == told).values(expires_at=past))
        pieces = [await storage.kept_back.forget(db, 2) for _ in range(3)]
        assert pieces == [2, 1, 0]
        assert (await db.execute(whose)).scalars().all() == [-2, 1, 2, 3]
        await db.execute(update(alert).values(expires_at=past))
        for step in storage.retention.STEPS:
            await step(db, NOW)
        assert (await db.execute(whose)).scalars().all() == []


@pytest.mark.postgres
async def test_a_story_that_grows_beside_a_chunk_finds_whom_that_kept_it_from(
    migrated_postgres_url: str,
) -> None:
    """Neither transaction sees the other's rows: the one that reports it waits for the other."""
    store = await open_store(migrated_postgres_url)
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.filters.add(db, 2, [muted("f")])
        told = await a_story(db, FIRST)

    async def reported() -> None:
        async with store.writing() as db:
            await report(db, told, "g")

    async with store.writing() as fanning:
        assert await storage.fan_out.fan_out(fanning, sieve=sieve) == 1
        doing = asyncio.create_task(reported())
        await blocked(store)
    await doing
    assert await fanned(store, told) == [1, 2]
    await store.close()
