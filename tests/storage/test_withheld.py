"""Posts that channels' policies withhold, on every database: when they are, and when they leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import delete, select, text, update

import storage.alerts
import storage.chats
import storage.entries
import storage.fan_out
import storage.lapsed
import storage.overview
import storage.privacy
import storage.setups
import storage.stories
import storage.told
import storage.withheld
from bot.alerts import KINDS, Kit, Reader
from bot.alerts.asked import StoryAsked
from bot.alerts.edits import alert as an_edit
from bot.alerts.stories import StoryBroke
from bot.deliver.editor import ChannelEditor
from bot.model.alerts import Audience, Severity, State
from bot.model.chats import ChatKind, Editorial, Style
from bot.model.news import Verdict
from bot.model.quiet import QuietHours
from bot.readers.board import board_view
from bot.readers.digest import day_digest
from bot.reasons import read
from bot.render.text import Message
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from bot.telegram.outcomes import KICKED
from storage.db import Db, Store, db_now
from storage.entries import NewEntry
from storage.opening import open_store
from storage.schema import alert, chat, delivery, story_topic
from storage.withheld import ANY_CHANNEL
from tests.factories import NOW, entry
from tests.factories import chat as a_chat
from tests.storage.test_deliveries import KEY, an_alert, claim, sent, told

T = TypeVar("T")
HOUR = timedelta(hours=1)
OPEN, CAREFUL, STRICT = -1001, -1002, -1003
POLICIES = {
    OPEN: Editorial.PUBLISH,
    CAREFUL: Editorial.TWO_SOURCES,
    STRICT: Editorial.APPROVE,
}
OWNER = 5
EDITOR = ChannelEditor(feeds={})
GRAVE = Verdict(
    security=True, score=9, severity=Severity.NOTABLE, topics=("security",), language="en"
)


async def channels(db: Db) -> None:
    """A channel of each policy, all of one owner, who has met the bot."""
    await storage.chats.add(db, a_chat(OWNER), now=NOW)
    for number, policy in POLICIES.items():
        new = a_chat(number, kind=ChatKind.CHANNEL, policy=policy, time_zone="UTC")
        await storage.chats.add(db, new, now=NOW)
        await storage.chats.subscribe(db, number, [KEY], now=NOW)
        await storage.setups.take(db, number, OWNER)


async def report(db: Db, feed: str, story: int | None = None, *, retracts: bool = False) -> int:
    """A publisher reports a story, a new one or this, or takes it back; its number."""
    if story is None:
        story = await storage.stories.add_story(db, at=NOW, verdict=GRAVE)
    new = NewEntry(
        feed=feed,
        item=entry(id=f"{feed} {story} {retracts}"),
        at=NOW,
        link_key=None,
        title_key="",
        verdict=GRAVE,
        retracts=retracts,
    )
    await storage.entries.add_entry(db, new, story_pk=story, now=NOW)
    return story


async def broken(db: Db, story: int, name: str = "a", **changes: Any) -> int:
    """The alert of a story, not fanned out yet."""
    fields = {
        "payload": StoryBroke(story=story, topics=("security",)),
        "supersede_key": f"story:{story}",
        "lives": 6 * HOUR,
    }
    pk = await storage.alerts.enqueue(db, an_alert(name, **{**fields, **changes}))
    assert pk is not None
    return pk


async def fan_all(db: Db, editor: ChannelEditor = EDITOR) -> None:
    """Fan out all that is open."""
    while await storage.fan_out.fan_out(db, editor=editor) is not None:
        pass


async def withheld_story(db: Db) -> tuple[int, int]:
    """A story of one publisher that was told, and its alert."""
    await channels(db)
    story = await report(db, "one")
    pk = await broken(db, story)
    await fan_all(db)
    return story, pk


async def posts(db: Db) -> dict[int, str]:
    """The state of each channel's last post."""
    return {number: state for number, state in await told(db) if number in POLICIES}


async def number_of(db: Db, channel: int) -> int:
    """The last delivery of a channel."""
    query = select(delivery.c.id).where(delivery.c.chat_id == channel).order_by(delivery.c.id)
    return list((await db.execute(query)).scalars())[-1]


