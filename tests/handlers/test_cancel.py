"""/cancel, and greetings."""

from __future__ import annotations

import pytest

from bot.convert import is_greeting
from bot.i18n import t
from storage.schema import broadcast
from storage.schema import rule as rule_table
from tests.handlers.conftest import GROUP, READER, RUSSIAN, STRANGER, World, days

READERS = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}


@pytest.mark.parametrize("language", READERS)
async def test_where_nothing_is_begun_cancel_says_so(scene: World, language: str) -> None:
    said = await scene.ask("/cancel", chat=READERS[language])
    assert said["text"] == t("cancel.nothing", language)


async def test_a_key_that_asks_for_the_place_goes_too(scene: World) -> None:
    """Whether it is there or not."""
    await scene.ask("/cancel")
    assert scene.emulator.world.chat(READER).keyboard == {"remove_keyboard": True}


async def test_a_groups_keys_are_not_taken_away(scene: World) -> None:
    """Only in private is one of ours there."""
    asked = await scene.emulator.send_text(GROUP, "/cancel", user_id=READER)
    await scene.emulator.wait_message(GROUP, after=asked)
    assert scene.emulator.world.chat(GROUP).keyboard is None


async def test_a_rule_that_waits_for_its_save_is_gone(scene: World) -> None:
    """Once; its buttons are out of date then."""
    await scene.keep(days("USD/KGS", ["84.1", "84.2"]))
    shown = await scene.ask("/alert USD > 90")
    (proposed,) = await scene.stored(rule_table)
    assert (await scene.ask("/cancel"))["text"] == t("cancel.done", "en")
    assert await scene.stored(rule_table) == []
    said = await scene.press(READER, shown["message_id"], f"rule:save:{proposed.id}")
    assert said == t("error.stale", "en")
    assert (await scene.ask("/cancel"))["text"] == t("cancel.nothing", "en")


async def test_a_saved_rule_stays(scene: World) -> None:
    await scene.keep(days("USD/KGS", ["84.1", "84.2"]))
    shown = await scene.ask("/alert USD > 90")
    (proposed,) = await scene.stored(rule_table)
    await scene.press(READER, shown["message_id"], f"rule:save:{proposed.id}")
    await scene.tells(READER, t("rule.saved", "en"))
    assert (await scene.ask("/cancel"))["text"] == t("cancel.nothing", "en")
    assert len(await scene.stored(rule_table)) == 1


async def test_a_broadcast_that_is_not_sent_is_gone(desk: World) -> None:
    """Before its words are written, and after."""
    await desk.ask("/broadcast")
    assert (await desk.ask("/cancel"))["text"] == t("cancel.done", "en")
    assert await desk.stored(broadcast) == []
    said = await desk.ask("a word that goes to nobody")
    assert "/help" in said["text"]
    await desk.ask("/broadcast")
    await desk.ask("Quiet tomorrow")
    assert (await desk.ask("/cancel", fits="ancel"))["text"] == t("cancel.done", "en")
    assert (await desk.ask("/cancel", fits="ancel"))["text"] == t("cancel.nothing", "en")


async def test_who_is_no_operator_any_more_writes_no_broadcast_and_may_still_cancel(
    desk: World,
) -> None:
    """Their words are another's by then; the row is theirs until they end it."""
    await desk.ask("/broadcast")
    desk.bot.services.admins = frozenset()
    said = await desk.ask("a word that goes to nobody")
    assert "/help" in said["text"]
    (row,) = await desk.stored(broadcast)
    assert row.text == ""
    assert (await desk.ask("/cancel"))["text"] == t("cancel.done", "en")
    assert await desk.stored(broadcast) == []


@pytest.mark.parametrize(
    "text",
    [
        "привет", "Привет!", "Привет, бот", "здравствуйте", "добрый день", "salam", "Салам",
        "саламатсызбы", "Саламатсызбы!", "салам, кандайсың", "hello", "Hi 👋", "hello there",
        "Good morning", "ассалам алейкум",
    ],
)  # fmt: skip
def test_a_greeting_is_known_as_one(text: str) -> None:
    assert is_greeting(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "бот",
        "👋",
        "привет, курс",
        "hello 100 usd",
        "салам доллар",
        "hi hi hi",
        "hill",
        "добрый",
    ],
)
def test_what_says_more_or_less_than_a_greeting_is_none(text: str) -> None:
    assert not is_greeting(text)


@pytest.mark.parametrize("language", READERS)
async def test_a_greeting_is_answered_with_what_can_be_asked(scene: World, language: str) -> None:
    said = await scene.ask("привет", chat=READERS[language])
    assert said["text"] == t("greeting.back", language).replace("{example}", "100 usd")


async def test_in_a_group_a_greeting_is_for_us_where_it_names_us(scene: World) -> None:
    await scene.emulator.send_text(GROUP, "саламатсызбы", user_id=STRANGER)
    asked = await scene.emulator.send_text(GROUP, "@jarchy_bot саламатсызбы", user_id=STRANGER)
    answer = await scene.emulator.wait_message(GROUP, after=asked)
    assert answer["text"] == t("greeting.back", "ky").replace("{example}", "100 usd")
