"""What publishers put right or take back reaches those who got it, however late, once. Poll, store,
outbox, Telegram.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

import storage.chats
from bot.emulator import TEST_TOKEN, Emulator
from bot.ingest.telling import FRESH_FOR, MOST_CORRECTIONS, MOST_EDITS
from bot.model.chats import Style
from bot.readers.digest import day_digest
from bot.readers.news import news_page
from bot.sources.catalog import parse_catalog
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store, db_now
from storage.schema import chat as chat_table
from storage.schema import entry as entry_table
from tests.factories import chat as a_chat
from tests.test_ingest import NOW
from tests.world import READER, SECURITY, Sending, World, polling

pytestmark = pytest.mark.cases

RUSSIAN, KYRGYZ = 1002, 1003
BLAST = "Explosion at a market in Osh kills 14, 37 wounded"
TEXT = (
    "The bomb went off at 11:20 by the northern gate of the market in Osh and killed 14 people; "
    "police are looking for a grey van, said officer Kubat Ermekov."
)
FEWER = TEXT.replace("killed 14", "killed 12")
WORDED_ANEW = (
    "Police look for a grey van after the bomb of 11:20, which killed 14 people at the northern "
    "gate of the market in Osh, officer Kubat Ermekov said on Monday."
)
LATE = NOW + 3 * FRESH_FOR


def catalog(url: str) -> Any:
    """Three agencies, the first with a second feed."""
    written = ""
    for key, house in (("one", "one"), ("two", "two"), ("three", "three"), ("uno", "one")):
        written += (
            f'[feeds.{key}]\nname = {{ en = "{key.title()}" }}\nurl = "{url}/{key}.xml"\n'
            f'language = "en"\npublisher = "{house}"\n'
        )
    return parse_catalog(written)


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Three readers, each of another language, who got the story of the first agency."""
    async with (
        polling(store, catalog, now=NOW, admins=()) as made,
        Emulator(TEST_TOKEN) as emulator,
        open_session() as session,
    ):
        for reader, language in ((READER, "en"), (RUSSIAN, "ru"), (KYRGYZ, "ky")):
            emulator.add_private(emulator.add_user(reader, f"Reader {reader}", language))
            async with store.writing() as db:
                chat = a_chat(reader, language=language, style=Style.FULL)
                await storage.chats.add(db, chat, now=NOW)
                since = NOW - timedelta(days=1)
                await storage.chats.subscribe(db, reader, [SECURITY], now=since)
        made.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        async with Sending(made):
            for key in ("one", "two"):
                assert await serve(made, key) == 0
            assert await serve(made, "one", item(BLAST, TEXT)) == 1
            await made.done()
            yield made


def item(
    title: str, text: str, *, key: str = "a", at: datetime = NOW, link: str | None = None
) -> str:
    """An item of a feed."""
    address = link or f"https://news.example/{key}"
    return (
        f"<item><guid>{key}</guid><title>{title}</title><link>{address}</link>"
        f"<description>{text}</description><pubDate>{format_datetime(at)}</pubDate></item>"
    )


APPLES = item("Apple harvest begins", "Growers expect a good year.", key="q", at=NOW)


async def serve(
    world: World, feed: str, *items: str, plain: bool = True, sends: bool = True
) -> int:
    """An agency serves these before what it had first, and is polled; how many alerts that made.
    All of it is sent, if the worker `sends`.
    """
    # an element that only feedparser knows, so that it is read whole
    odd = "" if plain else "<podcast xmlns='urn:x'>1</podcast>"
    body = f"<channel><title>T</title>{odd}{''.join(items)}{APPLES}</channel>"
    world.serve(feed, f'<rss version="2.0">{body}</rss>'.encode())
    report = await world.poll(feed)
    assert report.error is None
    if sends:
        await world.done()
    return report.alerts


def edits(world: World, chat: int = READER) -> int:
    """The edits of a chat's messages."""
    return sum(call.accepted for call in world.emulator.calls.of("editMessageText", chat))


def shown(world: World, chat: int = READER) -> str:
    """A chat's only message."""
    (message,) = world.emulator.messages(chat)
    return str(message["text"]).replace("\u00a0", " ")