async def questions(db: Db) -> list[Any]:
    """The questions that owners were asked."""
    query = select(alert).where(alert.c.kind == StoryAsked.KIND).order_by(alert.c.id)
    return list(await db.execute(query))


async def test_each_channel_gets_a_story_as_its_policy_has_it(store: Store) -> None:
    """At once, with a second publisher, with its owner's word; only about the last is anybody
    asked, once. Nobody claims what is withheld.
    """
    async with store.writing() as db:
        story, pk = await withheld_story(db)
        assert await posts(db) == {OPEN: "pending", CAREFUL: "withheld", STRICT: "withheld"}
        (asked,) = await questions(db)
        assert (asked.audience_chat, asked.about_chat) == (OWNER, STRICT)
        assert {one.chat for one in (await claim(db)).deliveries} == {OPEN, OWNER}
        assert (await storage.told.how_far(db, [pk]))[pk].withheld == 2
        # the open channel's post is on its way; nobody waits for what is withheld
        (waited,) = await storage.told.unheard(db, now=NOW + HOUR, after=HOUR)
        assert (waited.alert, waited.waiting) == (pk, 1)
    async with store.writing() as db:
        await report(db, "two", story)
        assert await storage.withheld.confirmed(db, story) == 1
        assert (await posts(db))[CAREFUL] == "pending"
        assert (await posts(db))[STRICT] == "withheld"
        assert await storage.withheld.send(db, await number_of(db, STRICT))
        assert not await storage.withheld.send(db, await number_of(db, STRICT))
        assert not await storage.withheld.reject(db, await number_of(db, STRICT))
        assert (await posts(db))[STRICT] == "pending"
        assert await storage.withheld.confirmed(db, story) == 0


async def test_moves_and_stories_of_two_publishers_do_not_wait_for_a_second(store: Store) -> None:
    """An alert that tells no story asks nothing."""
    async with store.writing() as db:
        await channels(db)
        await storage.alerts.enqueue(db, an_alert("move"))
        await fan_all(db)
        assert set((await posts(db)).values()) == {"pending"}
        story = await report(db, "one")
        await report(db, "two", story)
        await broken(db, story)
        await fan_all(db)
        assert await posts(db) == {OPEN: "pending", CAREFUL: "pending", STRICT: "withheld"}


async def test_chunks_keep_back_each_its_own(store: Store) -> None:
    """However a fan-out is cut."""
    async with store.writing() as db:
        await channels(db)
        await broken(db, await report(db, "one"))
        while await storage.fan_out.fan_out(db, chunk=1, editor=EDITOR) is not None:
            pass
        assert await posts(db) == {OPEN: "pending", CAREFUL: "withheld", STRICT: "withheld"}
        assert len(await questions(db)) == 1


async def test_a_looser_policy_lets_go_what_it_allows_and_a_stricter_one_is_for_what_comes(
    store: Store,
) -> None:
    """A post withheld for a word waits for a second publisher, where it has none."""
    async with store.writing() as db:
        story, _ = await withheld_story(db)
        await storage.withheld.choose(db, CAREFUL, Editorial.APPROVE, EDITOR.unmet)
        await storage.withheld.choose(db, OPEN, Editorial.APPROVE, EDITOR.unmet)
        assert await posts(db) == {OPEN: "pending", CAREFUL: "withheld", STRICT: "withheld"}
        await storage.withheld.choose(db, STRICT, Editorial.TWO_SOURCES, EDITOR.unmet)
        assert (await posts(db))[STRICT] == "withheld"
        assert not await storage.withheld.send(db, await number_of(db, STRICT))
        await report(db, "two", story)
        assert await storage.withheld.confirmed(db, story) == 2
        assert set((await posts(db)).values()) == {"pending"}
        assert len(await questions(db)) == 1


