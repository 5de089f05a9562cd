"""Updates: what the bot hears of, by polling and by webhook."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from bot.emulator import Emulator, ScenarioError
from tests.emulator.conftest import AIGUL, BORIS, CHANNEL, CLARA, GROUP, SMALL_GROUP, Client


async def heard(client: Client, **parameters: Any) -> list[dict[str, Any]]:
    """All that is pending, confirmed."""
    updates: list[dict[str, Any]] = await client.ok("getUpdates", **parameters)
    if updates:
        await client.ok("getUpdates", offset=updates[-1]["update_id"] + 1, limit=1)
    return updates


async def test_an_update_comes_until_it_is_confirmed(client: Client, emulator: Emulator) -> None:
    """A higher offset confirms; without one the same updates come again."""
    for word in ("one", "two", "three"):
        await emulator.send_text(AIGUL, word)
    first = await client.ok("getUpdates", limit=2)
    assert [u["message"]["text"] for u in first] == ["one", "two"]
    assert await client.ok("getUpdates", limit=2) == first
    rest = await client.ok("getUpdates", offset=first[-1]["update_id"] + 1)
    assert [u["message"]["text"] for u in rest] == ["three"]
    assert rest[0]["update_id"] == first[-1]["update_id"] + 1


async def test_a_negative_offset_keeps_only_the_last(client: Client, emulator: Emulator) -> None:
    """-1 forgets all but the newest update."""
    for word in ("one", "two", "three"):
        await emulator.send_text(AIGUL, word)
    assert [u["message"]["text"] for u in await client.ok("getUpdates", offset=-1)] == ["three"]
    assert len(await client.ok("getUpdates")) == 1


async def test_a_long_poll_ends_with_the_first_update(client: Client, emulator: Emulator) -> None:
    """An update wakes the poll that waits for it."""
    poll = asyncio.create_task(client.ok("getUpdates", timeout=30))
    await emulator.updates.polled()
    await emulator.send_text(AIGUL, "wake up")
    assert (await poll)[0]["message"]["text"] == "wake up"


async def test_a_second_poller_ends_the_first(client: Client, emulator: Emulator) -> None:
    """Two programs with one token: the earlier poll gets 409, the later one the updates."""
    first = asyncio.create_task(client.raw("getUpdates", timeout=30))
    await emulator.updates.polled()
    second = asyncio.create_task(client.ok("getUpdates", timeout=30))
    status, body = await first
    assert status == 409
    assert body["description"].startswith("Conflict: terminated by other getUpdates request")
    await emulator.send_text(AIGUL, "for the second")
    assert len(await second) == 1


async def test_only_wanted_kinds_are_queued(client: Client, emulator: Emulator) -> None:
    """`allowed_updates` holds until it is changed, and chat_member must be asked for."""
    emulator.set_member(GROUP, BORIS, "administrator")
    assert await client.ok("getUpdates", allowed_updates=["chat_member"]) == []
    await emulator.send_text(AIGUL, "unheard")
    emulator.set_member(GROUP, BORIS, "member")
    (update,) = await client.ok("getUpdates")
    assert update["chat_member"]["old_chat_member"]["status"] == "administrator"


async def test_a_command_carries_its_entity_and_a_deep_link_its_payload(
    client: Client, emulator: Emulator
) -> None:
    """/start payload is a bot_command entity and plain text after it."""
    await emulator.send_text(AIGUL, "/start story_17")
    (update,) = await heard(client)
    message = update["message"]
    assert message["text"] == "/start story_17"
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert message["from"]["language_code"] == "ky"


async def test_in_groups_the_bot_hears_what_is_meant_for_it(
    client: Client, emulator: Emulator
) -> None:
    """With privacy on: commands, mentions and replies to it; as an administrator everything."""
    posted = await client.ok("sendMessage", chat_id=GROUP, text="card")
    await emulator.send_text(GROUP, "good morning", user_id=BORIS)
    await emulator.send_text(GROUP, "/rates@other_bot", user_id=BORIS)
    await emulator.send_text(GROUP, "/rates", user_id=BORIS)
    await emulator.send_text(GROUP, "/rates@jarchy_bot usd", user_id=BORIS)
    await emulator.send_text(GROUP, "thanks", user_id=BORIS, reply_to=posted["message_id"])
    texts = [u["message"]["text"] for u in await heard(client)]
    assert texts == ["/rates", "/rates@jarchy_bot usd", "thanks"]
    emulator.set_bot_status(GROUP, "administrator")
    await emulator.send_text(GROUP, "good evening", user_id=BORIS)
    assert (await heard(client))[-1]["message"]["text"] == "good evening"


async def test_an_anonymous_administrator_writes_as_the_group(
    client: Client, emulator: Emulator
) -> None:
    """The author is the group's own bot, `sender_chat` the group."""
    await emulator.send_text(GROUP, "/settings", user_id=CLARA, anonymous=True)
    (update,) = await heard(client)
    assert update["message"]["from"]["id"] == 1087968824
    assert update["message"]["sender_chat"]["id"] == GROUP


