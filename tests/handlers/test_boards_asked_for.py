"""Boards that nobody set up in private: of a group, and of a channel that the catalog names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

import storage.boards
import storage.chats
import storage.setups
from bot.i18n import t
from bot.model.channels import Trouble
from bot.model.chats import ChatKind
from bot.presence import Channels
from bot.sources.catalog import parse_catalog
from storage.db import Store
from tests.factories import chat
from tests.handlers.conftest import CATALOG, GROUP, NOW, READER, RUSSIAN, STRANGER, World
from tests.handlers.test_boards import kept, pinned, shown, told, turns
from tests.handlers.test_membership import CHANNEL, known

pytestmark = pytest.mark.timeout(240)


# --- groups ---------------------------------------------------------------------------------------


def boards_of(world: World, number: int = GROUP) -> list[dict[str, Any]]:
    """The messages of a chat that are boards, by their last line."""
    return [one for one in shown(world, number) if "Updated" in one["text"].splitlines()[-1]]


async def command(world: World, text: str) -> str:
    """The answer to a group's administrator."""
    asked = await world.emulator.send_text(GROUP, text, user_id=READER)
    found = await world.emulator.wait_message(
        GROUP, lambda m: m.get("from", {}).get("id") == world.emulator.bot.id, after=asked
    )
    return str(found["text"])


@pytest_asyncio.fixture(loop_scope="module")
async def group(scene: World) -> World:
    """A group where the bot may pin, that follows what is told of security."""
    scene.emulator.set_bot_status(GROUP, "administrator", by=READER)
    await scene.emulator.send_text(GROUP, "/help", user_id=READER)
    await known(scene, GROUP)
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, GROUP, ["topic:security"], now=NOW)
    return scene


async def notices(world: World, chat_id: int) -> list[str]:
    """The notices about its board that were decided for a chat."""
    found: list[str] = []
    for row in await world.alerts("notice"):
        if row.audience_chat == chat_id and row.payload["msgid"].startswith("notice.board"):
            found.append(row.payload["msgid"])
    return found


async def test_a_groups_board_is_made_pinned_in_silence_edited_and_ended(group: World) -> None:
    """By a command that says what came of it; off, it is unpinned and stays as it is."""
    assert t("channel.board_off", "en") in await command(group, "/board")
    said = await command(group, "/board on")
    assert said == t("board.begun", "en").replace("`", "")
    await turns(group, number=GROUP)
    (board,) = boards_of(group)
    assert pinned(group, GROUP) == [board["message_id"]]
    assert group.emulator.silent(GROUP, board["message_id"])
    assert "84.7935" in board["text"]
    assert t("channel.board_on", "en") in await command(group, "/board")
    await told(group, "A bridge is closed")
    await turns(group, 2, GROUP)
    (board,) = boards_of(group)
    assert "A bridge is closed" in board["text"]
    assert t("channel.board_off", "en") in await command(group, "/board off")
    assert pinned(group, GROUP) == []
    await told(group, "A road is closed")
    await turns(group, 2, GROUP)
    assert boards_of(group) == [board]


async def test_a_groups_board_leaves_out_what_the_group_muted_and_says_so(group: World) -> None:
    """As its /news does; the places of what is left out go to what comes behind."""
    await command(group, "/mute bridge")
    for number in range(3):
        await told(group, f"Road {number} is closed")
        await told(group, f"Bridge {number} is closed")
    await command(group, "/board on")
    await turns(group, number=GROUP)
    (board,) = boards_of(group)
    assert "Bridge" not in board["text"]
    assert all(f"Road {number} is closed" in board["text"] for number in range(3))
    assert "Left out by your filters: 3 ·\u00a0/mute" in board["text"]


@pytest.mark.parametrize(
    ("words", "language"), [("вкл", "ky"), ("Күйгүз", "ru"), ("ON!", "ky"), ("on", "en")]
)
async def test_a_board_is_switched_by_words_of_any_language(
    group: World, words: str, language: str
) -> None:
    """In the group's own it is said what came of it. What is none of them is answered with what is,
    and switches nothing.
    """
    asked = await group.emulator.send_text(GROUP, "/settings", user_id=READER)
    menu = await group.emulator.wait_message(GROUP, after=asked)
    await group.emulator.press(GROUP, menu["message_id"], f"lang:{language}", user_id=READER)
    for other in ("maybe", f"{words} {words}"):
        said = await command(group, f"/board {other}")
        assert said == t("error.board", language).replace("`", "")
    assert t("channel.board_off", language) in await command(group, "/board")
    said = await command(group, f"/board {words}")
    assert said == t("board.begun", language).replace("`", "")
    assert (await kept(group, GROUP)).kept
    assert t("channel.board_on", language) in await command(group, "/board")


