"""/feed and /feeds: a chat's own feeds are tried, polled, told to it alone, paused and removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from lxml import etree
from sqlalchemy import select, update

import storage.chats
import storage.own_feeds
from bot.alerts import feeds
from bot.emulator import Fault
from bot.emulator.faults import Kind
from bot.fetch import Fetched, Fetcher
from bot.i18n import t
from bot.model.own_feeds import OwnFeed
from bot.own_feeds import JITTER, OF_ONE_HOST, OwnFeeds
from bot.recurring import own_feeds
from bot.sources.opml import read_opml
from bot.workers import Workers
from storage.schema import alert, entry, own_feed
from tests.factories import chat
from tests.handlers.conftest import GROUP, READER, RUSSIAN, World, no_time
from tests.publishers import ATTACK, Publishers, rss

FIRST = ("one", "Bread festival opens", "Bakers from three valleys came.")
THIRD = ("three", "School gets a roof", "It was paid for by the village.")
SECOND = ("two", "Bridge is closed for a week", "Cars go by the old road.")


@pytest_asyncio.fixture(loop_scope="module")
async def published(scene: World) -> AsyncIterator[Publishers]:
    """Publishers that readers may name, though they are on this machine; refusals come at once."""
    async with Publishers() as publishers:
        services = scene.bot.services
        services.own_feeds = replace(services.own_feeds, found_on=f"{publishers.url}/", jitter=0.0)
        yield publishers


POLL_DUE = OwnFeeds.poll_due


@pytest.fixture(autouse=True)
def polled_by_the_test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program polls each ten seconds, and where a test lasts longer, before the test does."""

    async def nothing_due(_feeds: OwnFeeds, *_rest: object) -> None: ...

    monkeypatch.setattr(OwnFeeds, "poll_due", nothing_due)


async def poll(world: World) -> int:
    """Let every own feed be due, and poll."""
    async with world.bot.store.writing() as db:
        await db.execute(update(own_feed).values(next_due_at=world.bot.clock()))
    bot = world.bot
    return await POLL_DUE(bot.services.own_feeds, bot.worker.wake, bot.stopping)


def buttons(message: dict[str, Any]) -> list[str]:
    """The data of its buttons."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [one["callback_data"] for row in rows for one in row if "callback_data" in one]


async def test_what_is_new_in_an_own_feed_comes_to_its_chat_alone_and_silently(
    scene: World, published: Publishers
) -> None:
    """Entries listed when it was added do not come; none of it is news to anybody else."""
    await scene.ask("/subscribe", chat=RUSSIAN)
    published.put("/rss.xml", rss(FIRST))
    added = await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    assert "/feeds" in added["text"]
    assert await poll(scene) == 0
    published.put("/rss.xml", rss(ATTACK, SECOND, FIRST))
    assert await poll(scene) == 2
    told = await scene.tells(READER, "Bridge is closed for a week")
    assert "Cars go by the old road." in told["text"]
    await scene.tells(READER, "Armed men attack")
    assert scene.accepted(RUSSIAN) == 1
    async with scene.bot.store.reading() as db:
        assert (await db.execute(select(entry))).all() == []
        told_of = select(alert.c.kind, alert.c.severity).where(alert.c.kind != "notice")
        kinds = {(row.kind, row.severity) for row in await db.execute(told_of)}
    assert kinds == {("feed", "info")}  # what is for information makes no sound
    assert await poll(scene) == 0


async def test_a_stopped_chat_is_promised_no_posts(scene: World, published: Publishers) -> None:
    """What it adds is kept, and what wakes the bot is said."""
    published.put("/rss.xml", rss(FIRST))
    await scene.ask("/stop", fits="/start")
    added = (await scene.ask(f"/feed add {published.url}/rss.xml"))["text"]
    assert added.endswith("/start turns me on.")
    assert "comes here" not in added


async def test_however_many_are_due_one_look_polls_them_all(
    scene: World, published: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that took some would poll so many each ten seconds, and no more."""
    now = scene.bot.clock()
    async with scene.bot.store.writing() as db:
        await storage.chats.add(db, chat(RUSSIAN), now=now)
        for number in range(OF_ONE_HOST + 1):
            url = f"{published.url}/{number}.xml"
            published.put(f"/{number}.xml", rss(FIRST))
            one = OwnFeed(key=f"key{number}", url=url, name=str(number))
            await storage.own_feeds.add(db, one, now=now)
            await storage.chats.subscribe(db, RUSSIAN, [f"feed:{one.key}"], now=now)
    monkeypatch.setattr(OwnFeeds, "poll_due", POLL_DUE)
    await own_feeds(scene.bot)
    async with scene.bot.store.reading() as db:
        polled = select(own_feed.c.key).where(own_feed.c.last_ok_at.is_not(None))
        assert len((await db.execute(polled)).all()) == OF_ONE_HOST + 1