async def test_channel_posts_edits_places_and_unknown_kinds_arrive(
    client: Client, emulator: Emulator
) -> None:
    """Every other kind of update a person can cause."""
    await emulator.send_text(CHANNEL, "post")
    message_id = await emulator.send_text(AIGUL, "100 usd")
    await emulator.edit_text(AIGUL, message_id, "200 usd")
    await emulator.share_location(AIGUL, 42.87, 74.59)
    emulator.push_update({"pigeon": {"arrived": True}})
    kinds = [next(k for k in u if k != "update_id") for u in await heard(client)]
    assert kinds == ["channel_post", "message", "edited_message", "message", "pigeon"]


async def test_an_update_can_come_twice(client: Client, emulator: Emulator) -> None:
    """A redelivered update keeps its id, and the numbers after it still rise."""
    await emulator.send_text(AIGUL, "one")
    (update,) = await client.ok("getUpdates")
    emulator.push_update(update)
    await emulator.send_text(AIGUL, "two")
    ids = [u["update_id"] for u in await heard(client)]
    assert ids == [update["update_id"], update["update_id"], update["update_id"] + 1]
    assert await client.ok("getUpdates") == []


async def test_the_bot_hears_of_its_own_fate(client: Client, emulator: Emulator) -> None:
    """Blocked, added, promoted, removed: my_chat_member each time."""
    emulator.block(AIGUL)
    emulator.unblock(AIGUL)
    emulator.set_bot_status(GROUP, "left", by=CLARA)
    emulator.set_bot_status(GROUP, "member", by=CLARA)
    changes = [u["my_chat_member"] for u in await heard(client) if "my_chat_member" in u]
    moves = [(c["old_chat_member"]["status"], c["new_chat_member"]["status"]) for c in changes]
    assert moves == [
        ("member", "kicked"),
        ("kicked", "member"),
        ("member", "left"),
        ("left", "member"),
    ]
    assert changes[-1]["from"]["id"] == CLARA


async def test_a_migration_is_told_in_both_chats(client: Client, emulator: Emulator) -> None:
    """The old chat says where to, the new one where from."""
    emulator.migrate(SMALL_GROUP, -1001000000999)
    old, new = [u["message"] for u in await heard(client)]
    assert (old["chat"]["id"], old["migrate_to_chat_id"]) == (SMALL_GROUP, -1001000000999)
    assert (new["chat"]["id"], new["migrate_from_chat_id"]) == (-1001000000999, SMALL_GROUP)


async def test_a_press_is_answered(client: Client, emulator: Emulator) -> None:
    """Who presses gets what answerCallbackQuery says; a second answer is too old."""
    sent = await client.ok("sendMessage", chat_id=AIGUL, text="x")
    press = asyncio.create_task(emulator.press(AIGUL, sent["message_id"], "mute:RUB"))
    (update,) = await client.ok("getUpdates", timeout=10)
    query = update["callback_query"]
    assert (query["data"], query["message"]["text"], query["from"]["id"]) == (
        "mute:RUB",
        "x",
        AIGUL,
    )
    await client.ok(
        "answerCallbackQuery", callback_query_id=query["id"], text="Muted", show_alert=True
    )
    assert await press == {"text": "Muted", "show_alert": True, "url": ""}
    status, words = await client.refused("answerCallbackQuery", callback_query_id=query["id"])
    assert (status, words[:29]) == (400, "Bad Request: query is too old")


async def test_a_press_nobody_answers_times_out(emulator: Emulator) -> None:
    """The spinner ends as an error, and the press under a lost message says it is inaccessible."""
    with pytest.raises(TimeoutError):
        await emulator.press(AIGUL, 12345, "x", timeout=0.01)
    assert emulator.updates.pending[-1]["callback_query"]["message"]["date"] == 0


