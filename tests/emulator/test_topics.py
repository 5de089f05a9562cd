"""Forum topics: made, renamed, closed and deleted by the bot that may; refused to others."""

from __future__ import annotations

import pytest

from bot.emulator import Emulator
from tests.emulator.conftest import FORUM, GROUP, Client


@pytest.fixture
def manager(emulator: Emulator) -> Emulator:
    """The bot is an administrator of the forum, with all rights."""
    emulator.set_bot_status(FORUM, "administrator")
    return emulator


async def test_a_topic_is_made_written_to_closed_opened_and_deleted(
    client: Client, manager: Emulator
) -> None:
    """Who manages topics writes in a closed one too; with a topic go its messages."""
    made = await client.ok("createForumTopic", chat_id=FORUM, name=" " + "Rates" * 40)
    number = made["message_thread_id"]
    assert len(made["name"]) == 128
    here = {"chat_id": FORUM, "message_thread_id": number}
    sent = await client.ok("sendMessage", **here, text="x")
    assert await client.ok("closeForumTopic", **here)
    assert (await client.refused("closeForumTopic", **here))[1] == "Bad Request: TOPIC_NOT_MODIFIED"
    await client.ok("sendMessage", **here, text="y")
    manager.set_bot_status(FORUM, "administrator", rights={"can_manage_topics": False})
    assert (await client.refused("sendMessage", **here, text="z"))[1] == "Bad Request: TOPIC_CLOSED"
    manager.set_bot_status(FORUM, "administrator")
    assert await client.ok("reopenForumTopic", **here)
    assert await client.ok("editForumTopic", **here, name="Money")
    assert manager.world.chat(FORUM).topics[number].name == "Money"
    assert await client.ok("deleteForumTopic", **here)
    assert sent["message_id"] not in manager.world.chat(FORUM).messages
    assert number not in manager.world.chat(FORUM).messages
    assert (await client.refused("sendMessage", **here, text="x"))[1] == (
        "Bad Request: message thread not found"
    )
    for method in ("editForumTopic", "closeForumTopic", "deleteForumTopic"):
        assert (await client.refused(method, **here))[1] == "Bad Request: TOPIC_ID_INVALID"


async def test_topics_are_refused_where_there_are_none_and_to_who_may_not(
    client: Client, emulator: Emulator
) -> None:
    """A nameless one too, and one in a colour that Telegram has not."""
    said = await client.refused("createForumTopic", chat_id=GROUP, name="x")
    assert said == (400, "Bad Request: the chat is not a forum")
    said = await client.refused("createForumTopic", chat_id=FORUM, name="x")
    assert said == (400, "Bad Request: not enough rights to create a topic")
    for method in ("editForumTopic", "closeForumTopic", "reopenForumTopic"):
        said = await client.refused(method, chat_id=FORUM, message_thread_id=5)
        assert said == (400, "Bad Request: not enough rights to edit the topic")
    said = await client.refused("deleteForumTopic", chat_id=FORUM, message_thread_id=5)
    assert said == (400, "Bad Request: not enough rights to delete the topic")
    emulator.set_bot_status(FORUM, "administrator")
    said = await client.refused("createForumTopic", chat_id=FORUM, name=" ")
    assert said == (400, "Bad Request: title must be non-empty")
    said = await client.refused("createForumTopic", chat_id=FORUM, name="x", icon_color=1)
    assert said == (400, "Bad Request: invalid forum topic icon color specified")


async def test_people_open_close_and_delete_topics(client: Client, emulator: Emulator) -> None:
    """By name, as a scenario or the page does."""
    for action, body in (
        ("add_topic", {"thread_id": 8, "name": "News"}),
        ("close_topic", {"thread_id": 8}),
        ("delete_topic", {"thread_id": 5}),
    ):
        done = await client.do(action, chat_id=FORUM, **body)
        assert done[0] == 200, (action, done)
    topics = emulator.world.chat(FORUM).topics
    assert {number: (one.name, one.closed) for number, one in topics.items()} == {8: ("News", True)}
    assert (await client.do("close_topic", chat_id=FORUM, thread_id=404))[0] == 400
