"""A message as the Bot API's JSON parameters: how its entities and buttons are written there."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from bot.i18n import NO_BREAK
from bot.model.entities import WrittenEntity, written_entity
from bot.render.blocks import RichMessage, rich_message
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


class ChannelWanted(TypedDict):
    """A channel that a key's reader chooses, and the rights that both sides need there."""

    request_id: int
    chat_is_channel: Literal[True]
    user_administrator_rights: dict[str, bool]
    bot_administrator_rights: dict[str, bool]
    request_title: bool


class Key(TypedDict):
    """A key below the field, and what a tap on it sends."""

    text: str
    request_location: NotRequired[Literal[True]]
    request_chat: NotRequired[ChannelWanted]


class Keys(TypedDict):
    """The keys in the place of the reader's own, until one is tapped."""

    keyboard: list[list[Key]]
    resize_keyboard: bool
    one_time_keyboard: bool


class NoKeys(TypedDict):
    """The keys taken away, for the reader's own to come back."""

    remove_keyboard: Literal[True]


class FieldOpened(TypedDict):
    """The field opens by itself, with words in it to look at."""

    force_reply: Literal[True]
    input_field_placeholder: str


#: What is shown below the field, where a message has no buttons of its own.
BelowField = Keys | NoKeys | FieldOpened
NO_KEYS: NoKeys = {"remove_keyboard": True}
DOT, DOT_AND_NEXT = " · ", f" ·{NO_BREAK}"
PLACEHOLDER_LETTERS = 64  # at most, of what a field has to look at


class Preview(TypedDict, total=False):
    """The page that is shown under a message, none where it `is_disabled`."""

    is_disabled: bool
    url: str
    prefer_large_media: bool


class Reply(TypedDict):
    """The message of a chat that a message replies to."""

    message_id: int
    allow_sending_without_reply: bool


class Body(TypedDict, total=False):
    """A message's parameters: a text, a rich message or a caption, which has its own entities."""

    text: str
    entities: list[WrittenEntity]
    link_preview_options: Preview
    rich_message: RichMessage
    caption: str
    caption_entities: list[WrittenEntity]
    reply_markup: Keyboard
    disable_notification: bool
    reply_parameters: Reply
    message_thread_id: int


def one_key(key: Key) -> Keys:
    """The only key below the field, gone after its tap."""
    return {"keyboard": [[key]], "resize_keyboard": True, "one_time_keyboard": True}


def field_opened(words: str) -> FieldOpened:
    """The field for an answer, with the beginning of the old words."""
    return {"force_reply": True, "input_field_placeholder": words[:PLACEHOLDER_LETTERS]}


def send_method(body: Body) -> str:
    """The method that sends a message with such parameters. One method edits both kinds."""
    return "sendRichMessage" if "rich_message" in body else "sendMessage"


def words(message: Message) -> Body:
    """The parameters of a message's text."""
    said: Body = {"text": _no_dot_last(message.text)}
    if message.entities:
        said["entities"] = [written_entity(one) for one in message.entities]
    # a picture has no preview, and sendPhoto does not know the parameter
    said["link_preview_options"] = _preview(message.shown)
    return said


def to_api(message: Message, *, caption: bool = False, tables: bool = False) -> Body:
    """The message as the Bot API's JSON parameters, without the chat.

    Text or caption, entities, buttons, sound; a rich message where it has tables and they are to be
    `tables`.
    """
    body: Body
    if caption:
        body = {"caption": _no_dot_last(message.text)}
        if message.entities:
            body["caption_entities"] = [written_entity(one) for one in message.entities]
    elif tables and message.tables:
        body = {"rich_message": rich_message(message)}
    else:
        body = words(message)
    if message.buttons:
        keyboard: list[list[WrittenButton]] = []
        for row in message.buttons:
            keyboard.append([_button(one) for one in row])
        body["reply_markup"] = {"inline_keyboard": keyboard}
    if message.silent:
        body["disable_notification"] = True
    return body


def _no_dot_last(text: str) -> str:
    """A text whose lines, wherever a phone breaks them, end with no dot that stands between two
    things: it goes to the next line with what follows. As long as it was, for its entities.
    """
    return text.replace(DOT, DOT_AND_NEXT)


def _preview(page: str | None) -> Preview:
    if page is None:
        return {"is_disabled": True}
    return {"url": page, "prefer_large_media": True}


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