async def test_a_looser_policy_is_asked_of_all_that_a_stricter_one_withheld(store: Store) -> None:
    """Also of what came after what an even looser one withheld."""
    async with store.writing() as db:
        await withheld_story(db)
        await storage.withheld.choose(db, CAREFUL, Editorial.APPROVE, EDITOR.unmet)
        await broken(db, await report(db, "one"), "b")
        await fan_all(db)
        assert len(await storage.withheld.waiting(db, CAREFUL)) == 1
        await storage.withheld.choose(db, CAREFUL, Editorial.TWO_SOURCES, EDITOR.unmet)
        assert await storage.withheld.waiting(db, CAREFUL) == []


@pytest.mark.parametrize("policy", [Editorial.PUBLISH, Editorial.TWO_SOURCES])
async def test_a_looser_policy_lets_go_at_once_what_has_what_it_asks(
    store: Store, policy: Editorial
) -> None:
    """A story of two publishers waits for nobody's word any more."""
    async with store.writing() as db:
        story, _ = await withheld_story(db)
        await report(db, "two", story)
        await storage.withheld.choose(db, STRICT, policy, EDITOR.unmet)
        assert await posts(db) == {OPEN: "pending", CAREFUL: "withheld", STRICT: "pending"}
        found = await storage.chats.get(db, STRICT)
        assert found is not None
        assert found.policy is policy


async def test_what_waits_ends_like_other_news(store: Store) -> None:
    """Too old, rejected, over, taken back: made by nobody, with the reason."""
    async with store.writing() as db:
        _, pk = await withheld_story(db)
        assert await storage.withheld.reject(db, await number_of(db, STRICT))
        assert (await posts(db))[STRICT] == "cancelled"
        row = (await db.execute(select(delivery).where(delivery.c.chat_id == STRICT))).one()
        why = read(row.error)
        assert why is not None
        assert why.code == "delivery.refused"
        assert (await storage.alerts.withdraw(db, pk)).waiting
        assert (await posts(db))[CAREFUL] == "superseded"
    async with store.writing() as db:
        other = await report(db, "one")
        await broken(db, other, "b")
        await fan_all(db)
        await storage.withheld.drop(db, other)
        assert await posts(db) == {OPEN: "pending", CAREFUL: "cancelled", STRICT: "cancelled"}
        assert await storage.withheld.confirmed(db, other) == 0
    async with store.writing() as db:
        await broken(db, await report(db, "one"), "c")
        await fan_all(db)
        await db.execute(update(delivery).values(expires_at=await db_now(db)))
        assert not await storage.withheld.send(db, await number_of(db, STRICT))
        assert not await storage.withheld.reject(db, await number_of(db, STRICT))
        # a chunk at a time, whatever plan a server makes: after an outage there may be very many
        if db.dialect.name != "sqlite":
            await db.execute(text("SET LOCAL enable_hashagg = off"))
        assert await storage.lapsed.expire(db, chunk=1) == 1
        assert list((await posts(db)).values()).count("withheld") == 1
        await storage.lapsed.expire(db)
        assert await posts(db) == dict.fromkeys(POLICIES, "expired")


async def test_what_gets_worse_takes_the_place_of_what_waits_and_edits_tell_nobody_before(
    store: Store,
) -> None:
    """Its owner is asked about it anew; a channel that has not posted it gets no edit."""
    async with store.writing() as db:
        story, pk = await withheld_story(db)
        await storage.alerts.enqueue(db, an_edit(pk, "x", now=NOW, expires_at=NOW + HOUR))
        await sent(db, await claim(db))
        await storage.alerts.enqueue(db, an_edit(pk, "y", now=NOW, expires_at=NOW + HOUR))
        await fan_all(db)
        edits = select(delivery.c.chat_id).join(alert, alert.c.id == delivery.c.alert_id)
        assert list((await db.execute(edits.where(alert.c.kind == "edit"))).scalars()) == [OPEN]
        payload = StoryBroke(story=story, topics=("security",), answers=pk)
        worse = await broken(db, story, "worse", payload=payload, severity=Severity.URGENT)
        await fan_all(db)
        stands = select(delivery.c.chat_id, delivery.c.state).order_by(delivery.c.id)
        first = dict(list(await db.execute(stands.where(delivery.c.alert_id == pk))))
        second = dict(list(await db.execute(stands.where(delivery.c.alert_id == worse))))
        assert first == {OPEN: "sent", CAREFUL: "superseded", STRICT: "superseded"}
        assert second == {OPEN: "pending", CAREFUL: "withheld", STRICT: "withheld"}
        assert len(await questions(db)) == 2


