"""A message as the Bot API's JSON parameters: how its entities and buttons are written there."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from bot.model.entities import WrittenEntity, written_entity
from bot.render.text import Button, Message


class WrittenButton(TypedDict):
    """An inline button; it has one of what a tap does."""

    text: str
    style: NotRequired[str]
    url: NotRequired[str]
    copy_text: NotRequired[dict[str, str]]
    callback_data: NotRequired[str]


class Keyboard(TypedDict):
    """The rows of buttons under a message."""

    inline_keyboard: list[list[WrittenButton]]


class Preview(TypedDict):
    """Whether the first link of a message is shown under it."""

    is_disabled: bool


class Reply(TypedDict):
    """The message of a chat that a message replies to."""

    message_id: int
    allow_sending_without_reply: bool


class Body(TypedDict, total=False):
    """A message's parameters; text or caption, each with its own entities."""

    text: str
    entities: list[WrittenEntity]
    caption: str
    caption_entities: list[WrittenEntity]
    link_preview_options: Preview
    reply_markup: Keyboard
    disable_notification: bool
    reply_parameters: Reply
    message_thread_id: int


def to_api(message: Message, *, caption: bool = False) -> Body:
    """The message as the Bot API's JSON parameters, without the chat.

    Text or caption, entities, buttons, sound.
    """
    marked = [written_entity(one) for one in message.entities]
    body: Body
    if caption:
        body = {"caption": message.text}
        if marked:
            body["caption_entities"] = marked
    else:
        body = {"text": message.text}
        if marked:
            body["entities"] = marked
        # a picture has no preview, and sendPhoto does not know the parameter
        body["link_preview_options"] = {"is_disabled": True}
    if message.buttons:
        keyboard: list[list[WrittenButton]] = []
        for row in message.buttons:
            keyboard.append([_button(one) for one in row])
        body["reply_markup"] = {"inline_keyboard": keyboard}
    if message.silent:
        body["disable_notification"] = True
    return body


def _button(button: Button) -> WrittenButton:
    shown: WrittenButton = {"text": button.text}
    if button.colour is not None:
        shown["style"] = button.colour.value
    if button.url:
        shown["url"] = button.url
    elif button.copy:
        shown["copy_text"] = {"text": button.copy}
    else:
        # a button has to carry one of them: without data it answers "-", which no route takes
        shown["callback_data"] = button.data or "-"
    return shown