async def test_what_others_pinned_stays_when_a_board_is_switched_off(group: World) -> None:
    """Telegram unpins the newest where none is named: there may be no board yet, or none at all."""
    others = await group.emulator.send_text(GROUP, "Rules of the market", user_id=READER)
    pins = group.emulator.world.chat(GROUP).pinned
    pins.append(others)
    assert t("channel.board_off", "en") in await command(group, "/board off")
    await command(group, "/board on")
    assert t("channel.board_off", "en") in await command(group, "/board off")
    assert pinned(group, GROUP) == [others]
    await command(group, "/board on")
    await turns(group, number=GROUP)
    (board,) = boards_of(group)
    later = await group.emulator.send_text(GROUP, "Closed tomorrow", user_id=READER)
    pins.append(later)
    assert pinned(group, GROUP) == [others, board["message_id"], later]
    await command(group, "/board off")
    assert pinned(group, GROUP) == [others, later]


async def test_a_tap_in_a_groups_settings_switches_its_board(group: World) -> None:
    """The message says how it is, in place."""
    asked = await group.emulator.send_text(GROUP, "/settings", user_id=READER)
    menu = await group.emulator.wait_message(
        GROUP, lambda m: t("channel.board_off", "en") in m.get("text", ""), after=asked
    )
    number = menu["message_id"]
    for data, how in (("board:on", "channel.board_on"), ("board:off", "channel.board_off")):
        await group.emulator.press(GROUP, number, data, user_id=READER)
        menu = group.emulator.world.chat(GROUP).messages[number]
        assert t(how, "en") in menu["text"]
        await turns(group, number=GROUP)
        assert bool(pinned(group, GROUP)) == (data == "board:on")


@pytest.mark.parametrize("who", [READER, RUSSIAN, STRANGER])
async def test_a_person_has_no_board(scene: World, who: int) -> None:
    """They hear where there are boards, and their settings offer none."""
    language = {READER: "en", RUSSIAN: "ru", STRANGER: "ky"}[who]
    await scene.ask("/board on", chat=who, fits=t("error.board_where", language))
    said = await scene.ask("/settings", chat=who)
    assert t("channel.board_off", language) not in said["text"]
    async with scene.bot.store.reading() as db:
        assert await storage.boards.get(db, who) is None


async def test_G27_a_group_hears_that_its_board_may_not_be_pinned(group: World) -> None:
    """Once, in the group; it is kept all the same."""
    group.emulator.set_bot_status(GROUP, "member", by=READER)
    await command(group, "/board on")
    await turns(group, 6, GROUP)
    assert pinned(group, GROUP) == []
    assert (await kept(group, GROUP)).trouble is Trouble.UNPINNED
    words = t("notice.board_unpinned_here", "en").replace("`", "")
    await group.tells(GROUP, words)
    group.now += timedelta(days=1)  # what is said twice a day is one word anyway
    await told(group, "A bridge is closed")
    await turns(group, 2, GROUP)
    assert "A bridge is closed" in boards_of(group)[0]["text"]
    assert t("channel.board_unpinned", "en") in await command(group, "/board")
    assert await notices(group, GROUP) == ["notice.board_unpinned_here"]


async def test_G27_a_group_hears_that_its_board_is_given_up(group: World) -> None:
    """Deleted twice, each time it was switched on: an administrator can have it again."""
    for count in (1, 2):
        await command(group, "/board on")
        await turns(group, number=GROUP)
        for title in ("One", "Two"):
            here = group.emulator.world.chat(GROUP)
            group.emulator.world.delete_message(here, boards_of(group)[0]["message_id"])
            await told(group, f"{title} of {count}")
            await turns(group, 6, GROUP)
        assert boards_of(group) == []
        assert (await kept(group, GROUP)).trouble is Trouble.DELETED
        assert await notices(group, GROUP) == ["notice.board_deleted_here"] * count
    await command(group, "/board on")
    await turns(group, number=GROUP)
    assert pinned(group, GROUP) == [boards_of(group)[0]["message_id"]]


