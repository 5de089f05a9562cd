"""The operators' own: menus, and words on trouble, by name."""

from __future__ import annotations

from itertools import count

import pytest

import storage.chats
from bot.alerts.notices import tell
from bot.emulator import TEST_TOKEN, Chat, Emulator, Fault, Member, User
from bot.emulator.errors import Json
from bot.emulator.faults import Kind
from bot.i18n import t
from bot.languages import LANGUAGES as SPOKEN
from bot.model.chats import ChatKind
from bot.presence import introduce
from bot.reasons import said
from bot.render.welcome import description
from bot.telegram.api import Api
from bot.telegram.outcomes import KICKED
from bot.telegram.results import description_of
from bot.telegram.session import open_session
from handlers import IN_PRIVATE, OPERATORS
from storage.schema import broadcast
from tests.factories import a_notice, chat
from tests.handlers.conftest import NOW, READER, RUSSIAN, STRANGER, World, no_time


def menu(world: World, number: int, language: str) -> set[str]:
    """The commands that a private chat is offered."""
    return {one["command"] for one in shown(world.emulator, number, language)}


def shown(telegram: Emulator, number: int, language: str) -> list[Json]:
    """The menu of a private chat, whose owner's client is in a language."""
    owner = User(id=number, first_name="Aigul", language_code=language)
    here = Chat(id=number, type="private", counter=count(1), bot=Member(status="member"))
    return telegram.profile.menu(here, owner)


REFUSALS = {400: "Bad Request: x", 403: "Forbidden: x", 404: "Not Found", 409: "Conflict: x"}


@pytest.mark.parametrize("method", ["setMyCommands", "getMyDescription", "setMyDescription"])
async def test_G16_one_refusal_at_the_start_takes_no_menu_and_no_description(method: str) -> None:
    """A mistake of a second would hold until the next start; each call may meet one."""
    async with Emulator(TEST_TOKEN) as telegram, open_session() as session:
        telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
        api = Api(session, url=telegram.api_url, token=TEST_TOKEN)
        for code, words in REFUSALS.items():
            telegram.faults.add(
                Fault(Kind.ERROR, code=code, description=words, method=method, times=1)
            )
        await introduce(api, "en", (READER,), no_time)
        for number, names in ((READER, {*IN_PRIVATE, *OPERATORS}), (STRANGER, set(IN_PRIVATE))):
            for language in (*SPOKEN, "de"):
                offered = shown(telegram, number, language)
                assert {one["command"] for one in offered} == names
        for code in ("", *SPOKEN):
            found = description_of(await api.call("getMyDescription", language_code=code or None))
            assert found == description(code or "en")


async def test_G16_what_is_always_refused_at_the_start_is_not_asked_for_ever() -> None:
    """The rest is said all the same, and of a chat that is none one menu is tried."""
    async with Emulator(TEST_TOKEN) as telegram, open_session() as session:
        api = Api(session, url=telegram.api_url, token=TEST_TOKEN)
        telegram.faults.add(Fault.bad_request("x", method="getMyDescription"))
        await introduce(api, "en", (READER,), no_time)
        assert len(telegram.calls.of("getMyDescription")) == 5 * (len(SPOKEN) + 1)
        refused = [call for call in telegram.calls.of("setMyCommands") if not call.accepted]
        assert len(refused) == 5
        assert not telegram.calls.of("setMyDescription")


@pytest.mark.parametrize("language", SPOKEN)
async def test_an_operators_chat_has_a_menu_of_its_own(world: World, language: str) -> None:
    """Who was met before the start has it then, a new one with /start; others never."""
    await introduce(world.bot.api, "en", (READER,))
    assert menu(world, READER, language) == {*IN_PRIVATE, *OPERATORS}
    assert menu(world, RUSSIAN, language) == set(IN_PRIVATE)
    world.bot.services.admins = frozenset({READER, RUSSIAN})
    await world.ask("/start", chat=STRANGER)
    await world.ask("/start", chat=RUSSIAN)
    await world.ask("/help", chat=RUSSIAN)  # answered after the menus were set
    assert menu(world, RUSSIAN, language) == {*IN_PRIVATE, *OPERATORS}
    assert menu(world, STRANGER, language) == set(IN_PRIVATE)


async def test_an_operators_menu_in_no_language_of_ours_is_in_the_one_they_chose(
    scene: World,
) -> None:
    """Where Telegram itself is set to another."""
    scene.bot.services.admins = frozenset({RUSSIAN})
    await scene.ask("/start", chat=RUSSIAN)
    await scene.ask("/help", chat=RUSSIAN)
    offered = shown(scene.emulator, RUSSIAN, "de")
    words = {one["command"]: one["description"] for one in offered}
    assert words["admin"] == t("command.admin", "ru")


async def test_help_names_an_operators_commands_to_operators(scene: World) -> None:
    assert "/admin" not in (await scene.ask("/help"))["text"]
    scene.bot.services.admins = frozenset({READER})
    assert "/admin" in (await scene.ask("/help"))["text"]


async def test_a_notice_calls_sources_and_chats_by_their_names(scene: World) -> None:
    """In the operator's language; what has no name keeps its key or number."""
    async with scene.store.writing() as db:
        await storage.chats.add(db, chat(RUSSIAN, language="ru"), now=NOW)
        await storage.chats.add(db, chat(-100, kind=ChatKind.GROUP, title="Market"), now=NOW)
        away, kicked = said("HTTP 503"), KICKED.why
        for msgid, values, why in (
            ("notice.source", {"source": "nbkr"}, away),
            ("notice.source", {"source": "gone"}, away),
            ("notice.gone", {"chat": "-100"}, kicked),
            ("notice.gone", {"chat": "-200"}, kicked),
        ):
            await tell(db, [RUSSIAN], a_notice(msgid, values), now=NOW, reasons=(why,))
    scene.bot.worker.wake()
    for source in ("Национальный банк", "gone"):
        words = t("notice.source", "ru").format(source=source, why="«HTTP 503»")
        await scene.tells(RUSSIAN, words)
    await scene.tells(RUSSIAN, "Market")
    await scene.tells(RUSSIAN, "-200")


@pytest.mark.parametrize("command", sorted(OPERATORS))
async def test_S9_an_operators_command_is_not_what_an_old_message_was_edited_to(
    scene: World, command: str
) -> None:
    """It is not understood, and begins nothing."""
    scene.bot.services.admins = frozenset({READER})
    asked = await scene.emulator.send_text(READER, "100 usd")
    first = await scene.emulator.wait_message(
        READER, lambda m: "8,479.35" in m.get("text", ""), after=asked, timeout=20
    )
    await scene.emulator.edit_text(READER, asked, f"/{command}")
    second = await scene.emulator.wait_message(
        READER, lambda m: "8,479.35" not in m.get("text", ""), after=asked, timeout=20
    )
    assert second["message_id"] == first["message_id"]
    assert "/help" in second["text"]
    assert await scene.stored(broadcast) == []


@pytest.mark.parametrize("language", ["", "ru"])
async def test_words_of_the_operators_own_stay_in_the_description(language: str) -> None:
    """In their language, or in all where they are for everybody; the others get ours."""
    async with Emulator(TEST_TOKEN) as telegram, open_session() as session:
        api = Api(session, url=telegram.api_url, token=TEST_TOKEN)
        own = "Мой бот о курсах"
        await api.call("setMyDescription", description=own, language_code=language or None)
        await introduce(api, "en", (), no_time)
        for code in ("", *SPOKEN):
            found = description_of(await api.call("getMyDescription", language_code=code or None))
            assert found == (own if language in {"", code} else description(code or "en"))