async def test_what_is_let_go_waits_for_quiet_hours_and_is_not_made_where_it_is_unfollowed(
    store: Store,
) -> None:
    """As any other of that moment."""
    async with store.writing() as db:
        story, _ = await withheld_story(db)
        now = await db_now(db)
        quiet = {"quiet_begins_at": now - HOUR, "quiet_ends_at": now + HOUR}
        await db.execute(update(chat).where(chat.c.id == STRICT).values(**quiet))
        await storage.chats.unsubscribe(db, CAREFUL, [KEY])
        assert await storage.withheld.send(db, await number_of(db, STRICT))
        await report(db, "two", story)
        assert await storage.withheld.confirmed(db, story) == 0
        assert await posts(db) == {OPEN: "pending", CAREFUL: "cancelled", STRICT: "pending"}
        assert {one.chat for one in (await claim(db)).deliveries} == {OPEN, OWNER}
        await storage.quiet.hold(db)
        assert (await posts(db))[STRICT] == "held"


async def test_what_is_let_go_late_is_worth_sending_for_an_hour(store: Store) -> None:
    """However long it waited; what has more time keeps it."""
    async with store.writing() as db:
        await withheld_story(db)
        now = await db_now(db)
        soon = {STRICT: timedelta(minutes=1), CAREFUL: 5 * HOUR}
        for number, left in soon.items():
            theirs = update(delivery).where(delivery.c.chat_id == number)
            await db.execute(theirs.values(expires_at=now + left))
        for number in soon:
            await storage.withheld.choose(db, number, Editorial.PUBLISH, EDITOR.unmet)
        query = select(delivery.c.chat_id, delivery.c.expires_at)
        until = {row.chat_id: row.expires_at for row in await db.execute(query)}
        assert until[STRICT] >= now + HOUR
        assert until[CAREFUL] == now + 5 * HOUR


async def test_quiet_hours_do_not_take_what_is_withheld(store: Store) -> None:
    """Neither held when it is made, nor told when they end."""
    async with store.writing() as db:
        await channels(db)
        now = await db_now(db)
        quiet = {"quiet_begins_at": now - HOUR, "quiet_ends_at": now - timedelta(minutes=1)}
        written = str(QuietHours.parse("23:00-07:00"))
        await db.execute(update(chat).where(chat.c.id < 0).values(quiet=written, **quiet))
        await broken(db, await report(db, "one"))
        await fan_all(db)
        assert await posts(db) == {OPEN: "held", CAREFUL: "withheld", STRICT: "withheld"}


async def test_a_channel_that_is_lost_or_forgotten_loses_what_waits(store: Store) -> None:
    """With the reason; the question is forgotten with the channel, and with who was asked."""
    async with store.writing() as db:
        await withheld_story(db)
        await storage.chats.close(db, CAREFUL, why=KICKED.why)
        assert (await posts(db))[CAREFUL] == "dead"
        exported = (await storage.privacy.export(db, STRICT)).tables
        assert exported["chat"][0]["policy"] == "approve"
        assert [one["demand"] for one in exported["delivery"]] == ["approve"]
        assert len((await storage.privacy.export(db, OWNER)).tables["alert"]) == 1
        await storage.privacy.erase(db, STRICT)
        assert await questions(db) == []
        assert STRICT not in await posts(db)


async def test_a_look_lets_go_what_waits_for_nothing_any_more(store: Store) -> None:
    """A second publisher that was told of beside all; a word is still waited for."""
    async with store.writing() as db:
        story, _ = await withheld_story(db)
        assert await storage.withheld.look(db, EDITOR.unmet) == 0
        assert await storage.withheld.waiting(db, CAREFUL) == []
        assert [one.chat for one in await storage.withheld.waiting(db, STRICT)] == [STRICT]
        await report(db, "two", story)
        assert await storage.withheld.look(db, EDITOR.unmet) == 1
        assert await posts(db) == {OPEN: "pending", CAREFUL: "pending", STRICT: "withheld"}


