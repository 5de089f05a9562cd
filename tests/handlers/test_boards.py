"""A channel's board: made once, pinned silently, edited where it stands, and what ends it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
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

pytestmark = [pytest.mark.usefixtures("patient"), pytest.mark.timeout(240)]


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


@pytest.fixture
async def setup(world: World) -> SetUp:
    """A channel that is set up, with a board: made and pinned."""
    found = await set_up(world)
    await found.press("board:on")
    await turns(world)
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
    world: World, setup: SetUp
) -> None:
    """One message for ever: rates, the last stories, when it was updated. An edit takes a change of
    what it shows; another language is one.
    """
    (board,) = shown(world)
    number = board["message_id"]
    assert pinned(world) == [number]
    assert world.emulator.silent(CHANNEL, number)
    assert "84.7935" in board["text"]
    assert board["text"].splitlines()[-1].startswith("Updated 20\u00a0Oct")
    assert "reply_markup" not in board
    assert t("channel.board_on", "en") in setup.shown["text"]
    before = edits(world)
    await turns(world, 3)
    assert edits(world) == before
    await told(world, "A bridge is closed")
    await told(world, "A match is over", topic="sport")
    await turns(world, 2)
    await world.keep([rate("USD/KGS", "84.8100", "2021-10-21")])
    await turns(world, 2)
    (board,) = shown(world)
    assert board["message_id"] == number
    assert "A bridge is closed" in board["text"]
    assert "A match is over" not in board["text"]
    assert "84.8100" in board["text"]
    assert edits(world) == before + 2
    await setup.press("lang:ky")
    await turns(world, 2)
    (board,) = shown(world)
    assert "Жаңыртылды" in board["text"].splitlines()[-1]
    assert pinned(world) == [number]


async def test_a_board_and_a_digest_show_what_is_followed_whether_usual_or_not(
    world: World, setup: SetUp
) -> None:
    """A channel of pounds alone was shown dollars; one without topics is told no story."""
    assert setup.shown
    await told(world, "A bridge is closed")
    await world.keep([rate("GBP/KGS", "110.2500"), rate("USD/KGS", "84.7935")])
    async with world.bot.store.writing() as db:
        keys = await storage.chats.subscriptions(db, CHANNEL)
        await storage.chats.unsubscribe(db, CHANNEL, keys)
        await storage.chats.subscribe(db, CHANNEL, ["pair:GBP/KGS"], now=NOW)
    await turns(world, 2)
    (board,) = shown(world)
    assert "110.2500" in board["text"]
    assert "84.7935" not in board["text"]
    assert "A bridge is closed" not in board["text"]
    async with world.bot.store.writing() as db:
        keys = await storage.chats.subscriptions(db, READER)
        await storage.chats.unsubscribe(db, READER, keys)
        await storage.chats.subscribe(db, READER, ["pair:GBP/KGS"], now=NOW)
    digest = (await world.ask("/digest", chat=READER))["text"]
    assert "GBP" in digest
    assert "USD" not in digest


async def test_a_board_that_would_say_nothing_else_is_left_alone_without_a_write(
    world: World, setup: SetUp
) -> None:
    """A turn comes every five seconds, and others want to write: it does not even wait for them."""
    assert setup.shown
    store = world.bot.store
    async with store.writing() as db, asyncio.timeout(30):
        await storage.boards.get(db, CHANNEL, lock=True)
        assert not await boards.keep_boards(store, world.bot.catalog, lambda: NOW)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_several_banks_are_shown_with_the_lowest_and_the_highest(
    world: World, setup: SetUp, language: str
) -> None:
    """By name; one bank alone is no spread."""
    title = t("board.spread", language)
    await setup.press(f"lang:{language}")
    await turns(world, 2)
    assert title not in shown(world)[0]["text"]
    other = {"source": "other"}
    catalog = world.bot.catalog
    spec = replace(catalog.rates["nbkr"], key="other", names={"en": "Other Bank"})
    rates = {**catalog.rates, "other": spec}
    more = replace(catalog, rates=rates)
    await world.keep([replace(rate("USD/KGS", "86.2"), **other)])
    assert await boards.keep_boards(world.bot.store, more, world.bot.clock)
    async with world.bot.store.reading() as db:
        channel = await storage.chats.get(db, CHANNEL)
        assert channel is not None
        said = await body(Kit(db=db, catalog=more, kinds=KINDS), channel, now=NOW)
    name = t("board.spread", language)
    assert name in said.text
    assert "Other Bank" in said.text


async def test_G27_a_board_that_was_deleted_is_made_anew_once(world: World, setup: SetUp) -> None:
    """Deleted a second time it is left alone, and whoever set the channel up hears of it once."""
    first = shown(world)[0]["message_id"]
    for number, title in enumerate(("One", "Two")):
        chat_here = world.emulator.world.chat(CHANNEL)
        world.emulator.world.delete_message(chat_here, shown(world)[0]["message_id"])
        await told(world, title)
        await turns(world, 6)
        assert len(shown(world)) == 1 - number
    assert (await kept(world)).trouble is Trouble.DELETED
    await told(world, "Three")
    await turns(world, 2)
    assert shown(world) == []
    assert await notices(world) == ["notice.board_deleted"]
    await world.tells(READER, t("notice.board_deleted", "en").split("{chat}")[1])
    await setup.press("open")
    assert t("channel.board_off", "en") in setup.shown["text"]
    await setup.press("board:on")
    await turns(world)
    assert shown(world)[0]["message_id"] > first
    assert pinned(world) == [shown(world)[0]["message_id"]]


async def test_G9_G27_a_board_rests_while_the_bot_may_not_post_and_goes_on_after(
    world: World, setup: SetUp
) -> None:
    """The same message, and one word in private."""
    (board,) = shown(world)
    world.emulator.set_bot_status(
        CHANNEL, "administrator", by=STRANGER, rights={"can_post_messages": False}
    )
    await world.tells(READER, t("notice.channel_lost", "en").split("{")[0])
    await told(world, "A bridge is closed")
    before = len(world.emulator.calls)
    await turns(world, 2)
    assert not [c for c in world.emulator.calls.since(before) if c.chat_id == CHANNEL]
    world.emulator.set_bot_status(CHANNEL, "administrator", by=STRANGER)
    await known(world, CHANNEL)
    await turns(world, 2)
    (again,) = shown(world)
    assert again["message_id"] == board["message_id"]
    assert "A bridge is closed" in again["text"]
    told_ = [one for one, _ in await world.notices() if one == "notice.channel_lost"]
    assert len(told_) == 1


async def test_G27_a_board_that_may_not_be_pinned_is_kept_all_the_same(world: World) -> None:
    """The channel is not given up for it, and one word says what is missing."""
    found = await set_up(world)
    world.emulator.set_bot_status(
        CHANNEL, "administrator", by=READER, rights={"can_edit_messages": False}
    )
    await found.press("board:on")
    await turns(world, 6)
    assert pinned(world) == []
    assert (await kept(world)).trouble is Trouble.UNPINNED
    await told(world, "A bridge is closed")
    await turns(world, 2)
    assert "A bridge is closed" in shown(world)[0]["text"]
    assert await notices(world) == ["notice.board_unpinned"]
    assert await world.active(CHANNEL)
    await found.press("open")
    assert t("channel.board_unpinned", "en") in found.shown["text"]


async def test_a_board_is_switched_off_and_on_again(world: World, setup: SetUp) -> None:
    """Off, it is unpinned and stays as it is; on, another is made: the first may be far above."""
    first = shown(world)[0]
    await setup.press("board:off")
    assert pinned(world) == []
    await told(world, "A bridge is closed")
    await turns(world, 2)
    assert shown(world) == [first]
    await setup.press("board:on")
    await setup.press("board:on")
    await turns(world)
    assert len(shown(world)) == 2
    assert pinned(world) == [shown(world)[1]["message_id"]]


async def test_G27_a_board_whose_arrival_nobody_knows_is_not_made_twice(world: World) -> None:
    """It may stand in the channel; whoever set that up looks, and switches it on again."""
    found = await set_up(world)
    world.emulator.faults.add(
        Fault(kind="reset", method="sendMessage", chat_id=CHANNEL, after=True, times=1)
    )
    await found.press("board:on")
    await turns(world, 3)
    assert len(shown(world)) == 1
    assert (await kept(world)).trouble is Trouble.LOST
    assert await notices(world) == ["notice.board_lost"]


async def test_without_anything_to_show_there_is_no_board_yet(world: World) -> None:
    """It is made with the first rate or story."""
    async with world.bot.store.writing() as db:
        await storage.chats.add(db, chat(CHANNEL, kind=ChatKind.CHANNEL), now=NOW)
        await storage.boards.begin(db, CHANNEL)
        await db.execute(rate_table.delete())
    world.emulator.add_channel(CHANNEL, "News", owner=READER)
    await turns(world, 2)
    assert shown(world) == []
    await world.keep([rate()])
    await turns(world)
    assert len(shown(world)) == 1


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