async def test_an_own_feed_is_paused_resumed_muted_and_removed(
    scene: World, published: Publishers
) -> None:
    """Who adds one that is paused is told what is new there, as they are promised."""
    published.put("/rss.xml", rss(FIRST))
    await scene.ask(f"/feed {published.url}/rss.xml", fits="Added")
    listed = await scene.ask("/feeds", fits="Own feeds")
    pause, remove, _ = buttons(listed)
    key = pause.rpartition(":")[2]
    assert (pause, remove) == (f"feed:pause:{key}", f"feed:remove:{key}")
    await scene.press(READER, listed["message_id"], pause)
    await scene.tells(READER, "paused")
    published.put("/rss.xml", rss(SECOND, FIRST))
    assert await poll(scene) == 1
    await scene.press(READER, listed["message_id"], f"feed:resume:{key}")
    published.put("/rss.xml", rss(ATTACK, SECOND, FIRST))
    assert await poll(scene) == 1
    told = await scene.tells(READER, "Armed men attack")
    await scene.press(READER, listed["message_id"], pause)
    (snooze,) = [one for one in buttons(told) if one.startswith("snooze:")]
    # some hours of silence are no end of a pause
    assert await scene.press(READER, told["message_id"], snooze) == t("error.stale", "en")
    await scene.ask("/feeds", fits="paused")
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="What is new there comes here")
    published.put("/rss.xml", rss(THIRD, ATTACK, SECOND, FIRST))
    assert await poll(scene) == 1
    await scene.tells(READER, THIRD[1])
    number = told["message_id"]
    (mute,) = [one for one in buttons(told) if one.startswith("mute:")]
    await scene.press(READER, number, mute)
    assert "feed:" not in str(buttons(await scene.ask("/feeds", fits="Own feeds")))
    await scene.press(READER, number, mute.replace("mute", "unmute"))
    again = await scene.ask("/feeds", fits="Own feeds")
    assert remove in buttons(again)
    await scene.press(READER, again["message_id"], remove)
    assert await scene.press(READER, again["message_id"], remove)  # it is no more
    async with scene.bot.store.reading() as db:
        assert await storage.own_feeds.count(db, READER) == 0


REFUSED = (
    "ftp://example.org/rss.xml",
    "file:///etc/passwd",
    "http://user:word@example.org/rss.xml",
    "http://127.0.0.1/rss.xml",
    "http://localhost/rss.xml",
    "http://[::1]/rss.xml",
    "http://[::ffff:127.0.0.1]/rss.xml",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/rss.xml",
    "http://[64:ff9b::7f00:1]/rss.xml",
    "http://2130706433/rss.xml",
    "http://0x7f.1/rss.xml",
    "intranet",
    "@no",
    "https://t.me/+abcdef",
    "x" * 600,
)