async def test_each_story_that_waits_is_decided_by_itself(store: Store) -> None:
    """Rejected, confirmed, over or too old: the others wait on."""
    async with store.writing() as db:
        await channels(db)
        stories = [await report(db, "one") for _ in "abcd"]
        pks = [await broken(db, one, name) for one, name in zip(stories, "abcd", strict=True)]
        await fan_all(db)
        rows = await db.execute(select(delivery).where(delivery.c.state == "withheld"))
        numbers = {(row.alert_id, row.chat_id): row.id for row in rows}
        assert not await storage.withheld.reject(db, numbers[pks[0], CAREFUL])
        assert await storage.withheld.reject(db, numbers[pks[0], STRICT])
        assert await waiting(db) == set(numbers) - {(pks[0], STRICT)}
        for one in stories[:2]:
            await report(db, "two", one)
        assert await storage.withheld.look(db, EDITOR.unmet) == 2
        left = {(pks[1], STRICT), *((pk, one) for pk in pks[2:] for one in (CAREFUL, STRICT))}
        assert await waiting(db) == left
        await storage.withheld.drop(db, stories[2])
        left -= {(pks[2], CAREFUL), (pks[2], STRICT)}
        assert await waiting(db) == left
        late = delivery.c.id == numbers[pks[3], CAREFUL]
        await db.execute(update(delivery).where(late).values(expires_at=await db_now(db)))
        assert await storage.withheld.expire(db, chunk=9) == 1
        assert await waiting(db) == left - {(pks[3], CAREFUL)}


async def waiting(db: Db) -> set[tuple[int, int]]:
    """The posts that are withheld: alerts and channels."""
    query = select(delivery.c.alert_id, delivery.c.chat_id).where(delivery.c.state == "withheld")
    return {(row.alert_id, row.chat_id) for row in await db.execute(query)}


async def test_what_a_newer_program_stored_waits_for_one_that_reads_it(store: Store) -> None:
    """It stops neither a look nor a change of policy."""
    async with store.writing() as db:
        story, pk = await withheld_story(db)
        await report(db, "two", story)
        await db.execute(update(alert).where(alert.c.id == pk).values(payload={"v": 99}))
        assert await storage.withheld.look(db, EDITOR.unmet) == 0
        await storage.withheld.choose(db, STRICT, Editorial.TWO_SOURCES, EDITOR.unmet)
        assert await posts(db) == {OPEN: "pending", CAREFUL: "withheld", STRICT: "withheld"}


async def test_a_question_that_was_not_sent_yet_is_not_asked_where_nothing_waits_for_it(
    store: Store,
) -> None:
    """Of who does not run the channel any more, and of what waits for a second publisher by now;
    nobody else hears of it.
    """
    async with store.writing() as db:
        await withheld_story(db)
        (row,) = await questions(db)
        pk = row.id
        assert pk not in {one.id for one in await storage.told.newest(db, most=9)}
        assert await _asked(db, pk, 6) is None
        assert "Apple harvest" in str(await _asked(db, pk, OWNER))
        await storage.withheld.choose(db, STRICT, Editorial.TWO_SOURCES, EDITOR.unmet)
        assert await _asked(db, pk, OWNER) is None


async def _asked(db: Db, pk: int, who: int) -> Message | None:
    """A question's message to somebody."""
    told = await storage.alerts.get(db, pk)
    assert told is not None
    reader = Reader(
        chat=who, language="en", style=Style.BRIEF, home="KGS", time_zone="Asia/Bishkek"
    )
    kit = Kit(db=db, catalog=Catalog(), kinds=KINDS)
    return await KINDS[StoryAsked.KIND].words(kit, told, reader)


