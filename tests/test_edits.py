"""A story that was told and then grows: its messages are edited where they stand. Poll, store,
outbox, Telegram.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

import storage.alerts
import storage.chats
import storage.fan_out
import storage.stories
import storage.superseding
from bot.clock import boottime
from bot.digests import enqueue_digests
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.ingest.telling import FRESH_FOR, MOST_EDITS
from bot.model.alerts import Approval
from bot.model.chats import ChatKind
from bot.model.subjects import DigestSubject
from bot.sources.catalog import parse_catalog
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store, db_now
from storage.schema import chat as chat_table
from storage.schema import entry as entry_table
from tests.factories import chat as a_chat
from tests.publishers import QUIET
from tests.test_ingest import NOW
from tests.world import READER, Sending, World, polling

#: Polls and what follows on PostgreSQL are in test_ingest and the faults; here the cases differ.
pytestmark = pytest.mark.cases

RUSSIAN, CHANNEL, LATECOMER = 1002, -1001000000001, 1003
BLAST = (
    "Explosion at a market in Osh kills 14, 37 wounded",
    (
        "The bomb went off at 11:20 by the northern gate; police are looking for a grey van, said "
        "officer Kubat Ermekov."
    ),
)
VZRYV = (
    "Взрыв на рынке в Оше: 14 погибших, 37 раненых",
    (
        "Бомба сработала в 11:20 у северных ворот. Милиция ищет серый фургон, сообщил сотрудник "
        "УВД Кубат Эрмеков."
    ),
)
LANGUAGES = {"russian": 'language = "ru"\n', "nine": ""}  # the ninth writes in any
AGENCIES = ("one", "two", "russian", "four", "five", "six", "seven", "eight", "nine")


def catalog(url: str) -> Any:
    """Agencies, one of them Russian."""
    return parse_catalog(
        "".join(
            f'[feeds.{key}]\nname = {{ en = "{key.title()}", ru = "{key.title()}" }}\nurl = '
            f'"{url}/{key}.xml"\n' + LANGUAGES.get(key, 'language = "en"\n')
            for key in AGENCIES
        )
    )


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Chats subscribed; the worker runs until a test halts it."""
    async with (
        polling(store, catalog, now=NOW, admins=()) as made,
        Emulator(TEST_TOKEN) as emulator,
        open_session() as session,
    ):
        for reader in (READER, RUSSIAN, LATECOMER):
            emulator.add_private(emulator.add_user(reader, f"Reader {reader}", "en"))
        emulator.add_channel(CHANNEL, "Herald", "herald")
        async with store.writing() as db:
            for number, kind, language in (
                (READER, ChatKind.PRIVATE, "en"),
                (RUSSIAN, ChatKind.PRIVATE, "ru"),
                (CHANNEL, ChatKind.CHANNEL, "en"),
                (LATECOMER, ChatKind.PRIVATE, "en"),
            ):
                await storage.chats.add(db, a_chat(number, kind=kind, language=language), now=NOW)
                if number != LATECOMER:
                    await storage.chats.subscribe(
                        db, number, ["topic:security"], now=NOW - timedelta(days=1)
                    )
        made.send_through(
            emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN), rate=100.0
        )
        async with Sending(made):
            yield made
        assert made.told == []


def accepted(world: World, chat: int, method: str = "editMessageText") -> list[Any]:
    """The accepted calls of a method for a chat."""
    return [
        one
        for one in world.emulator.calls
        if one.method == method and one.chat_id == chat and one.accepted
    ]


async def report(world: World, feed: str, *entries: tuple[str, str, str]) -> int:
    """An agency, which was polled once before, publishes beside its quiet story, and is polled; how
    many alerts that made.
    """
    if f"/{feed}.xml" not in world.publishers.documents:
        await world.report(feed, QUIET)
    return await world.report(feed, *entries, QUIET)


