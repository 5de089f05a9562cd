"""The greeting, its buttons, and what is said to words we do not understand."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

import storage.chats
from bot.i18n import t
from bot.model.chats import OPERATORS_LINK
from bot.model.subjects import READERS_TOPICS, digests_of
from bot.presence import introduce
from bot.sources.catalog import parse_catalog
from bot.telegram.outcomes import Sent
from handlers.services import BURST
from tests.handlers.conftest import CATALOG, GROUP, NOW, READER, World, days
from tests.languages.expected import WHOLE


def shown(world: World, number: int) -> dict[str, Any]:
    """A message as it stands."""
    return next(m for m in world.emulator.messages(READER) if m["message_id"] == number)


def keys(message: dict[str, Any]) -> dict[str, str]:
    """A message's buttons, data to label."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {one["callback_data"]: one["text"] for row in rows for one in row}


async def test_the_greeting_stays_while_its_buttons_are_used(scene: World) -> None:
    """A tap marks its button and keeps the words; a language greets anew, with the marks; done
    names the choice.
    """
    number = (await scene.ask("/start"))["message_id"]
    await scene.emulator.press(READER, number, "top:security")
    await scene.emulator.press(READER, number, "cur:RUB")
    assert shown(scene, number)["text"].startswith("Hello, Aigul!")
    await scene.emulator.press(READER, number, "lang:ky")
    greeted = shown(scene, number)
    assert greeted["text"].startswith("Саламатсызбы, Aigul!")
    assert keys(greeted)["cur:RUB"] == "✓ RUB"
    assert keys(greeted)["top:security"] == f"✓ {t('topic.security', 'ky')}"
    await scene.emulator.press(READER, number, "cur:EUR")
    await scene.emulator.press(READER, number, "done")
    assert f"EUR, RUB, {t('topic.security', 'ky').lower()}" in shown(scene, number)["text"]


async def test_the_greeting_has_todays_rates_and_a_topic_of_the_digest_asks_for_its_hour(
    scene: World,
) -> None:
    """No tap to the first figure, and two to a digest that really comes."""
    greeted = await scene.ask("/start")
    number = greeted["message_id"]
    assert "Today: USD\u00a084.79 ·\u00a0EUR\u00a098.85 ·\u00a0RUB\u00a01.19" in greeted["text"]
    await scene.emulator.press(READER, number, "top:economy")
    await scene.emulator.press(READER, number, "done")
    assert keys(shown(scene, number))["hour:0800"] == "08:00"
    await scene.emulator.press(READER, number, "hour:0800")
    kept = shown(scene, number)["text"]
    assert kept.startswith("Your digest will come every day at 08:00.\n")
    assert "/alert" in kept  # what one may do next, as where no hour was asked for
    async with scene.bot.store.reading() as db:
        (digest,) = digests_of(await storage.chats.subscriptions(db, READER))
    assert (digest.at.hour, digest.at.minute) == (8, 0)


async def test_whoever_set_the_bot_up_is_greeted(scene: World) -> None:
    """What `jarchy init` had them send waits for the first start of the bot."""
    greeted = await scene.ask(f"/start {OPERATORS_LINK}79d4a3c4")
    assert greeted["text"] == (await scene.ask("/start"))["text"]
    assert greeted["text"].startswith("Hello, Aigul!")


async def test_the_menu_of_subscriptions_stays_a_menu(scene: World) -> None:
    """Nobody is greeted again by a tap in /subscribe."""
    menu = await scene.ask("/subscribe")
    await scene.emulator.press(READER, menu["message_id"], "cur:USD")
    assert shown(scene, menu["message_id"])["text"] == menu["text"]
    assert not any(data.startswith("lang:") for data in keys(shown(scene, menu["message_id"])))


async def test_every_example_in_an_answer_works(scene: World) -> None:
    """Examples named to somebody who was not understood are understood."""
    answer = await scene.ask("abracadabra")
    example = next(e for e in answer["entities"] if e["type"] == "code")
    text = answer["text"][example["offset"] : example["offset"] + example["length"]]
    assert "USD" in (await scene.ask(text))["text"]
    refused = (await scene.ask("/news abracadabra"))["text"]
    for topic in READERS_TOPICS:
        name = t(f"topic.{topic}", "en").lower()
        assert name in refused
    assert "abracadabra" not in (await scene.ask(f"/news {t('topic.economy', 'ru')}"))["text"]


async def test_the_language_can_be_left_as_it_is(scene: World) -> None:
    """The list of languages leads back to the settings."""
    menu = await scene.ask("/settings")
    await scene.emulator.press(READER, menu["message_id"], "set:language")
    await scene.emulator.press(READER, menu["message_id"], "set:back")
    assert shown(scene, menu["message_id"])["text"] == menu["text"]


BROUGHT = {"USD", "EUR", "RUB"}  # by the world's only bank


def money(message: dict[str, Any]) -> set[str]:
    """The currencies that a message offers to follow."""
    return {one.removeprefix("cur:") for one in keys(message) if one.startswith("cur:")}