async def test_S1_S2_S3_what_may_not_be_asked_is_refused_in_the_same_words_as_what_is_no_feed(
    scene: World, published: Publishers
) -> None:
    """Whatever is wrong; nothing inside is asked, nothing is stored."""
    published.put("/page", b"<html><body>Hello</body></html>", kind="text/html")
    published.put("/secret", rss(FIRST))
    said = set()
    services = scene.bot.services
    for path in ("/page", "/missing"):
        services.feed_tries.clear()
        said.add((await scene.ask(f"/feed add {published.url}{path}"))["text"])
    own = services.own_feeds
    services.own_feeds = OwnFeeds(
        store=own.store, fetcher=own.fetcher, workers=own.workers, clock=own.clock, jitter=0.0
    )
    published.asked.clear()
    for address in (*REFUSED, f"{published.url}/secret"):
        services.feed_tries.clear()
        said.add((await scene.ask(f"/feed add {address}"))["text"])
    services.feed_tries.clear()
    said.add((await scene.ask("/feed add two words"))["text"])
    assert len(said) == 1
    assert "/feed add https://example.org/rss.xml" in said.pop()
    assert published.asked == []
    assert own.jitter == 0
    assert JITTER > 0  # how long a refusal took tells nothing
    async with scene.bot.store.reading() as db:
        assert (await db.execute(select(own_feed))).all() == []
    # a list is taken untried; what it names inside is not asked when it is polled either
    assert "Feeds added: 1" in await sends(scene, "l.opml", opml(f"{published.url}/secret"))
    assert await poll(scene) == 0
    assert published.asked == []
    assert "does not answer" in (await scene.ask("/feeds", fits="Own feeds"))["text"]


async def test_S3_tries_are_counted_and_feeds_too(scene: World, published: Publishers) -> None:
    """Failed tries are tries; another chat has its own."""
    published.put("/rss.xml", rss(FIRST))
    published.put("/two.xml", rss(FIRST))
    services = scene.bot.services
    services.settings = services.settings.model_copy(update={"user_feeds": 1})
    for _ in range(3):
        await scene.ask(f"/feed add {published.url}/missing", fits="cannot read")
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    assert "At most 1" in (await scene.ask(f"/feed add {published.url}/two.xml"))["text"]
    assert "tries an hour" in (await scene.ask(f"/feed add {published.url}/rss.xml"))["text"]
    await scene.ask(f"/feed add {published.url}/rss.xml", chat=RUSSIAN, fits="Добавлено")
    services.settings = services.settings.model_copy(update={"user_feeds": 0})
    assert "does not allow" in (await scene.ask(f"/feed add {published.url}/two.xml"))["text"]


