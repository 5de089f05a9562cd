"""The order of a chat's currencies: chosen by taps, kept by all that shows them."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

import pytest

import storage.chats
from bot.alerts import KINDS
from bot.alerts.boards import body
from bot.alerts.kind import Kit
from bot.digests import enqueue_digests
from bot.i18n import t
from bot.model.rates import Pair
from bot.model.subjects import DigestSubject, PairSubject
from tests.handlers.conftest import NOW, READER, RUSSIAN, STRANGER, World
from tests.handlers.test_channels import CHANNEL, set_up
from tests.handlers.test_tables import data, now

FOLLOWED = [str(PairSubject(Pair(code, "KGS"))) for code in ("EUR", "RUB", "USD")]
MORNING = DigestSubject(time(9), "Asia/Bishkek")


def codes(text: str) -> list[str]:
    """The currencies that a text names, in order."""
    return list(dict.fromkeys(re.findall(r"\b(?:USD|EUR|RUB)\b", text)))


async def arrived(world: World, chat: int, *, after: int) -> dict[str, Any]:
    """The next message of the bot in a chat."""
    return await world.emulator.wait_message(
        chat, lambda m: m["from"]["is_bot"], after=after, timeout=20
    )


@pytest.mark.parametrize("chat", [READER, RUSSIAN, STRANGER])
async def test_a_currency_is_put_first_by_a_tap_and_stands_so_everywhere(
    scene: World, chat: int
) -> None:
    """In the settings, the card, the digest that is asked for and the one that comes, /alerts and
    /chart. Who unfollows one and follows it again finds it in its place; one that is not followed,
    or no currency, is refused.
    """
    world = scene
    settings = await world.ask("/settings", chat=chat)
    async with world.bot.store.writing() as db:
        await storage.chats.subscribe(db, chat, FOLLOWED, now=NOW)
    number = settings["message_id"]
    await world.press(chat, number, "set:topics")
    assert "set:order" in data(now(world, chat, number))
    await world.press(chat, number, "set:order")
    await world.press(chat, number, "first:EUR")
    await world.press(chat, number, "first:RUB")
    assert codes(now(world, chat, number)["text"]) == ["RUB", "EUR", "USD"]
    for wrong in ("first:KZT", "first:", "first:RUB/KGS"):
        assert await world.press(chat, number, wrong)
    await world.press(chat, number, "set:topics")
    for _ in range(2):
        await world.press(chat, number, "cur:EUR")
    await world.press(chat, number, "set:back")
    said = [now(world, chat, number)["text"]]
    for command in ("/rates", "/digest", "/alerts"):
        answer = await world.ask(command, chat=chat)
        said.append(answer["text"])
    async with world.bot.store.writing() as db:
        # it came to those who wanted it by then
        await storage.chats.subscribe(db, chat, [str(MORNING)], now=NOW.replace(hour=1))
    await enqueue_digests(world.bot.store, now=NOW.replace(hour=3))
    world.bot.worker.wake()
    said.append((await arrived(world, chat, after=answer["message_id"]))["text"])
    assert [codes(text) for text in said] == [["RUB", "EUR", "USD"]] * 5
    assert "RUB" in (await world.ask("/chart", chat=chat))["text"]


async def test_one_currency_alone_has_no_order(scene: World) -> None:
    """No button leads there."""
    settings = await scene.ask("/settings")
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, FOLLOWED[:1], now=NOW)
    await scene.press(READER, settings["message_id"], "set:topics")
    assert "set:order" not in data(now(scene, READER, settings["message_id"]))


async def test_a_channel_has_an_order_of_its_own(scene: World) -> None:
    """Chosen in its set-up; its board and its preview keep it."""
    setup = await set_up(scene)
    await setup.press("topics")
    assert f"chan:{setup.number}:order" in data(setup.shown)
    await setup.press("order")
    await setup.press("first:RUB")
    assert codes(setup.shown["text"]) == ["RUB", "USD", "EUR"]
    assert await setup.press("first:KZT") == t("error.stale", "en")
    async with scene.bot.store.reading() as db:
        chat = await storage.chats.get(db, CHANNEL)
        assert chat is not None
        kit = Kit(db=db, catalog=scene.bot.catalog, kinds=KINDS)
        board = await body(kit, chat, now=NOW)
    assert codes(board.text) == ["RUB", "USD", "EUR"]
    assert codes((await scene.ask("/rates"))["text"]) == ["USD", "EUR", "RUB"]
