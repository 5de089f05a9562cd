"""What operators alone have: menus of their own, and words on trouble, by name and not too many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

import storage.chats
from bot.alerts import notices
from bot.i18n import t
from bot.languages import LANGUAGES as SPOKEN
from bot.model.chats import ChatKind
from bot.presence import introduce
from bot.reasons import reasons_from_json, said
from handlers import OFFERED, OPERATORS
from storage.db import Db, Store
from storage.schema import alert, broadcast
from tests.factories import NOW as THEN
from tests.factories import chat
from tests.handlers.conftest import NOW, READER, RUSSIAN, STRANGER, World

MINUTE = timedelta(minutes=1)


def menu(world: World, number: int, language: str) -> set[str]:
    """The commands that a private chat is offered."""
    profile = world.emulator.profile
    shown = profile.menu(
        chat_id=number, private=True, user_id=number, is_admin=False, language=language
    )
    return {one["command"] for one in shown}


@pytest.mark.parametrize("language", SPOKEN)
async def test_an_operators_chat_has_a_menu_of_its_own(world: World, language: str) -> None:
    """Who was met before the start has it then, a new one with /start; others never."""
    await introduce(world.bot.api, "en", (READER,))
    assert menu(world, READER, language) == {*OFFERED, *OPERATORS}
    assert menu(world, RUSSIAN, language) == set(OFFERED)
    world.bot.services.admins = frozenset({READER, RUSSIAN})
    await world.ask("/start", chat=STRANGER)
    await world.ask("/start", chat=RUSSIAN)
    await world.ask("/help", chat=RUSSIAN)  # answered after the menus were set
    assert menu(world, RUSSIAN, language) == {*OFFERED, *OPERATORS}
    assert menu(world, STRANGER, language) == set(OFFERED)


async def test_help_names_an_operators_commands_to_operators(world: World) -> None:
    assert "/admin" not in (await world.ask("/help"))["text"]
    world.bot.services.admins = frozenset({READER})
    assert "/admin" in (await world.ask("/help"))["text"]


async def told(store: Store) -> list[tuple[str, dict[str, str]]]:
    """What operators were told, in order."""
    query = select(alert.c.payload, alert.c.reasons).where(alert.c.kind == "notice")
    found = []
    async with store.reading() as db:
        for row in await db.execute(query.order_by(alert.c.id)):
            values = dict(row.payload["values"])
            for why in reasons_from_json(row.reasons):
                values["why"] = str(why)
            found.append((row.payload["msgid"], values))
    return found


async def tell(
    db: Db, operators: Sequence[int], msgid: str, values: dict[str, str], *, now: datetime
) -> None:
    """Tell them; what stands as `why` is somebody else's words for it."""
    why = tuple(said(words) for name, words in values.items() if name == "why")
    named = {name: value for name, value in values.items() if name != "why"}
    await notices.tell(db, operators, msgid, named, now=now, reasons=why)


async def test_one_trouble_is_told_once_an_hour_in_whatever_words(store: Store) -> None:
    """Another chat or source is another trouble, and so is another fault of ours; a question that
    waits for a word is always asked.
    """
    source = {"source": "nbkr", "why": "HTTP 503"}
    words = [
        ("notice.source", source, 0),
        ("notice.source", {**source, "why": "HTTP 502"}, 59),  # the same trouble
        ("notice.source", {**source, "source": "cbr"}, 59),
        ("notice.rejected", {"alert": "7", "why": "too long"}, 59),
        ("notice.rejected", {"alert": "8", "why": "too long"}, 60),  # the same fault
        ("notice.rejected", {"alert": "8", "why": "empty"}, 60),
        ("notice.source", {**source, "why": "HTTP 500"}, 60),  # an hour later
        ("notice.well", {"source": "nbkr"}, 61),
        ("notice.source", {**source, "why": "HTTP 400"}, 62),  # it was well meanwhile
        ("notice.held", {"source": "nbkr", "rate": "USD/KGS 1", "held": "1"}, 62),
        ("notice.held", {"source": "nbkr", "rate": "USD/KGS 2", "held": "2"}, 62),
    ]
    for msgid, values, minute in words:
        async with store.writing() as db:
            await tell(db, [5], msgid, values, now=THEN + minute * MINUTE)
    kept = [one for place, one in enumerate(words) if place not in {1, 4}]
    assert await told(store) == [(msgid, values) for msgid, values, _ in kept]


async def test_a_clock_set_back_silences_nobody(store: Store) -> None:
    """What was told in a future that is gone counts for nothing."""
    async with store.writing() as db:
        await tell(db, [5], "notice.backup", {"why": "a"}, now=THEN + 30 * MINUTE)
        await tell(db, [5], "notice.backup", {"why": "b"}, now=THEN)
    assert len(await told(store)) == 2


async def test_a_notice_calls_sources_and_chats_by_their_names(world: World) -> None:
    """In the operator's language; what has no name keeps its key or number."""
    async with world.store.writing() as db:
        await storage.chats.add(db, chat(RUSSIAN, language="ru"), now=NOW)
        await storage.chats.add(db, chat(-100, kind=ChatKind.GROUP, title="Market"), now=NOW)
        for msgid, values in (
            ("notice.source", {"source": "nbkr", "why": "HTTP 503"}),
            ("notice.source", {"source": "gone", "why": "HTTP 503"}),
            ("notice.gone", {"chat": "-100", "why": "kicked"}),
            ("notice.gone", {"chat": "-200", "why": "kicked"}),
        ):
            await tell(db, [RUSSIAN], msgid, values, now=NOW)
    world.bot.worker.wake()
    for source in ("Национальный банк", "gone"):
        words = t("notice.source", "ru").format(source=source, why="«HTTP 503»")
        await world.tells(RUSSIAN, words)
    await world.tells(RUSSIAN, "Market")
    await world.tells(RUSSIAN, "-200")


@pytest.mark.parametrize("command", sorted(OPERATORS))
async def test_S9_an_operators_command_is_not_what_an_old_message_was_edited_to(
    world: World, command: str
) -> None:
    """It is not understood, and begins nothing."""
    world.bot.services.admins = frozenset({READER})
    asked = await world.emulator.send_text(READER, "100 usd")
    first = await world.emulator.wait_message(
        READER, lambda m: "8,479.35" in m.get("text", ""), after=asked, timeout=20
    )
    await world.emulator.edit_text(READER, asked, f"/{command}")
    second = await world.emulator.wait_message(
        READER, lambda m: "8,479.35" not in m.get("text", ""), after=asked, timeout=20
    )
    assert second["message_id"] == first["message_id"]
    assert "/help" in second["text"]
    assert await world.stored(broadcast) == []