async def test_a_late_correction_of_the_text_is_told_once(world: World) -> None:
    world.now = LATE
    for _ in range(2):
        assert await serve(world, "one", item(BLAST, FEWER)) == 0
    assert await serve(world, "two", item(BLAST, FEWER, at=LATE)) == 0
    assert "killed 12" in shown(world)
    assert edits(world) == 1


async def test_late_words_that_correct_nothing_are_stored_alone(world: World) -> None:
    world.now = LATE
    more = TEXT + " The market reopens tomorrow."
    for text in (WORDED_ANEW, more):
        assert await serve(world, "one", item(BLAST, text)) == 0
        (row,) = [row for row in await world.stored(entry_table) if row.guid == "a"]
        assert row.summary == text
    assert edits(world) == 0


@pytest.mark.slow
async def test_a_late_text_that_changes_at_each_look_is_told_a_few_times(world: World) -> None:
    world.now = LATE
    most = MOST_EDITS + MOST_CORRECTIONS
    for dead in range(20, 22 + most):
        await serve(world, "one", item(BLAST, TEXT.replace("killed 14", f"killed {dead}")))
    assert edits(world) == most


async def test_a_late_correction_is_seen_wherever_it_stands_in_the_feed(world: World) -> None:
    """In one that is read whole, too."""
    others = [
        item(f"Wool fair number {n} opens", f"Shepherds bring {n} flocks.", key=f"w{n}")
        for n in range(9)
    ]
    await serve(world, "one", *others, item(BLAST, TEXT), plain=False)
    world.now = LATE
    await serve(world, "one", *others, item(BLAST, FEWER), plain=False)
    assert "killed 12" in shown(world)


@pytest.mark.parametrize(
    ("headline", "at"),
    [
        (f"RETRACTED: {BLAST}", NOW),
        ("Retraction: there was no explosion, our report was false", LATE),
    ],
)
async def test_an_entry_that_turns_into_its_retraction_edits_what_was_told(
    world: World, headline: str, at: datetime
) -> None:
    """Under its own date or a new one."""
    world.now = LATE
    gone = item(headline, "The agency has taken the report back.", at=at)
    for _ in range(2):
        assert await serve(world, "one", gone) == 0
    assert headline in shown(world)
    assert edits(world) == 1
    assert len(world.emulator.messages(READER)) == 1
    async with world.store.reading() as db:
        kept = select(entry_table.c.title).where(entry_table.c.retracts)
        assert list((await db.execute(kept)).scalars()) == [headline]


async def test_a_retraction_of_its_own_edits_what_was_told_once(world: World) -> None:
    """In each chat's language, though no report of the event would be joined to it by then."""
    world.now = NOW + timedelta(hours=100)
    headline = "RETRACTION: Explosion at a market in Osh"
    false = "There was no explosion at the market in Osh: the report of 14 killed was false."
    gone = item(headline, false, key="r", at=world.now)
    for _ in range(2):
        assert await serve(world, "one", gone, item(BLAST, TEXT)) == 0
    again = "The agency regrets its report; no bomb went off in Osh and nobody was hurt there."
    assert await serve(world, "one", item(headline, again, key="r2", at=world.now)) == 0
    assert [edits(world, chat) for chat in (READER, RUSSIAN, KYRGYZ)] == [1, 1, 1]
    assert shown(world).startswith("✖ Retracted by One")
    assert shown(world, RUSSIAN).startswith("✖ Отозвано (One)")
    assert shown(world, KYRGYZ).startswith("✖ Кайтарып алынды (One)")
    assert headline in shown(world)


