"""A chat's own rules: proposed, tried, saved, spoken, silenced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import storage.rules
from bot.ingest import Ingest
from bot.sources.catalog import parse_catalog
from tests.e2e.program import Publishers
from tests.e2e.test_whole import daily
from tests.handlers.conftest import CATALOG, GROUP, NOW, READER, STRANGER, World, days

YEAR = [f"1.{200 - number % 10}0" for number in range(300)] + ["1.1948"]


def data(message: dict[str, Any], verb: str) -> str:
    """The data of the button that begins so."""
    buttons = [button for row in message["reply_markup"]["inline_keyboard"] for button in row]
    return str(next(button["callback_data"] for button in buttons if button["callback_data"].startswith(verb)))


async def saved(world: World, text: str) -> int:
    """Make a rule as a reader does; its number."""
    shown = await world.ask(text, fits="would have fired")
    press = data(shown, "rule:save")
    await world.emulator.press(READER, shown["message_id"], press)
    return int(press.rpartition(":")[2])


async def publish(world: World, usd: str, rub: str) -> int:
    """The bank publishes tomorrow's rates and is polled as the program polls it; how many alerts that made."""
    async with Publishers() as bank:
        bank.put("/daily.xml", daily(f"{NOW + timedelta(days=1):%d.%m.%Y}", usd, "98,8523", rub))
        spec = parse_catalog(CATALOG.replace("http://127.0.0.1:9", bank.url)).rates["nbkr"]
        ingest: Ingest = world.bot.ingest
        alerts = (await ingest.poll(spec)).alerts
    world.bot.worker.wake()
    return alerts


async def test_a_rule_is_previewed_on_history_before_it_is_saved(world: World) -> None:
    """How often and when; nothing is in force until Save."""
    await world.keep(days("RUB/KGS", YEAR))
    shown = await world.ask("/alert RUB < 1.195")
    assert "RUB/KGS < 1.195 would have fired 30 times in the past year." in shown["caption"]
    assert "Last: 16 Oct, 6 Oct, 26 Sep" in shown["caption"]
    assert shown["photo"]
    assert "no alerts" in (await world.ask("/alerts"))["text"]
    await world.emulator.press(READER, shown["message_id"], data(shown, "rule:save"))
    listed = await world.ask("/alerts")
    assert "1. RUB/KGS < 1.195" in listed["text"]


async def test_a_rule_speaks_once_to_its_chat_through_the_outbox(world: World) -> None:
    """The poll that stores the rate makes the alert; the same rate again makes none."""
    await world.keep(days("RUB/KGS", ["1.1950", "1.1949", "1.1948"]))
    await saved(world, "/alert RUB > 1.2")
    assert await publish(world, "84,7935", "1,2105") == 1
    told = await world.emulator.wait_message(READER, lambda m: "1.1948 → 1.2105" in m.get("text", ""), timeout=20)
    assert "RUB/KGS" in told["text"]
    assert await publish(world, "84,7935", "1,2105") == 0
    assert await publish(world, "84,7935", "1,2107") == 0
    assert "Your rule: RUB/KGS > 1.2" in told["text"]
    why = await world.emulator.press(READER, told["message_id"], data(told, "why:"))
    assert not why.get("show_alert")
    said = await world.emulator.wait_message(READER, lambda m: "Why I wrote" in m.get("text", ""), timeout=20)
    assert "Your rule: RUB/KGS > 1.2" in said["text"]
    assert said["reply_to_message"]["message_id"] == told["message_id"]
    menu = await world.ask("/start", chat=STRANGER)
    forged = await world.emulator.press(STRANGER, menu["message_id"], data(told, "why:"))
    assert forged["show_alert"]


@pytest.mark.parametrize("verb", ["mute:", "snooze:"])
async def test_the_buttons_under_it_silence_the_rule(world: World, verb: str) -> None:
    """Mute pauses it, as /alerts shows; snooze lets it rest."""
    await world.keep(days("RUB/KGS", ["1.1950", "1.1948"]))
    await saved(world, "/alert RUB 0.001")
    await publish(world, "84,7935", "1,2105")
    told = await world.emulator.wait_message(READER, lambda m: "→ 1.2105" in m.get("text", ""), timeout=20)
    answer = await world.emulator.press(READER, told["message_id"], data(told, verb))
    assert "RUB/KGS" in answer["text"] if verb == "mute:" else answer["text"]
    async with world.bot.store.reading() as db:
        (rule,) = await storage.rules.of_chat(db, READER)
        assert rule.paused == (verb == "mute:")
        assert await storage.rules.watching(db, rule.series, now=NOW) == []


async def test_pause_resume_and_delete_are_taps(world: World) -> None:
    number = await saved(world, "/alert USD 1%")
    listed = await world.ask("/alerts")
    answer = await world.emulator.press(READER, listed["message_id"], f"rule:pause:{number}")
    assert answer["text"] == "Paused: USD/KGS ±1 %"
    answer = await world.emulator.press(READER, listed["message_id"], f"rule:resume:{number}")
    assert answer["text"] == "On again: USD/KGS ±1 %"
    answer = await world.emulator.press(READER, listed["message_id"], f"rule:delete:{number}")
    assert answer["text"] == "Deleted: USD/KGS ±1 %"
    assert "no alerts" in (await world.ask("/alerts"))["text"]