async def test_a_board_is_unpinned_when_its_group_is_forgotten(group: World) -> None:
    """Nobody keeps it up to date any more."""
    await command(group, "/board on")
    await turns(group, number=GROUP)
    assert pinned(group, GROUP)
    await command(group, "/delete")
    question = shown(group, GROUP)[-1]["message_id"]
    await group.emulator.press(GROUP, question, "delete:yes", user_id=READER)
    assert pinned(group, GROUP) == []


# --- channels of the catalog ----------------------------------------------------------------------


async def join(world: World, *, board: bool) -> None:
    """A start with a catalog that says this of the channel's board."""
    line = "board = true" if board else ""
    catalog = parse_catalog(CATALOG + f'[channels."{CHANNEL}"]\ntopics = ["security"]\n{line}\n')
    bot = world.bot
    settings = bot.settings.model_copy(update={"admin_ids": (RUSSIAN,)})
    bot.settings = settings
    await Channels(bot.store, bot.api, catalog, settings, bot.clock, bot.tell).join()


@pytest_asyncio.fixture(loop_scope="module")
async def named(scene: World) -> World:
    """A channel that the catalog names, with a board; whoever added the bot is no operator."""
    scene.emulator.add_channel(CHANNEL, "News", owner=READER)
    await scene.ask("/help", chat=RUSSIAN)
    async with scene.bot.store.writing() as db:
        await storage.chats.add(db, chat(CHANNEL, kind=ChatKind.CHANNEL), now=NOW)
        await storage.setups.adopt(db, CHANNEL, READER)
    await join(scene, board=True)
    return scene


async def test_a_board_that_the_catalog_asks_for_stays_over_starts_and_ends_with_its_line(
    named: World,
) -> None:
    """The same message; without the line it is unpinned, and not kept."""
    await turns(named)
    (board,) = shown(named)
    assert pinned(named) == [board["message_id"]]
    await join(named, board=True)
    await told(named, "A bridge is closed")
    await turns(named)
    (again,) = shown(named)
    assert again["message_id"] == board["message_id"]
    assert "A bridge is closed" in again["text"]
    await join(named, board=False)
    assert pinned(named) == []
    assert not (await kept(named)).kept
    await told(named, "A road is closed")
    await turns(named, 2)
    assert shown(named) == [again]


async def test_G27_operators_hear_of_the_troubles_of_a_catalogs_board(named: World) -> None:
    """Whoever added the bot did not ask for it. Given up it stays so over starts, until the catalog
    has asked for none in between.
    """
    await turns(named)
    for title in ("One", "Two"):
        here = named.emulator.world.chat(CHANNEL)
        named.emulator.world.delete_message(here, shown(named)[0]["message_id"])
        await told(named, title)
        await turns(named, 6)
    words = t("notice.board_deleted_catalog", "ru").split("{chat}")[1].split("«")[0]
    await named.tells(RUSSIAN, words)
    assert await notices(named, RUSSIAN) == ["notice.board_deleted_catalog"]
    assert await notices(named, READER) == []
    await join(named, board=True)
    await turns(named)
    assert shown(named) == []
    await join(named, board=False)
    await join(named, board=True)
    await turns(named)
    assert pinned(named) == [shown(named)[0]["message_id"]]


# --- on either database ---------------------------------------------------------------------------


async def test_the_catalog_says_whose_a_board_is(store: Store) -> None:
    """One that was switched on in a chat becomes the catalog's, and the other way round."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(CHANNEL, kind=ChatKind.CHANNEL), now=NOW)
        assert await storage.boards.follow_catalog(db, CHANNEL, wanted=False) is None
        await storage.boards.begin(db, CHANNEL)
        await storage.boards.change(db, CHANNEL, message_id=7)
        assert await storage.boards.follow_catalog(db, CHANNEL, wanted=True) is None
        found = await storage.boards.get(db, CHANNEL)
        assert found is not None
        assert (found.message, found.of_catalog) == (7, True)
        await storage.boards.begin(db, CHANNEL)
        found = await storage.boards.get(db, CHANNEL)
        assert found is not None
        assert (found.message, found.of_catalog) == (7, False)
        ended = await storage.boards.follow_catalog(db, CHANNEL, wanted=False)
        assert ended is not None
        assert ended.message == 7
        assert await storage.boards.follow_catalog(db, CHANNEL, wanted=False) is None
