"""/mydata and /delete: what is stored about a chat, given to it, or erased for it."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import orjson
from telegram import Update

import storage.privacy
from bot.errors import UserError
from bot.model.outcomes import Outcome, Sent
from bot.render import help as words
from handlers.context import Context


@runtime_checkable
class Uploader(Protocol):
    """The Bot API for a method with a file."""

    async def upload(
        self, method: str, parameters: dict[str, Any], *, field: str, content: bytes, filename: str, content_type: str
    ) -> Outcome:
        """Send and classify."""


async def mydata(_update: Update, context: Context) -> None:
    """/mydata: everything stored about this chat, as a JSON file."""
    await context.must_be_admin()
    services, chat = context.services, context.chat
    async with services.store.reading() as db:
        found = await storage.privacy.export(db, chat.id)
    body = {"chat_id": chat.id, "caption": words.say("mydata.ready", context.language).text}
    await services.turn(chat.id)
    outcome = None
    if isinstance(services.api, Uploader):
        outcome = await services.api.upload(
            "sendDocument",
            body,
            field="document",
            content=orjson.dumps(found, option=orjson.OPT_INDENT_2, default=str),
            filename="jarchy.json",
            content_type="application/json",
        )
    if not isinstance(outcome, Sent):
        raise UserError("error.unexpected")


async def delete(_update: Update, context: Context) -> None:
    """/delete: asks first."""
    await context.must_be_admin()
    await context.reply(words.delete_question(context.language))


async def pressed(context: Context, answer: str) -> None:
    """Buttons `delete:yes` and `delete:no`."""
    await context.must_be_admin()
    services, chat = context.services, context.chat
    if answer not in {"yes", "no"}:
        raise UserError("error.stale")
    if answer == "yes":
        async with services.store.writing() as db:
            await storage.privacy.erase(db, chat.id)
        services.chats.pop(chat.id, None)
        services.buckets.pop(chat.id, None)
    await context.edit(words.say("delete.done" if answer == "yes" else "cancel.done", context.language))
    await context.answer()
