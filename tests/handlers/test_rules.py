"""A chat's own rules: proposed, tried, saved, spoken, silenced."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

import storage.chats
import storage.rules
from bot.alerts.rules import RuleFired
from bot.convert.rules import parse_rule
from bot.i18n import t
from bot.ingest import Ingest
from bot.model.chats import Chat
from bot.model.rates import RateKind
from bot.sources.catalog import parse_catalog
from storage.schema import alert
from storage.schema import rule as rule_table
from tests.handlers.conftest import CATALOG, GROUP, NOW, READER, RUSSIAN, STRANGER, World, days
from tests.publishers import Publishers, daily

YEAR = [f"1.{200 - number % 10}0" for number in range(300)] + ["1.1948"]


def data(message: dict[str, Any], verb: str) -> str:
    """The data of the button that begins so."""
    buttons = [button for row in message["reply_markup"]["inline_keyboard"] for button in row]
    return str(
        next(
            button["callback_data"]
            for button in buttons
            if button["callback_data"].startswith(verb)
        )
    )


async def saved(world: World, text: str) -> int:
    """Make a rule as a reader does; its number."""
    shown = await world.ask(text, fits="/KGS")
    press = data(shown, "rule:save")
    await world.emulator.press(READER, shown["message_id"], press)
    return int(press.rpartition(":")[2])


async def publish(world: World, usd: str, rub: str) -> int:
    """The bank publishes tomorrow's rates and is polled as the program polls it; how many alerts
    that made.
    """
    async with Publishers() as bank:
        bank.put(
            "/daily.xml", daily(f"{world.now + timedelta(days=1):%d.%m.%Y}", usd, "98,8523", rub)
        )
        spec = parse_catalog(CATALOG.replace("http://127.0.0.1:9", bank.url)).rates["nbkr"]
        ingest: Ingest = world.bot.ingest
        alerts = (await ingest.poll(spec)).alerts
    world.bot.worker.wake()
    return alerts


async def told_days(world: World, roubles: list[str]) -> list[int]:
    """The bank publishes day after day; on which of the days the chat's rules spoke, counted from
    0.
    """
    first = world.now.date() + timedelta(days=1)
    for rub in roubles:
        await publish(world, "84,7935", rub)
        world.now += timedelta(days=1)
    async with world.bot.store.reading() as db:
        rows = (
            await db.execute(select(alert.c.payload).where(alert.c.kind == RuleFired.KIND))
        ).scalars()
        return sorted((RuleFired.from_json(one).move.new.effective_on - first).days for one in rows)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("RUB < 1", "RUB/KGS < 1"),
        ("USD 1%", "USD/KGS ±1\u00a0%"),
        ("EUR 3% 7d", "EUR/KGS ±3\u00a0% within 7\u00a0days"),
        ("USD 0.5", "USD/KGS ±0.5 som"),
        (
            "sell USD >= 90 once until 2021-12-31",
            "USD/KGS (selling rate) ≥ 90, once, until 31\u00a0Dec 2021",
        ),
    ],
)
async def test_a_typed_rule_is_read_back_in_words_and_saved_as_it_was_said(
    scene: World, typed: str, said: str
) -> None:
    await scene.keep(
        [replace(one, kind=RateKind.SELL) for one in days("USD/KGS", ["85.10", "85.20"])]
    )
    shown = await scene.ask(f"/alert {typed}", fits="/KGS")
    assert shown.get("text", shown.get("caption", "")).startswith(f"{said}\n")
    await scene.emulator.press(READER, shown["message_id"], data(shown, "rule:save"))
    async with scene.bot.store.reading() as db:
        (stored,) = await storage.rules.of_chat(db, READER)
    assert stored.rule == parse_rule(typed, home="KGS")
    assert f"1. {said}" in (await scene.ask("/alerts"))["text"]


async def test_a_pair_the_other_way_round_is_answered_with_one_that_is_understood(
    scene: World,
) -> None:
    """As it stands there, to be tapped and sent."""
    await scene.keep(days("USD/KGS", ["85.10", "85.20"]))
    answer = await scene.ask("/alert KGS/USD 85")
    (code,) = [one for one in answer["entities"] if one["type"] == "code"]
    tried = answer["text"][code["offset"] : code["offset"] + code["length"]]
    assert tried == "/alert USD/KGS 1%"
    assert "USD/KGS ±1" in str((await scene.ask(tried, fits="±"))["text"])


async def test_a_level_speaks_again_only_after_the_rate_has_left_it(scene: World) -> None:
    """A tremble on the level is one message; the second crossing after a way back is another."""
    await scene.keep(days("RUB/KGS", ["1.1950", "1.1948"]))
    await saved(scene, "/alert RUB > 1.2")
    values = ["1,2005", "1,1999", "1,2006", "1,1960", "1,2010", "1,2030"]
    assert await told_days(scene, values) == [0, 4]


async def test_a_rule_for_once_speaks_once_and_is_done_and_can_be_set_again(scene: World) -> None:
    await scene.keep(days("RUB/KGS", ["1.1950", "1.1948"]))
    number = await saved(scene, "/alert RUB > 1.2 once")
    assert await told_days(scene, ["1,2005", "1,1900", "1,2010", "1,1900"]) == [0]
    message = await scene.tells(READER, "Your alert: ")
    assert labels(message) == [["Chart", "Why?"], ["Resume"]], "none to snooze it by"
    listed = await scene.ask("/alerts")
    assert "1. RUB/KGS > 1.2, once ✓" in listed["text"]
    await scene.emulator.press(READER, listed["message_id"], f"rule:resume:{number}")
    assert await told_days(scene, ["1,2010"]) == [-4, 0]


async def test_a_rule_is_silent_after_its_last_day_and_a_change_gives_it_another(
    scene: World,
) -> None:
    await scene.keep(days("RUB/KGS", YEAR))
    number = await saved(scene, "/alert RUB > 1.2 until 2021-10-22")
    assert await told_days(scene, ["1,1950", "1,1950", "1,2100"]) == []
    listed = await scene.ask("/alerts")
    assert "1. RUB/KGS > 1.2, until 22\u00a0Oct 2021 ⌛" in listed["text"]
    card = await pressed_shows(scene, listed, f"rule:open:{number}", "Expired")
    assert "rule:resume" not in str(card["reply_markup"])
    await scene.emulator.press(READER, listed["message_id"], f"rule:edit:{number}")
    await scene.emulator.wait_message(
        READER,
        lambda m: m.get("caption", "").startswith("RUB/KGS > 1.2\n"),
        after=listed["message_id"],
        timeout=20,
    )


async def test_a_paused_rule_is_silent_and_what_it_slept_through_is_not_news(scene: World) -> None:
    await scene.keep(days("RUB/KGS", ["1.1950", "1.1948"]))
    number = await saved(scene, "/alert RUB > 1.2")
    listed = await scene.ask("/alerts")
    await pressed_shows(scene, listed, f"rule:pause:{number}", "Paused")
    assert await told_days(scene, ["1,2100"]) == []
    await pressed_shows(scene, listed, f"rule:resume:{number}", "Watching")
    assert await told_days(scene, ["1,2110"]) == []
    assert await told_days(scene, ["1,1900", "1,2110"]) == [1]


async def test_a_rule_is_previewed_on_history_before_it_is_saved(scene: World) -> None:
    """How often and when; nothing is in force until Save."""
    await scene.keep(days("RUB/KGS", YEAR))
    shown = await scene.ask("/alert RUB < 1.195")
    assert "alerts, latest: 16\u00a0Oct, 6\u00a0Oct, 26\u00a0Sep" in shown["caption"]
    assert "30\u00a0alerts" in shown["caption"]
    assert shown["photo"]
    assert "no alerts" in (await scene.ask("/alerts"))["text"]
    await scene.emulator.press(READER, shown["message_id"], data(shown, "rule:save"))
    listed = await scene.ask("/alerts")
    assert "1. RUB/KGS < 1.195" in listed["text"]


async def test_a_rule_speaks_once_to_its_chat_through_the_outbox(scene: World) -> None:
    """The poll that stores the rate makes the alert; the same rate again makes none."""
    await scene.keep(days("RUB/KGS", ["1.1950", "1.1949", "1.1948"]))
    await saved(scene, "/alert RUB > 1.2")
    assert await publish(scene, "84,7935", "1,2105") == 1
    told = await scene.emulator.wait_message(
        READER, lambda m: "1.1948 → 1.2105" in m.get("text", ""), timeout=20
    )
    assert "RUB/KGS" in told["text"]
    assert await publish(scene, "84,7935", "1,2105") == 0
    # that day revised: what was said is corrected
    assert await publish(scene, "84,7935", "1,2107") == 1
    assert "Your alert: RUB/KGS > 1.2" in told["text"]
    why = await scene.emulator.press(READER, told["message_id"], data(told, "why:"))
    assert not why.get("show_alert")
    said = await scene.emulator.wait_message(
        READER, lambda m: "Why I wrote" in m.get("text", ""), timeout=20
    )
    assert "Your alert: RUB/KGS > 1.2" in said["text"]
    assert said["reply_to_message"]["message_id"] == told["message_id"]
    menu = await scene.ask("/start", chat=STRANGER)
    forged = await scene.emulator.press(STRANGER, menu["message_id"], data(told, "why:"))
    assert forged["show_alert"]


async def test_mute_and_snooze_under_it_turn_into_what_undoes_them(scene: World) -> None:
    """The other buttons stay; a chat it was not meant for is refused, and so is everybody once the
    rule is gone.
    """
    await scene.keep(days("RUB/KGS", ["1.1950", "1.1948"]))
    number = await saved(scene, "/alert RUB 0.001")
    await publish(scene, "84,7935", "1,2105")
    told = await scene.emulator.wait_message(
        READER, lambda m: "→ 1.2105" in m.get("text", ""), timeout=20
    )
    first, alert = labels(told), data(told, "mute:").partition(":")[2]
    until = f"Off until {scene.now + timedelta(hours=8 + 6):%H:%M}"
    for verb, shown, paused in (
        ("mute", "Resume", True),
        ("unmute", "Pause alert", False),
        ("snooze", until, False),
        ("unsnooze", "Snooze", False),
    ):
        now = await pressed_under(scene, told, f"{verb}:{alert}", shown)
        assert [len(row) for row in labels(now)] == [len(row) for row in first]
        async with scene.bot.store.reading() as db:
            (rule,) = await storage.rules.of_chat(db, READER)
            assert rule.paused == paused
            assert bool(await storage.rules.watching(db, rule.series, now=scene.now)) == (
                verb[:2] == "un"
            )
    assert labels(now) == first
    menu = await scene.ask("/start", chat=STRANGER)
    for verb in ("mute", "unmute", "snooze", "unsnooze"):
        assert (await scene.emulator.press(STRANGER, menu["message_id"], f"{verb}:{alert}"))[
            "show_alert"
        ]
    async with scene.bot.store.writing() as db:
        await storage.rules.remove(db, number)
    assert (await scene.emulator.press(READER, told["message_id"], f"unmute:{alert}"))["show_alert"]


async def test_mute_and_snooze_under_a_subscribed_move_turn_into_what_undoes_them(
    scene: World,
) -> None:
    """Muted, the currency is followed no more and cannot be snoozed; once more pressed, it is
    followed again.
    """
    await scene.ask("/start", chat=RUSSIAN)
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, RUSSIAN, ["pair:RUB/KGS"], now=NOW)
    await scene.keep(days("RUB/KGS", YEAR))
    await publish(scene, "84,7935", "1,1950")  # a source's first rates wake nobody
    scene.now += timedelta(days=1)
    await publish(scene, "84,7935", "1,3100")
    told = await scene.emulator.wait_message(
        RUSSIAN, lambda m: "→ 1,3100" in m.get("text", ""), timeout=20
    )
    first, alert = labels(told), data(told, "mute:").partition(":")[2]
    await pressed_under(scene, told, f"mute:{alert}", "Включить: RUB", chat=RUSSIAN)
    async with scene.bot.store.reading() as db:
        assert await storage.chats.subscriptions(db, RUSSIAN) == ()
    answer = await scene.emulator.press(RUSSIAN, told["message_id"], f"snooze:{alert}")
    assert "Отключено" in answer["text"]
    await pressed_under(scene, told, f"unmute:{alert}", "Отключить: RUB", chat=RUSSIAN)
    async with scene.bot.store.reading() as db:
        assert await storage.chats.subscriptions(db, RUSSIAN) == ("pair:RUB/KGS",)
    until = f"Тихо до {scene.now + timedelta(hours=8 + 6):%H:%M}"
    await pressed_under(scene, told, f"snooze:{alert}", until, chat=RUSSIAN)
    now = await pressed_under(scene, told, f"unsnooze:{alert}", "Тишина 8 ч", chat=RUSSIAN)
    assert labels(now) == first
    assert (await scene.emulator.press(RUSSIAN, told["message_id"], "unmute:999"))["show_alert"]


def labels(message: dict[str, Any]) -> list[list[str]]:
    """The words on the buttons under a message, row by row."""
    return [[one["text"] for one in row] for row in message["reply_markup"]["inline_keyboard"]]


async def pressed_under(
    world: World, message: dict[str, Any], press: str, fits: str, chat: int = READER
) -> Any:
    """Press a button under a message; the message when one of its buttons says `fits`."""
    await world.emulator.press(chat, message["message_id"], press)

    def changed(now: dict[str, Any]) -> bool:
        return now["message_id"] == message["message_id"] and any(
            fits in row for row in labels(now)
        )

    return await world.emulator.wait_message(chat, changed, timeout=20)


@pytest.mark.parametrize("verb", ["mute:", "snooze:"])
async def test_the_buttons_under_it_silence_the_rule(scene: World, verb: str) -> None:
    """Mute pauses it, as /alerts shows; snooze lets it rest."""
    await scene.keep(days("RUB/KGS", ["1.1950", "1.1948"]))
    await saved(scene, "/alert RUB 0.001")
    await publish(scene, "84,7935", "1,2105")
    told = await scene.emulator.wait_message(
        READER, lambda m: "→ 1.2105" in m.get("text", ""), timeout=20
    )
    answer = await scene.emulator.press(READER, told["message_id"], data(told, verb))
    assert "RUB/KGS" in answer["text"] if verb == "mute:" else answer["text"]
    async with scene.bot.store.reading() as db:
        (rule,) = await storage.rules.of_chat(db, READER)
        assert rule.paused == (verb == "mute:")
        assert await storage.rules.watching(db, rule.series, now=NOW) == []


async def test_pause_resume_and_delete_are_taps(scene: World) -> None:
    number = await saved(scene, "/alert USD 1%")
    listed = await scene.ask("/alerts")
    answer = await scene.emulator.press(READER, listed["message_id"], f"rule:pause:{number}")
    assert answer["text"] == "Paused: USD/KGS ±1\u00a0%"
    answer = await scene.emulator.press(READER, listed["message_id"], f"rule:resume:{number}")
    assert answer["text"] == "Resumed: USD/KGS ±1\u00a0%"
    answer = await scene.emulator.press(READER, listed["message_id"], f"rule:delete:{number}")
    assert answer["text"] == "Deleted: USD/KGS ±1\u00a0%"
    assert "no alerts" in (await scene.ask("/alerts"))["text"]


async def test_a_forged_or_stale_button_changes_nothing(scene: World) -> None:
    """Another chat's number, a number that was never given, a second Save, a Save after five other
    proposals: there the buttons go, too.
    """
    number = await saved(scene, "/alert USD 1%")
    menu = await scene.ask("/start", chat=STRANGER)
    forged = [
        f"rule:delete:{number}",
        f"rule:save:{number}",
        "rule:pause:999",
        "rule:save:x",
        "rule:explode:1",
    ]
    for press in forged:
        assert (await scene.emulator.press(STRANGER, menu["message_id"], press))["show_alert"], (
            press
        )
    first = await scene.ask("/alert EUR 1%", fits="EUR")
    async with scene.bot.store.writing() as db:
        (one,) = await storage.rules.of_chat(db, READER)
        for _ in range(storage.rules.MOST_PENDING):
            await storage.rules.propose(db, READER, one.series, one.rule, now=NOW)
    answer = await scene.emulator.press(READER, first["message_id"], data(first, "rule:save"))
    assert answer["show_alert"]
    shown = scene.emulator.messages(READER)
    dead = next(one for one in shown if one["message_id"] == first["message_id"])
    assert "rule:" not in str(dead.get("reply_markup"))
    async with scene.bot.store.reading() as db:
        assert [one.id for one in await storage.rules.of_chat(db, READER)] == [number]


@pytest.mark.parametrize("code", ["en", "ru", "ky"])
@pytest.mark.cases(keep=1)
async def test_a_rule_of_a_newer_version_is_listed_and_can_be_deleted(
    scene: World, code: str
) -> None:
    """It counts among the chat's; nobody else may, and nothing else can be done to it."""
    await scene.keep(days("USD/KGS", ["85.10", "85.20"]))
    await scene.ask("/start", chat=STRANGER)
    newer, other = await saved(scene, "/alert USD 1%"), await saved(scene, "/alert USD 2%")
    async with scene.bot.store.writing() as db:
        await storage.chats.change(db, READER, language=code)
        kept = update(rule_table).where(rule_table.c.id == newer)
        await db.execute(kept.values(rule={"v": 2, "watches": "the moon"}))
    scene.bot.services.chats.clear()
    first, second = f"1. USD/KGS ·\u00a0{t('rule.newer', code)}", "2. USD/KGS"
    listed = await scene.ask("/alerts", fits=first)
    assert second in listed["text"]
    await scene.emulator.press(STRANGER, listed["message_id"], f"rule:delete:{newer}")
    for verb in ("pause", "resume", "edit"):
        press = f"rule:{verb}:{newer}"
        assert (await scene.emulator.press(READER, listed["message_id"], press))["show_alert"]
    shown = await pressed_shows(
        scene, listed, data(listed, f"rule:open:{newer}"), t("rule.newer_what", code)
    )
    assert labels(shown)[0] == [t("button.delete", code)]
    left = await pressed_shows(scene, shown, data(shown, "rule:delete"), "1. USD/KGS ±2")
    assert t("rule.newer", code) not in left["text"]
    async with scene.bot.store.reading() as db:
        assert await storage.rules.count(db, READER) == 1
        assert [one.id for one in await storage.rules.of_chat(db, READER)] == [other]