async def test_a_second_agency_edits_the_message_and_sends_none(world: World) -> None:
    """The same message, by its number, with the same buttons; silently; only for those who got
    it.
    """
    assert await report(world, "one", ("a", *BLAST)) == 1
    told = {chat: await world.tells(chat, BLAST[0]) for chat in (READER, CHANNEL)}
    async with world.store.writing() as db:  # who asks now did not get it
        await storage.chats.subscribe(db, LATECOMER, ["topic:security"], now=NOW)
    await world.done()
    assert await report(world, "two", ("b", *BLAST)) == 0
    for chat, before in told.items():
        after = await world.tells(chat, "One, Two ·\u00a02\u00a0sources")
        assert after["message_id"] == before["message_id"]
        assert after.get("reply_markup") == before.get("reply_markup")
        assert after["entities"][0] == before["entities"][0]
    await world.done()
    for chat in told:
        assert (len(accepted(world, chat, "sendMessage")), len(accepted(world, chat))) == (1, 1)
    assert world.emulator.messages(LATECOMER) == []
    assert {row.chat_id for row in await world.deliveries("edit")} == {READER, RUSSIAN, CHANNEL}


async def test_a_reader_gets_their_own_language_when_it_comes_and_when_it_is_there(
    world: World,
) -> None:
    """Told first in another language, the message turns into the reader's; the others' only names
    one more source.
    """
    assert await report(world, "one", ("a", *BLAST)) == 1
    first = await world.tells(RUSSIAN, BLAST[0])
    await world.done()
    await report(world, "russian", ("v", *VZRYV))
    assert (await world.tells(RUSSIAN, VZRYV[0]))["message_id"] == first["message_id"]
    assert BLAST[0] in (await world.tells(READER, "2\u00a0sources"))["text"]


async def test_an_agency_that_writes_in_two_languages_is_read_in_both(world: World) -> None:
    """Its second report names no new source, and is what a reader of that language waited for."""
    await report(world, "nine", ("a", *BLAST))
    first = await world.tells(RUSSIAN, BLAST[0])
    await world.done()
    await report(world, "nine", ("a", *BLAST), ("v", *VZRYV))
    assert (await world.tells(RUSSIAN, VZRYV[0]))["message_id"] == first["message_id"]


async def test_a_report_stored_before_the_sending_is_told_in_the_readers_language(
    world: World,
) -> None:
    """Both reports are there when the message is made: no edit is needed, each reads their own."""
    await world.halt()
    for feed, entry in (("one", ("a", *BLAST)), ("russian", ("v", *VZRYV))):
        await report(world, feed, entry)
    await _send(world)
    for chat, words in ((READER, BLAST[0]), (RUSSIAN, VZRYV[0])):
        assert "2\u00a0" in (await world.tells(chat, words))["text"]
        assert accepted(world, chat) == []


async def _send(world: World) -> None:
    """A worker as a restarted program has it sends what waits."""
    world.restart()
    async with Sending(world):
        await world.done()


async def test_joins_in_quick_succession_cost_one_edit_a_chat(world: World) -> None:
    """A waiting edit is replaced by the newest. The log says of each whose messages it edits."""
    with capture_logs() as logged:
        await report(world, "one", ("a", *BLAST))
        await world.tells(READER, BLAST[0])
        await world.done()
        await world.halt()
        for feed in ("two", "four", "five"):
            await report(world, feed, (feed, *BLAST))
    first, *edits = [one for one in logged if one["event"] == "decided"]
    assert [one["of"] for one in edits] == [first["alert"]] * 3
    await _send(world)
    assert "4\u00a0sources" in (await world.tells(READER, BLAST[0]))["text"]
    edits = [
        one
        for one in world.emulator.calls
        if one.method == "editMessageText" and one.chat_id == READER
    ]
    assert len(edits) == 1


@pytest.mark.slow
async def test_a_story_is_edited_only_a_few_times(world: World) -> None:
    """Beyond that one more agency is no news; nor does the same agency's second report edit
    anything.
    """
    await report(world, "one", ("a", *BLAST))
    await world.done()
    await report(world, "one", ("a", *BLAST), ("a2", BLAST[0], "Again."))
    for feed in AGENCIES[1:]:
        await report(world, feed, (feed, *(VZRYV if feed == "russian" else BLAST)))
        await world.done()
    assert len(AGENCIES) - 1 > MOST_EDITS
    for chat in (READER, CHANNEL):
        assert len(accepted(world, chat)) == MOST_EDITS
        assert len(accepted(world, chat, "sendMessage")) == 1


async def test_a_story_older_than_the_freshness_window_is_left_as_it_is(world: World) -> None:
    """Nobody scrolls back to yesterday."""
    await report(world, "one", ("a", *BLAST))
    await world.done()
    world.now = NOW + FRESH_FOR
    await report(world, "two", ("b", *BLAST))
    await world.done()
    assert accepted(world, READER) == []