async def test_what_its_publisher_says_to_be_over_long_after_ends_a_story(world: World) -> None:
    """In whichever feed of its own; who tells of dead tells of another event, and an end said again
    later is another one's.
    """
    await serve(world, "uno")
    first = "Rescuers dig out cars near the Too-Ashuu pass, where an avalanche closed the road."
    slide = item("Avalanche blocks the Bishkek – Osh road, cars trapped", first, key="s")
    second = "A lorry with gas exploded near the Dolon pass; the road is closed."
    fall = item("Explosion kills three and closes the Naryn – Torugart road", second, key="f")
    assert [await serve(world, "one", one) for one in (slide, fall)] == [1, 1]
    world.now = NOW + timedelta(hours=120)
    news = "The road near the Too-Ashuu pass, closed by an avalanche, takes all cars."
    other = "The road near the Dolon pass, closed since a lorry with gas exploded, is free."
    ends = "Bishkek-Osh road is open"
    for key, feed, title, says, edited in (
        ("f", "one", "Naryn – Torugart road is open", other, 1),
        ("a", "two", f"{ends}, drivers told", news, 1),
        ("c", "one", f"{ends} as avalanche kills 30", f"{news} A blast killed 30 people.", 1),
        ("d", "uno", ends, news, 2),
        ("e", "one", f"{ends} to lorries", news, 2),
    ):
        if key == "e":  # the end of another closure, of which nobody was told
            world.now += timedelta(hours=100)
        await serve(world, feed, item(title, says, key=f"end-{key}", at=world.now))
        assert edits(world) == edited, title
    told = [one["text"] for one in world.emulator.messages(READER)]
    assert sum(one.startswith("✔ It is over: ") for one in told) == 2


SORRY = "The agency apologises to all of its readers."
QUOTED = "In our report “Explosion at a market in Osh kills 14, 37 wounded” we gave a wrong rank."


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("headline", "text", "link"),
    [
        ("RETRACTION: Explosion at a market in Osh", "There was none.", None),
        ("RETRACTION: what we said was false", SORRY, "https://news.example/a?utm_source=uno"),
        ("Correction: a word about officers", QUOTED, None),
    ],
)
async def test_another_feed_of_its_publisher_mends_what_was_told_long_after(
    world: World, headline: str, text: str, link: str | None
) -> None:
    """By the event that its headline names, the address of the article, or the headline it tells of
    in its text.
    """
    await serve(world, "uno")
    world.now = NOW + timedelta(hours=100)
    said = item(headline, text, key="r", at=world.now, link=link)
    if headline.startswith("RETRACTION"):  # by another publisher it is none of this one's
        assert await serve(world, "two", said) == 0
        assert edits(world) == 0
    assert await serve(world, "uno", said) == 0
    assert headline in shown(world)
    assert edits(world) == 1


async def test_an_address_that_several_stories_share_names_none(world: World) -> None:
    """Nor a site's first page."""
    here = "https://news.example/live"
    raid = "Armed men attack a border post in Batken, three soldiers killed"
    text = "Border guards returned fire after gunmen attacked a military post near Batken."
    await serve(world, "one", item(raid, text, key="r", link=here))
    flood = "Mudflow destroys a bridge in Jalal-Abad, two villages evacuated"
    await serve(world, "one", item(flood, "Rescuers evacuate two villages.", key="m", link=here))
    fire = "Explosion and fire at an oil depot in Talas kills nine"
    home = "https://news.example/"
    assert await serve(world, "one", item(fire, "The depot burns.", key="f", link=home)) == 1
    world.now = NOW + timedelta(hours=100)
    for key, link in (("we were wrong", here), ("nothing of it holds", home)):
        gone = item(f"RETRACTION: {key}", SORRY, key=key, at=world.now, link=link)
        assert await serve(world, "one", gone) == 0
    assert edits(world) == 0


@pytest.mark.parametrize(
    ("headline", "text"),
    [
        ("Correction: Explosion at a market in Osh killed 12, not 14", FEWER),
        ("Correction: officer Kubat Ermekov, the grey van", "We gave a wrong rank."),
    ],
)
async def test_a_correction_of_its_own_leads_what_was_told(
    world: World, headline: str, text: str
) -> None:
    """Though by itself it were no news of security."""
    world.now = NOW + timedelta(hours=100)
    assert await serve(world, "one", item(headline, text, key="c", at=world.now)) == 0
    assert shown(world).startswith("✎ Corrected by One\n❗ " + headline)


async def test_a_correction_that_leads_is_shown_as_it_is_worded_now(world: World) -> None:
    world.now = LATE
    for dead in (12, 13):
        headline = f"Correction: Explosion at a market in Osh killed {dead}, not 14"
        await serve(world, "one", item(headline, FEWER, key="c", at=LATE))
    assert headline in shown(world)


