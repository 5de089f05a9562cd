"""An answer in the place of an earlier one, when what was asked is edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.telegram.outcomes import Outcome, Sent
from handlers.answers import Answer
from handlers.given import Ours

#: What makes a message in answer, and whether that is a picture.
MESSAGES = {"sendMessage": False, "sendRichMessage": False, "sendPhoto": True}
#: What only a new message can have.
NEW_ONLY = frozenset({"message_thread_id", "reply_parameters", "photo"})
#: What belongs to a picture itself where one takes the place of another.
OF_PICTURE = frozenset({"caption", "caption_entities", "show_caption_above_media"})


def in_place(answer: Answer, ours: Ours) -> Answer | None:
    """The answer as an edit of that message; None where Telegram has no such edit."""
    picture = MESSAGES[answer.method]
    if ours.picture and not picture:
        return None
    if _is_keyboard(answer.parameters.get("reply_markup")):
        return None
    body = {name: value for name, value in answer.parameters.items() if name not in NEW_ONLY}
    body["message_id"] = ours.id
    if not picture:
        return replace(answer, method="editMessageText", parameters=body)
    # the Bot API's word for the part of the upload with that name
    media = {"type": "photo", "media": answer.parameters.get("photo", "attach://photo")}
    for name in OF_PICTURE & body.keys():
        media[name] = body.pop(name)
    body["media"] = media
    return replace(answer, method="editMessageMedia", parameters=body)


def ours_of(answer: Answer, outcome: Outcome, replaced: Ours | None) -> Ours | None:
    """The message that an answer became; None where nobody knows its number."""
    if not isinstance(outcome, Sent):
        return None
    number = outcome.message_id
    if not number and replaced is not None:  # Telegram says only that nothing changes
        number = replaced.id
    return Ours(number, MESSAGES[answer.method]) if number else None


def _is_keyboard(markup: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether this is shown in place of the reader's keys, which an edit cannot do."""
    return isinstance(markup, Mapping) and "inline_keyboard" not in markup
