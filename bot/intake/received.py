"""An update as it comes: whether it is one, and what the inbox must know to store it.

Anybody may post anything to a webhook, and a newer Bot API sends what we do not know: nothing here
takes a field for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import orjson

from storage.inbox import Received

LARGEST_BODY = 1024 * 1024  # bytes of an update; the longest that Telegram sends are a tenth of it
#: What we ask for, and handle. Of anything else, as of who joins a group, the number is stored, and
#: no word.
KINDS = ("message", "edited_message", "callback_query", "inline_query", "my_chat_member")
UNKNOWN = "unknown"  # the kind of all others


def has_number(update: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether this is an update at all: an object with a number that a database can hold."""
    return isinstance(update, Mapping) and _is_id(update.get("update_id"))


def parse(update: Mapping[str, Any]) -> Received:
    """The inbox's row of an update; one of a kind that we do not handle is `UNKNOWN`."""
    # An update has one field besides its number, named for what it is.
    name = next((name for name in update if name != "update_id"), UNKNOWN)
    number = int(update["update_id"])
    if name not in KINDS:
        return Received(update_id=number, chat=None, kind=UNKNOWN, body="")
    chat = _chat_of(update.get(name))
    return Received(update_id=number, chat=chat, kind=name, body=_body_of(update))


def _body_of(update: Mapping[str, Any]) -> str | None:
    """An update as text that is kept and read again later; None when there is no such text.

    Nested too deeply, half a surrogate pair, a number beyond 64 bits, or longer than any update of
    Telegram's.
    """
    try:
        body = orjson.dumps(update)
    except orjson.JSONEncodeError:
        return None
    if len(body) > LARGEST_BODY:
        return None
    return body.decode()


def _chat_of(content: object) -> int | None:
    if not isinstance(content, dict):
        return None
    for holder in (
        content.get("chat"),
        _inner(content.get("message"), "chat"),
        content.get("from"),
    ):
        found = _inner(holder, "id")
        if _is_id(found):
            return int(found)
    return None


def _inner(holder: object, name: str) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(holder, dict):
        return None
    return holder.get(name)


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
