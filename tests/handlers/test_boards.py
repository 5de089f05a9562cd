"""A channel's board: made once, pinned silently, edited where it stands, and what ends it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

import storage.alerts
import storage.boards
import storage.chats
import storage.entries
import storage.rates
import storage.stories
from bot import boards
from bot.alerts import KINDS
from bot.alerts.boards import body
from bot.alerts.kind import Kit
from bot.emulator.faults import Fault
from bot.i18n import t
from bot.languages import LANGUAGES
from bot.model.alerts import Severity
from bot.model.channels import Board, Trouble
from bot.model.chats import ChatKind
from bot.model.news import Verdict
from bot.recurring import boards as job
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from storage.entries import NewEntry
from storage.schema import alert as alert_table
from storage.schema import chat as chat_table
from storage.schema import rate as rate_table
from tests.factories import chat, entry, rate
from tests.handlers.conftest import CATALOG, NOW, READER, STRANGER, World
from tests.handlers.test_channels import SetUp, set_up
from tests.handlers.test_membership import CHANNEL, known

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def catalog() -> Catalog:
    """One bank."""
    return parse_catalog(CATALOG)


async def kept(world: World, number: int = CHANNEL) -> Board:
    """A chat's board as it is stored."""
    async with world.bot.store.reading() as db:
        found = await storage.boards.get(db, number)
    assert found is not None
    return found


async def turn(world: World, number: int = CHANNEL) -> None:
    """A turn of the job, and all that it sent, a minute after the one before: a chat that was
    written to a lot has room again.
    """
    world.bot.worker.chats._until.clear()
    async with world.bot.store.writing() as db:
        await db.execute(update(chat_table).values(tat=None))
    await job(world.bot)
    async with asyncio.timeout(60):
        while True:
            async with world.bot.store.reading() as db:
                found = await storage.boards.get(db, number)
                fates = []
                if found is not None:
                    for pk in (found.made_by, found.pinned_by, found.edited_by):
                        if pk is not None:
                            fates.append(await storage.boards.fate(db, pk, number))
            if not any(one is not None and one.open for one in fates):
                return
            await asyncio.sleep(0.01)


async def told(world: World, title: str, *, topic: str = "security") -> None:
    """A story that the channel follows."""
    calm = Verdict(security=False, score=0, severity=Severity.INFO, topics=(topic,), language="en")
    async with world.bot.store.writing() as db:
        pk = await storage.stories.add_story(db, at=NOW, verdict=calm)
        item = entry(id=title, title=title)
        new = NewEntry(feed="f", item=item, at=NOW, link_key=None, title_key="", verdict=calm)
        await storage.entries.add_entry(db, new, story_pk=pk, now=NOW)


def shown(world: World, number: int = CHANNEL) -> list[dict[str, Any]]:
    """The messages of a chat, service messages aside."""
    return [one for one in world.emulator.messages(number) if "text" in one]


def pinned(world: World, number: int = CHANNEL) -> list[int]:
    """The numbers of its pinned messages."""
    return list(world.emulator.world.chat(number).pinned)


@pytest_asyncio.fixture(loop_scope="module")
async def setup(scene: World) -> SetUp:
    """A channel that is set up, with a board: made and pinned."""
    found = await set_up(scene)
    await found.press("board:on")
    await turns(scene)
    return found


async def turns(world: World, count: int = 4, number: int = CHANNEL) -> None:
    """Take as many turns as any change of a board needs: made, found, pinned, found."""
    for _ in range(count):
        await turn(world, number)


def edits(world: World) -> int:
    """The number of edits of the channel's messages."""
    return len(world.emulator.calls.of("editMessageText", CHANNEL))


async def notices(world: World) -> list[str]:
    """The notices about its board to whoever set the channel up."""
    return [msgid for msgid, _ in await world.notices() if msgid.startswith("notice.board")]