async def test_a_correction_leads_what_was_told_as_graver(world: World) -> None:
    calm = "Bomb explosion at a bazaar in Bishkek"
    text = "Police say the bomb went off by the gate of the bazaar."
    graver = f"{calm} kills 120"
    assert await serve(world, "two", item(calm, text, key="s")) == 1
    assert await serve(world, "two", item(graver, f"{text} It killed 120.", key="g")) == 1
    fixed = f"Correction: {calm} kills 12, not 120"
    assert await serve(world, "two", item(fixed, text, key="c")) == 0
    last = world.emulator.messages(READER)[-1]["text"]
    assert last.startswith(f"✎ Corrected by Two\n❗ {fixed}")


async def test_after_quiet_hours_a_story_is_told_as_it_was_put_right(world: World) -> None:
    async with world.store.writing() as db:
        now = await db_now(db)
        day = timedelta(days=1)
        night = {"quiet": "23:00-07:00", "quiet_begins_at": now - day, "quiet_ends_at": now + day}
        await db.execute(update(chat_table).where(chat_table.c.id == READER).values(**night))
    raid = "Armed men attack a border post in Batken, three soldiers killed"
    text = "Border guards returned fire after gunmen attacked a military post near Batken."
    assert await serve(world, "two", item(raid, text, key="r")) == 1
    fixed = "Correction: Armed men attack a border post in Batken, two soldiers killed"
    fewer = "Two soldiers were killed and not three when gunmen attacked a post near Batken."
    assert await serve(world, "two", item(fixed, fewer, key="c")) == 0
    async with world.store.writing() as db:
        await storage.chats.change(db, READER, quiet=None)
    world.worker.wake()
    told = await world.tells(READER, "While it was quiet")
    assert told["text"] == f"While it was quiet\n\n• {fixed} ·\u00a0Two"


@pytest.mark.parametrize("key", ["s", "another"])
async def test_what_is_put_right_sounds_no_more_than_it_did(world: World, key: str) -> None:
    """However many its correction counts."""
    calm = "Bomb explosion at a bazaar in Bishkek"
    text = "Police say the bomb was small."
    assert await serve(world, "two", item(calm, text, key="s")) == 1
    graver = "The blast killed 120 people. Residents are being evacuated."
    assert await serve(world, "two", item(f"Correction: {calm}", graver, key=key)) == 0
    assert edits(world) == 1


async def test_what_was_taken_back_is_in_no_digest_and_says_so_in_lists(world: World) -> None:
    world.now = NOW + timedelta(hours=1)
    headline = "RETRACTION: Explosion at a market in Osh"
    day, zone = NOW.astimezone(ZoneInfo("Asia/Bishkek")).date(), "Asia/Bishkek"
    gone = item(headline, "There was no explosion at the market.", key="r", at=world.now)
    told = []
    for served in (), (gone,):
        await serve(world, "one", *served, item(BLAST, TEXT))
        async with world.store.reading() as db:
            page = await news_page(db, world.catalog, topic="security", number=0, now=world.now)
            digest = await day_digest(
                db,
                world.catalog,
                day=day,
                home="KGS",
                zone=zone,
                language="en",
                topics=["security"],
            )
        told.append((page.stories[0].lead.entry.title, digest.story is None))
    assert told == [(BLAST, False), (headline, True)]


async def test_what_another_publisher_labels_is_no_word_of_this_one(world: World) -> None:
    world.now = LATE
    await serve(world, "two", item(f"Correction: {BLAST}", TEXT, key="c", at=LATE))
    assert edits(world) == 0


async def test_what_others_still_report_leads_beside_a_retraction(world: World) -> None:
    await serve(world, "two", item("Blast in Osh market: 14 dead", TEXT, key="b"))
    world.now = LATE
    await serve(world, "one", item(f"RETRACTED: {BLAST}", "Taken back.", at=LATE))
    text = shown(world)
    assert text.startswith(f"✖ Retracted by One: RETRACTED: {BLAST}\nBlast in Osh market")