async def test_a_chat_keeps_at_most_twenty_rules(scene: World) -> None:
    """A new one is refused when it is proposed and when it is saved; a change of one that is there
    is not.
    """
    await scene.ask("/help", chat=STRANGER)
    number = await saved(scene, "/alert USD 1%")
    async with scene.bot.store.writing() as db:
        (one,) = await storage.rules.of_chat(db, READER)
        for chat in [READER] * 18 + [STRANGER]:
            proposed = await storage.rules.propose(db, chat, one.series, one.rule, now=NOW)
            waiting = await storage.rules.get(db, chat, proposed, pending=True)
            assert waiting is not None
            await storage.rules.save(db, waiting, one.state)
    last = await scene.ask("/alert EUR 1%", fits="EUR")
    async with scene.bot.store.writing() as db:
        await storage.rules.migrate(db, STRANGER, READER)  # the twentieth, meanwhile
    answer = await scene.emulator.press(READER, last["message_id"], data(last, "rule:save"))
    assert "20 alerts are the most" in answer["text"]
    assert "20 alerts are the most" in (await scene.ask("/alert EUR 1%"))["text"]
    listed = await scene.ask("/alerts")
    await scene.emulator.press(READER, listed["message_id"], f"rule:edit:{number}")
    shown = await scene.emulator.wait_message(
        READER, lambda m: "rule:save" in str(m), after=listed["message_id"]
    )
    await pressed_shows(scene, shown, data(shown, "rule:save"), "Saved")


