"""Updates that are not for us get no answer; those that are get one, though a field is missing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any

import pytest

import storage.chats
from bot.convert import currency_at, day_at, parse_inquiry, plain_text
from bot.convert.rules import parse_typed_rule
from bot.errors import UserError
from bot.i18n import t
from bot.render.help import unknown as not_understood
from tests.handlers.conftest import GROUP, READER, STRANGER, World
from tests.languages.expected import EXPECTED, WHOLE

PERSON = {"id": STRANGER, "is_bot": False, "first_name": "Bakyt", "language_code": "en"}
US = {"id": 123456789, "is_bot": True, "first_name": "Jarchy", "username": "jarchy_bot"}
OTHER = {"id": 77, "is_bot": True, "first_name": "Other", "username": "other_bot"}
SOMEBODY = {"type": "user", "date": 1, "sender_user": PERSON}
FROM_US = {"type": "user", "date": 1, "sender_user": US}
COMMAND = [{"type": "bot_command", "offset": 0, "length": 5}]


def ours(world: World, chat: int) -> list[str]:
    """The bot's words in a chat."""
    said = [
        m
        for m in world.emulator.messages(chat)
        if m.get("from", {}).get("id") == world.emulator.bot.id
    ]
    return [str(m.get("text", m.get("caption", ""))) for m in said]


async def heard_nothing(world: World, chat: int) -> None:
    """The next question is answered, and it is the only one that was."""
    await world.emulator.send_text(chat, "/privacy", user_id=READER)
    await world.emulator.wait_message(
        chat, lambda m: m.get("from", {}).get("id") == world.emulator.bot.id, timeout=40
    )
    assert len(ours(world, chat)) == 1, ours(world, chat)


def written(chat: int, text: str, **content: Any) -> dict[str, Any]:
    """A message as Telegram sends it."""
    place = {"id": chat, "type": "private" if chat > 0 else "supergroup", "title": "Market"}
    person = PERSON if chat < 0 else {**PERSON, "id": chat}
    return {
        "message": {
            "message_id": 900_000,
            "date": 1,
            "chat": place,
            "from": person,
            "text": text,
            **content,
        }
    }


OTHERS = (
    "@jarchy_bot_news 100 usd",
    "@jarchy_bot2 100 usd",
    "@jarchy_botnet 100 usd",
    "write to info@jarchy_bot.example please",
    "joe@jarchy_bot.kg 100 usd",
    "joe.smith+x@jarchy_bot.kg",
    "https://example.org/@jarchy_bot 100 usd",
    "https://example.org/?to=@jarchy_bot",
    "@@jarchy_bot 100 usd",
    "@jarchy_bot@example.org 100 usd",
    "/rates@other_bot",
    "/rates@jarchy_bot_news USD",
    "jarchy_bot 100 usd",
)


async def test_G23_another_name_an_address_and_anothers_command_are_not_for_us(
    scene: World,
) -> None:
    """However much of our name is in them."""
    for text in OTHERS:
        await scene.emulator.send_text(GROUP, text, user_id=STRANGER)
    await heard_nothing(scene, GROUP)


async def test_G23_our_name_in_code_is_quoted(scene: World) -> None:
    """Not said to us."""
    for text in ("`@jarchy_bot 100 usd`", "see @jarchy_bot"):
        code = [{"type": "code", "offset": 0, "length": len(text)}]
        scene.emulator.push_update(written(GROUP, text, entities=code))
    await heard_nothing(scene, GROUP)


async def test_G23_a_mention_is_for_us_wherever_it_stands(scene: World) -> None:
    """In any case, beside any sign."""
    for text in (
        "@jarchy_bot 100 usd kgs", "100 usd kgs @JARCHY_BOT", "100 usd kgs, @jarchy_bot.",
        "(@jarchy_bot) 100 usd kgs", "😀 @jarchy_bot: 100 usd kgs",
        "mail@jarchy_bot.kg? no: @jarchy_bot 100 usd kgs",
    ):  # fmt: skip
        asked = await scene.emulator.send_text(GROUP, text, user_id=STRANGER)
        await scene.emulator.wait_message(
            GROUP, lambda m: m["from"]["is_bot"], after=asked, timeout=20
        )