async def test_what_a_channel_withholds_is_in_nothing_else_that_it_posts(store: Store) -> None:
    """Not before it is fanned out either; what it let through is, and others withhold nothing."""
    async with store.writing() as db:
        await channels(db)
        story = await report(db, "one")
        await broken(db, story)
        assert await _shown(db, STRICT) == []
        assert await _shown(db, OPEN) == [story]
        await fan_all(db)
        for reader, seen in ((OPEN, [story]), (CAREFUL, []), (STRICT, []), (ANY_CHANNEL, [])):
            assert await _shown(db, reader) == seen
        assert await storage.withheld.reject(db, await number_of(db, STRICT))
        await storage.withheld.choose(db, CAREFUL, Editorial.PUBLISH, EDITOR.unmet)
        assert await _shown(db, CAREFUL) == [story]
        assert await _shown(db, STRICT) == await _shown(db, ANY_CHANNEL) == []


async def test_what_a_channel_has_by_a_later_alert_it_does_not_withhold(store: Store) -> None:
    """The first was superseded by what is posted."""
    async with store.writing() as db:
        story, pk = await withheld_story(db)
        await report(db, "two", story)
        payload = StoryBroke(story=story, topics=("security",), answers=pk)
        await broken(db, story, "worse", payload=payload, severity=Severity.URGENT)
        await fan_all(db)
        assert await posts(db) == {OPEN: "pending", CAREFUL: "pending", STRICT: "withheld"}
        assert await _shown(db, CAREFUL) == [story]
        assert await _shown(db, STRICT) == []


async def test_what_a_channel_was_never_asked_about_is_in_nothing_else_that_it_posts(
    store: Store,
) -> None:
    """Without an alert, or a delivery there: its topic is not followed, it is too calm for one.

    Two publishers are enough for a channel that wants these; other news waits for nobody.
    """
    async with store.writing() as db:
        await channels(db)
        story = await report(db, "one")
        others = (STRICT, ANY_CHANNEL)
        assert await _shown(db, OPEN) == [story]
        assert [await _shown(db, one) for one in (CAREFUL, *others)] == [[]] * 3
        await storage.chats.unsubscribe(db, STRICT, [KEY])
        await broken(db, story)
        # others' deliveries are not made yet either
        assert await _shown(db, ANY_CHANNEL) == []
        await fan_all(db)
        await report(db, "two", story)
        await storage.withheld.look(db, EDITOR.unmet)
        assert [await _shown(db, one) for one in (CAREFUL, *others)] == [[story], [], []]
        await db.execute(delete(story_topic))
        assert [await _shown(db, one) for one in (CAREFUL, *others)] == [[story]] * 3


async def test_two_feeds_of_one_publisher_are_no_second_publisher_in_digests_and_on_boards(
    store: Store,
) -> None:
    """Whoever asks for stories counts as the fan-out does; a third feed, of another, is enough."""
    feed = '[feeds.{0}]\nname = {{ en = "{0}" }}\nurl = "https://{1}/{0}.xml"\n'
    hosts = {"one": "a.example", "two": "www.a.example", "three": "b.example"}
    catalog = parse_catalog("".join(feed.format(*each) for each in hosts.items()))
    async with store.writing() as db:
        await channels(db)
        story = await report(db, "one")
        await report(db, "two", story)
        assert await _posted_of(db, CAREFUL, catalog) == (None, [])
        assert await _posted_of(db, OPEN, catalog) == (story, [story])
        assert await _shown(db, ANY_CHANNEL, catalog) == []
        await report(db, "three", story)
        assert await _posted_of(db, CAREFUL, catalog) == (story, [story])
        assert await _posted_of(db, STRICT, catalog) == (None, [])


async def test_who_takes_a_story_back_is_no_second_publisher_in_digests_and_on_boards(
    store: Store,
) -> None:
    """Nor who told it before, nor a report that waits for an operator's word."""
    async with store.writing() as db:
        await channels(db)
        story = await report(db, "one")
        await report(db, "two", story, retracts=True)
        assert await _shown(db, CAREFUL) == []
        await report(db, "two", story)
        assert await _shown(db, CAREFUL) == []
        await report(db, "three", story)
        await storage.entries.set_aside(db, "three", f"three {story} False")
        assert await _shown(db, CAREFUL) == []
        await report(db, "four", story)
        assert await _shown(db, CAREFUL) == [story]
        both = parse_catalog(
            "".join(
                f'[feeds.{key}]\nname = {{ en = "{key}" }}\nurl = "https://a.example/{key}.xml"\n'
                for key in ("four", "two")
            )
        )
        assert await _shown(db, CAREFUL, both) == []


