"""A message as the Bot API's JSON parameters: how its entities and buttons are written there."""

from __future__ import annotations

from typing import Any

from bot.render.text import Button, Entity, Message


def to_api(message: Message, *, caption: bool = False) -> dict[str, Any]:
    """The message as the Bot API's JSON parameters, without the chat.

    Text or caption, entities, buttons, sound.
    """
    text, entities = "text", "entities"
    if caption:
        text, entities = "caption", "caption_entities"
    body: dict[str, Any] = {text: message.text}
    if message.entities:
        body[entities] = [_entity(e) for e in message.entities]
    if not caption:  # a picture has no preview, and sendPhoto does not know the parameter
        body["link_preview_options"] = {"is_disabled": True}
    if message.buttons:
        keyboard = []
        for row in message.buttons:
            keyboard.append([_button(one) for one in row])
        body["reply_markup"] = {"inline_keyboard": keyboard}
    if message.silent:
        body["disable_notification"] = True
    return body


def _entity(entity: Entity) -> dict[str, Any]:
    marked: dict[str, Any] = {"type": entity.type, "offset": entity.offset, "length": entity.length}
    if entity.url is not None:
        marked["url"] = entity.url
    if entity.language is not None:
        marked["language"] = entity.language
    return marked


def _button(button: Button) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": button.text}
    if button.colour is not None:
        shown["style"] = button.colour.value
    if button.url:
        return {**shown, "url": button.url}
    if button.copy:
        return {**shown, "copy_text": {"text": button.copy}}
    # a button has to carry one of them: without data it answers "-", which no route takes
    return {**shown, "callback_data": button.data or "-"}
