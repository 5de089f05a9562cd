"""Filters in the store, on every database: who is told in spite of them, and what is counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

import storage.alerts
import storage.chats
import storage.entries
import storage.fan_out
import storage.filters
import storage.privacy
import storage.retention
import storage.stories
import storage.supergroups
from bot.alerts import edits, stories
from bot.deliver.sieve import sieve
from bot.model.alerts import Severity
from bot.model.chats import ChatKind, Wakes
from bot.model.filters import Filter, Sense, StoredFilter, Trait
from bot.model.news import Verdict
from bot.reasons import Reason
from storage.db import Db, Store
from storage.entries import NewEntry
from storage.schema import alert as alert_table
from storage.schema import delivery, news_filter
from tests.factories import NOW, chat, entry
from tests.waiting import turns_of_others

SECURITY = "topic:security"
WEEK = timedelta(days=7)


def never(what: str, trait: Trait = Trait.WORD) -> Filter:
    """A filter of a chat that will not hear of something."""
    return Filter(sense=Sense.NEVER, trait=trait, what=what, said=what)


async def readers(db: Db, *numbers: int) -> None:
    """Chats that follow security."""
    for number in numbers:
        await storage.chats.add(db, chat(number), now=NOW)
        await storage.chats.subscribe(db, number, [SECURITY], now=NOW)


async def a_story(
    db: Db, title: str, severity: Severity = Severity.NOTABLE, near: frozenset[str] = frozenset()
) -> int:
    """A story that breaks, `near` to some places; its alert's number."""
    loud = Verdict(security=True, score=1, severity=severity, topics=("security",))
    pk = await storage.stories.add_story(db, at=NOW, verdict=loud)
    item = entry(id=title, title=title, summary="")
    new = NewEntry(feed="f", item=item, at=NOW, link_key=None, title_key=title, verdict=loud)
    await storage.entries.add_entry(db, new, story_pk=pk, now=NOW)
    told = await storage.stories.get(db, pk)
    assert told is not None
    alert = await storage.alerts.enqueue(
        db, stories.alert(told, approval=False, now=NOW, near=near)
    )
    assert alert is not None
    return alert


async def fanned(store: Store, alert: int, *, chunk: int | None = None) -> list[int]:
    """The chats that get an alert, after all that is open was fanned out."""
    size: int | None = 0
    while size is not None:
        async with store.writing() as db:
            size = await storage.fan_out.fan_out(db, chunk=chunk, sieve=sieve)
    return await fanned_now(store, alert)


async def fanned_now(store: Store, alert: int) -> list[int]:
    """The chats that have a delivery of an alert."""
    async with store.reading() as db:
        query = select(delivery.c.chat_id).where(delivery.c.alert_id == alert)
        return sorted((await db.execute(query)).scalars())


async def kept(store: Store, numbers: Iterable[int]) -> list[int]:
    """The number of times that each chat's filters kept something back."""
    async with store.reading() as db:
        found = [await storage.filters.of_chat(db, number) for number in numbers]
    return [sum(one.kept for one in mine) for mine in found]


async def test_who_asked_not_to_hear_of_it_is_not_told_and_it_is_counted(store: Store) -> None:
    """Chunk by chunk; the others are told as ever, and a filter that says nothing of it counts
    nothing.
    """
    async with store.writing() as db:
        await readers(db, *range(1, 8))
        await storage.filters.add(db, 2, [never("floods"), never("bridge")])
        await storage.filters.add(db, 3, [never("football")])
        await storage.filters.add(db, 7, [never("bridges")])
        alert = await a_story(db, "A flood took the bridge")
    assert await fanned(store, alert, chunk=2) == [1, 3, 4, 5, 6]
    assert await kept(store, (2, 3, 7)) == [1, 0, 1]
    async with store.writing() as db:
        second = await a_story(db, "A fire in a market")
    assert await fanned(store, second) == [1, 2, 3, 4, 5, 6, 7]
    assert await kept(store, (2, 3, 7)) == [1, 0, 1]


