"""What became of one request to Telegram: six outcomes, told apart in one place.

The Bot API tells most refusals apart by its English `description` only, so the
phrases are listed here and nowhere else. The lists are from the API's own
answers; an unknown 400 counts as "our message is bad" and is tried once without
entities and buttons, an unknown 403 as "gone".
"""

from __future__ import annotations

from typing import Any

import orjson

from bot.model.outcomes import Ambiguous, Gone, Migrated, Outcome, Rejected, Retry, Sent

_GONE = (
    ("bot was blocked", "blocked"),
    ("user is deactivated", "deactivated"),
    ("bot was kicked", "kicked"),
    ("bot is not a member", "kicked"),
    ("chat not found", "not found"),
    ("chat_write_forbidden", "no right to write"),
    ("not enough rights", "no right to write"),
    ("need administrator rights", "no right to write"),
    ("have no rights to send", "no right to write"),
    ("group chat was deactivated", "deactivated"),
    ("bot can't initiate conversation", "never started"),
    ("peer_id_invalid", "not found"),
    ("channel_private", "kicked"),
    ("chat_admin_required", "no right to write"),
    ("chat_restricted", "no right to write"),
)
_THREAD = ("topic_closed", "topic_deleted", "message thread not found")
_NO_MESSAGE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message is too old",
    "message to be edited is too old",
)
#: Refused for its words: without entities and buttons they are the same.
_HOPELESS = ("message is too long", "text is empty", "text must be non-empty")


def read(status: int, body: bytes) -> Outcome:
    """Classify one complete HTTP answer."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        if status == 429:
            return Retry("too many requests", after=5.0, flood=True)
        if status >= 400:  # a proxy's page, or a refusal cut short: either way nothing was done
            return Retry(f"HTTP {status}")
        return Ambiguous(f"HTTP {status} without JSON", body)  # cut off after Telegram acted, perhaps
    if not isinstance(answer, dict):
        return Ambiguous(f"HTTP {status} without an object")
    if answer.get("ok") is True:
        result = answer.get("result")
        return Sent(result.get("message_id", 0) if isinstance(result, dict) else 0, result)
    code = answer.get("error_code")
    parameters = answer.get("parameters")
    return _refused(
        code if isinstance(code, int) else status,
        str(answer.get("description", "")),
        parameters if isinstance(parameters, dict) else {},
    )


def _refused(code: int, description: str, parameters: dict[str, Any]) -> Outcome:  # noqa: C901, PLR0911 - a table
    text = description.lower()
    if code == 429:
        return Retry("too many requests", after=float(parameters.get("retry_after") or 5), flood=True)
    if code >= 500 or code == 200:
        return Retry(f"error {code}")
    if code == 401 or (code == 404 and text == "not found"):
        return Rejected("Telegram does not know this token", token=True)
    if code == 409:
        return Rejected(description[:200], conflict=True)
    if "migrate_to_chat_id" in parameters:
        return Migrated(int(parameters["migrate_to_chat_id"]))
    if any(phrase in text for phrase in _THREAD):
        return Rejected(description, thread=True)
    if "slow mode" in text or "slowmode" in text:
        return Retry("slow mode", after=30.0, flood=True)
    for phrase, why in _GONE:
        if phrase in text:
            return Gone(why)
    if code == 403:
        return Gone(description.removeprefix("Forbidden: ")[:100])
    if "message is not modified" in text:
        return Sent(0)
    if any(phrase in text for phrase in _NO_MESSAGE):
        return Rejected(description, unneeded=True)
    return Rejected(description[:200], plain=not any(phrase in text for phrase in _HOPELESS))