async def _posted_of(db: Db, channel: int, catalog: Catalog) -> tuple[int | None, list[int]]:
    """The story of a channel's digest, and those on its board."""
    day, home = NOW.date(), "KGS"
    digest = await day_digest(
        db, catalog, day=day, home=home, zone="UTC", language="en", chat=channel
    )
    board = await board_view(
        db, catalog, home=home, codes=[], topics=["security"], now=NOW, chat=channel
    )
    return digest.story and digest.story.pk, [one.pk for one in board.stories]


async def test_what_a_channel_lets_through_says_nothing_of_other_stories(store: Store) -> None:
    """Each waits for its own word."""
    async with store.writing() as db:
        story, _ = await withheld_story(db)
        other = await report(db, "one")
        await broken(db, other, "b")
        await fan_all(db)
        assert await storage.withheld.send(db, await number_of(db, STRICT))
        assert await _shown(db, STRICT) == [other]
        await report(db, "two", story)
        assert await storage.withheld.confirmed(db, story) == 1
        assert await _shown(db, CAREFUL) == [story]
        assert await _shown(db, ANY_CHANNEL) == []


async def test_what_a_channel_did_not_want_stays_unsaid_under_another_policy(store: Store) -> None:
    async with store.writing() as db:
        story, _ = await withheld_story(db)
        assert await storage.withheld.reject(db, await number_of(db, STRICT))
        await storage.withheld.choose(db, STRICT, Editorial.PUBLISH, EDITOR.unmet)
        assert await _shown(db, STRICT) == []
        assert await _shown(db, OPEN) == [story]


async def test_each_story_is_looked_at_by_itself(store: Store) -> None:
    """Beside others that are not fanned out, of other publishers, and of another topic."""
    async with store.writing() as db:
        story, _ = await withheld_story(db)
        await report(db, "two", story)
        assert await storage.withheld.look(db, EDITOR.unmet) == 1
        await broken(db, await report(db, "two"), "b")
        await report(db, "three")
        calm = await report(db, "four")
        await db.execute(delete(story_topic).where(story_topic.c.story_id == calm))
        assert sorted(await _shown(db, CAREFUL)) == [story, calm]


async def test_a_channel_that_is_lost_withholds_nothing_from_others(store: Store) -> None:
    async with store.writing() as db:
        await channels(db)
        story = await report(db, "one")
        assert await _shown(db, ANY_CHANNEL) == []
        for number in (CAREFUL, STRICT):
            await storage.chats.close(db, number, why=KICKED.why)
        assert await _shown(db, ANY_CHANNEL) == [story]


async def test_no_move_names_to_channels_what_is_not_fanned_out(store: Store) -> None:
    """Of whatever topic: a channel that has a policy will withhold it."""
    async with store.writing() as db:
        await channels(db)
        story = await report(db, "one")
        await db.execute(delete(story_topic))
        await broken(db, story)
        assert await _shown(db, ANY_CHANNEL) == await _shown(db, STRICT) == []
        await db.execute(update(chat).values(policy=Editorial.PUBLISH.value))
        assert await _shown(db, ANY_CHANNEL) == [story]


async def _shown(db: Db, reader: int, catalog: Catalog | None = None) -> list[int]:
    kin = (catalog or Catalog()).kin
    return [one.pk for one in await storage.stories.latest(db, reader=reader, kin=kin)]


async def test_counts_tell_what_is_withheld_apart(store: Store) -> None:
    """It does not wait to be sent, and is not at its end."""
    async with store.writing() as db:
        await withheld_story(db)
        found = await storage.overview.summary(db, now=NOW)
        counts = {one.state: one.count for one in found.counts}
        assert counts == {State.PENDING.value: 2, State.WITHHELD.value: 2}
        assert found.waiting == 2