@pytest.mark.parametrize("feed", ["one", "two"])
async def test_what_is_reported_after_it_was_taken_back_is_told_anew(
    world: World, feed: str
) -> None:
    """By whoever; a second retraction is of the second report."""
    world.now = NOW + timedelta(hours=1)
    gone = item(f"RETRACTED: {BLAST}", "There was no explosion.", key="r", at=world.now)
    assert await serve(world, "one", gone) == 0
    world.now += timedelta(hours=1)
    sure = "Explosion at a market in Osh kills 14, 37 wounded, police confirm"
    anew = item(sure, WORDED_ANEW, key="n", at=world.now)
    assert await serve(world, feed, anew) == 1
    assert [sure in one["text"] for one in world.emulator.messages(READER)] == [False, True]
    world.now += timedelta(hours=1)
    again = item(f"RETRACTED: {sure}", "There was none at all.", key="r2", at=world.now)
    assert await serve(world, feed, again) == 0
    first, second = world.emulator.messages(READER)
    assert f"RETRACTED: {BLAST}" in first["text"]
    assert f"RETRACTED: {sure}" in second["text"]


async def test_what_a_later_reporter_takes_back_in_its_only_report_says_so(world: World) -> None:
    blast = "Blast in Osh market: 14 dead"
    await serve(world, "two", item(blast, TEXT, key="b"))
    await serve(world, "two", item(f"RETRACTED: {blast}", "Taken back.", key="b"))
    assert shown(world).startswith(f"✖ Retracted by Two: RETRACTED: {blast}\n{BLAST}")


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(("also", "gone_by"), [(False, "uno"), (True, "uno"), (True, "one")])
async def test_what_one_feed_of_a_publisher_takes_back_is_taken_back_by_all_of_them(
    world: World, also: bool, gone_by: str
) -> None:
    """By a report of its own, or in the place of one."""
    await serve(world, "uno")
    if also:
        await serve(world, "uno", item(BLAST, TEXT, key="u"))
    gone = item(f"RETRACTED: {BLAST}", "There was no explosion at the market.")
    await serve(world, gone_by, gone)
    assert shown(world).startswith(f"✖ Retracted by {gone_by.title()}\n")
    async with world.store.reading() as db:
        digest = await day_digest(
            db,
            world.catalog,
            day=NOW.date(),
            home="KGS",
            zone="Asia/Bishkek",
            language="en",
            topics=["security"],
        )
    assert digest.story is None


@pytest.mark.parametrize("key", ["r", "another"])
async def test_who_has_not_got_a_story_hears_nothing_of_what_was_taken_back(
    world: World, key: str
) -> None:
    """By the report itself, or by another one; both feeds of its publisher told it."""
    await serve(world, "uno")
    await serve(world, "one")
    await world.halt()
    raid = "Armed men attack a border post in Batken, three soldiers killed"
    text = "Border guards returned fire after gunmen attacked a military post near Batken."
    assert await serve(world, "one", item(raid, text, key="r"), sends=False) == 1
    assert await serve(world, "uno", item(raid, text, key="u"), sends=False) == 0
    gone = item(f"RETRACTED: {raid}", "There was no attack.", key=key)
    assert await serve(world, "one", gone, sends=False) == 0
    world.restart()
    world.start()
    await world.done()
    assert len(world.emulator.messages(READER)) == 1


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("label", "told"), [("RETRACTED", False), ("RETRACTED", True), ("CORRECTION", True)]
)
async def test_who_mends_what_nobody_had_of_it_tells_nothing(
    world: World, label: str, *, told: bool
) -> None:
    """Though somebody else told it as less grave: a label makes nothing graver."""
    calm = "Bomb explosion at a bazaar in Bishkek"
    if told:
        assert await serve(world, "one", item(calm, "Police say the bomb was small.", key="s")) == 1
    messages = len(world.emulator.messages(READER))
    graver = "The blast killed 120 people. Residents are being evacuated."
    assert await serve(world, "two", item(f"{label}: {calm}", graver, key="g")) == 0
    assert len(world.emulator.messages(READER)) == messages


async def test_what_comes_again_is_no_correction(world: World) -> None:
    """Old words after an outage, another date on them, or a source that is met anew."""
    world.now = LATE
    world.serve("one", b"gone", status=503)
    await world.poll("one")
    for at in (NOW, LATE):
        await serve(world, "one", item(BLAST, TEXT, at=at))
    fixed = item(f"Correction: {BLAST}", FEWER, key="y")
    await serve(world, "three", fixed, item(BLAST, TEXT, key="z"))
    assert edits(world) == 0
    assert len(world.emulator.messages(READER)) == 1
