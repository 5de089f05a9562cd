"""A raw update, as python-telegram-bot reads it.

Fields that are missing are filled in: an older local Bot API server does not send what a newer
library requires, and a newer one stops sending what it no longer needs (Bot API 10.5 did,
2026-11-22). Values that are wrong are not guessed at: the update is unreadable, and whoever
received it sets it aside.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from telegram import (
    Bot,
    ChatMemberAdministrator,
    ChatMemberBanned,
    ChatMemberRestricted,
    Message,
    MessageEntity,
    Update,
    User,
)
from telegram import Chat as TelegramChat
from telegram.error import TelegramError

from bot.errors import UnreadableError

#: Whatever the library stumbles over in what it was given; it has no error of its own for that.
LIBRARY_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,  # a date before the machine's calendar
    RuntimeError,  # nested beyond Python's stack
    TelegramError,
    TypeError,
    ValueError,
)
HALF_A_PAIR = re.compile(r"[\ud800-\udfff]")
LARGEST_ID = 2**63  # a database's whole numbers have 64 bits, one of them the sign
LARGEST_OFFSET = 2**31  # longer than any message
#: What the handlers read of a message; without the rest it can still be answered.
NEEDED_FIELDS = frozenset(
    {
        "caption",
        "chat",
        "chat_shared",
        "date",
        "document",
        "entities",
        "ephemeral_message_id",
        "from",
        "is_automatic_forward",
        "is_topic_message",
        "location",
        "message_id",
        "message_thread_id",
        "migrate_from_chat_id",
        "migrate_to_chat_id",
        "reply_markup",
        "sender_chat",
        "text",
        "via_bot",
    }
)
#: In place of whatever says that a message was forwarded: by whom is not read, that it was is.
SOMEBODYS_WORDS = {"type": "hidden_user", "date": 1, "sender_user_name": ""}
_MEMBERS = {
    "administrator": ChatMemberAdministrator,
    "restricted": ChatMemberRestricted,
    "kicked": ChatMemberBanned,
}


def read(raw: Mapping[str, Any], bot: Bot) -> Update:
    """The update; UnreadableError when there is none in it."""
    if not isinstance(raw, Mapping):
        raise UnreadableError("it is no object")
    try:
        whole = _completed(raw)
        try:
            update = Update.de_json(whole, bot)
        except (KeyError, TypeError) as error:
            if not _is_missing(error):
                raise
            # the field is missing in what nobody here reads
            update = Update.de_json(_needed(whole), bot)
        wrong = next(_wrong(update), None)
    except LIBRARY_ERRORS as error:
        raise UnreadableError(type(error).__name__) from None
    if wrong is not None:
        raise UnreadableError(wrong)
    return update


def _is_missing(error: Exception) -> bool:
    return isinstance(error, KeyError) or "missing" in str(error)


# --- what is missing ------------------------------------------------------------------------------


def _completed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An update's kinds that are handled; whatever else it holds, nobody here reads."""
    update = {name: raw[name] for name in ("update_id", *COMPLETE) if name in raw}
    for name, complete in COMPLETE.items():
        _replace(update, name, complete)
    return update