async def test_a_story_whose_alert_cannot_be_read_is_left_open_and_holds_nobody_up(
    store: Store,
) -> None:
    """Of it nobody's filters can be asked; a program that can read it gives it out later."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.filters.add(db, 2, [never("floods")])
        newer = await a_story(db, "A flood took the bridge")
        form = (await db.execute(select(alert_table).where(alert_table.c.id == newer))).one()
        changed = update(alert_table).where(alert_table.c.id == newer)
        await db.execute(changed.values(payload={**form.payload, "v": 99}))
        second = await a_story(db, "A fire in a market")
    unread: dict[int, Reason] = {}
    size: int | None = 0
    while size is not None:
        async with store.writing() as db:
            size = await storage.fan_out.fan_out(db, sieve=sieve, unread=unread)
    assert unread.keys() == {newer}
    assert await fanned_now(store, second) == [1, 2]
    assert await fanned_now(store, newer) == []
    async with store.writing() as db:
        await db.execute(changed.values(payload=form.payload))
    assert await fanned(store, newer) == [1]


async def test_who_wants_urgent_stories_only_is_told_of_no_other(store: Store) -> None:
    """Others are told of both; what becomes urgent is told then to those who had not heard."""
    async with store.writing() as db:
        await readers(db, 1, 2, 3)
        await storage.chats.change(db, 2, wakes=Wakes.URGENT)
        notable = await a_story(db, "A flood took the bridge")
    assert await fanned(store, notable, chunk=2) == [1, 3]
    async with store.writing() as db:
        urgent = await a_story(db, "A flood took the town", Severity.URGENT)
    assert await fanned(store, urgent, chunk=2) == [1, 2, 3]


async def test_only_who_wants_all_is_told_of_a_calm_story(store: Store) -> None:
    """Of however many readers, chunk by chunk."""
    async with store.writing() as db:
        await readers(db, *range(1, 8))
        for number in (2, 5, 6):
            await storage.chats.change(db, number, wakes=Wakes.ALL)
        calm = await a_story(db, "A thief was found", Severity.INFO)
    assert await fanned(store, calm, chunk=2) == [2, 5, 6]
    async with store.writing() as db:
        notable = await a_story(db, "A flood took the bridge")
    assert await fanned(store, notable, chunk=2) == [*range(1, 8)]


async def test_a_filter_ends_by_the_databases_clock(store: Store) -> None:
    """A filter that has ended keeps nothing back, is not listed and is forgotten."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.filters.add(db, 1, [never("flood")], span=WEEK)
        (one,) = await storage.filters.of_chat(db, 1)
        assert one.until is not None
        await db.execute(update(news_filter).values(until_at=one.until - WEEK - WEEK))
        assert await storage.filters.of_chat(db, 1) == []
        assert await storage.filters.count(db, 1) == 0
        alert = await a_story(db, "A flood took the bridge")
    assert await fanned(store, alert) == [1]
    async with store.writing() as db:
        for step in storage.retention.STEPS:
            await step(db, NOW)
        assert (await db.execute(select(news_filter))).all() == []


async def test_who_mutes_a_story_gets_its_edits_no_more(store: Store) -> None:
    """A word alone ends no edit of a message that is there; none of it is counted as a message."""
    async with store.writing() as db:
        await readers(db, 1, 2, 3)
        alert = await a_story(db, "A flood took the bridge")
    assert await fanned(store, alert) == [1, 2, 3]
    async with store.writing() as db:
        await db.execute(update(delivery).values(state="sent"))
        told = await storage.alerts.get(db, alert)
        assert told is not None
        await storage.filters.add(db, 1, [never("flood")])
        number = str(told.payload.json["story"])
        await storage.filters.add(db, 2, [never(number, Trait.STORY)])
        edit = edits.alert(alert, "more", now=NOW, expires_at=NOW + WEEK)
        edited = await storage.alerts.enqueue(db, edit)
        assert edited is not None
    assert await fanned(store, edited) == [1, 3]
    assert await kept(store, (1, 2)) == [0, 0]


