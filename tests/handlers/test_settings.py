"""The settings: one message, changed in place, each button with its effect."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

import storage.chats
import storage.places
import storage.privacy
from bot.i18n import t
from bot.model.chats import Style, Wakes
from bot.presence import introduce
from bot.telegram.outcomes import Sent
from handlers import places
from storage.schema import inbox
from tests.handlers.conftest import GROUP, READER, RUSSIAN, STRANGER, World


async def test_settings_change_in_place_and_stay(scene: World) -> None:
    """Language, style, zone; the digest keeps its hour in the new zone; every answer shows the
    settings.
    """
    await scene.ask("/digest 09:00", fits="09:00")
    shown = await scene.ask("/settings", fits="Settings")
    number = shown["message_id"]

    def text() -> str:
        return str(
            next(m["text"] for m in scene.emulator.messages(READER) if m["message_id"] == number)
        )

    await scene.emulator.press(READER, number, "style:headline")
    assert "headlines" in text()
    assert "urgent only" not in text()
    await scene.emulator.press(READER, number, "wakes:all")
    assert "Security alerts: all" in text()
    await scene.emulator.press(READER, number, "wakes:urgent")
    assert "urgent only" in text()
    await scene.emulator.press(READER, number, "set:zone")
    assert "Bishkek" in text()
    await scene.emulator.press(READER, number, "zone:Europe/Moscow")
    assert "Time: Moscow" in text()
    await scene.emulator.press(READER, number, "set:language")
    await scene.emulator.press(READER, number, "lang:ru")
    assert text().startswith("Настройки")
    await scene.emulator.press(READER, number, "set:topics")
    assert "Нажмите" in text()
    async with scene.bot.store.reading() as db:
        chat = await storage.chats.get(db, READER)
        assert await storage.chats.subscriptions(db, READER) == ("digest:09:00@Europe/Moscow",)
    assert chat is not None
    assert (chat.language, chat.style, chat.time_zone) == ("ru", Style.HEADLINE, "Europe/Moscow")
    assert chat.wakes is Wakes.URGENT


async def test_a_zone_can_be_written_and_a_wrong_one_is_answered(scene: World) -> None:
    """With its time there, or with an example; nothing that is no zone is kept."""
    assert "06:00" in (await scene.ask("/settings Europe/Paris"))["text"]
    for wrong in ("Mars/Base", "../../etc/passwd", "x" * 300):
        assert "Europe/Paris" in (await scene.ask(f"/settings {wrong}"))["text"]
    menu = await scene.ask("/settings")
    for stale in ("zone:Nowhere", "style:loud", "wakes:info", "set:fire", "lang:xx"):
        answer = await scene.emulator.press(READER, menu["message_id"], stale)
        assert answer["show_alert"]


@pytest.mark.parametrize(
    ("chat", "asks", "said"),
    [
        (READER, "📍 Send location", "Time zone: Berlin. It is 06:00 where you are."),
        (RUSSIAN, "📍 Отправить геопозицию", "Часовой пояс: Берлин. У вас сейчас 06:00."),
        (STRANGER, "📍 Турган жерди жөнөтүү", "Убакыт алкагы: Берлин. Сизде азыр 06:00."),
    ],
)
async def test_a_shared_location_sets_the_zone_and_is_kept_nowhere(
    scene: World, chat: int, asks: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in the inbox, /mydata, a file of the database or the log; the keyboard that asked is
    gone, digests moved.
    """
    await scene.ask("/digest 09:00", chat=chat, fits="09:00")
    menu = await scene.ask("/settings", chat=chat)
    await scene.emulator.press(chat, menu["message_id"], "set:zone")
    await scene.emulator.press(chat, menu["message_id"], "set:place")
    asked = await scene.emulator.wait_message(
        chat, lambda m: m["from"]["is_bot"], after=menu["message_id"], timeout=20
    )
    keyboard = scene.emulator.world.chat(chat).keyboard
    assert keyboard is not None
    assert keyboard["keyboard"] == [[{"text": asks, "request_location": True}]]
    placed = await scene.emulator.share_location(chat, 52.517932, 13.404954)
    told = await scene.emulator.wait_message(
        chat, lambda m: m["from"]["is_bot"], after=placed, timeout=20
    )
    assert told["text"] == said
    assert asked["message_id"] < placed
    assert not (scene.emulator.world.chat(chat).keyboard or {}).get("keyboard")
    await scene.ask("/privacy", chat=chat)  # asked for after the location was stored
    await scene.bot.inbox._write()
    async with scene.bot.store.writing() as db:  # after whoever is writing
        assert "digest:09:00@Europe/Berlin" in await storage.chats.subscriptions(db, chat)
        kept = str(await storage.privacy.export(db, chat))
        bodies = [body or "" for body in (await db.execute(select(inbox.c.body))).scalars()]
    assert any("/settings" in body for body in bodies)
    logged = capfd.readouterr()
    for where in (kept, *bodies, logged.out, logged.err):
        assert not any(figure in where for figure in ("52.51", "13.40", "517932", "404954"))


