"""Messages: sent, changed, pinned, deleted, and refused, as the Bot API does it."""

from __future__ import annotations

import struct
import time
import zlib
from typing import Any

import aiohttp
import pytest

from bot.emulator import Emulator
from tests.emulator.conftest import AIGUL, BORIS, CHANNEL, FORUM, GROUP, SMALL_GROUP, Client


def png(width: int = 2, height: int = 2) -> bytes:
    """A small black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\0" * width for _ in range(height)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def buttons(*data: str) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "press", "callback_data": one} for one in data]]}


async def upload(client: Client, method: str, part: str, content: bytes, **fields: str) -> Any:
    form = aiohttp.FormData()
    form.add_field(part, content, filename="chart.png", content_type="image/png")
    for name, value in fields.items():
        form.add_field(name, value)
    url = f"{client.emulator.api_url}/bot{client.emulator.token}/{method}"
    async with client.session.post(url, data=form) as answer:
        return await answer.json()


async def test_a_message_comes_back_as_it_was_kept(client: Client, emulator: Emulator) -> None:
    """The result is the message of the chat: trimmed text, given entities and those the server
    finds.
    """
    sent = await client.ok(
        "sendMessage",
        chat_id=AIGUL,
        text="  USD 87.45 see /rates or 24.kg \n",
        entities=[{"type": "bold", "offset": 2, "length": 3}],
        reply_markup=buttons("why"),
    )
    # the leading space stays outside the bold entity, so it goes
    assert sent["text"] == "USD 87.45 see /rates or 24.kg"
    assert [(e["type"], e["offset"], e["length"]) for e in sent["entities"]] == [
        ("bold", 0, 3),
        ("bot_command", 14, 6),
        ("url", 24, 5),
    ]
    assert sent["reply_markup"] == buttons("why")
    assert sent["from"]["is_bot"] is True
    assert emulator.messages(AIGUL) == [sent]


async def test_parameters_may_come_in_the_address_in_a_form_or_in_json(
    client: Client, emulator: Emulator
) -> None:
    """All three carry the same call; structures within a form are JSON."""
    url = f"{emulator.api_url}/bot{emulator.token}/SENDMESSAGE"
    query = {"chat_id": str(AIGUL), "text": "one"}
    async with client.session.get(url, params=query) as answer:
        assert (await answer.json())["ok"]
    form = query | {
        "text": "two",
        "reply_markup": '{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]}',
    }
    async with client.session.post(url, data=form) as answer:
        assert (await answer.json())["result"]["reply_markup"]["inline_keyboard"][0][0][
            "callback_data"
        ] == "b"
    assert [m["text"] for m in emulator.messages(AIGUL)] == ["one", "two"]
    assert (
        await client.refused("sendMessage", chat_id="@aigul", text="people have no public chat")
    )[0] == 400


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        ({"text": "x"}, "chat_id is empty"),
        ({"chat_id": 404, "text": "x"}, "chat not found"),
        ({"chat_id": "@nobody", "text": "x"}, "chat not found"),
        ({"chat_id": AIGUL, "text": " \n"}, "message text is empty"),
        ({"chat_id": AIGUL, "text": "x" * 4097}, "message is too long"),
        ({"chat_id": AIGUL, "text": "😀" * 2049}, "message is too long"),
        (
            {
                "chat_id": AIGUL,
                "text": "abc",
                "entities": [{"type": "bold", "offset": 2, "length": 2}],
            },
            "entity beginning at UTF-16 offset 2 ends after the end of the text at UTF-16 offset 4",
        ),
        (
            {
                "chat_id": AIGUL,
                "text": "😀b",
                "entities": [{"type": "bold", "offset": 1, "length": 2}],
            },
            (
                "entity beginning at UTF-16 offset 1 ends in a middle of a UTF-16 symbol at byte "
                "offset 3"
            ),
        ),
        ({"chat_id": AIGUL, "text": "x", "reply_markup": buttons("")}, "BUTTON_DATA_INVALID"),
        ({"chat_id": AIGUL, "text": "x", "reply_markup": buttons("ы" * 33)}, "BUTTON_DATA_INVALID"),
        ({"chat_id": AIGUL, "text": "x", "reply_markup": [1]}, "object expected as reply markup"),
        (
            {
                "chat_id": AIGUL,
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "a", "url": "ftp://x.org"}]]},
            },
            "inline keyboard button URL 'ftp://x.org' is invalid: unsupported URL protocol",
        ),
        (
            {"chat_id": AIGUL, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a"}]]}},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"chat_id": CHANNEL, "text": "x", "reply_markup": {"keyboard": [["a"]]}},
            "inline keyboard expected",
        ),
        (
            {"chat_id": AIGUL, "text": "x", "reply_parameters": {"message_id": 9}},
            "message to be replied not found",
        ),
        ({"chat_id": GROUP, "text": "x", "message_thread_id": 9}, "message thread not found"),
    ],
)
async def test_what_the_server_refuses_is_refused(
    client: Client, emulator: Emulator, parameters: dict[str, Any], description: str
) -> None:
    """A bad message gets a 400 in the server's words and leaves no trace."""
    assert await client.refused("sendMessage", **parameters) == (400, f"Bad Request: {description}")
    assert not any(chat.messages for chat in emulator.world.chats.values())


