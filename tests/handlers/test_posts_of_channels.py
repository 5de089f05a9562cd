"""Posts that pretend to be people."""

from __future__ import annotations

from typing import Any

import pytest

import storage.chats
from tests.handlers.conftest import GROUP, READER, World

CHANNEL = {
    "id": -1003000000001,
    "type": "channel",
    "title": "Somebody's channel",
    "username": "somebody",
}
LINKED = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
MASK = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}

PRETENDING: dict[str, dict[str, Any]] = {
    "written as a channel": {"from": MASK, "sender_chat": CHANNEL},
    "forwarded by the linked channel": {
        "from": LINKED,
        "sender_chat": CHANNEL,
        "is_automatic_forward": True,
    },
    "a channel, without a person": {"sender_chat": CHANNEL},
}


@pytest.mark.parametrize("pretending", PRETENDING.values(), ids=PRETENDING.keys())
@pytest.mark.cases(keep=1)
async def test_S23_a_channels_post_in_a_group_changes_nothing(
    world: World, pretending: dict[str, Any]
) -> None:
    """Whatever it asks for; an administrator's question after it is answered as before."""
    await world.ask("/rates@jarchy_bot USD", chat=GROUP, fits="84")
    async with world.store.reading() as db:
        before = await storage.chats.get(db, GROUP)
    for number, command in enumerate(("/language ky", "/stop", "/subscribe security")):
        word = {"type": "bot_command", "offset": 0, "length": len(command.split(maxsplit=1)[0])}
        message = {
            "message_id": 900_001 + number,
            "date": 1,
            "chat": {"id": GROUP, "type": "supergroup", "title": "Market"},
            "text": command,
            "entities": [word],
            **pretending,
        }
        world.emulator.push_update({"message": message})
    await world.ask("/rates USD", chat=READER, fits="84")
    await world.ask("/rates@jarchy_bot USD", chat=GROUP, fits="84")
    async with world.store.reading() as db:
        assert await storage.chats.get(db, GROUP) == before
