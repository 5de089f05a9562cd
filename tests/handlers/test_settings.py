"""The settings: one message, changed in place, each button with its effect."""

from __future__ import annotations

import storage.chats
from bot.i18n import t
from bot.model.chats import LANGUAGES, Style
from bot.model.outcomes import Sent
from handlers import MENUS
from tests.handlers.conftest import READER, World


async def test_settings_change_in_place_and_stay(world: World) -> None:
    """Language, style, zone; the digest keeps its hour in the new zone; every answer shows the settings."""
    await world.ask("/digest 09:00", fits="09:00")
    shown = await world.ask("/settings", fits="Settings")
    number = shown["message_id"]

    def text() -> str:
        return str(next(m["text"] for m in world.emulator.messages(READER) if m["message_id"] == number))

    await world.emulator.press(READER, number, "style:headline")
    assert "headlines" in text()
    await world.emulator.press(READER, number, "set:zone")
    assert "Asia/Bishkek" in text()
    await world.emulator.press(READER, number, "zone:Europe/Moscow")
    assert "Europe/Moscow" in text()
    await world.emulator.press(READER, number, "set:language")
    await world.emulator.press(READER, number, "lang:ru")
    assert text().startswith("Настройки")
    await world.emulator.press(READER, number, "set:topics")
    assert "подписки" in text().lower()
    async with world.bot.store.reading() as db:
        chat = await storage.chats.get(db, READER)
        assert await storage.chats.subscriptions(db, READER) == ("digest:09:00@Europe/Moscow",)
    assert chat is not None
    assert (chat.language, chat.style, chat.time_zone) == ("ru", Style.HEADLINE, "Europe/Moscow")


async def test_a_zone_can_be_written_and_a_wrong_one_is_answered(world: World) -> None:
    """With its time there, or with an example; nothing that is no zone is kept."""
    assert "06:00" in (await world.ask("/settings Europe/Paris"))["text"]
    for wrong in ("Mars/Base", "../../etc/passwd", "x" * 300):
        assert "Europe/Paris" in (await world.ask(f"/settings {wrong}"))["text"]
    menu = await world.ask("/settings")
    for stale in ("zone:Nowhere", "style:loud", "set:fire", "lang:xx"):
        answer = await world.emulator.press(READER, menu["message_id"], stale)
        assert answer["show_alert"]


async def test_menus_are_per_language_and_scope(world: World) -> None:
    """A group's members are not offered what only its administrators may change; everybody reads their language."""
    api = world.bot.services.api
    wanted = len(MENUS) * (len(LANGUAGES) + 1)
    await world.emulator.calls.wait(
        lambda _: sum(call.method == "setMyCommands" and call.accepted for call in world.emulator.calls) == wanted
    )

    async def menu(scope: str, language: str) -> dict[str, str]:
        found = await api.call("getMyCommands", scope={"type": scope}, language_code=language)
        assert isinstance(found, Sent)
        return {item["command"]: item["description"] for item in found.result}

    assert (await menu("all_private_chats", "ru"))["settings"] == t("command.settings", "ru")
    assert (await menu("all_group_chats", "ky"))["rates"] == t("command.rates", "ky")
    assert "settings" not in await menu("all_group_chats", "en")
    assert "settings" in await menu("all_chat_administrators", "en")
