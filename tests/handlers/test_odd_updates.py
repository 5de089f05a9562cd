"""Whatever arrives as an update: ignored or answered, and the next question is answered too."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from bot.errors import UnreadableError
from bot.intake.received import has_number, parse
from tests.conftest import SHARED
from tests.handlers.conftest import READER, World, no_time

BIG = 10 * 1024 * 1024
CHAT = {"id": READER, "type": "private", "first_name": "Aigul"}
PERSON = {"id": READER, "is_bot": False, "first_name": "Aigul", "language_code": "en"}


def message(**content: Any) -> dict[str, Any]:
    """A message of the reader's, with anything in it."""
    return {"message": {"message_id": 900_000, "date": 1, "chat": CHAT, "from": PERSON, **content}}


ODD: dict[str, dict[str, Any]] = {
    "nothing at all": {},
    "an unknown kind": {"telepathy": {"from": PERSON, "thought": "rates?"}},
    "two kinds at once": {**message(text="/rates"), "poll": {"id": "1"}},
    "a kind of the wrong type": {"message": "hello"},
    "a kind that is null": {"message": None},
    "a list": {"message": [1, 2, 3]},
    "an empty text": message(text=""),
    "no text, no photo, nothing": message(),
    "only spaces": message(text=" \n\t "),
    "a lone slash": message(text="/", entities=[{"type": "bot_command", "offset": 0, "length": 1}]),
    "NUL and bidirectional marks": message(text="/rates\x00\u202e USD\u2066"),
    "unknown fields": message(
        text="/status", aura="blue", chat={**CHAT, "mood": {"deep": [1, {"er": None}]}}
    ),
    "an entity beyond the text": message(
        text="hi", entities=[{"type": "bold", "offset": 90, "length": 900}]
    ),
    "an entity of an unknown type": message(
        text="hi", entities=[{"type": "glow", "offset": 0, "length": 2}]
    ),
    "a negative date": message(text="hi", date=-1),
    "a date beyond the calendar": message(text="hi", date=2**60),
    "a 64-bit chat": {
        "message": {
            "message_id": 1,
            "date": 1,
            "chat": {"id": -(2**63), "type": "group"},
            "text": "/rates",
        }
    },
    "a 64-bit user": message(text="/help", **{"from": {**PERSON, "id": 2**63 - 1}}),
    "an id in letters": {
        "message": {"message_id": 1, "date": 1, "chat": {"id": "me"}, "text": "/x"}
    },
    "a chat of an unknown type": message(text="/rates", chat={**CHAT, "type": "hologram"}),
    "a button without data": {"callback_query": {"id": "1", "from": PERSON, "chat_instance": "1"}},
    "a button with odd data": {
        "callback_query": {
            "id": "2",
            "from": PERSON,
            "chat_instance": "1",
            "data": "rule:save:\ud7ff" + "9" * 60,
        }
    },
    "a page of more digits than a number is read of": {
        "callback_query": {
            "id": "3",
            "from": PERSON,
            "chat_instance": "1",
            "data": "news:-:" + "9" * 5000,
            "message": {"message_id": 900_000, "date": 1, "chat": CHAT, "text": "x"},
        }
    },
    "an offset of as many": {
        "inline_query": {"id": "4", "from": PERSON, "query": "", "offset": "9" * 5000}
    },
    "a member change without members": {
        "my_chat_member": {"chat": CHAT, "from": PERSON, "date": 1}
    },
    "a deeply nested reply": message(text="hi", reply_to_message=message(text="x")["message"]),
}


def command(text: object, length: object) -> dict[str, Any]:
    """A message with a command: the library looks for one in kinds that nobody handles, too."""
    entity = {"type": "bot_command", "offset": 0, "length": length}
    return message(text=text, entities=[entity])["message"]


ODD |= {
    f"{kind} whose {name} is of the wrong type": {kind: command(text, length)}
    for kind in ("message", "edited_message", "channel_post", "edited_channel_post")
    for name, text, length in (("text", 7, 6), ("entity", "/rates", "6"))
}
ODD["a question beside an edit of the wrong type"] = {
    **message(text="hi"),
    "edited_message": command(["/rates"], {"a": 1}),
}
HALF = "\ud800x"
UNSTORABLE: dict[str, dict[str, Any]] = {
    "a press": {"callback_query": {"id": HALF, "from": PERSON, "chat_instance": "1"}},
    "an inline question": {"inline_query": {"id": HALF, "from": PERSON, "query": "1 usd"}},
    "a text": message(text=HALF),
    "a name": message(text="hi", **{"from": {**PERSON, "first_name": HALF}}),
    "a title": message(text="hi", chat={**CHAT, "title": HALF}),
}