BOMB = "Bomb explosion at a bazaar in Bishkek"
CALM = ("calm", BOMB, "Police say the bomb was small.")
GRAVE = ("grave", BOMB, "The blast killed 120 people. Residents are being evacuated.")
GRAVER = ("graver", BOMB, "The blast killed 150 people. Thousands are being evacuated.")


async def test_a_rise_of_severity_is_a_reply_that_sounds_once(world: World) -> None:
    """A story that got worse answers the message that told it, for everybody who got that; who did
    not gets a message; the first one is edited too, and a still graver report sounds no more.
    """
    await report(world, "one", CALM)
    first = {chat: await world.tells(chat, BOMB) for chat in (READER, CHANNEL)}
    await world.done()
    async with world.store.writing() as db:
        await storage.chats.subscribe(db, LATECOMER, ["topic:security"], now=NOW)
    assert await report(world, "two", GRAVE) == 1
    for chat, told in first.items():
        rise = await world.tells(chat, "❗")
        assert rise["reply_to_message"]["message_id"] == told["message_id"]
        assert "killed 120" in rise["text"]
        assert not world.emulator.silent(chat, rise["message_id"])
    assert "reply_to_message" not in await world.tells(LATECOMER, "❗")
    await world.done()
    assert await report(world, "four", GRAVER) == 0
    await world.done()
    assert len(accepted(world, READER, "sendMessage")) == 2


async def test_a_rise_of_severity_answers_what_a_chat_had_of_the_story(world: World) -> None:
    """Told among others after quiet hours, too. Where that message was deleted there is no reply,
    and the words come all the same.
    """
    async with world.store.writing() as db:
        now, day = await db_now(db), timedelta(days=1)
        night = {"quiet": "23:00-07:00", "quiet_begins_at": now - day, "quiet_ends_at": now + day}
        await db.execute(update(chat_table).where(chat_table.c.id == READER).values(**night))
    await report(world, "one", CALM)
    deleted = await world.tells(CHANNEL, BOMB)
    channel = world.emulator.world.chats[CHANNEL]
    world.emulator.world.delete_message(channel, deleted["message_id"])
    async with world.store.writing() as db:
        await storage.chats.change(db, READER, quiet=None)
    world.worker.wake()
    first = await world.tells(READER, "While it was quiet")
    await world.done()
    await report(world, "two", GRAVE)
    rise = await world.tells(READER, "killed 120")
    assert rise["reply_to_message"]["message_id"] == first["message_id"]
    assert "reply_to_message" not in await world.tells(CHANNEL, "killed 120")


async def graver_that_waits(world: World) -> int:
    """The number of the alert that a louder report makes in an hour that told enough; it waits for
    an operator's word.
    """
    world.ingest = replace(world.ingest, alerts_per_hour=1, admins=(5,))
    assert await report(world, "two", GRAVE) == 1
    last = (await world.alerts("story"))[-1]
    assert last.approval == "waiting"
    # the operator is asked about the words that would be sent
    ((_, asked),) = [one for one in await world.notices() if one[0] == "notice.story"]
    assert "killed 120" in asked["text"]
    return int(last.id)


async def listed(world: World, *, unasked: bool = True) -> list[str]:
    """The headlines of the news about security; those that digests and boards tell, where they are
    not `unasked`.
    """
    async with world.store.reading() as db:
        latest = await storage.stories.latest(db, topics=["security"], unasked=unasked)
    return [one.lead.entry.title for one in latest]


async def test_a_story_told_without_a_word_stays_told_whatever_becomes_of_its_louder_alert(
    world: World,
) -> None:
    """In lists, digests and links, while that waits and after an operator rejected it."""
    await report(world, "one", CALM)
    await world.tells(READER, BOMB)
    number = await graver_that_waits(world)
    assert await listed(world, unasked=False) == [BOMB]
    async with world.store.writing() as db:
        await storage.alerts.decide(db, number, Approval.REJECTED)
        (found,) = await storage.stories.latest(db, topics=["security"])
        assert await storage.stories.shown(db, found.pk)
        assert await storage.stories.shown_among(db, [found.pk]) == [found.pk]
    assert await listed(world, unasked=False) == await listed(world) == [BOMB]