async def test_S10_in_a_group_only_administrators_make_rules(scene: World) -> None:
    """By a command, by a link and by every button, whoever's message it is under."""
    world = scene
    for said in ("/alert USD 1%", "/alert", "/start rule_USD_KGS_official_lt_80"):
        asked = await world.emulator.send_text(GROUP, said, user_id=STRANGER)
        refused = await world.emulator.wait_message(
            GROUP, lambda m: m["from"]["is_bot"], after=asked
        )
        assert "администратор" in refused["text"], said
    asked = await world.emulator.send_text(GROUP, "/alert USD 1%", user_id=READER)
    shown = await world.emulator.wait_message(GROUP, lambda m: "reply_markup" in m, after=asked)
    for press in ("new:USD", data(shown, "rule:save"), data(shown, "rule:more")):
        answer = await world.emulator.press(GROUP, shown["message_id"], press, user_id=STRANGER)
        assert "администратор" in answer["text"], press
    async with world.bot.store.reading() as db:
        assert await storage.rules.of_chat(db, GROUP) == []
    answer = await world.emulator.press(
        GROUP, shown["message_id"], data(shown, "rule:save"), user_id=READER
    )
    assert not answer.get("show_alert")


async def test_S12_a_link_wakes_no_stopped_chat_and_its_rule_says_so(scene: World) -> None:
    """A stopped chat stays so until /start alone; in a group only an administrator may wake it."""
    await scene.ask("/stop")
    shown = await scene.ask("/start rule_USD_KGS_official_lt_80", fits="/KGS")
    await pressed_shows(scene, shown, data(shown, "rule:save"), "/start turns me on")
    async with scene.bot.store.reading() as db:
        assert not _chat(await storage.chats.get(db, READER)).active
    await scene.ask("/start", fits="Aigul")
    asked = await scene.emulator.send_text(GROUP, "/stop", user_id=READER)
    stopped = await scene.emulator.wait_message(GROUP, lambda m: m["from"]["is_bot"], after=asked)
    asked = await scene.emulator.send_text(GROUP, "/start", user_id=STRANGER)
    await scene.emulator.wait_message(
        GROUP, lambda m: m["from"]["is_bot"], after=max(asked, stopped["message_id"])
    )
    async with scene.bot.store.reading() as db:
        assert _chat(await storage.chats.get(db, READER)).active
        assert not _chat(await storage.chats.get(db, GROUP)).active