async def test_a_second_filter_of_the_same_takes_the_place_of_the_first(store: Store) -> None:
    """In the other sense, for as long as is said now; what was counted stays."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.filters.add(db, 1, [never("flood")], span=WEEK)
        await a_story(db, "A flood took the bridge")
        await storage.fan_out.fan_out(db, sieve=sieve)
        only = Filter(sense=Sense.ONLY, trait=Trait.WORD, what="flood", said="Flood")
        await storage.filters.add(db, 1, [only])
        (one,) = await storage.filters.of_chat(db, 1)
    assert (one.sense, one.said, one.until, one.kept) == (Sense.ONLY, "Flood", None, 1)


async def test_who_wants_a_place_alone_hears_of_what_is_felt_there(store: Store) -> None:
    """Though no report names it; who wants nothing of that place hears of it as by its words."""
    place = Filter(sense=Sense.ONLY, trait=Trait.PLACE, what="issykkul", said="Issyk-Kul")
    async with store.writing() as db:
        await readers(db, 1, 2, 3)
        await storage.filters.add(db, 1, [place])
        await storage.filters.add(db, 2, [replace(place, what="batken")])
        await storage.filters.add(db, 3, [replace(place, sense=Sense.NEVER)])
        near = frozenset({"issykkul", "karakol"})
        felt = await a_story(db, "Earthquake of magnitude 6.1 in the mountains", near=near)
        far = await a_story(db, "Earthquake of magnitude 6.2 in the mountains", near=frozenset())
    assert await fanned(store, felt) == [1, 3]
    assert await fanned(store, far) == [3]


async def test_filters_are_lifted_by_their_own_chat(store: Store) -> None:
    """One by its number, or all."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.filters.add(db, 1, [never("flood"), never("fire"), never("wind")])
        first, *_ = await storage.filters.of_chat(db, 1)
        assert await storage.filters.lift(db, 2, first.id) == 0
        assert await storage.filters.lift(db, 1, first.id) == 1
        assert [one.what for one in await storage.filters.of_chat(db, 1)] == ["fire", "wind"]
        assert await storage.filters.lift(db, 1) == 2
        assert await storage.filters.of_chat(db, 1) == []


async def test_filters_are_given_away_and_forgotten_with_their_chat(store: Store) -> None:
    async with store.writing() as db:
        await readers(db, 1)
        await storage.filters.add(db, 1, [never("flood")])
        assert [
            row["what"] for row in (await storage.privacy.export(db, 1)).tables["news_filter"]
        ] == ["flood"]
        await storage.privacy.erase(db, 1)
        assert (await db.execute(select(news_filter))).all() == []


async def test_a_groups_filters_move_with_it(store: Store) -> None:
    """A filter that both numbers have stays as the new one has it."""
    async with store.writing() as db:
        for number in (-1, -2):
            await storage.chats.add(db, chat(number, kind=ChatKind.GROUP), now=NOW)
        await storage.filters.add(db, -1, [never("flood"), never("fire")])
        await storage.filters.add(db, -2, [never("fire")], span=WEEK)
        await storage.supergroups.migrate(db, -1, -2)
        moved = await storage.filters.of_chat(db, -2)
    assert {one.what: one.until is None for one in moved} == {"flood": True, "fire": False}


async def test_what_a_newer_program_wrote_hides_nothing(store: Store) -> None:
    """It is passed over."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.filters.add(db, 1, [never("flood"), never("fire")])
        (newer, _) = await storage.filters.of_chat(db, 1)
        odd = update(news_filter).where(news_filter.c.id == newer.id).values(mark="smell")
        await db.execute(odd)
        assert [one.what for one in await storage.filters.of_chat(db, 1)] == ["fire"]


async def test_however_many_filters_a_chunk_has_others_get_the_loop_meanwhile(
    store: Store,
) -> None:
    """Four thousand chats with thirty filters each would hold every reply for seconds."""
    async with store.writing() as db:
        number = await a_story(db, "Quake near Osh")
        told = await storage.alerts.get(db, number)
        assert told is not None
        sift = await sieve(db, told)
    assert sift is not None
    mine = never("Quake")
    filters = [
        StoredFilter(sense=mine.sense, trait=mine.trait, what=mine.what, said="", id=one, chat=one)
        for one in range(2_000)
    ]
    async with turns_of_others() as turns:
        kept = await sift(filters)
    assert len(kept) == 2_000
    assert turns() >= 5