async def test_who_tries_a_feed_of_a_host_that_is_asked_for_others_is_told_so(
    scene: World, published: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is known of the address then, and nothing was tried. The time that it has to answer
    begins with its host's turn.
    """
    monkeypatch.setattr("bot.own_feeds.TURN_SECONDS", 0.0)
    published.put("/rss.xml", rss(FIRST))
    published.put("/slow.xml", rss(FIRST))
    slow = published.held["/slow.xml"] = asyncio.Event()
    services = scene.bot.services
    asked = asyncio.create_task(services.own_feeds.fetcher.get(f"{published.url}/slow.xml"))
    await published.asked_again("/slow.xml")
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="still answering other requests")
    assert not services.feed_tries[READER]
    slow.set()
    await asked
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")


async def test_a_feed_that_fails_is_asked_less_and_said_to_be_silent(
    scene: World, published: Publishers
) -> None:
    """And told again when it is back."""
    published.put("/rss.xml", rss(FIRST))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    published.put("/rss.xml", b"no", status=500)
    for asked, rests in ((None, 2 * storage.own_feeds.EVERY), ("21600", timedelta(hours=6))):
        published.headers["/rss.xml"] = {"Retry-After": asked} if asked else {}
        assert await poll(scene) == 0
        async with scene.bot.store.reading() as db:
            row = (await db.execute(select(own_feed))).one()
        assert row.next_due_at - scene.bot.clock() == rests
    assert row.failures == 2
    assert "does not answer" in (await scene.ask("/feeds", fits="Own feeds"))["text"]
    published.put("/rss.xml", rss(SECOND, FIRST))
    assert await poll(scene) == 1
    await scene.tells(READER, "Bridge is closed")
    assert "does not answer" not in (await scene.ask("/feeds", fits="Own feeds"))["text"]


async def test_F22_an_own_feed_is_asked_without_conditions_once_a_day(
    scene: World, published: Publishers
) -> None:
    """A host that answers 304 whatever it is asked does not answer."""
    published.put("/rss.xml", rss(FIRST))
    published.headers["/rss.xml"] = {"ETag": '"frozen"'}
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    published.put("/rss.xml", b"", status=304)
    await poll(scene)
    assert "does not answer" not in (await scene.ask("/feeds", fits="Own feeds"))["text"]
    scene.now += timedelta(days=1)
    await poll(scene)
    assert "does not answer" in (await scene.ask("/feeds", fits="Own feeds"))["text"]


async def test_S16_a_document_that_takes_too_long_to_read_is_its_feeds_trouble(
    scene: World, published: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked less, and whoever names it reads what they read of any that cannot be read."""
    published.put("/rss.xml", rss(FIRST))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    published.put("/rss.xml", rss(SECOND, FIRST))
    monkeypatch.setattr("bot.own_feeds.PARSE_SECONDS", 0.0)
    async with Workers() as workers:
        services = scene.bot.services
        services.own_feeds = replace(services.own_feeds, workers=workers)
        assert await poll(scene) == 0
        await scene.ask(f"/feed add {published.url}/rss.xml", chat=RUSSIAN, fits="прочитать")
        assert "OPML" in await sends(scene, "l.opml", opml("https://example.org/rss.xml"))
    async with scene.bot.store.reading() as db:
        row = (await db.execute(select(own_feed))).one()
    assert row.failures == 1


async def test_who_adds_a_feed_does_not_wait_until_all_that_is_polled_was_read(
    scene: World, published: Publishers
) -> None:
    """But for one document at most: a reader has ten seconds, and polls have time."""
    published.put("/rss.xml", rss(FIRST))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    published.put("/rss.xml", rss(SECOND, FIRST))
    async with scene.bot.services.own_feeds.reading:  # another polled document
        polled = asyncio.create_task(poll(scene))
        published.put("/two.xml", rss(FIRST))
        await scene.ask(f"/feed add {published.url}/two.xml", fits="Added")
        assert not polled.done()
    assert await polled == 1


async def test_whatever_one_feed_makes_us_do_wrong_the_others_are_told(
    scene: World, published: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is that feed's trouble, and no end of the program."""
    for path in ("/a.xml", "/b.xml"):
        published.put(path, rss(FIRST))
        await scene.ask(f"/feed add {published.url}{path}", fits="Added")
    async with scene.bot.store.reading() as db:
        a, _ = await storage.own_feeds.of_chat(db, READER, now=scene.bot.clock())
    whole = feeds.alerts

    def broken(feed: str, *rest: Any, **options: Any) -> Any:
        if feed == a.feed.key:
            raise RuntimeError(feed)
        return whole(feed, *rest, **options)

    monkeypatch.setattr(feeds, "alerts", broken)
    for path in ("/a.xml", "/b.xml"):
        published.put(path, rss(SECOND, FIRST))
    assert await poll(scene) == 1
    async with scene.bot.store.reading() as db:
        found = await storage.own_feeds.of_chat(db, READER, now=scene.bot.clock())
    assert sorted(one.feed.failures for one in found) == [0, 1]


async def test_S5_what_a_feed_says_is_text_whatever_it_holds(
    scene: World, published: Publishers
) -> None:
    """Markup, places to fill and links that run something: in a title, a name, an address."""
    odd = rss(("one", "&lt;script&gt;alert(1)&lt;/script&gt; {name} *bold*", "Text."))
    odd = odd.replace(b"<channel>", b"<channel><title>&lt;b&gt;{n}\xe2\x80\xaegnp.exe</title>", 1)
    published.put("/rss.xml", odd)
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    evil = rss(("two", "&lt;i&gt;{0} [x](javascript:1)", "Text."))
    published.put("/rss.xml", evil.replace(b"<link>", b"<link>javascript:alert(1)//"))
    assert await poll(scene) == 1
    told = await scene.tells(READER, "[x](javascript:1)")
    assert "javascript" not in str(told.get("entities", "")) + str(told.get("reply_markup", ""))
    shown = await scene.ask("/feeds", fits="Own feeds")
    assert "\u202e" not in str(shown)
    assert "\u202e" not in str(told)


async def test_much_at_once_is_five_messages_and_a_count(
    scene: World, published: Publishers
) -> None:
    published.put("/rss.xml", rss(FIRST))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    many = [(f"n{number}", f"Headline {number}", "Text.") for number in range(12)]
    published.put("/rss.xml", rss(*many, FIRST))
    assert await poll(scene) == 5
    last = await scene.tells(READER, "and 7\u00a0more")
    assert "Headline 0" in last["text"]


async def test_a_long_feed_that_lists_the_oldest_first_tells_its_newest(
    scene: World, published: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than what is read of it, and without times that would tell."""
    monkeypatch.setattr("bot.sources.own.MOST_ENTRIES", 20)
    every = [(f"n{number}", f"Headline {number}", f"Text {number}.") for number in range(37)]
    published.put("/rss.xml", rss(*every[:30]))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    assert await poll(scene) == 0
    published.put("/rss.xml", rss(*every))
    assert await poll(scene) == 5
    last = await scene.tells(READER, "and 2\u00a0more")
    assert "Headline 36" in last["text"]


async def test_a_chats_filters_hold_for_its_own_feeds_too(
    scene: World, published: Publishers
) -> None:
    published.put("/rss.xml", rss(FIRST))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    await scene.ask("/mute bridges", fits="Saved")
    published.put("/rss.xml", rss(ATTACK, SECOND, FIRST))
    assert await poll(scene) == 2
    await scene.tells(READER, "Armed men attack")
    await scene.ask("/mute", fits="Left out so far: 1")


async def test_what_only_some_sources_and_topics_have_is_not_demanded_of_an_own_feed(
    scene: World, published: Publishers
) -> None:
    """It has no topics and no name that a filter knows; words and places it has."""
    published.put("/rss.xml", rss(FIRST))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    await scene.ask("/only economy, +security", fits="Saved")
    published.put("/rss.xml", rss(SECOND, FIRST))
    assert await poll(scene) == 1
    await scene.tells(READER, SECOND[1])
    await scene.ask("/only harvest", fits="Saved")
    harvest = ("harvest", "The harvest is in", "Grain.")
    published.put("/rss.xml", rss(harvest, ATTACK, SECOND, FIRST))
    assert await poll(scene) == 2
    await scene.tells(READER, "The harvest is in")
    await scene.ask("/mute", fits="Left out so far: 1")


async def sends(world: World, name: str, content: bytes) -> str:
    """A file's answer."""
    world.bot.services.feed_tries.clear()
    sent = await world.emulator.send_document(READER, name, content)
    answer = await world.emulator.wait_message(
        READER, lambda m: m.get("from", {}).get("is_bot", False), after=sent, timeout=30
    )
    return str(answer["text"])


def opml(*addresses: str) -> bytes:
    """A list of feeds in two folders."""
    lines = "".join(f'<outline text="A &amp; B" xmlUrl="{one}"/>' for one in addresses)
    return (
        f'<opml version="2.0"><body><outline text="f">{lines}</outline>'
        '<outline text="no feed"/></body></opml>'
    ).encode()


async def test_a_list_of_feeds_comes_in_and_goes_out(scene: World, published: Publishers) -> None:
    """As feed readers write it; what comes out goes in again."""
    published.put("/rss.xml", rss(FIRST))
    listed = opml(f"{published.url}/rss.xml", "https://t.me/example_channel", "http://u:p@a.b/c")
    assert "Feeds added: 2" in await sends(scene, "feeds.opml", listed)
    assert await poll(scene) == 0
    published.put("/rss.xml", rss(SECOND, FIRST))
    assert await poll(scene) == 1
    shown = await scene.ask("/feeds", fits="A & B")
    await scene.press(READER, shown["message_id"], "feeds:opml")
    asked = shown["message_id"]  # what came in is a document, too
    sent = await scene.emulator.wait_message(
        READER, lambda m: "document" in m and m["message_id"] > asked, timeout=20
    )
    file = scene.emulator.files.to_download(sent["document"]["file_id"])
    both = {
        (f"{published.url}/rss.xml", "A & B"),
        ("https://t.me/s/example_channel", "A & B"),
    }
    assert {(one.url, name) for one, name in read_opml(file.content).feeds} == both
    outlines = etree.fromstring(file.content).iter("outline")  # others read XML alone
    assert {(str(one.get("xmlUrl")), str(one.get("text"))) for one in outlines} == both
    assert await scene.press(RUSSIAN, shown["message_id"], "feeds:opml")  # there are none


async def test_G20_a_file_that_telegram_does_not_give_is_not_called_a_bad_one(
    scene: World,
) -> None:
    """It is asked for again; where Telegram goes on failing, that is what the reader hears."""
    scene.bot.services.rest = no_time
    listed = opml("https://t.me/example_channel")
    for fault, says in (
        (Fault.server_error(method="download", times=1), "Feeds added: 1"),
        (Fault.reset(method="download", times=1), "Feeds added: 1"),
        (Fault.flood(1, method="download", times=1), "Feeds added: 1"),
        (Fault(Kind.HTML, method="download", times=1, code=403), "Feeds added: 1"),
        (Fault.unauthorized(method="download", times=1), "Feeds added: 1"),
        (Fault.bad_request("wrong file", method="download"), "no OPML file"),
        (Fault.server_error(method="download"), t("error.unexpected", "en")),
        (Fault.server_error(method="getFile"), t("error.unexpected", "en")),
    ):
        scene.emulator.faults.clear()
        scene.emulator.faults.add(fault)
        assert says in await sends(scene, "feeds.opml", listed), fault
        assert fault.hits


async def test_what_one_chat_calls_a_feed_no_other_chat_reads(
    scene: World, published: Publishers
) -> None:
    """A file may call an agency's feed anything; whoever follows it too reads its own name."""
    published.put("/rss.xml", rss(FIRST))
    address = f"{published.url}/rss.xml"
    listed = opml(address).replace(b"A &amp; B", b"Buy crypto at @scam")
    assert "Feeds added: 1" in await sends(scene, "feeds.opml", listed)
    assert await poll(scene) == 0
    await scene.ask("/feeds", fits="Buy crypto at @scam")  # alone with it, as their file says
    added = await scene.ask(f"/feed add {address}", chat=RUSSIAN, fits="Test")
    assert "scam" not in added["text"]
    published.put("/rss.xml", rss(SECOND, FIRST))
    assert await poll(scene) == 1
    told = await scene.tells(RUSSIAN, "Bridge is closed for a week")
    assert "Test" in told["text"]
    assert "scam" not in told["text"]
    # nor does a later file change it
    assert "Feeds added: 1" in await sends(scene, "feeds.opml", listed)
    assert await poll(scene) == 0
    shown = await scene.ask("/feeds", chat=RUSSIAN, fits="Test")
    assert "scam" not in shown["text"]


async def brought(world: World, published: Publishers) -> int:
    """The number of the alert of a feed that the reader added, and that brought one entry."""
    published.put("/secret.xml", rss(FIRST))
    await world.ask(f"/feed add {published.url}/secret.xml", fits="Added")
    published.put("/secret.xml", rss(SECOND, FIRST))
    assert await poll(world) == 1
    await world.tells(READER, SECOND[1])
    async with world.bot.store.reading() as db:
        (number,) = (await db.execute(select(alert.c.id).where(alert.c.kind == "feed"))).scalars()
    return int(number)


async def test_S11_another_chats_feed_is_nobodys_by_a_number_that_was_made_up(
    scene: World, published: Publishers
) -> None:
    """Its name and its address, which may be a secret, are told to no other chat, nor added
    there; once that chat added the address itself, the buttons act on its own following.
    """
    number = await brought(scene, published)
    theirs = await scene.ask("/help", chat=RUSSIAN)
    shown = len(scene.emulator.messages(RUSSIAN))
    for verb in ("why", "snooze", "unsnooze", "mute", "unmute"):
        said = await scene.press(RUSSIAN, theirs["message_id"], f"{verb}:{number}")
        assert said == t("error.stale", "ru"), verb
    assert len(scene.emulator.messages(RUSSIAN)) == shown
    async with scene.bot.store.reading() as db:
        assert await storage.own_feeds.count(db, RUSSIAN) == 0
    scene.bot.services.feed_tries.clear()
    await scene.ask(f"/feed add {published.url}/secret.xml", chat=RUSSIAN, fits="Добавлено")
    said = await scene.press(RUSSIAN, theirs["message_id"], f"mute:{number}")
    assert said != t("error.stale", "ru")


async def test_a_feed_that_is_unmuted_counts_and_begins_anew(
    scene: World, published: Publishers
) -> None:
    """As one that is added: not beyond the quota, and what came meanwhile is no news."""
    number = await brought(scene, published)
    told = scene.emulator.messages(READER)[-1]["message_id"]
    await scene.press(READER, told, f"mute:{number}")
    services = scene.bot.services
    services.settings = services.settings.model_copy(update={"user_feeds": 1})
    published.put("/two.xml", rss(FIRST))
    added = await scene.ask(f"/feed add {published.url}/two.xml", fits="Added")
    assert "At most 1" in (await scene.press(READER, told, f"unmute:{number}") or "")
    async with scene.bot.store.reading() as db:
        (mine,) = await storage.own_feeds.of_chat(db, READER, now=scene.bot.clock())
    assert mine.feed.url.endswith("/two.xml")
    await scene.press(READER, added["message_id"], f"feed:remove:{mine.feed.key}")
    published.put("/secret.xml", rss(ATTACK, SECOND, FIRST))
    await scene.press(READER, told, f"unmute:{number}")
    assert await poll(scene) == 0
    published.put("/secret.xml", rss(THIRD, ATTACK, SECOND, FIRST))
    assert await poll(scene) == 1
    await scene.tells(READER, THIRD[1])


@pytest.mark.parametrize("changed", [False, True])
async def test_a_poll_under_way_brings_no_chats_name_back(
    scene: World, published: Publishers, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    """Somebody else follows the feed while it is asked: what was read before is not written."""
    published.put("/rss.xml", rss(FIRST))
    address = f"{published.url}/rss.xml"
    listed = opml(address).replace(b"A &amp; B", b"Buy crypto at @scam")
    assert "Feeds added: 1" in await sends(scene, "feeds.opml", listed)
    assert await poll(scene) == 0
    if changed:
        published.put("/rss.xml", rss(SECOND, FIRST))
    get = Fetcher.get
    asked, followed = asyncio.Event(), asyncio.Event()

    async def slow(fetcher: Fetcher, *args: Any, **named: Any) -> Fetched:
        answer = await get(fetcher, *args, **named)
        if named.get("validators") is not None:  # a poll
            asked.set()
            await followed.wait()
        return answer

    monkeypatch.setattr(Fetcher, "get", slow)
    polled = asyncio.create_task(poll(scene))
    await asked.wait()
    await scene.ask(f"/feed add {address}", chat=RUSSIAN, fits="Test")
    followed.set()
    assert await polled == int(changed)
    if changed:
        told = await scene.tells(RUSSIAN, "Bridge is closed for a week")
        assert "scam" not in told["text"]
    shown = await scene.ask("/feeds", chat=RUSSIAN, fits="Test")
    assert "scam" not in shown["text"]
    # and its own name comes with the next poll, however little has changed
    assert await poll(scene) == 0
    async with scene.bot.store.reading() as db:
        (name,) = (await db.execute(select(own_feed.c.name))).scalars()
    assert name == "Test"


def numbered(*items: str) -> bytes:
    """A feed with these elements."""
    told = "".join(f"<item>{one}</item>" for one in items)
    return f"<rss version='2.0'><channel><title>Test</title>{told}</channel></rss>".encode()


def item(number: int, keys: str) -> str:
    """An entry of its own words and time; `keys` are what its feed gives it for an identity."""
    return (
        f"<title>Bridge {number} is closed</title><description>Cars of town {number} wait."
        f"</description><pubDate>Wed, 25 Nov 2026 06:0{number}:00 +0000</pubDate>{keys}"
    )


@pytest.mark.cases(keep=5)
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "keys",
    [
        "<guid>top</guid>",
        "<link>https://a.example/live</link>",
        "<guid>top</guid><link>https://a.example/{n}</link>",
        "<link>https://a.example/</link>",
    ],
)
async def test_F18_no_weak_key_hides_what_an_own_feed_brings(
    scene: World, published: Publishers, keys: str, number: int
) -> None:
    """Of one item at a time, or of several: each is told once."""
    document = [item(0, keys.format(n=0))]
    published.put("/rss.xml", numbered(*document))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    for n in (1, 2, 3):
        document = [item(n, keys.format(n=n)), *document][:number]
        published.put("/rss.xml", numbered(*document))
        assert await poll(scene) == 1
        published.put("/rss.xml", numbered(*document) + b"<!-- built anew -->")
        assert await poll(scene) == 0


@pytest.mark.parametrize(
    "keys", ["<link>https://a.example/{n}?sid={at}</link>", "<guid>{at}-{n}</guid>"]
)
async def test_F18_an_own_feed_with_other_keys_at_each_poll_tells_nothing_anew(
    scene: World, published: Publishers, keys: str
) -> None:
    """Tokens in links, ids that are made anew; as where a site has moved."""

    def document(at: str) -> bytes:
        return numbered(*(item(n, keys.format(n=n, at=at)) for n in range(3)))

    published.put("/rss.xml", document("first"))
    await scene.ask(f"/feed add {published.url}/rss.xml", fits="Added")
    for at in ("second", "third"):
        published.put("/rss.xml", document(at))
        assert await poll(scene) == 0


BOMB = b"""<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY x SYSTEM "file:///etc/passwd">]>
<opml><body><outline text="&c;&x;" xmlUrl="https://example.org/&c;"/></body></opml>"""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no OPML file"),
        (b"<html><body>Hello</body></html>", "no OPML file"),
        (b"<opml><body/></opml>", "no OPML file"),
        (b"<opml><body><outline xmlUrl='https://a.b/c'/>", "no OPML file"),
        (BOMB, "no OPML file"),
        (b"\x00\xff" * 500, "no OPML file"),
        (opml(*("http://intranet/a", "ftp://a.b/c")), "no OPML file"),
        (opml(*(f"https://example.org/{n}" for n in range(21))), "has 21 feeds"),
        (opml(*(f"https://e.org/{n}" for n in range(10_000))), "has 10,000 feeds"),
        (opml(*(f"https://example.org/{n}" for n in range(100_000))), "larger than a megabyte"),
    ],
    ids=["empty", "html", "none", "cut", "bomb", "bytes", "odd", "many", "10,000", "100,000"],
)
@pytest.mark.cases(keep=5)
async def test_S16_a_file_that_is_no_such_list_is_one_clear_answer(
    scene: World, content: bytes, words: str
) -> None:
    """And nothing of it is kept."""
    assert words in await sends(scene, "feeds.opml", content)
    async with scene.bot.store.reading() as db:
        assert (await db.execute(select(own_feed))).all() == []


async def test_S3_the_addresses_of_files_are_counted_too(scene: World) -> None:
    """Those of an hour, whether the chat left them again: each is asked of its server."""
    services = scene.bot.services
    services.settings = services.settings.model_copy(update={"user_feeds": 2})
    for first in (0, 2):
        listed = opml(*(f"https://example.org/{number}" for number in (first, first + 1)))
        assert "Feeds added: 2" in await sends(scene, "l.opml", listed)
        async with scene.bot.store.writing() as db:
            await storage.chats.unsubscribe(db, READER)
    said = await sends(scene, "l.opml", opml("https://example.org/4"))
    assert "At most 4 feeds an hour" in said
    async with scene.bot.store.reading() as db:
        assert await storage.own_feeds.count(db, READER) == 0


async def test_another_file_is_not_understood_as_ever(scene: World) -> None:
    assert "OPML" not in await sends(scene, "cat.jpg", b"meow")


async def test_a_groups_feeds_are_its_administrators(scene: World, published: Publishers) -> None:
    """Its members may look."""
    published.put("/rss.xml", rss(FIRST))
    asked = await scene.emulator.send_text(
        GROUP, f"/feed add {published.url}/rss.xml", user_id=READER
    )
    await scene.emulator.wait_message(
        GROUP, lambda m: "Added" in m.get("text", ""), after=asked, timeout=20
    )
    async with scene.bot.store.reading() as db:
        assert await storage.own_feeds.count(db, GROUP) == 1
        assert await storage.own_feeds.count(db, READER) == 0