async def test_a_board_is_made_pinned_in_silence_and_edited_when_something_changed(
    scene: World, setup: SetUp
) -> None:
    """One message for ever: rates, the last stories, when it was updated. An edit takes a change of
    what it shows; another language is one.
    """
    (board,) = shown(scene)
    number = board["message_id"]
    assert pinned(scene) == [number]
    assert scene.emulator.silent(CHANNEL, number)
    assert "84.7935" in board["text"]
    assert board["text"].splitlines()[-1].startswith("Updated 20\u00a0Oct")
    assert "reply_markup" not in board
    assert t("channel.board_on", "en") in setup.shown["text"]
    before = edits(scene)
    await turns(scene, 3)
    assert edits(scene) == before
    await told(scene, "A bridge is closed")
    await told(scene, "A match is over", topic="sport")
    await turns(scene, 2)
    await scene.keep([rate("USD/KGS", "84.8100", "2021-10-21")])
    await turns(scene, 2)
    (board,) = shown(scene)
    assert board["message_id"] == number
    assert "A bridge is closed" in board["text"]
    assert "A match is over" not in board["text"]
    assert "84.8100" in board["text"]
    assert edits(scene) == before + 2
    await setup.press("lang:ky")
    await turns(scene, 2)
    (board,) = shown(scene)
    assert "Жаңыртылды" in board["text"].splitlines()[-1]
    assert pinned(scene) == [number]


async def test_a_board_and_a_digest_show_what_is_followed_whether_usual_or_not(
    scene: World, setup: SetUp
) -> None:
    """A channel of pounds alone was shown dollars; one without topics is told no story."""
    assert setup.shown
    await told(scene, "A bridge is closed")
    await scene.keep([rate("GBP/KGS", "110.2500"), rate("USD/KGS", "84.7935")])
    async with scene.bot.store.writing() as db:
        keys = await storage.chats.subscriptions(db, CHANNEL)
        await storage.chats.unsubscribe(db, CHANNEL, keys)
        await storage.chats.subscribe(db, CHANNEL, ["pair:GBP/KGS"], now=NOW)
    await turns(scene, 2)
    (board,) = shown(scene)
    assert "110.2500" in board["text"]
    assert "84.7935" not in board["text"]
    assert "A bridge is closed" not in board["text"]
    async with scene.bot.store.writing() as db:
        keys = await storage.chats.subscriptions(db, READER)
        await storage.chats.unsubscribe(db, READER, keys)
        await storage.chats.subscribe(db, READER, ["pair:GBP/KGS"], now=NOW)
    digest = (await scene.ask("/digest", chat=READER))["text"]
    assert "GBP" in digest
    assert "USD" not in digest


async def test_a_board_that_would_say_nothing_else_is_left_alone_without_a_write(
    scene: World, setup: SetUp
) -> None:
    """A turn comes every five seconds, and others want to write: it does not even wait for them."""
    assert setup.shown
    store = scene.bot.store
    async with store.writing() as db, asyncio.timeout(30):
        await storage.boards.get(db, CHANNEL, lock=True)
        assert not await boards.keep_boards(store, scene.bot.catalog, lambda: NOW)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_several_banks_are_shown_with_the_lowest_and_the_highest(
    scene: World, setup: SetUp, language: str
) -> None:
    """By name; one bank alone is no spread."""
    title = t("board.spread", language)
    await setup.press(f"lang:{language}")
    await turns(scene, 2)
    assert title not in shown(scene)[0]["text"]
    other = {"source": "other"}
    catalog = scene.bot.catalog
    spec = replace(catalog.rates["nbkr"], key="other", names={"en": "Other Bank"})
    rates = {**catalog.rates, "other": spec}
    more = replace(catalog, rates=rates)
    await scene.keep([replace(rate("USD/KGS", "86.2"), **other)])
    assert await boards.keep_boards(scene.bot.store, more, scene.bot.clock)
    async with scene.bot.store.reading() as db:
        channel = await storage.chats.get(db, CHANNEL)
        assert channel is not None
        said = await body(Kit(db=db, catalog=more, kinds=KINDS), channel, now=NOW)
    name = t("board.spread", language)
    assert name in said.text
    assert "Other Bank" in said.text


async def test_G27_a_board_that_was_deleted_is_made_anew_once(scene: World, setup: SetUp) -> None:
    """Deleted a second time it is left alone, and whoever set the channel up hears of it once."""
    first = shown(scene)[0]["message_id"]
    for number, title in enumerate(("One", "Two")):
        chat_here = scene.emulator.world.chat(CHANNEL)
        scene.emulator.world.delete_message(chat_here, shown(scene)[0]["message_id"])
        await told(scene, title)
        await turns(scene, 6)
        assert len(shown(scene)) == 1 - number
    assert (await kept(scene)).trouble is Trouble.DELETED
    await told(scene, "Three")
    await turns(scene, 2)
    assert shown(scene) == []
    assert await notices(scene) == ["notice.board_deleted"]
    await scene.tells(READER, t("notice.board_deleted", "en").split("{chat}")[1])
    await setup.press("open")
    assert t("channel.board_off", "en") in setup.shown["text"]
    await setup.press("board:on")
    await turns(scene)
    assert shown(scene)[0]["message_id"] > first
    assert pinned(scene) == [shown(scene)[0]["message_id"]]