async def test_places_near_the_chat_are_chosen_by_taps(
    scene: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the settings into a region and back; what is chosen is shown, so many and no more, given
    away by /mydata, and forgotten with the chat.
    """
    shown = await scene.ask("/settings", fits="Settings")
    number = shown["message_id"]

    def now() -> dict[str, Any]:
        return next(m for m in scene.emulator.messages(READER) if m["message_id"] == number)

    def labels() -> list[str]:
        rows = now()["reply_markup"]["inline_keyboard"]
        return [button["text"] for row in rows for button in row]

    async def press(data: str) -> dict[str, Any]:
        return await scene.emulator.press(READER, number, data)

    await press("set:places")
    assert "Batken ›" in labels()
    await press("places:batken")
    assert labels()[:3] == ["Batken", "Isfana", "Ak-Sai"]
    await press("place:isfana:batken")
    assert "✓ Isfana" in labels()
    await press("places:top")
    assert "✓ Batken ›" in labels()
    await press("place:kg:top")
    assert "Near you: All Kyrgyzstan, Isfana" in now()["text"]
    for stale in ("places:mars", "place:mars:top"):
        assert (await press(stale))["show_alert"]
    async with scene.bot.store.reading() as db:
        assert await storage.places.of_chat(db, READER) == ["isfana", "kg"]
        exported = (await storage.privacy.export(db, READER)).tables
    assert [row["place"] for row in exported["chat_place"]] == ["isfana", "kg"]
    await press("place:isfana:batken")
    await press("set:back")
    assert "Near you: All Kyrgyzstan" in now()["text"]
    monkeypatch.setattr(places, "MOST_PLACES", 2)
    await press("place:osh:top")
    assert "2 places" in (await press("place:uzgen:osh"))["text"]
    async with scene.bot.store.writing() as db:
        assert await storage.places.of_chat(db, READER) == ["kg", "osh"]
        await storage.privacy.erase(db, READER)
        assert await storage.places.of_chat(db, READER) == []


async def test_a_shared_location_offers_the_place_that_is_near(scene: World) -> None:
    """Nothing is kept of it but what is tapped."""
    placed = await scene.emulator.share_location(READER, 40.5139, 72.8161)
    offered = await scene.emulator.wait_message(
        READER, lambda m: "nearest place" in m.get("text", ""), after=placed, timeout=20
    )
    assert "Osh" in offered["text"]
    async with scene.bot.store.reading() as db:
        assert await storage.places.of_chat(db, READER) == []
    await scene.emulator.press(READER, offered["message_id"], "place:osh:osh")
    async with scene.bot.store.reading() as db:
        assert await storage.places.of_chat(db, READER) == ["osh"]


async def test_a_place_without_a_zone_is_answered_with_what_works(scene: World) -> None:
    """At sea there are zones too; beyond the poles there is nothing."""
    placed = await scene.emulator.share_location(READER, 0.0, -30.0)
    assert "UTC−2" in (await _answer_to(scene, placed))["text"]
    placed = await scene.emulator.share_location(READER, 95.0, 400.0)
    assert "/settings Europe/Paris" in (await _answer_to(scene, placed))["text"]


async def _answer_to(world: World, number: int) -> dict[str, Any]:
    return await world.emulator.wait_message(
        READER, lambda m: m["from"]["is_bot"], after=number, timeout=20
    )


async def test_a_group_is_not_asked_where_it_is(scene: World) -> None:
    menu = await scene.ask("/settings", chat=GROUP)
    await scene.emulator.press(GROUP, menu["message_id"], "set:zone", user_id=READER)
    shown = next(m for m in scene.emulator.messages(GROUP) if m["message_id"] == menu["message_id"])
    assert "zone:Asia/Bishkek" in str(shown["reply_markup"])
    assert "set:place" not in str(shown["reply_markup"])
    assert (await scene.emulator.press(GROUP, menu["message_id"], "set:place", user_id=READER))[
        "show_alert"
    ]


async def test_menus_are_per_language_and_scope(scene: World) -> None:
    """A group's members are not offered what only its administrators may change; everybody reads
    their language.
    """
    api = scene.bot.services.api
    await introduce(api, "en")

    async def menu(scope: str, language: str) -> dict[str, str]:
        found = await api.call("getMyCommands", scope={"type": scope}, language_code=language)
        assert isinstance(found, Sent)
        return {item["command"]: item["description"] for item in found.result}

    assert (await menu("all_private_chats", "ru"))["settings"] == t("command.settings", "ru")
    assert (await menu("all_group_chats", "ky"))["rates"] == t("command.rates", "ky")
    assert "settings" not in await menu("all_group_chats", "en")
    assert "settings" in await menu("all_chat_administrators", "en")


async def test_every_page_of_the_settings_leads_back(scene: World) -> None:
    """Also after a tap that changes something there; a channel is asked for in a message below."""
    shown = await scene.ask("/settings", fits="Settings")
    number = shown["message_id"]

    def data() -> list[str]:
        message = next(m for m in scene.emulator.messages(READER) if m["message_id"] == number)
        rows = message["reply_markup"]["inline_keyboard"]
        return [one["callback_data"] for row in rows for one in row]

    pages = [one for one in data() if one.startswith("set:") and one != "set:channels"]
    assert len(pages) > 5
    for page in pages:
        await scene.emulator.press(READER, number, page)
        assert "set:back" in data(), page
        if page == "set:topics":
            await scene.emulator.press(READER, number, "cur:RUB")
            assert "set:back" in data()
        await scene.emulator.press(READER, number, "set:back")
        assert page in data(), page