async def test_an_inline_query_gets_results_and_one_is_posted(
    client: Client, emulator: Emulator
) -> None:
    """Typing @bot shows results; choosing one posts it via the bot and is reported."""
    asked = asyncio.create_task(emulator.inline_query(AIGUL, "100 usd"))
    (update,) = await heard(client, timeout=10)
    result = {
        "type": "article",
        "id": "1",
        "title": "8 745 som",
        "input_message_content": {"message_text": "100 USD = 8 745 som"},
    }
    await client.ok(
        "answerInlineQuery", inline_query_id=update["inline_query"]["id"], results=[result]
    )
    answer = await asked
    assert answer["results"] == [result]
    await emulator.choose_result(GROUP, AIGUL, "100 usd", answer["results"][0])
    assert emulator.messages(GROUP)[-1]["via_bot"]["username"] == "jarchy_bot"
    (chosen,) = await heard(client)
    assert chosen["chosen_inline_result"]["result_id"] == "1"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"title": " "}, "ARTICLE_TITLE_EMPTY"),
        ({"input_message_content": {"message_text": ""}}, "MESSAGE_EMPTY"),
        ({"input_message_content": {"message_text": "x" * 4097}}, "MESSAGE_TOO_LONG"),
        (
            {"reply_markup": {"inline_keyboard": [[{"text": "x", "copy_text": {"text": ""}}]]}},
            "BUTTON_COPY_TEXT_INVALID",
        ),
    ],
)
async def test_an_inline_result_that_could_not_be_sent_is_refused(
    client: Client, emulator: Emulator, changed: dict[str, Any], problem: str
) -> None:
    asked = asyncio.create_task(emulator.inline_query(AIGUL, "100 usd"))
    (update,) = await heard(client, timeout=10)
    query = update["inline_query"]["id"]
    result = {
        "type": "article",
        "id": "1",
        "title": "8 745 som",
        "input_message_content": {"message_text": "100 USD = 8 745 som"},
    }
    wrong = {**result, **changed}
    _, refused = await client.refused("answerInlineQuery", inline_query_id=query, results=[wrong])
    assert problem in refused
    long = {"inline_query_id": query, "results": [result], "next_offset": "x" * 65}
    assert "NEXT_OFFSET" in (await client.refused("answerInlineQuery", **long))[1]
    await client.ok("answerInlineQuery", inline_query_id=query, results=[result])
    assert (await asked)["results"] == [result]


async def test_an_edit_is_told_where_the_message_was_heard_and_words_changed(
    client: Client, emulator: Emulator
) -> None:
    """Of two days at most, and never of what the bot wrote."""
    talk = await emulator.send_text(GROUP, "morning", user_id=BORIS)
    await emulator.edit_text(GROUP, talk, "good morning")
    asked = await emulator.send_text(AIGUL, "100 usd")
    await emulator.edit_text(AIGUL, asked, "100 usd")
    assert [u["message"]["text"] for u in await heard(client)] == ["100 usd"]
    answer = await client.ok("sendMessage", chat_id=AIGUL, text="8,479.35")
    with pytest.raises(ScenarioError, match="nobody can edit"):
        await emulator.edit_text(AIGUL, answer["message_id"], "0")
    emulator.world.clock = lambda: time.time() + 48 * 3600 + 60
    with pytest.raises(ScenarioError, match="too old"):
        await emulator.edit_text(AIGUL, asked, "200 usd")


async def test_a_scenario_names_what_it_does_not_have(emulator: Emulator) -> None:
    """Unknown chats, people and messages are errors of the scenario, not of the bot."""
    with pytest.raises(ScenarioError, match="no chat 404"):
        await emulator.send_text(404, "x")
    with pytest.raises(ScenarioError, match="no user 404"):
        await emulator.send_text(GROUP, "x", user_id=404)
    with pytest.raises(ScenarioError, match="no message 404"):
        await emulator.edit_text(AIGUL, 404, "x")


class Hook:
    """A webhook that fails the first times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.got: asyncio.Queue[tuple[dict[str, Any], str | None]] = asyncio.Queue()

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        self.got.put_nowait(
            (await request.json(), request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        )
        if self.failures:
            self.failures -= 1
            return web.Response(status=500)
        return web.Response()


async def test_a_webhook_gets_updates_in_order_with_its_secret_and_again_after_a_failure(
    client: Client, emulator: Emulator
) -> None:
    """A 500 means "again", and nothing overtakes."""
    hook = Hook(failures=2)
    assert "last_error_date" not in await client.ok("getWebhookInfo")
    server = web.Server(hook)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/hook"
        await client.ok("setWebhook", url=url, secret_token="let-me_in")
        await emulator.send_text(AIGUL, "one")
        await emulator.send_text(AIGUL, "two")
        async with asyncio.timeout(5):
            got = [await hook.got.get() for _ in range(4)]
        assert [update["message"]["text"] for update, _ in got] == ["one", "one", "one", "two"]
        assert {secret for _, secret in got} == {"let-me_in"}
        info = await client.ok("getWebhookInfo")
        assert (
            info["last_error_message"]
            == "Wrong response from the webhook: 500 Internal Server Error"
        )
        # it is told for as long as the webhook stands, also when all is well again
        assert abs(info["last_error_date"] - time.time()) < 60
        assert info["pending_update_count"] <= 1
        assert (await client.refused("getUpdates"))[0] == 409
        await client.ok("deleteWebhook")
        assert await client.ok("getUpdates", offset=-1) is not None
    finally:
        listener.close()
        await server.shutdown(0.1)


@pytest.mark.parametrize(
    "parameters", [{"url": "pigeon"}, {"url": "https://a.org", "secret_token": "no spaces"}]
)
async def test_a_bad_webhook_is_refused(client: Client, parameters: dict[str, str]) -> None:
    """Neither a wrong address nor a wrong secret is taken."""
    assert (await client.refused("setWebhook", **parameters))[0] == 400
    assert (await client.ok("getWebhookInfo"))["url"] == ""