async def test_a_forged_or_stale_button_changes_nothing(world: World) -> None:
    """Another chat's number, a number that was never given, a second Save, a Save after another proposal."""
    number = await saved(world, "/alert USD 1%")
    menu = await world.ask("/start", chat=STRANGER)
    forged = [f"rule:delete:{number}", f"rule:save:{number}", "rule:pause:999", "rule:save:x", "rule:explode:1"]
    for press in forged:
        assert (await world.emulator.press(STRANGER, menu["message_id"], press))["show_alert"], press
    first = await world.ask("/alert EUR 1%", fits="EUR")
    await world.ask("/alert RUB 1%", fits="RUB")
    answer = await world.emulator.press(READER, first["message_id"], data(first, "rule:save"))
    assert answer["show_alert"]
    async with world.bot.store.reading() as db:
        assert [one.id for one in await storage.rules.of_chat(db, READER)] == [number]


async def test_a_chat_keeps_at_most_twenty_rules(world: World) -> None:
    await saved(world, "/alert USD 1%")
    async with world.bot.store.writing() as db:
        (one,) = await storage.rules.of_chat(db, READER)
        for _ in range(19):
            number = await storage.rules.propose(db, READER, one.series, rule_json=one.rule, now=NOW)
            waiting = await storage.rules.get(db, READER, number, pending=True)
            assert waiting is not None
            await storage.rules.save(db, waiting, one.state)
    assert "20" in (await world.ask("/alert EUR 1%"))["text"]


async def test_in_a_group_only_administrators_make_rules(world: World) -> None:
    asked = await world.emulator.send_text(GROUP, "/alert USD 1%", user_id=STRANGER)
    await world.emulator.wait_message(GROUP, lambda m: m["message_id"] > asked, after=asked)
    asked = await world.emulator.send_text(GROUP, "/alert USD 1%", user_id=READER)
    await world.emulator.wait_message(GROUP, lambda m: "reply_markup" in m, after=asked)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("/alert", "Which currency"),
        ("/alert sell USD < 87", "I have no selling rate of USD/KGS. I have: official rate."),
        ("/alert USD < 85 until 2020-01-01", "is over"),
        ("/start rule_USD_KGS", "leads nowhere"),
        ("/start rule_USD_KGS_official_lt_0", "leads nowhere"),
        ("/start what-is-this", "leads nowhere"),
        ("/start USD", "84.7935"),
        ("/alert RUB", "From what number"),
        ("/alert RUB < < <", "From what number"),
        ("/alert JPY < 1", "JPY/KGS"),
        ("/alert KGS 1%", "never changes"),
        ("/alert доллар > 90", "USD/KGS > 90"),
    ],
)
async def test_what_cannot_be_a_rule_is_explained(world: World, question: str, answer: str) -> None:
    assert answer in (await world.ask(question))["text"]


async def pressed_shows(world: World, message: dict[str, Any], press: str, fits: str, chat: int = READER) -> Any:
    """Press a button that changes its message; the message as it is then."""
    answer = await world.emulator.press(chat, message["message_id"], press)
    assert not answer.get("show_alert"), answer

    def changed(now: dict[str, Any]) -> bool:
        return now["message_id"] == message["message_id"] and fits in now.get("text", now.get("caption", ""))

    return await world.emulator.wait_message(chat, changed, timeout=20)


async def test_three_taps_make_a_rule(world: World) -> None:
    """Currency, condition, Save: all in one message, which becomes the preview's picture."""
    await world.keep(days("RUB/KGS", YEAR))
    asked = await world.ask("/alert")
    conditions = await pressed_shows(world, asked, "new:RUB", "When shall I write")
    preview = await pressed_shows(world, conditions, data(conditions, "new:RUB_KGS_official_lt"), "would have fired")
    assert preview["photo"]
    await pressed_shows(world, preview, data(preview, "rule:save"), "Saved: RUB/KGS < 1.15")
    async with world.bot.store.reading() as db:
        assert len(await storage.rules.of_chat(db, READER)) == 1


async def test_a_saved_rule_is_changed_by_taps_and_keeps_its_number(world: World) -> None:
    await world.keep(days("RUB/KGS", YEAR))
    number = await saved(world, "/alert RUB < 1.15")
    listed = await world.ask("/alerts")
    await world.emulator.press(READER, listed["message_id"], f"rule:edit:{number}")
    preview = await world.emulator.wait_message(
        READER, lambda m: "would have fired" in m.get("caption", ""), after=listed["message_id"], timeout=20
    )
    preview = await pressed_shows(world, preview, data(preview, "rule:more"), "RUB/KGS < 1.16")
    preview = await pressed_shows(world, preview, data(preview, "rule:once"), "RUB/KGS < 1.16, once")
    await pressed_shows(world, preview, data(preview, "rule:save"), "Saved: RUB/KGS < 1.16, once")
    async with world.bot.store.reading() as db:
        (rule,) = await storage.rules.of_chat(db, READER)
    assert (rule.id, rule.rule["amount"], rule.rule["once"]) == (number, "1.16", True)


async def test_S12_a_link_opens_a_preview_in_another_chat_and_saves_nothing(world: World) -> None:
    number = await saved(world, "/alert USD < 80 once")
    listed = await world.ask("/alerts")
    card = await pressed_shows(world, listed, f"rule:open:{number}", "Link for others")
    link = next(entity["url"] for entity in card["entities"] if entity["type"] == "text_link")
    payload = link.partition("https://t.me/jarchy_bot?start=")[2]
    shown = await world.ask(f"/start {payload}", chat=STRANGER, fits="USD/KGS < 80")
    async with world.bot.store.reading() as db:
        assert await storage.rules.of_chat(db, STRANGER) == []
    await pressed_shows(world, shown, data(shown, "rule:save"), "Сакталды", chat=STRANGER)
    async with world.bot.store.reading() as db:
        assert len(await storage.rules.of_chat(db, STRANGER)) == 1