def _chat(found: Chat | None) -> Chat:
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("chat", "answers"),
    [
        (
            RUSSIAN,
            [
                "При каком курсе",
                "больше нуля",
                "Не знаю валюту «JPY»",
                "официальный курс",
                "уже прошло",
                "никуда не ведёт",
            ],
        ),
        (
            STRANGER,
            [
                "Курс канча болгондо",
                "нөлдөн чоң",
                "«JPY» деген валютаны билбейм",
                "расмий курс",
                "өтүп кетти",
                "иштебейт",
            ],
        ),
    ],
)
async def test_a_mistake_is_answered_in_the_readers_language(
    scene: World, chat: int, answers: list[str]
) -> None:
    questions = [
        "/alert RUB <",
        "/alert RUB < 0",
        "/alert JPY < 1",
        "/alert sell USD < 87",
        "/alert USD < 80 until 2020-01-01",
        "/start rule_no",
    ]
    for question, answer in zip(questions, answers, strict=True):
        assert answer in (await scene.ask(question, chat=chat))["text"], question


async def test_what_cannot_be_a_rule_is_explained(scene: World) -> None:
    for question, answer in (
        ("/alert", "Which currency"),
        ("/alert sell USD < 87", "I have no selling rate of USD/KGS. I have: official rate."),
        ("/alert USD < 85 until 2020-01-01", "has passed"),
        ("/start rule_USD_KGS", "leads nowhere"),
        ("/start rule_USD_KGS_official_lt_0", "leads nowhere"),
        ("/start what-is-this", "leads nowhere"),
        ("/start USD", "84.7935"),
        ("/alert RUB", "At what rate"),
        ("/alert RUB < < <", "At what rate"),
        ("/alert JPY < 1", "I don't know “JPY”. I have: EUR, RUB, USD. For example: /rates USD"),
        ("/alert KGS 1%", "never changes"),
        ("/alert доллар > 90", "USD/KGS > 90"),
    ):
        assert answer in (await scene.ask(question))["text"], question


