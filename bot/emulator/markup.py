"""Reply markup: what the server accepts as a keyboard.

An inline button carries exactly one action; callback data is 1 to 64 bytes, not characters: a
Cyrillic letter is two. Channels take inline keyboards only.
https://core.telegram.org/bots/api#inlinekeyboardbutton
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from bot.emulator.errors import Json, bad_request

_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
    "disabled",
)
#: What a key of a reply keyboard may ask for, and what that is called in a refusal elsewhere than
#: in a private chat.
_KEY_ACTIONS = {
    "request_users": "users",
    "request_chat": "chats",
    "request_contact": "phone number",
    "request_location": "location",
    "request_poll": "poll",
}
_STYLES = frozenset({"danger", "success", "primary"})
_BUTTON_LIMIT = 100


def checked_markup(markup: object, *, inline_only: bool, private: bool = True) -> Json | None:
    """The markup as the server understood it, or None for none; refuses what the server refuses.

    Only in a `private` chat a key may ask for a person, a chat or a place.
    """
    if markup is None or markup == "":
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = _rows(markup["inline_keyboard"], "inline_keyboard", _inline_button)
        if sum(map(len, rows)) > _BUTTON_LIMIT:
            raise bad_request("reply markup is too long")
        if not rows:  # an empty keyboard takes the buttons away
            return None
        return {"inline_keyboard": rows}
    if inline_only:
        raise bad_request("inline keyboard expected")
    if "keyboard" in markup:
        rows = _rows(markup["keyboard"], "keyboard", partial(_key, private=private))
        _check_requests(rows)
        return dict(markup) | {"keyboard": rows}
    if markup.get("remove_keyboard") is True or markup.get("force_reply") is True:
        return dict(markup)
    return None  # {} is "no markup", as on the real server


def _rows(value: object, field: str, read: Callable[[object], Json]) -> list[list[Json]]:
    """The rows of a keyboard, each button through `read`; empty rows are left out."""
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise bad_request(
            f"can't parse reply markup: field {field} must be of type Array of Arrays"
        )
    return [list(map(read, row)) for row in filter(None, value)]


def _inline_button(button: object) -> Json:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: expected an Object")
    text = button.get("text")
    if not isinstance(text, str) or not text.strip():
        raise bad_request("can't parse inline keyboard button: can't find field text")
    # without any, and with two: the server's words are the same
    actions = [name for name in _ACTIONS if button.get(name) is not None]
    if len(actions) != 1:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if button.get("style") not in _STYLES | {None}:
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    _check_action(actions[0], button[actions[0]])
    return dict(button)


def _check_action(action: str, value: object) -> None:
    """Refuse a value that the server refuses for this action; others it takes as they are."""
    match action:
        case "callback_data":
            if not isinstance(value, str) or not 1 <= len(value.encode()) <= 64:
                raise bad_request("BUTTON_DATA_INVALID")
        case "url":
            problem = _url_problem(value)
            if problem:
                raise bad_request(f"inline keyboard button URL '{value}' is invalid: {problem}")
        case "copy_text":
            if not isinstance(value, dict) or not 1 <= len(str(value.get("text", ""))) <= 256:
                raise bad_request("BUTTON_COPY_TEXT_INVALID")


def _url_problem(value: object) -> str | None:
    if not isinstance(value, str) or not value or re.search(r"\s", value):
        return "URL host is empty"
    if "://" not in value:  # the server takes "example.org" for a web address
        value = f"http://{value}"
    parts = urlsplit(value)
    if parts.scheme in {"tg", "ton"}:
        return None
    if parts.scheme not in {"http", "https"}:
        return "unsupported URL protocol"
    if parts.hostname != "localhost" and "." not in (parts.hostname or ""):
        return "wrong HTTP URL"
    return None


def _key(key: object, *, private: bool) -> Json:
    if isinstance(key, str):
        return {"text": key}
    if not isinstance(key, dict) or not isinstance(key.get("text"), str) or not key["text"]:
        raise bad_request("can't parse keyboard button: can't find field text")
    for action, what in _KEY_ACTIONS.items():
        if key.get(action) and not private:
            raise bad_request(f"{what} can be requested in private chats only")
    if key.get("request_chat") is not None:
        _check_request_chat(key["request_chat"])
    return dict(key)


def _check_request_chat(asked: object) -> None:
    """Refuse a request for a chat that the server cannot read, or that asks for too much.

    The rights that the bot asks for are to be among those that the person must have.
    """
    if not isinstance(asked, dict):
        raise bad_request("can't parse keyboard button: object expected")
    if type(asked.get("request_id")) is not int:
        raise bad_request("can't parse keyboard button: can't find field request_id")
    for name in ("user_administrator_rights", "bot_administrator_rights"):
        if not isinstance(asked.get(name, {}), dict):
            raise bad_request(
                "can't parse keyboard button: ChatAdministratorRights must be an Object"
            )
    if not rights_in(asked, "bot") <= rights_in(asked, "user"):
        raise bad_request("BUTTON_INVALID")


def rights_in(asked: Json, whose: str) -> frozenset[str]:
    """The rights that a request for a chat wants its user or its bot to have."""
    rights = asked.get(f"{whose}_administrator_rights") or {}
    return frozenset(name for name, wanted in rights.items() if wanted is True)


def _check_requests(rows: list[list[Json]]) -> None:
    """The numbers of requests tell them apart within a message."""
    numbers: list[object] = []
    for row in rows:
        for key in row:
            asked = key.get("request_chat") or key.get("request_users")
            if isinstance(asked, dict):
                numbers.append(asked.get("request_id"))
    if len(numbers) != len(set(numbers)):
        raise bad_request("BUTTON_ID_INVALID")