async def test_only_currencies_that_a_source_brings_are_offered(scene: World) -> None:
    """Another is told from the day on which one does; what is followed stays, to switch it off."""
    assert money(await scene.ask("/start")) == BROUGHT
    menu = await scene.ask("/subscribe")
    assert money(menu) == BROUGHT
    pressed = await scene.emulator.press(READER, menu["message_id"], "cur:CNY")
    assert "out of date" in pressed["text"]
    await scene.keep(days("CNY/KGS", ["12.0000"]))
    assert money(await scene.ask("/subscribe")) == {*BROUGHT, "CNY"}
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["pair:GBP/KGS"], now=NOW)
    menu = await scene.ask("/subscribe")
    assert keys(menu)["cur:GBP"] == "✓ GBP"
    await scene.emulator.press(READER, menu["message_id"], "cur:GBP")
    assert money(shown(scene, menu["message_id"])) == {*BROUGHT, "CNY"}


def topics(message: dict[str, Any]) -> list[str]:
    """The topics that a message offers to follow, or to see alone."""
    found = [one for one in keys(message) if one.startswith(("top:", "news:"))]
    return [one.split(":")[1] for one in found]


FEED = '[feeds.agency]\nurl = "http://127.0.0.1:9/feed.xml"\nlanguage = "en"\n'
INSTITUTE = '[hazards.institute]\nurl = "http://127.0.0.1:9/quakes.json"\nformat = "usgs"\n'


@pytest.mark.parametrize(
    ("sources", "offered"),
    [
        ("", []),
        (f"{FEED}disabled = true\n", []),
        (INSTITUTE, ["security"]),
        (f"{FEED}{INSTITUTE}", list(READERS_TOPICS)),
    ],
)
async def test_only_topics_that_a_source_brings_are_offered(
    scene: World, sources: str, offered: list[str]
) -> None:
    """An institute brings dangers alone. What is followed stays, to switch it off; without any
    topic the menu speaks of none.
    """
    scene.bot.services.catalog = parse_catalog(f"{CATALOG}{sources}")
    assert topics(await scene.ask("/start")) == offered
    menu = await scene.ask("/subscribe")
    assert topics(menu) == offered
    assert ("topics" in menu["text"]) is bool(offered)
    assert topics(await scene.ask("/news")) == offered
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["topic:society"], now=NOW)
    kept = [one for one in READERS_TOPICS if one in {*offered, "society"}]
    assert topics(await scene.ask("/subscribe")) == kept


async def test_S14_all_of_a_menu_may_be_tapped_and_a_flood_is_told_once_how_long_to_wait(
    world: World,
) -> None:
    """Taps cost half of what commands do; the wait named is the wait there is, not longer."""
    greeting = await world.ask("/start")
    number = greeting["message_id"]
    switches = [f"cur:{code}" for code in money(greeting)]
    switches += [f"top:{topic}" for topic in READERS_TOPICS]
    assert len(switches) == len(BROUGHT) + len(READERS_TOPICS)
    for data in [*switches, "set:zone"]:
        assert not (await world.emulator.press(READER, number, data)).get("show_alert"), data
    for _ in range(BURST):
        await world.emulator.send_text(READER, "/privacy")
    slow = await world.emulator.wait_message(
        READER, lambda m: "Too fast" in m.get("text", ""), timeout=20
    )
    found = re.search(r"(\d+)\sseconds?", slow["text"])
    assert found is not None
    assert 1 <= int(found[1]) <= 2


async def test_S11_a_tap_beyond_the_notice_is_let_go_without_words_and_without_the_store(
    world: World,
) -> None:
    """The first is told how long to wait; the others stop spinning, and the chat is not even looked
    up for them.
    """
    number = (await world.ask("/start"))["message_id"]
    services = world.bot.services
    services.buckets[READER] = (time.monotonic() + 10_000, False)
    told = await world.emulator.press(READER, number, "cur:USD")
    assert "Too fast" in told["text"]
    services.chats.clear()
    for data in ("cur:USD", "set:zone", "nonsense"):
        silent = await world.emulator.press(READER, number, data)
        assert not silent.get("text"), data
        assert not silent.get("show_alert"), data
    assert READER not in services.chats
    assert keys(shown(world, number))["cur:USD"] == "USD"


async def test_an_empty_chat_says_what_the_bot_is_in_the_readers_language(scene: World) -> None:
    """Before Start is pressed; words of the operator's own would stay."""
    api = scene.bot.services.api
    await introduce(api, "en")
    for language in ("", *WHOLE):
        found = await api.call("getMyDescription", language_code=language or None)
        assert isinstance(found, Sent)
        assert found.result["description"] == t("start.what", language or "en")


async def test_a_place_in_a_group_is_not_for_us(scene: World) -> None:
    await scene.emulator.share_location(GROUP, 42.8746, 74.5698, user_id=READER)
    answer = await scene.ask("/help", chat=GROUP)
    assert [m for m in scene.emulator.messages(GROUP) if m.get("from", {}).get("is_bot")] == [
        answer
    ]


@pytest.mark.parametrize(
    ("chat", "there", "elsewhere"),
    [(READER, {"/channel"}, {"/here", "/board"}), (GROUP, {"/here", "/board"}, {"/channel"})],
)
async def test_help_lists_what_works_in_that_chat(
    scene: World, chat: int, there: set[str], elsewhere: set[str]
) -> None:
    listed = {
        one.split()[0] for one in (await scene.ask("/help", chat=chat))["text"].split("\n") if one
    }
    assert there <= listed
    assert not elsewhere & listed