async def test_what_was_told_without_a_word_is_corrected_without_one(world: World) -> None:
    """Though its louder alert waits for a word; once that was let through, it needs one."""
    await report(world, "one", CALM)
    await world.tells(READER, BOMB)
    await world.done()
    number = await graver_that_waits(world)
    right = "Gas bottle explodes at a bazaar in Bishkek, police say it was no bomb"
    await report(world, "one", ("calm", right, CALM[2]))
    await world.tells(READER, right)
    async with world.store.writing() as db:
        await storage.alerts.decide(db, number, Approval.APPROVED)
    await report(world, "one", ("calm", f"{right}, two hurt", CALM[2]))
    assert [told for told, _ in await world.notices()] == ["notice.story", "notice.correction"]


async def test_what_was_told_without_a_word_and_is_taken_back_asks_for_none(world: World) -> None:
    """Though it got worse meanwhile, and an operator was asked about that: nobody else hears it."""
    await report(world, "one", CALM)
    await world.tells(READER, BOMB)
    await world.done()
    world.ingest = replace(world.ingest, alerts_per_hour=1, admins=(5,))
    worse = f"{BOMB} kills 120"
    assert await report(world, "one", ("calm", worse, GRAVE[2])) == 1
    number = (await world.alerts("story"))[-1].id
    await report(world, "one", ("calm", f"RETRACTED: {worse}", GRAVE[2]))
    await world.tells(READER, "RETRACTED")
    async with world.store.reading() as db:
        assert await storage.alerts.waiting(db, number) is None
        assert await storage.superseding.is_overtaken(db, number)


@pytest.mark.parametrize("word", [Approval.REJECTED, Approval.APPROVED])
async def test_who_has_not_got_a_story_yet_gets_it_while_its_louder_alert_waits(
    world: World, word: Approval
) -> None:
    """Nobody knows whether that will ever be sent; once it is, it takes the place of the first."""
    await world.halt()
    await report(world, "one", CALM)
    async with world.store.writing() as db:
        await storage.fan_out.fan_out(db)
    number = await graver_that_waits(world)
    async with world.store.writing() as db:
        await storage.alerts.decide(db, number, word)
    world.restart()
    world.start()
    told = await world.tells(READER, BOMB)
    await world.done()
    assert told["text"].startswith("❗") is (word is Approval.APPROVED)
    assert len(accepted(world, READER, "sendMessage")) == 1


async def test_a_corrected_text_that_makes_it_grave_sounds_too(world: World) -> None:
    """The agency itself writes its report anew, and it is urgent now."""
    await report(world, "one", CALM)
    first = await world.tells(READER, BOMB)
    await world.done()
    graver = "Bomb explosion at a bazaar in Bishkek kills 120"
    assert await report(world, "one", ("calm", graver, GRAVE[2])) == 1
    rise = await world.tells(READER, "❗")
    assert rise["reply_to_message"]["message_id"] == first["message_id"]


async def test_what_a_corrected_text_makes_grave_long_after_is_an_edit_and_no_alert(
    world: World,
) -> None:
    """Nor does the poll say that there was one."""
    await report(world, "one", CALM)
    await world.tells(READER, BOMB)
    await world.done()
    world.now += FRESH_FOR + timedelta(hours=6)  # reports are dated by the machine's own clock
    graver = "Bomb explosion at a bazaar in Bishkek kills 120"
    assert await report(world, "one", ("calm", graver, GRAVE[2])) == 0
    await world.tells(READER, graver)
    await world.done()
    assert len(accepted(world, READER, "sendMessage")) == 1


async def test_a_report_that_now_says_it_is_over_makes_nothing_graver(world: World) -> None:
    """Though its new words count many dead: who got the story is told by an edit."""
    await report(world, "one", CALM)
    await world.tells(READER, BOMB)
    await world.done()
    over = "Bazaar in Bishkek is open again after a bomb explosion that killed 120"
    assert await report(world, "one", ("calm", over, GRAVE[2])) == 0
    await world.tells(READER, over)
    await world.done()
    assert len(accepted(world, READER, "sendMessage")) == 1


async def test_a_correction_reaches_who_got_the_story_however_late_and_once(world: World) -> None:
    """Days later, and after as many edits as growth may make."""
    await report(world, "one", ("a", *BLAST))
    told = await world.tells(READER, BLAST[0])
    await world.done()
    for feed in AGENCIES[1 : MOST_EDITS + 2]:
        await report(world, feed, (feed, *(VZRYV if feed == "russian" else BLAST)))
        await world.done()
    before = len(accepted(world, READER))
    world.now = NOW + 3 * FRESH_FOR
    corrected = BLAST[0].replace("14", "12")
    for _ in range(2):
        assert await report(world, "one", ("a", corrected, BLAST[1])) == 0
        await world.done()
    assert (await world.tells(READER, corrected))["message_id"] == told["message_id"]
    assert before == MOST_EDITS
    assert len(accepted(world, READER)) == before + 1