PRESS = {"message": message(text="x")["message"], "data": "news:-:0"}
BOT = {"id": 123456789, "is_bot": True, "first_name": "Jarchy"}
PLACE = {
    "user": BOT,
    "status": "administrator",
    "can_be_edited": False,
    "can_post_messages": True,
    "is_anonymous": False,
}
#: A sound update of each kind, of those that nobody handles two.
SOUND: dict[str, dict[str, Any]] = {
    "message": {"message": command("/rates USD", 6)},
    "edited_message": {"edited_message": {**command("/rates USD", 6), "edit_date": 1}},
    "channel_post": {"channel_post": {**command("/rates USD", 6), "sender_chat": CHAT}},
    "callback_query": {
        "callback_query": {"id": "77", "from": PERSON, "chat_instance": "1", **PRESS}
    },
    "inline_query": {"inline_query": {"id": "80", "from": PERSON, "query": "1 usd", "offset": ""}},
    "my_chat_member": {
        "my_chat_member": {
            "chat": {"id": -1002, "type": "channel", "title": "News"},
            "from": PERSON,
            "date": 1,
            "old_chat_member": {"user": BOT, "status": "left"},
            "new_chat_member": PLACE,
        }
    },
}
SOUND |= {
    "a list of feeds": message(
        document={
            "file_id": "a",
            "file_unique_id": "b",
            "file_name": "x.opml",
            "file_size": 10,
            "mime_type": "text/xml",
        }
    ),
    "a channel that was chosen": message(
        chat_shared={"request_id": 1, "chat_id": -1001, "title": "News"}
    ),
    "a place": message(location={"latitude": 42.87, "longitude": 74.59}),
    "a group that moved": {
        "message": {
            "message_id": 5,
            "date": 1,
            "chat": {"id": -77, "type": "group", "title": "Market"},
            "from": PERSON,
            "migrate_to_chat_id": -1007,
        }
    },
    "a press under what is out of reach": {
        "callback_query": {
            "id": "78",
            "from": PERSON,
            "chat_instance": "1",
            "data": "news:-:0",
            "message": {"chat": CHAT, "message_id": 5, "date": 0},
        }
    },
}


WRONG = (None, [], {}, "", "0", -1, 10**30, 1.5, True, HALF, [None], {"a": 1})


async def still_answers(world: World) -> None:
    """The next question of the same chat is answered: what came before it is handled."""
    assert await world.ask("/rates USD", fits="84.7935")


async def test_G13_an_odd_update_is_ignored_or_answered(scene: World) -> None:
    """Of any shape; the program goes on."""
    silent = []
    for name, odd in ODD.items():
        scene.emulator.push_update(odd)
        try:
            await still_answers(scene)
        except TimeoutError:
            silent.append(name)
    assert silent == []


async def handled(world: World, content: dict[str, Any]) -> None:
    """Handle an update without the inbox's guard, whatever kinds that would let pass.

    Raises UnreadableError where it is one to be set aside.
    """
    await world.bot.inbox._handle({"update_id": 1, **content})


async def test_G13_nothing_is_thrown_over_an_odd_update(scene: World) -> None:
    for odd in ODD.values():
        with suppress(UnreadableError):
            await handled(scene, odd)


async def test_G13_half_a_surrogate_pair_makes_an_update_unreadable(scene: World) -> None:
    """No JSON that leaves here could hold it."""
    for odd in UNSTORABLE.values():
        with pytest.raises(UnreadableError):
            await handled(scene, odd)