async def pressed_shows(
    world: World, message: dict[str, Any], press: str, fits: str, chat: int = READER
) -> Any:
    """Press a button that changes its message; the message as it is then."""
    answer = await world.emulator.press(chat, message["message_id"], press)
    assert not answer.get("show_alert"), answer

    def changed(now: dict[str, Any]) -> bool:
        return now["message_id"] == message["message_id"] and fits in now.get(
            "text", now.get("caption", "")
        )

    return await world.emulator.wait_message(chat, changed, timeout=20)


async def test_three_taps_make_a_rule(scene: World) -> None:
    """Currency, condition, Save: all in one message, which becomes the preview's picture."""
    await scene.keep(days("RUB/KGS", YEAR))
    asked = await scene.ask("/alert")
    conditions = await pressed_shows(scene, asked, "new:RUB", "When should I write")
    preview = await pressed_shows(
        scene, conditions, data(conditions, "new:RUB_KGS_official_lt"), "RUB/KGS < "
    )
    assert preview["photo"]
    await pressed_shows(scene, preview, data(preview, "rule:save"), "RUB/KGS < 1.15\nSaved")
    async with scene.bot.store.reading() as db:
        assert len(await storage.rules.of_chat(db, READER)) == 1


async def test_a_saved_rule_is_changed_by_taps_and_keeps_its_number(scene: World) -> None:
    await scene.keep(days("RUB/KGS", YEAR))
    number = await saved(scene, "/alert RUB < 1.15")
    listed = await scene.ask("/alerts")
    await scene.emulator.press(READER, listed["message_id"], f"rule:edit:{number}")
    preview = await scene.emulator.wait_message(
        READER,
        lambda m: "RUB/KGS < " in m.get("caption", ""),
        after=listed["message_id"],
        timeout=20,
    )
    preview = await pressed_shows(scene, preview, data(preview, "rule:more"), "RUB/KGS < 1.16")
    preview = await pressed_shows(
        scene, preview, data(preview, "rule:once"), "RUB/KGS < 1.16, once"
    )
    await pressed_shows(scene, preview, data(preview, "rule:save"), "RUB/KGS < 1.16, once\nSaved")
    async with scene.bot.store.reading() as db:
        (rule,) = await storage.rules.of_chat(db, READER)
    assert (rule.id, rule.rule.amount, rule.rule.once) == (number, Decimal("1.16"), True)


async def test_S12_a_link_opens_a_preview_in_another_chat_and_saves_nothing(scene: World) -> None:
    number = await saved(scene, "/alert USD < 80 once")
    listed = await scene.ask("/alerts")
    card = await pressed_shows(scene, listed, f"rule:open:{number}", "Link for others")
    link = next(entity["url"] for entity in card["entities"] if entity["type"] == "text_link")
    payload = link.partition("https://t.me/jarchy_bot?start=")[2]
    shown = await scene.ask(f"/start {payload}", chat=STRANGER, fits="USD/KGS < 80")
    async with scene.bot.store.reading() as db:
        assert await storage.rules.of_chat(db, STRANGER) == []
    await pressed_shows(scene, shown, data(shown, "rule:save"), "Сакталды", chat=STRANGER)
    async with scene.bot.store.reading() as db:
        assert len(await storage.rules.of_chat(db, STRANGER)) == 1