def _replace(
    holder: dict[str, Any], name: str, complete: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Complete one field, if it is there and an object; the library refuses what else it may be."""
    value = holder.get(name)
    if isinstance(value, dict):
        holder[name] = complete(value)


def _message(given: dict[str, Any]) -> dict[str, Any]:
    # 1 and not 0: python-telegram-bot takes 0 for an inaccessible message
    message = {"message_id": 0, "date": 1, **given}
    for name in ("from", "via_bot"):
        _replace(message, name, _user)
    for name in ("chat", "sender_chat"):
        _replace(message, name, _chat)
    _replace(message, "document", lambda given: {"file_id": "", "file_unique_id": "", **given})
    _replace(message, "chat_shared", lambda given: {"request_id": 0, "chat_id": 0, **given})
    return message


def _query(given: dict[str, Any]) -> dict[str, Any]:
    query = {"chat_instance": "", **given}
    _replace(query, "from", _user)
    _replace(query, "message", _message)
    return query


def _inline(given: dict[str, Any]) -> dict[str, Any]:
    query = {"query": "", "offset": "", **given}
    _replace(query, "from", _user)
    return query


def _membership(given: dict[str, Any]) -> dict[str, Any]:
    change = {"date": 1, **given}
    _replace(change, "from", _user)
    _replace(change, "chat", _chat)
    for name in ("old_chat_member", "new_chat_member"):
        _replace(change, name, _member)
    return change


#: The kinds of update that are handled, and what completes each.
COMPLETE = {
    "message": _message,
    "edited_message": _message,
    "callback_query": _query,
    "inline_query": _inline,
    "my_chat_member": _membership,
}


def _member(given: dict[str, Any]) -> dict[str, Any]:
    """A place in a chat.

    Each new right of the Bot API is a field that the library requires and older servers lack.
    """
    names: list[str] = []
    kind = _MEMBERS.get(str(given.get("status")))
    if kind is not None:
        for one in inspect.signature(kind).parameters.values():
            if one.default is one.empty and one.name != "user":
                names.append(one.name)
    member = {**dict.fromkeys(names, False), "is_anonymous": False, **given}
    if "until_date" in names:
        member["until_date"] = given.get("until_date", 0)
    if "is_member" in names:
        member["is_member"] = given.get("is_member", True)
    _replace(member, "user", _user)
    return member


def _user(given: dict[str, Any]) -> dict[str, Any]:
    return {"first_name": "", "is_bot": False, **given}


def _chat(given: dict[str, Any]) -> dict[str, Any]:
    number = given.get("id")
    kind = "supergroup"
    if isinstance(number, int) and number > 0:  # only people have numbers above zero
        kind = "private"
    return {"type": kind, **given}


def _needed(whole: dict[str, Any]) -> dict[str, Any]:
    """An update whose messages say only what is read here; that one was forwarded is not lost."""
    update = dict(whole)
    for name in ("message", "edited_message"):
        _replace(update, name, _pared)
    if isinstance(query := update.get("callback_query"), dict):
        _replace(query, "message", _pared)
    return update


def _pared(message: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in message.items() if name in NEEDED_FIELDS}
    # by either name: `forward_date` is what servers before Bot API 7.0 send
    if {"forward_origin", "forward_date"} & message.keys():
        kept["forward_origin"] = SOMEBODYS_WORDS
    return kept


# --- what is wrong --------------------------------------------------------------------------------


def _wrong(update: Update) -> Iterator[str]:
    """The names of fields that handlers and store rely on and that are not what the API says."""
    query, inline, change = update.callback_query, update.inline_query, update.my_chat_member
    if query is not None:
        yield from _unless(_are_texts(query.id), "callback_query.id")
        yield from _unless(_are_texts(query.data or ""), "callback_query.data")
        yield from _wrong_user(query.from_user)
        if query.message is not None:
            yield from _wrong_chat(query.message.chat)
            yield from _unless(_is_number(query.message.message_id), "message_id")
        if isinstance(query.message, Message):
            yield from _wrong_message(query.message)
    if inline is not None:
        yield from _unless(_are_texts(inline.id, inline.query), "inline_query")
        yield from _wrong_user(inline.from_user)
    if change is not None:
        yield from _wrong_user(change.from_user)
        yield from _wrong_chat(change.chat)
        yield from _unless(_are_texts(change.new_chat_member.status), "status")
    for message in (update.message, update.edited_message):
        if message is not None:
            yield from _wrong_message(message)


def _wrong_message(message: Message) -> Iterator[str]:
    yield from _wrong_chat(message.chat)
    if message.sender_chat is not None:
        yield from _wrong_chat(message.sender_chat)
    for user in (message.from_user, message.via_bot):
        if user is not None:
            yield from _wrong_user(user)
    yield from _unless(_is_number(message.message_id), "message_id")
    for name in ("message_thread_id", "migrate_to_chat_id", "migrate_from_chat_id"):
        value = getattr(message, name)
        yield from _unless(value is None or _is_number(value), name)
    yield from _unless(_are_texts(message.text or "", message.caption or ""), "text")
    for entity in (*message.entities, *message.caption_entities):
        yield from _wrong_entity(entity)
    if (file := message.document) is not None:
        named = file.file_name is None or _are_texts(file.file_name)
        yield from _unless(named and _are_texts(file.file_id), "document")
        yield from _unless(file.file_size is None or _is_number(file.file_size), "document")
    if (shared := message.chat_shared) is not None:
        yield from _unless(_is_number(shared.request_id), "chat_shared.request_id")
        yield from _unless(_is_number(shared.chat_id), "chat_shared.chat_id")
        yield from _unless(_are_texts(shared.title or ""), "chat_shared.title")
    if message.location is not None:
        there = (message.location.latitude, message.location.longitude)
        yield from _unless(all(map(_is_finite, there)), "location")


def _wrong_entity(entity: MessageEntity) -> Iterator[str]:
    for value in (entity.offset, entity.length):
        yield from _unless(_is_number(value) and 0 <= value < LARGEST_OFFSET, "entities")
    yield from _unless(_are_texts(entity.type), "entities")


def _wrong_user(user: User) -> Iterator[str]:
    yield from _unless(_is_number(user.id), "from.id")
    yield from _unless(_are_texts(user.first_name, user.last_name or ""), "from.first_name")
    yield from _unless(_are_texts(user.language_code or ""), "from.language_code")


def _wrong_chat(chat: TelegramChat) -> Iterator[str]:
    yield from _unless(_is_number(chat.id), "chat.id")
    yield from _unless(_are_texts(chat.type, chat.title or ""), "chat")


def _unless(right: bool, name: str) -> Iterator[str]:  # noqa: FBT001 - a condition
    if not right:
        yield name


def _is_number(value: object) -> bool:
    """Whether a value is a number that a column of 64 bits can hold."""
    # True is a whole number to Python, and none to a database
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return -LARGEST_ID <= value < LARGEST_ID


def _are_texts(*values: object) -> bool:
    """Whether these can be stored and sent back: PostgreSQL keeps no NUL in a text, and no JSON
    that leaves here holds half a surrogate pair.
    """
    return all(isinstance(value, str) and _is_whole(value) for value in values)


def _is_whole(text: str) -> bool:
    return "\x00" not in text and not HALF_A_PAIR.search(text)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