NOT_OURS: dict[str, dict[str, Any]] = {
    "our inline result": written(GROUP, "100 USD = 8,479 KGS @jarchy_bot", via_bot=US),
    "another bot's inline result": written(GROUP, "/stop", via_bot=OTHER, entities=COMMAND),
    "another bot": written(GROUP, "@jarchy_bot 100 usd", **{"from": OTHER}),
    "another bot's command": written(GROUP, "/stop", entities=COMMAND, **{"from": OTHER}),
    "ourselves": written(GROUP, "@jarchy_bot 100 usd", **{"from": US}),
    "a forwarded command": written(GROUP, "/stop", entities=COMMAND, forward_origin=SOMEBODY),
    "forwarded, as an old server says it": written(
        GROUP, "/stop", entities=COMMAND, forward_date=1
    ),
    "a forwarded mention": written(GROUP, "@jarchy_bot 100 usd", forward_origin=SOMEBODY),
    "a linked channel's post": written(
        GROUP,
        "/stop",
        entities=COMMAND,
        is_automatic_forward=True,
        sender_chat={"id": -1007, "type": "channel", "title": "News"},
        **{"from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}},
    ),
    "a linked channel's mention": written(
        GROUP,
        "@jarchy_bot 100 usd",
        is_automatic_forward=True,
        **{"from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}},
    ),
}


async def test_G23_what_bots_and_channels_put_into_a_group_is_ignored(scene: World) -> None:
    """Also what somebody passed on there."""
    for number, update in enumerate(NOT_OURS.values()):
        update["message"]["message_id"] += number
        scene.emulator.push_update(update)
    await heard_nothing(scene, GROUP)


async def test_G23_our_inline_result_in_our_own_chat_is_not_a_question(scene: World) -> None:
    """Neither understood nor "not understood"; what another inline bot made is read, but commands
    nothing.
    """
    scene.emulator.push_update(
        written(READER, "100 USD = 8,479 KGS\n100 KGS = 1.18 USD", via_bot=US)
    )
    await heard_nothing(scene, READER)
    for way in ({"via_bot": OTHER}, {"forward_origin": SOMEBODY}, {"forward_date": 1}):
        before = len(ours(scene, READER))
        scene.emulator.push_update(
            written(READER, "/delete", entities=[{**COMMAND[0], "length": 7}], **way)
        )
        await scene.ask("/privacy")
        assert not [said for said in ours(scene, READER)[before:] if "cannot be undone" in said], (
            way
        )
    scene.emulator.push_update(written(READER, "100 usd kgs", forward_origin=SOMEBODY))
    await scene.emulator.wait_message(READER, lambda m: "8,479" in m.get("text", ""), timeout=40)


async def test_our_own_answer_that_is_forwarded_to_us_is_no_question(scene: World) -> None:
    """Its figures are ours: it is not answered with others, and as whatever else is not understood
    it is not met with silence.
    """
    for number, asked in enumerate(("100 usd kgs", "/rates", "usd")):
        answer = await scene.ask(asked)
        update = written(READER, answer["text"], forward_origin=FROM_US)
        update["message"]["message_id"] += number
        scene.emulator.push_update(update)
        heard = await scene.emulator.wait_message(
            READER, lambda m: m["from"]["is_bot"], after=answer["message_id"], timeout=40
        )
        assert heard["text"] == not_understood("en").text


def test_nothing_that_we_say_is_a_question_or_a_rule() -> None:
    """In any language: whoever forwards us our words is not answered with other figures."""
    understood: list[str] = []
    for code in WHOLE:
        for named in EXPECTED[code].values():
            for said in named.values():
                if isinstance(said, str) and _is_understood(said, code):
                    understood.append(said)
    assert understood == []


def _is_understood(said: str, language: str) -> bool:
    today = date(2021, 10, 20)
    readers = (
        partial(parse_inquiry, today=today, language=language),
        partial(
            parse_typed_rule,
            home="KGS",
            currency=currency_at,
            day=partial(day_at, today=today, ahead=True),
        ),
    )
    for read in readers:
        with suppress(UserError):
            read(plain_text(said))
            return True
    return False


PRESS = {"id": "4711", "from": {**PERSON, "id": READER}, "chat_instance": "1", "data": "lang:ru"}
OLD_MEMBER = {"status": "administrator", "user": US, "can_be_edited": False}


async def test_G22_a_press_without_a_message_is_answered(scene: World) -> None:
    """That it is out of date, in the reader's language: no inline result of ours has a button.
    Nothing changes.
    """
    await scene.ask("/help")
    cases: tuple[tuple[dict[str, Any], bool], ...] = (
        ({"inline_message_id": "abc"}, True),
        ({"inline_message_id": "abc", "data": None}, True),
        ({"inline_message_id": "abc", "game_short_name": "chess"}, True),
        ({}, True),
        ({"chat_instance": None, "inline_message_id": "abc"}, True),
        ({"data": ["lang:ru"]}, False),
    )
    for content, words in cases:
        number, answer = scene.emulator.api.answers.ask()
        fields = {**PRESS, "id": number, **content}
        query = {name: value for name, value in fields.items() if value is not None}
        scene.emulator.push_update({"callback_query": query})
        async with asyncio.timeout(20):
            assert (t("error.stale", "en") == (await answer).get("text")) == words, content
    async with scene.bot.store.reading() as db:
        known = await storage.chats.get(db, READER)
    assert known is not None
    assert known.language == "en"


@pytest.mark.parametrize(
    "missing",
    [
        written(READER, "/status", entities=[{"type": "bot_command", "offset": 0, "length": 7}],
                **{"from": {"id": READER}}),
        {"message": {"chat": {"id": READER}, "from": {"id": READER}, "text": "/status",
                     "entities": [{"type": "bot_command", "offset": 0, "length": 7}]}},
        written(READER, "/status", entities=[{"type": "bot_command", "offset": 0, "length": 7}],
                reply_to_message={"message_id": 5, "text": "no chat, no date"}),
        written(READER, "/status", entities=[{"type": "bot_command", "offset": 0, "length": 7}],
                reply_markup={"inline_keyboard": [[{"text": "x"}]]}, video={"file_id": "only"}),
    ],
    ids=[
        "a person by number", "no date, no number, no type", "a reply to half a message",
        "half a video",
    ],
)  # fmt: skip
async def test_G22_a_message_is_answered_although_fields_are_missing(
    scene: World, missing: dict[str, Any]
) -> None:
    """Those that an older local server does not send, and those that nobody here reads."""
    scene.emulator.push_update(missing)
    await scene.emulator.wait_message(
        READER, lambda m: "National Bank" in m.get("text", ""), timeout=40
    )


@pytest.mark.parametrize("status", ["administrator", "restricted", "kicked", "left", "member"])
async def test_G22_a_membership_is_read_without_the_newest_rights(
    scene: World, status: str
) -> None:
    """Each new right is required by the library and unknown to an older local server."""
    await scene.ask("/help", chat=GROUP)
    change = {
        "chat": {"id": GROUP, "type": "supergroup", "title": "Market"},
        "from": PERSON,
        "old_chat_member": {"status": "left", "user": US},
        "new_chat_member": {"status": status, "user": US},
    }
    scene.emulator.push_update({"my_chat_member": change})
    await scene.ask("/help")  # received after that
    while tasks := set(scene.bot.inbox._tasks):
        await asyncio.wait(tasks)
    async with scene.bot.store.reading() as db:
        known = await storage.chats.get(db, GROUP)
    assert known is not None
    assert known.active == (status not in {"kicked", "left"})