async def test_G9_G27_a_board_rests_while_the_bot_may_not_post_and_goes_on_after(
    scene: World, setup: SetUp
) -> None:
    """The same message, and one word in private."""
    (board,) = shown(scene)
    scene.emulator.set_bot_status(
        CHANNEL, "administrator", by=STRANGER, rights={"can_post_messages": False}
    )
    await scene.tells(READER, t("notice.channel_lost", "en").split("{")[0])
    await told(scene, "A bridge is closed")
    before = scene.emulator.calls.total
    await turns(scene, 2)
    assert not [c for c in scene.emulator.calls.since(before) if c.chat_id == CHANNEL]
    scene.emulator.set_bot_status(CHANNEL, "administrator", by=STRANGER)
    await known(scene, CHANNEL)
    await turns(scene, 2)
    (again,) = shown(scene)
    assert again["message_id"] == board["message_id"]
    assert "A bridge is closed" in again["text"]
    told_ = [one for one, _ in await scene.notices() if one == "notice.channel_lost"]
    assert len(told_) == 1


async def test_G27_a_board_that_may_not_be_pinned_is_kept_all_the_same(scene: World) -> None:
    """The channel is not given up for it, and one word says what is missing."""
    found = await set_up(scene)
    scene.emulator.set_bot_status(
        CHANNEL, "administrator", by=READER, rights={"can_edit_messages": False}
    )
    await found.press("board:on")
    await turns(scene, 6)
    assert pinned(scene) == []
    assert (await kept(scene)).trouble is Trouble.UNPINNED
    await told(scene, "A bridge is closed")
    await turns(scene, 2)
    assert "A bridge is closed" in shown(scene)[0]["text"]
    assert await notices(scene) == ["notice.board_unpinned"]
    assert await scene.active(CHANNEL)
    await found.press("open")
    assert t("channel.board_unpinned", "en") in found.shown["text"]


async def test_a_board_is_switched_off_and_on_again(scene: World, setup: SetUp) -> None:
    """Off, it is unpinned and stays as it is; on, another is made: the first may be far above."""
    first = shown(scene)[0]
    await setup.press("board:off")
    assert pinned(scene) == []
    await told(scene, "A bridge is closed")
    await turns(scene, 2)
    assert shown(scene) == [first]
    await setup.press("board:on")
    await setup.press("board:on")
    await turns(scene)
    assert len(shown(scene)) == 2
    assert pinned(scene) == [shown(scene)[1]["message_id"]]


async def test_G27_a_board_whose_arrival_nobody_knows_is_not_made_twice(scene: World) -> None:
    """It may stand in the channel; whoever set that up looks, and switches it on again."""
    found = await set_up(scene)
    scene.emulator.faults.add(
        Fault(kind="reset", method="sendMessage", chat_id=CHANNEL, after=True, times=1)
    )
    await found.press("board:on")
    await turns(scene, 3)
    assert len(shown(scene)) == 1
    assert (await kept(scene)).trouble is Trouble.LOST
    assert await notices(scene) == ["notice.board_lost"]


async def test_without_anything_to_show_there_is_no_board_yet(scene: World) -> None:
    """It is made with the first rate or story."""
    async with scene.bot.store.writing() as db:
        await storage.chats.add(db, chat(CHANNEL, kind=ChatKind.CHANNEL), now=NOW)
        await storage.boards.begin(db, CHANNEL)
        await db.execute(rate_table.delete())
    scene.emulator.add_channel(CHANNEL, "News", owner=READER)
    await turns(scene, 2)
    assert shown(scene) == []
    await scene.keep([rate()])
    await turns(scene)
    assert len(shown(scene)) == 1


@pytest.mark.cases
async def test_G27_two_replicas_make_one_board(store: Store, catalog: Catalog) -> None:
    """On either database: the row is decided on by one of them at a time."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(CHANNEL, kind=ChatKind.CHANNEL), now=NOW)
        await storage.boards.begin(db, CHANNEL)
        await storage.rates.add_history(db, [rate()], seen_at=NOW)
    await asyncio.gather(*(boards.keep_boards(store, catalog, lambda: NOW) for _ in range(4)))
    async with store.reading() as db:
        assert len((await db.execute(alert_table.select())).all()) == 1