@pytest.mark.parametrize("text", ["x" * 4096, "😀" * 2048])
async def test_the_longest_text_passes(client: Client, text: str) -> None:
    """4,096 UTF-16 units are a message."""
    assert (await client.ok("sendMessage", chat_id=AIGUL, text=text))["text"] == text


async def test_a_wrong_token_is_unauthorized_and_an_unknown_method_not_found(
    client: Client,
) -> None:
    """401, and 404 for what is no token or no method."""
    assert await client.refused("sendPigeon") == (404, "Not Found: method not found")
    for token, code in (("123456789:of-somebody-else-entirely", 401), ("nonsense", 404)):
        async with client.session.get(f"{client.emulator.api_url}/bot{token}/getMe") as answer:
            assert answer.status == code
            assert (await answer.json())["error_code"] == code


async def test_private_chats_that_cannot_be_written_to(client: Client, emulator: Emulator) -> None:
    """Blocked, deactivated and never started people are three different 403s."""
    emulator.add_user(77, "New")
    emulator.add_private(77, started=False)
    emulator.block(AIGUL)
    emulator.deactivate(BORIS)
    expected = {
        AIGUL: "bot was blocked by the user",
        BORIS: "user is deactivated",
        77: "bot can't initiate conversation with a user",
    }
    for chat_id, words in expected.items():
        assert await client.refused("sendMessage", chat_id=chat_id, text="x") == (
            403,
            f"Forbidden: {words}",
        )
    await emulator.send_text(AIGUL, "/start")
    await emulator.send_text(77, "/start")
    await client.ok("sendMessage", chat_id=AIGUL, text="welcome back")
    await client.ok("sendMessage", chat_id=77, text="welcome")


async def test_groups_and_channels_that_cannot_be_written_to(
    client: Client, emulator: Emulator
) -> None:
    """Each kind of lost right has the server's own words."""
    emulator.set_bot_status(GROUP, "kicked")
    assert await client.refused("sendMessage", chat_id=GROUP, text="x") == (
        403,
        "Forbidden: bot was kicked from the supergroup chat",
    )
    emulator.set_bot_status(GROUP, "restricted", rights={"can_send_messages": True})
    await client.ok("sendMessage", chat_id=GROUP, text="x")
    assert (await upload(client, "sendPhoto", "photo", png(), chat_id=str(GROUP)))[
        "description"
    ] == ("Bad Request: not enough rights to send photos to the chat")
    emulator.set_bot_status(GROUP, "restricted")
    assert (await client.refused("sendMessage", chat_id=GROUP, text="x"))[1] == (
        "Bad Request: not enough rights to send text messages to the chat"
    )
    emulator.set_bot_status(CHANNEL, "administrator", rights={"can_post_messages": False})
    assert (await client.refused("sendMessage", chat_id=CHANNEL, text="x"))[1] == (
        "Bad Request: need administrator rights in the channel chat"
    )
    emulator.set_bot_status(CHANNEL, "left")
    assert (await client.refused("sendMessage", chat_id=CHANNEL, text="x"))[1] == (
        "Forbidden: bot is not a member of the channel chat"
    )


