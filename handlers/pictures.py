"""Charts on their way to a chat: drawn by a worker process, sent once, then known by a file id."""

from __future__ import annotations

from typing import Any

import structlog

from bot.errors import UserError
from bot.render import charts, drawing
from bot.render.text import Message
from bot.render.wire import to_api
from bot.telegram.outcomes import Ambiguous, Outcome, Retry, Sent
from bot.workers import WorkerError
from handlers.answers import Answer, File
from handlers.context import Context
from handlers.drawn import Key

log = structlog.get_logger(__name__)

WARM = 3600.0  # seconds: who looks at one chart looks at another
DRAW_SECONDS = 30.0  # the first chart waits for matplotlib to be imported in the worker


async def show(
    context: Context, key: Key, picture: charts.Chart, caption: Message, *, edit: bool = False
) -> None:
    """Send a chart with its caption, or put it in the place of the message pressed.

    If that fails, or nobody knows whether it arrived, the words go alone: beside a picture that did
    arrive they do no harm. `key` names the picture: what was sent under it before is not drawn
    again.
    """
    if await known(context, key, caption, edit=edit):
        return
    context.sign.action = "upload_photo"
    try:
        # in a process of its own: drawing would keep the loop from everybody else
        png = await context.services.workers.run(
            drawing.draw, picture, timeout=DRAW_SECONDS, awaited=True, warm=WARM
        )
    except WorkerError as error:
        log.warning("no chart", title=picture.title, error=str(error))
    else:
        outcome = await _put(context, caption, png, edit=edit)
        context.services.drawn.keep(key, outcome)
        if isinstance(outcome, Sent):
            return
        _say_in_doubt(outcome, edit=edit)
    await context.show(caption, edit=edit)


def _say_in_doubt(outcome: Outcome, *, edit: bool) -> None:
    """UserError for a change of a picture that nobody knows to have been made.

    Its words stand under it before and after.
    """
    if edit and isinstance(outcome, Ambiguous):
        raise UserError("error.unexpected")


def name(context: Context, short: Key, key: Key) -> None:
    """Let a picture be asked for by a shorter key, while its caller knows it to be the same."""
    context.services.drawn.names[short] = key


async def known(context: Context, key: Key, caption: Message, *, edit: bool = False) -> bool:
    """Show a chart that Telegram has already; False when it has not."""
    drawn = context.services.drawn
    key = drawn.names.get(key, key)
    photo = drawn.file_ids.get(key)
    if photo is None:
        return False
    outcome = await _put(context, caption, photo, edit=edit)
    _say_in_doubt(outcome, edit=edit)
    # the same would become of a picture drawn anew
    if lost := isinstance(outcome, Ambiguous | Retry):
        await context.show(caption, edit=edit)
    return lost or isinstance(outcome, Sent)


async def _put(context: Context, caption: Message, photo: str | bytes, *, edit: bool) -> Outcome:
    """Send a picture, new or by its file id; its caption's words go alone where it cannot leave."""
    if edit:
        method, body = _edited(context, caption, photo)
    else:
        method, body = _sent(context, caption, photo)
    file = None
    if isinstance(photo, bytes):
        file = File(field="photo", content=photo, filename="photo.png", content_type="image/png")
    answer = Answer(method=method, parameters=body, file=file, postponable=False)
    return await context.send(answer)


def _sent(context: Context, caption: Message, photo: str | bytes) -> tuple[str, dict[str, Any]]:
    """A new message; bytes are no parameter, they are uploaded beside the body."""
    body = {"chat_id": context.chat.id, **to_api(caption, caption=True)}
    if context.thread:
        body["message_thread_id"] = context.thread
    if isinstance(photo, str):
        body["photo"] = photo
    return "sendPhoto", body


def _edited(context: Context, caption: Message, photo: str | bytes) -> tuple[str, dict[str, Any]]:
    """The message pressed, with another picture; its words belong to that, its buttons do not."""
    origin = context.incoming.effective_message
    caption_body = to_api(caption, caption=True)
    body: dict[str, Any] = {"chat_id": context.chat.id, "message_id": 0}
    if origin is not None:
        body["message_id"] = origin.message_id
    if "reply_markup" in caption_body:
        body["reply_markup"] = caption_body.pop("reply_markup")
    source = "attach://photo"  # the Bot API's word for the part of the upload with that name
    if isinstance(photo, str):
        source = photo
    body["media"] = {"type": "photo", "media": source, **caption_body}
    return "editMessageMedia", body