def places(holder: object, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """The paths to all that an update holds, at every depth."""
    entries: Iterable[tuple[str | int, object]] = ()
    if isinstance(holder, dict):
        entries = holder.items()
    elif isinstance(holder, list):
        entries = enumerate(holder)
    for name, value in entries:
        yield (*path, name)
        yield from places(value, *path, name)


def with_one_wrong(content: dict[str, Any], path: tuple[str | int, ...], value: object) -> Any:
    """An update that holds something else in one place."""
    changed = json.loads(json.dumps(content))
    holder = changed
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    return changed


def without(content: dict[str, Any], path: tuple[str | int, ...]) -> Any:
    """An update that lacks one thing."""
    changed = json.loads(json.dumps(content))
    holder = changed
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    return changed


@pytest.mark.cases(keep=6)
@pytest.mark.parametrize("kind", SOUND)
async def test_G13_nothing_is_thrown_over_one_wrong_value_in_any_place(
    scene: World, kind: str
) -> None:
    """Of a sound update of each kind."""
    scene.bot.services.rest = no_time
    for path in places(SOUND[kind]):
        for value in WRONG:
            with suppress(UnreadableError):
                await handled(scene, with_one_wrong(SOUND[kind], path, value))


@pytest.mark.cases(keep=6)
@pytest.mark.parametrize("kind", SOUND)
async def test_G22_nothing_is_thrown_over_one_missing_field_in_any_place(
    scene: World, kind: str
) -> None:
    """Likewise."""
    scene.bot.services.rest = no_time
    for path in places(SOUND[kind]):
        with suppress(UnreadableError):
            await handled(scene, without(SOUND[kind], path))


def test_G13_a_number_no_database_can_hold_is_none() -> None:
    """An update without a number is dropped, a chat without one has no order to keep; neither is an
    error.
    """
    for odd in ({}, {"update_id": 2**70}, {"update_id": True}, {"update_id": "7"}, [], None):
        assert not has_number(odd)
    assert (
        parse({"update_id": 1, **message(chat={"id": 2**64 - 1}, **{"from": {"id": True}})}).chat
        is None
    )


async def test_G13_an_update_of_ten_megabytes_is_answered(world: World) -> None:
    """As words that are too many, in the time of any other."""
    world.emulator.push_update(message(text="сом " * (BIG // 7)))
    world.emulator.push_update(
        message(
            text="/rates " + "USD " * (BIG // 4),
            entities=[{"type": "bot_command", "offset": 0, "length": 6}],
        )
    )
    await still_answers(world)


class Fuzz:
    """Objects of the Bot API's types, with fields left out, added, and of the wrong type."""

    def __init__(self, types: dict[str, Any], seed: int) -> None:
        self.types, self.random = types, random.Random(seed)

    def value(self, kind: str, depth: int) -> Any:
        """Something of a kind, or nearly."""
        if self.random.random() < 0.06:
            return self.random.choice(
                [None, "", 0, -1, 2**62, True, 1.5, [], {}, "\u202e\x00", ["x"]]
            )
        if kind.startswith("Array of "):
            return [
                self.value(kind.removeprefix("Array of "), depth + 1)
                for _ in range(self.random.randrange(3))
            ]
        match kind:
            case "Integer":
                return self.random.choice([0, 1, READER, -1, 2**31, 2**52, -(2**63)])
            case "Float":
                return self.random.choice([0.0, -1.5, 1e300])
            case "Boolean":
                return self.random.random() < 0.5
            case "String":
                return self.random.choice(
                    ["", "/rates", "/news x", "private", "100 usd", "lang:ru", "ө" * 300]
                )
        return self.object(kind, depth)

    def object(self, kind: str, depth: int) -> Any:
        """One object; the deeper, the fewer optional fields."""
        described = self.types.get(kind)
        if described is None or depth > 6:
            return {}
        if described.get("subtypes"):
            return self.object(self.random.choice(described["subtypes"]), depth + 1)
        made = {}
        for field in described.get("fields", ()):
            likely = 0.97 if field["required"] else 0.25 / (depth + 1)
            if self.random.random() < likely:
                made[field["name"]] = self.value(self.random.choice(field["types"]), depth + 1)
        if self.random.random() < 0.1:
            made["field_of_tomorrow"] = {"x": [1]}
        return made

    def update(self) -> dict[str, Any]:
        """An update of one kind; half of them come from the reader's chat."""
        kinds = [field for field in self.types["Update"]["fields"] if field["name"] != "update_id"]
        field = self.random.choice(kinds)
        content = self.object(field["types"][0], 0)
        if isinstance(content, dict) and self.random.random() < 0.5:
            content |= {
                name: value for name, value in (("chat", CHAT), ("from", PERSON)) if name in content
            }
        return {field["name"]: content}


@pytest.mark.skipif(
    SHARED is None or not (SHARED / "spec").is_dir(), reason="the schema of the Bot API is not here"
)
@pytest.mark.parametrize("seed", range(2))
async def test_G13_whatever_the_schema_allows_and_more_stops_nobody(
    scene: World, seed: int
) -> None:
    """Two hundred updates made up from the Bot API's schema; then a question is answered."""
    assert SHARED is not None
    path = next((SHARED / "spec").glob("bot_api_*.json"))
    fuzz = Fuzz(json.loads(path.read_text(encoding="utf-8"))["types"], seed)
    for _ in range(200):
        scene.emulator.push_update(fuzz.update())
    scene.bot.services.buckets.clear()
    await still_answers(scene)