async def test_topics_open_closed_and_gone(client: Client, emulator: Emulator) -> None:
    """A closed topic and a deleted one are told apart."""
    sent = await client.ok("sendMessage", chat_id=FORUM, text="x", message_thread_id=5)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (5, True)
    emulator.close_topic(FORUM, 5)
    assert await client.refused("sendMessage", chat_id=FORUM, text="x", message_thread_id=5) == (
        400,
        "Bad Request: TOPIC_CLOSED",
    )
    emulator.delete_topic(FORUM, 5)
    assert await client.refused("sendMessage", chat_id=FORUM, text="x", message_thread_id=5) == (
        400,
        "Bad Request: message thread not found",
    )


async def test_a_migrated_group_names_its_new_id(client: Client, emulator: Emulator) -> None:
    """The 400 carries `migrate_to_chat_id`, and the new chat takes messages."""
    emulator.migrate(SMALL_GROUP, -1001000000999)
    status, body = await client.raw("sendMessage", chat_id=SMALL_GROUP, text="x")
    assert status == 400
    assert body["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert body["parameters"] == {"migrate_to_chat_id": -1001000000999}
    await client.ok("sendMessage", chat_id=-1001000000999, text="x")


async def test_editing_a_text(client: Client, emulator: Emulator) -> None:
    """An edit marks the message; the same content again is refused."""
    sent = await client.ok("sendMessage", chat_id=AIGUL, text="one", reply_markup=buttons("a"))
    target = {"chat_id": AIGUL, "message_id": sent["message_id"]}
    same = await client.refused("editMessageText", **target, text="one", reply_markup=buttons("a"))
    assert same[1].startswith("Bad Request: message is not modified")
    edited = await client.ok("editMessageText", **target, text="two")
    assert edited["text"] == "two"
    assert "edit_date" in edited
    assert "reply_markup" not in edited
    changed = await client.ok("editMessageReplyMarkup", **target, reply_markup=buttons("b"))
    assert changed["reply_markup"] == buttons("b")
    assert emulator.messages(AIGUL) == [changed]
    assert (await client.refused("editMessageCaption", **target, caption="x"))[1].endswith(
        "there is no caption in the message to edit"
    )
    assert (await client.refused("editMessageText", chat_id=AIGUL, message_id=99, text="x"))[
        1
    ].endswith("message to edit not found")


async def test_a_moment_is_marked_with_its_seconds(client: Client) -> None:
    """As far as Telegram knows of it, and in a form that it can write."""
    mark = {"type": "date_time", "offset": 0, "length": 5, "unix_time": 1634720700}
    for form in ({}, {"date_time_format": "wDT"}, {"date_time_format": "r"}):
        sent = await client.ok("sendMessage", chat_id=AIGUL, text="15:05", entities=[mark | form])
        assert sent["entities"] == [mark | form]
    beyond = int(time.time()) + 1100 * 86400
    wrong = (
        {"unix_time": -1},
        {"unix_time": None},
        {"unix_time": beyond},
        {"date_time_format": "x"},
    )
    for change in wrong:
        status, why = await client.refused(
            "sendMessage", chat_id=AIGUL, text="15:05", entities=[mark | change]
        )
        assert (status, "MessageEntity" in why) == (400, True)


async def test_a_page_shown_below_a_text_is_the_last_calls(client: Client) -> None:
    """It comes back with the message; an edit that says nothing of it takes it away."""
    large = {"url": "https://news.example/7", "prefer_large_media": True}
    sent = await client.ok("sendMessage", chat_id=AIGUL, text="one", link_preview_options=large)
    assert sent["link_preview_options"] == large
    target = {"chat_id": AIGUL, "message_id": sent["message_id"]}
    small = {"is_disabled": True}
    edited = await client.ok("editMessageText", **target, text="one", link_preview_options=small)
    assert edited["link_preview_options"] == small
    assert "link_preview_options" not in await client.ok("editMessageText", **target, text="two")
    for wrong in ([], {"url": 7}):
        status, why = await client.refused(
            "sendMessage", chat_id=AIGUL, text="x", link_preview_options=wrong
        )
        assert (status, why.partition(":")[0]) == (400, "Bad Request")


async def test_only_own_messages_can_be_edited(client: Client, emulator: Emulator) -> None:
    """People's messages and others' channel posts stay as they are."""
    for chat_id in (AIGUL, CHANNEL):
        message_id = await emulator.send_text(chat_id, "mine")
        refusal = await client.refused(
            "editMessageText", chat_id=chat_id, message_id=message_id, text="yours"
        )
        assert refusal == (400, "Bad Request: message can't be edited")


async def test_photos_are_uploaded_sent_again_changed_and_downloaded(
    client: Client, emulator: Emulator
) -> None:
    """An upload gets an id that can be sent again and downloaded; media and caption can be
    replaced.
    """
    body = await upload(
        client, "sendPhoto", "photo", png(4, 3), chat_id=str(AIGUL), caption="RUB, 90 days"
    )
    sent = body["result"]
    size = sent["photo"][-1]
    assert (size["width"], size["height"], sent["caption"]) == (4, 3, "RUB, 90 days")
    again = await client.ok("sendPhoto", chat_id=BORIS, photo=size["file_id"])
    assert again["photo"] == sent["photo"]
    file = await client.ok("getFile", file_id=size["file_id"])
    url = f"{emulator.api_url}/file/bot{emulator.token}/{file['file_path']}"
    async with client.session.get(url) as answer:
        assert await answer.read() == png(4, 3)
    caption = await client.ok(
        "editMessageCaption", chat_id=AIGUL, message_id=sent["message_id"], caption="a week"
    )
    assert caption["caption"] == "a week"
    media = '{"type":"photo","media":"attach://new","caption":"a year"}'
    target = {"chat_id": str(AIGUL), "message_id": str(sent["message_id"])}
    replaced = (await upload(client, "editMessageMedia", "new", png(5, 5), media=media, **target))[
        "result"
    ]
    assert (replaced["photo"][-1]["width"], replaced["caption"]) == (5, "a year")


async def test_a_file_that_somebody_sends_is_downloaded_up_to_twenty_megabytes(
    client: Client, emulator: Emulator
) -> None:
    """A larger one is known by its size and not given; nor is one that is not there."""
    limit = 20 * 1024 * 1024
    for size in (limit, limit + 1):
        sent = await emulator.send_document(AIGUL, "feeds.opml", b"x" * size)
        (message,) = [one for one in emulator.messages(AIGUL) if one["message_id"] == sent]
        document = message["document"]
        assert (document["file_name"], document["file_size"]) == ("feeds.opml", size)
        if size > limit:
            refusal = await client.refused("getFile", file_id=document["file_id"])
            assert refusal == (400, "Bad Request: file is too big")
            break
        file = await client.ok("getFile", file_id=document["file_id"])
        url = f"{emulator.api_url}/file/bot{emulator.token}/{file['file_path']}"
        async with client.session.get(url) as answer:
            assert len(await answer.read()) == size
    assert (await client.refused("getFile", file_id="nobody's"))[0] == 400


async def test_bad_photos_are_refused(client: Client) -> None:
    """A file that is no picture, too stretched, too long in words or not here gets its own 400."""
    chat = str(AIGUL)
    assert (await upload(client, "sendPhoto", "photo", b"GIF?", chat_id=chat))[
        "description"
    ].endswith("IMAGE_PROCESS_FAILED")
    assert (await upload(client, "sendPhoto", "photo", png(1, 50), chat_id=chat))[
        "description"
    ].endswith("PHOTO_INVALID_DIMENSIONS")
    long = await upload(client, "sendPhoto", "photo", png(), chat_id=chat, caption="x" * 1025)
    assert long["description"] == "Bad Request: message caption is too long"
    assert (await client.refused("sendPhoto", chat_id=AIGUL, photo="none"))[1].endswith(
        "wrong file identifier/HTTP URL specified"
    )


async def test_documents_keep_their_name(client: Client) -> None:
    """/mydata sends a file."""
    body = await upload(client, "sendDocument", "document", b"{}", chat_id=str(AIGUL))
    assert body["result"]["document"]["file_name"] == "chart.png"


async def test_deleting(client: Client, emulator: Emulator) -> None:
    """Own messages always, others' in groups only with the right to."""
    sent = await client.ok("sendMessage", chat_id=GROUP, text="x")
    assert await client.ok("deleteMessage", chat_id=GROUP, message_id=sent["message_id"]) is True
    assert await client.refused("deleteMessage", chat_id=GROUP, message_id=sent["message_id"]) == (
        400,
        "Bad Request: message to delete not found",
    )
    theirs = await emulator.send_text(GROUP, "hello", user_id=BORIS)
    assert (await client.refused("deleteMessage", chat_id=GROUP, message_id=theirs))[1].endswith(
        "message can't be deleted"
    )
    emulator.set_bot_status(GROUP, "administrator")
    assert await client.ok("deleteMessage", chat_id=GROUP, message_id=theirs) is True


async def test_pinning(client: Client, emulator: Emulator) -> None:
    """The latest pin is on top, getChat shows it, and groups want the right."""
    sent = await client.ok("sendMessage", chat_id=CHANNEL, text="board")
    assert await client.ok("pinChatMessage", chat_id=CHANNEL, message_id=sent["message_id"]) is True
    assert (await client.ok("getChat", chat_id=CHANNEL))["pinned_message"]["text"] == "board"
    assert emulator.messages(CHANNEL)[-1]["pinned_message"]["message_id"] == sent["message_id"]
    assert await client.ok("unpinChatMessage", chat_id=CHANNEL) is True
    assert (await client.refused("unpinChatMessage", chat_id=CHANNEL))[1].endswith(
        "message to unpin not found"
    )
    emulator.set_bot_status(CHANNEL, "administrator", rights={"can_edit_messages": False})
    assert (await client.refused("pinChatMessage", chat_id=CHANNEL, message_id=sent["message_id"]))[
        1
    ] == ("Bad Request: not enough rights to manage pinned messages in the chat")
    in_group = await client.ok("sendMessage", chat_id=GROUP, text="x")
    assert (
        await client.refused("pinChatMessage", chat_id=GROUP, message_id=in_group["message_id"])
    )[1] == ("Bad Request: not enough rights to manage pinned messages in the chat")


async def test_silent_messages_are_known(client: Client, emulator: Emulator) -> None:
    """`disable_notification` leaves no mark in the message, but the emulator remembers."""
    loud = await client.ok("sendMessage", chat_id=AIGUL, text="x")
    quiet = await client.ok("sendMessage", chat_id=AIGUL, text="x", disable_notification=True)
    assert [emulator.silent(AIGUL, m["message_id"]) for m in (loud, quiet)] == [False, True]


async def test_a_reply_shows_what_it_answers(client: Client, emulator: Emulator) -> None:
    """`reply_parameters` name the message; a lost one may be allowed."""
    question = await emulator.send_text(AIGUL, "rates?")
    answer = await client.ok(
        "sendMessage", chat_id=AIGUL, text="here", reply_parameters={"message_id": question}
    )
    assert answer["reply_to_message"]["text"] == "rates?"
    lost = {"message_id": 999, "allow_sending_without_reply": True}
    assert "reply_to_message" not in await client.ok(
        "sendMessage", chat_id=AIGUL, text="x", reply_parameters=lost
    )


async def test_memory_is_bounded(client: Client) -> None:
    """With `keep_messages` the oldest messages of all chats go."""
    async with Emulator(keep_messages=3, open_chats=True) as small:
        reader = Client(small, client.session)
        for number in range(5):
            await reader.ok("sendMessage", chat_id=1 + number % 2, text=str(number))
        assert [m["text"] for chat in (1, 2) for m in small.messages(chat)] == ["2", "4", "3"]