SLIDE = (
    "Landslide kills 14 and closes the road from Bishkek to Osh at Kara-Kul",
    (
        "A landslide buried two buses on the road from Bishkek to Osh near Kara-Kul on Tuesday "
        "and killed 14 people; rescuers are at work and traffic is stopped, the ministry said."
    ),
)
SLIDE_OVER = (
    "Road from Bishkek to Osh at Kara-Kul is open again after the landslide",
    (
        "Traffic on the road from Bishkek to Osh near Kara-Kul goes again on Wednesday: rescuers "
        "have cleared the landslide that buried two buses and killed 14 people, the ministry said."
    ),
)


async def test_the_end_of_a_story_is_a_quiet_edit(world: World) -> None:
    """However late, by whomever, and however grave it sounds; it stands above what was told, and
    nobody hears a sound.
    """
    assert await report(world, "one", ("a", *SLIDE)) == 1
    told = {chat: await world.tells(chat, SLIDE[0]) for chat in (READER, CHANNEL)}
    await world.done()
    world.now = NOW + FRESH_FOR + timedelta(hours=6)
    assert await report(world, "one", ("a", *SLIDE), ("over", *SLIDE_OVER)) == 0
    for chat, before in told.items():
        after = await world.tells(chat, "✔ It is over: " + SLIDE_OVER[0])
        assert after["message_id"] == before["message_id"]
        assert SLIDE[0] in after["text"]
    await world.done()
    assert len(accepted(world, READER, "sendMessage")) == 1
    assert "✔ Закончилось" in (await world.tells(RUSSIAN, SLIDE_OVER[0]))["text"]


async def test_a_corrected_text_is_stored_found_and_shown(world: World) -> None:
    """Under the very headline that was told; the same text at the next poll is no other."""
    await report(world, "one", ("a", *BLAST))
    told = await world.tells(READER, BLAST[1])
    await world.done()
    corrected = BLAST[1].replace("grey van", "white lorry")
    for _ in range(2):
        assert await report(world, "one", ("a", BLAST[0], corrected)) == 0
        await world.done()
    assert (await world.tells(READER, "white lorry"))["message_id"] == told["message_id"]
    assert len(accepted(world, READER)) == 1
    (row,) = [row for row in await world.stored(entry_table) if row.guid == "a"]
    assert "white lorry" in row.summary
    assert not row.indexed  # a search reads the new words


@pytest.mark.parametrize("fault", ["message to edit not found", "message can't be edited"])
async def test_a_message_that_is_gone_ends_its_edit_quietly(world: World, fault: str) -> None:
    """Deleted, or too old: no second try, no word to the operators."""
    await report(world, "one", ("a", *BLAST))
    await world.done()
    world.emulator.faults.add(Fault.bad_request(fault, method="editMessageText", chat_id=READER))
    await report(world, "two", ("b", *BLAST))
    await world.done()
    states = {row.chat_id: row.state for row in await world.deliveries("edit")}
    assert states == {READER: "cancelled", RUSSIAN: "sent", CHANNEL: "sent"}


async def test_an_edit_waits_out_a_429_and_disturbs_nobody(world: World) -> None:
    """The chat's own pause; then the edit is made, once."""
    await report(world, "one", ("a", *BLAST))
    await world.done()
    world.emulator.faults.add(Fault.flood(1, method="editMessageText", chat_id=READER, times=1))
    begun = boottime()
    await report(world, "two", ("b", *BLAST))
    await world.tells(CHANNEL, "2\u00a0sources")
    await world.tells(READER, "2\u00a0sources")
    assert boottime() - begun >= 1
    await world.done()
    assert len(accepted(world, READER)) == 1


async def test_an_edit_whose_answer_was_lost_is_made_again(world: World) -> None:
    """Twice the same edit is one: it is tried until an answer comes, and ends without a trouble."""
    await report(world, "one", ("a", *BLAST))
    await world.done()
    world.emulator.faults.add(
        Fault.reset(method="editMessageText", chat_id=READER, times=1, after=True)
    )
    await report(world, "two", ("b", *BLAST))
    await world.done()
    assert "2\u00a0sources" in (await world.tells(READER, BLAST[0]))["text"]
    assert {row.state for row in await world.deliveries("edit")} == {"sent"}