@pytest.fixture
async def undelivered(migrated_postgres_url: str) -> AsyncIterator[tuple[Store, int, int]]:
    """PostgreSQL with a story of one publisher and its alert, which has no deliveries yet."""
    store = await open_store(migrated_postgres_url)
    async with store.writing() as db:
        await channels(db)
        story = await report(db, "one")
        pk = await broken(db, story)
    yield store, story, pk
    await store.close()


@pytest.mark.postgres
async def test_a_second_publisher_beside_the_fan_out_lets_go_what_that_withholds(
    undelivered: tuple[Store, int, int],
) -> None:
    """Neither transaction sees the other's rows: the one that reports it waits for the other."""
    store, story, _ = undelivered

    async def confirm(db: Db) -> int:
        await report(db, "two", story)
        return await storage.withheld.confirmed(db, story)

    assert await _after_the_fan_out(store, confirm) == 1
    async with store.reading() as db:
        assert (await posts(db))[CAREFUL] == "pending"


@pytest.mark.postgres
async def test_claims_beside_the_fan_out_charge_the_chats_that_it_looks_at(
    undelivered: tuple[Store, int, int],
) -> None:
    """In whatever order, of which each waiting for the other's would be the end of both."""
    store, _, _ = undelivered
    async with store.writing() as fanning:
        assert await storage.fan_out.fan_out(fanning, editor=EDITOR) == 3
        async with asyncio.timeout(10), store.writing() as claiming:
            for channel in sorted(POLICIES, reverse=True):
                charged = update(chat).where(chat.c.id == channel).values(tat=NOW)
                await claiming.execute(charged)
    async with store.reading() as db:
        assert (await posts(db))[STRICT] == "withheld"


@pytest.mark.postgres
async def test_a_policy_chosen_beside_the_fan_out_finds_what_that_withholds(
    undelivered: tuple[Store, int, int],
) -> None:
    """By a lock on the channel's row."""
    store, _, _ = undelivered

    async def loosen(db: Db) -> None:
        await storage.withheld.choose(db, STRICT, Editorial.PUBLISH, EDITOR.unmet)

    await _after_the_fan_out(store, loosen)
    async with store.reading() as db:
        assert (await posts(db))[STRICT] == "pending"


@pytest.mark.postgres
async def test_what_got_worse_beside_the_fan_out_takes_the_place_of_what_that_withholds(
    undelivered: tuple[Store, int, int],
) -> None:
    """Else both would be posted once they may be."""
    store, story, pk = undelivered

    async def rise(db: Db) -> None:
        payload = StoryBroke(story=story, topics=("security",), answers=pk)
        await broken(db, story, "worse", payload=payload, severity=Severity.URGENT)

    await _after_the_fan_out(store, rise)
    async with store.reading() as db:
        assert set((await posts(db)).values()) == {"superseded"}


async def _after_the_fan_out(store: Store, do: Callable[[Db], Awaitable[T]]) -> T:
    """The result of a transaction that begins beside the fan-out's, and has to wait for it."""

    async def done() -> T:
        async with store.writing() as db:
            return await do(db)

    async with store.writing() as fanning:
        assert await storage.fan_out.fan_out(fanning, editor=EDITOR) == 3
        doing = asyncio.create_task(done())
        await blocked(store)
    return await doing


async def blocked(store: Store) -> None:
    """Wait until a transaction waits for a lock of another one."""
    async with asyncio.timeout(20):
        while True:
            async with store.reading() as db:
                waits = text(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                )
                if (await db.execute(waits)).scalar_one():
                    return
            await asyncio.sleep(0.01)


async def test_only_the_audience_of_a_story_is_asked(store: Store) -> None:
    """A channel that does not follow security has nothing to decide."""
    async with store.writing() as db:
        await channels(db)
        await storage.chats.unsubscribe(db, STRICT, [KEY])
        await broken(db, await report(db, "one"), audience=Audience(subscription=KEY))
        await fan_all(db)
        assert await posts(db) == {OPEN: "pending", CAREFUL: "withheld"}
        assert await questions(db) == []
