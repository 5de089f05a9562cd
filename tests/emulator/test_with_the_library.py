"""python-telegram-bot cannot tell the emulator from the real thing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import telegram
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)

from bot.emulator import Emulator, Fault, Kind
from tests.emulator.conftest import AIGUL, BORIS, GROUP, SMALL_GROUP
from tests.emulator.test_sending import png


@pytest.fixture
async def bot(emulator: Emulator) -> AsyncIterator[telegram.Bot]:
    """The library's own Bot with its own transport."""
    files = f"{emulator.api_url}/file/bot"
    async with telegram.Bot(
        emulator.token, base_url=f"{emulator.api_url}/bot", base_file_url=files
    ) as bot:
        yield bot


async def test_it_sends_and_edits(bot: telegram.Bot, emulator: Emulator) -> None:
    """Text with entities and buttons, an edit, a photo."""
    keyboard = telegram.InlineKeyboardMarkup(
        [[telegram.InlineKeyboardButton("Why?", callback_data="why")]]
    )
    entities = [telegram.MessageEntity("bold", 0, 3)]
    sent = await bot.send_message(AIGUL, "USD 87.45", entities=entities, reply_markup=keyboard)
    assert sent.entities == tuple(entities)
    edited = await bot.edit_message_text("USD 88", AIGUL, sent.message_id)
    assert isinstance(edited, telegram.Message)
    assert edited.edit_date is not None
    photo = await bot.send_photo(AIGUL, png(), caption="chart")
    assert await (await bot.get_file(photo.photo[-1].file_id)).download_as_bytearray() == png()


async def test_it_reads_every_kind_of_update(bot: telegram.Bot, emulator: Emulator) -> None:
    """Update.de_json finds all it needs."""
    message_id = await emulator.send_text(AIGUL, "/start payload")
    await emulator.edit_text(AIGUL, message_id, "/start other")
    await emulator.share_location(AIGUL, 42.0, 74.0)
    emulator.block(BORIS)
    emulator.set_bot_status(GROUP, "administrator")
    emulator.migrate(SMALL_GROUP, -1001000000999)
    with pytest.raises(TimeoutError):
        await emulator.press(AIGUL, message_id, "why", timeout=0)
    with pytest.raises(TimeoutError):
        await emulator.inline_query(AIGUL, "100 usd", timeout=0)
    updates = await bot.get_updates()
    assert updates[0].message is not None
    assert updates[0].message.parse_entities() == {updates[0].message.entities[0]: "/start"}
    assert updates[1].edited_message is not None
    assert updates[2].effective_message is not None
    assert updates[2].effective_message.location is not None
    assert updates[3].my_chat_member is not None
    assert isinstance(updates[3].my_chat_member.new_chat_member, telegram.ChatMemberBanned)
    assert updates[4].my_chat_member is not None
    assert isinstance(updates[4].my_chat_member.new_chat_member, telegram.ChatMemberAdministrator)
    assert updates[-2].callback_query is not None
    assert updates[-1].inline_query is not None


async def test_it_reads_chats_and_members(bot: telegram.Bot) -> None:
    """The long objects have their required fields."""
    assert (await bot.get_chat(GROUP)).title == "Neighbours"
    assert {type(m) for m in await bot.get_chat_administrators(GROUP)} == {telegram.ChatMemberOwner}
    assert (await bot.get_webhook_info()).url == ""


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.flood(3), RetryAfter),
        (Fault.forbidden(), Forbidden),
        (Fault.bad_request("x"), BadRequest),
        (Fault.migrated(-100777), ChatMigrated),
        (Fault.server_error(502), NetworkError),
        (Fault.lost_reply(), NetworkError),
        (Fault(Kind.ERROR, code=409, description="Conflict: x"), Conflict),
    ],
)
async def test_it_raises_the_right_errors(
    bot: telegram.Bot,
    emulator: Emulator,
    fault: Fault,
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each fault is the exception a bot has to handle."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # the library warns about numbers of seconds
    emulator.faults.add(fault)
    with pytest.raises(error):
        await bot.send_message(AIGUL, "x")


async def test_a_wrong_token_is_an_invalid_token(emulator: Emulator) -> None:
    """401 stops a bot at start."""
    stranger = telegram.Bot(
        "987654321:some-token-of-somebody-else", base_url=f"{emulator.api_url}/bot"
    )
    with pytest.raises(InvalidToken):
        async with stranger:
            pass