async def test_a_corrected_headline_edits_the_message_that_carried_the_mistake(
    world: World,
) -> None:
    """The same entry under another headline; other blanks and dots are none, nor is a headline
    nobody was shown.
    """
    await report(world, "one", ("a", *BLAST))
    await report(world, "two", ("b", BLAST[0], "Police are looking for a van."))
    told = await world.tells(READER, "2\u00a0sources")
    await world.done()
    before = len(accepted(world, READER))
    await report(world, "two", ("b", "Blast at a market in Osh", "Police are looking for a van."))
    await report(world, "one", ("a", f"{BLAST[0]}.", BLAST[1]))
    await world.done()
    assert len(accepted(world, READER)) == before
    corrected = BLAST[0].replace("14", "12")
    assert await report(world, "one", ("a", corrected, BLAST[1])) == 0
    assert (await world.tells(READER, corrected))["message_id"] == told["message_id"]
    await world.done()
    assert (len(accepted(world, READER)), len(accepted(world, READER, "sendMessage"))) == (
        before + 1,
        1,
    )


async def test_an_edit_waits_behind_what_a_chat_has_still_to_hear(world: World) -> None:
    """An alert decided later goes first: edits are for when there is nothing else to say."""
    await report(world, "one", ("a", *BLAST))
    await world.done()
    await world.halt()
    await report(world, "two", ("b", *BLAST))
    quake = (
        "q",
        "Earthquake of magnitude 5.6 shakes Naryn",
        "Houses were damaged in At-Bashy, 2 people were killed.",
    )
    assert await report(world, "four", quake) == 1
    await _send(world)
    order = [one.method for one in world.emulator.calls if one.chat_id == READER and one.accepted]
    assert order == ["sendMessage", "sendMessage", "editMessageText"]


async def test_a_chat_that_got_nothing_yet_gets_the_newest_words_and_no_edit(world: World) -> None:
    """Refused for a while, rendered before the second report came: what is sent at last names
    both.
    """
    world.emulator.faults.add(Fault.flood(3, method="sendMessage", chat_id=READER, times=1))
    await report(world, "one", ("a", *BLAST))
    await world.tells(CHANNEL, BLAST[0])
    await report(world, "two", ("b", *BLAST))
    await world.tells(CHANNEL, "2\u00a0sources")
    assert "2\u00a0sources" in (await world.tells(READER, BLAST[0]))["text"]
    await world.done()
    assert accepted(world, READER) == []


async def test_a_digest_tells_by_its_headline_alone_what_an_alert_told(world: World) -> None:
    """One fact once: who had no alert of it reads the rest in the digest. The others are told when
    that was and, where an address leads to a message, are led to it.
    """
    assert await report(world, "one", ("a", *BLAST)) == 1
    told = await world.tells(CHANNEL, BLAST[1])
    await world.done()
    slot = (NOW + timedelta(minutes=1)).astimezone(ZoneInfo("Asia/Bishkek"))
    digest = DigestSubject(slot.time(), "Asia/Bishkek")
    async with world.store.writing() as db:
        for chat in (READER, LATECOMER, CHANNEL):
            await storage.chats.subscribe(db, chat, [str(digest), "topic:security"], now=NOW)
    assert await enqueue_digests(world.store, now=slot + timedelta(minutes=1)) == 1
    await world.done()
    heads, rests, before = {}, {}, {}
    for chat in (READER, CHANNEL, LATECOMER):
        message = world.emulator.messages(chat)[-1]
        text = message["text"]
        heads[chat], rests[chat] = BLAST[0] in text, BLAST[1] in text
        before[chat] = "Already told: " in text
    assert heads == {READER: True, CHANNEL: True, LATECOMER: True}
    assert rests == {READER: False, CHANNEL: False, LATECOMER: True}
    assert before == {READER: True, CHANNEL: True, LATECOMER: False}
    links = [one.get("url") for one in world.emulator.messages(CHANNEL)[-1]["entities"]]
    assert f"https://t.me/c/1000000001/{told['message_id']}" in links


async def test_a_digest_turns_into_the_readers_language_when_a_report_in_it_comes(
    world: World,
) -> None:
    """The same message, silently; only where it told that story in another language, and to
    nobody who reads another one.
    """
    await report(world, "one", ("a", *BLAST))
    slot = (NOW + timedelta(minutes=1)).astimezone(ZoneInfo("Asia/Bishkek"))
    digest = DigestSubject(slot.time(), "Asia/Bishkek")
    async with world.store.writing() as db:
        await storage.chats.change(db, LATECOMER, language="ru")
        for chat in (READER, LATECOMER):
            await storage.chats.unsubscribe(db, chat, ["topic:security"])
            await storage.chats.subscribe(db, chat, [str(digest)], now=NOW)
    world.now = slot + timedelta(minutes=1)
    await enqueue_digests(world.store, now=world.now)
    await world.done()
    before = {chat: world.emulator.messages(chat)[-1] for chat in (READER, LATECOMER)}
    assert all(BLAST[0] in message["text"] for message in before.values())
    count = len(world.emulator.messages(LATECOMER))
    world.now += timedelta(minutes=1)
    await report(world, "russian", ("b", *VZRYV))
    after = await world.tells(LATECOMER, VZRYV[0])
    assert after["message_id"] == before[LATECOMER]["message_id"]
    assert VZRYV[1] in after["text"]
    await world.done()
    assert len(world.emulator.messages(LATECOMER)) == count
    assert BLAST[0] in world.emulator.messages(READER)[-1]["text"]
    assert len(accepted(world, LATECOMER)) == 1


async def test_a_digest_that_told_another_story_stays_as_it_is(world: World) -> None:
    """A story in the reader's language was worth more; so the newer report changes nothing."""
    await report(world, "one", ("a", *BLAST))
    await world.report("russian", ("apples", "Начался сбор яблок", "Садоводы ждут урожая."))
    slot = (NOW + timedelta(minutes=1)).astimezone(ZoneInfo("Asia/Bishkek"))
    digest = DigestSubject(slot.time(), "Asia/Bishkek")
    async with world.store.writing() as db:
        await storage.chats.change(db, LATECOMER, language="ru")
        await storage.chats.subscribe(db, LATECOMER, [str(digest)], now=NOW)
    world.now = slot + timedelta(minutes=1)
    await enqueue_digests(world.store, now=world.now)
    await world.done()
    (told,) = world.emulator.messages(LATECOMER)
    world.now += timedelta(minutes=1)
    await report(world, "russian", ("b", *VZRYV))
    await world.done()
    assert await world.deliveries("digest_edit")
    (still,) = world.emulator.messages(LATECOMER)
    assert still["text"] == told["text"]
    assert BLAST[0] not in still["text"]


def keys_of(message: dict[str, Any]) -> list[str]:
    """The buttons that come back to the bot, by what they carry, without the alert's number."""
    rows = message["reply_markup"]["inline_keyboard"]
    data = [one.get("callback_data", "") for row in rows for one in row]
    return [one.partition(":")[0] for one in data if one]


async def test_an_edit_leaves_the_buttons_as_each_chat_has_switched_them(world: World) -> None:
    """Who left the topic can come back, and who wants silence reads until when; for the others
    they stay as they were.
    """
    for chat, language in ((LATECOMER, "en"), (READER, "en"), (RUSSIAN, "ru")):
        async with world.store.writing() as db:
            await storage.chats.change(db, chat, language=language)
            await storage.chats.subscribe(db, chat, ["topic:security"], now=NOW - timedelta(days=1))
    assert await report(world, "one", ("a", *BLAST)) == 1
    await world.done()
    async with world.store.writing() as db:
        await storage.chats.unsubscribe(db, READER, ["topic:security"])
        await storage.chats.snooze(db, LATECOMER, "topic:security", span=timedelta(hours=8))
    assert await report(world, "two", ("b", *BLAST)) == 0
    await world.done()
    left, rests, follows = [
        world.emulator.messages(chat)[-1] for chat in (READER, LATECOMER, RUSSIAN)
    ]
    assert keys_of(left) == ["why", "snooze", "less", "unmute"]
    assert keys_of(rests) == ["why", "unsnooze", "less", "mute"]
    assert keys_of(follows) == ["why", "snooze", "less", "mute"]
    async with world.store.writing() as db:  # its silence is over
        await storage.chats.snooze(db, LATECOMER, "topic:security", span=-timedelta(hours=1))
    assert await report(world, "four", ("c", *BLAST)) == 0
    await world.done()
    assert keys_of(world.emulator.messages(LATECOMER)[-1]) == keys_of(follows)
