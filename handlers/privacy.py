"""/privacy, /mydata and /delete: what is stored about a chat, told, given to it or erased."""

from __future__ import annotations

from telegram import Update

import storage.boards
import storage.copies
import storage.privacy
import storage.retention
from bot.errors import UserError
from bot.model.chats import ChatKind
from bot.render import privacy as render
from bot.render.answers import say
from bot.telegram.outcomes import Gone, Outcome, Sent
from handlers import boards
from handlers.access import author
from handlers.answers import Answer, File
from handlers.context import Context
from storage.privacy import ChatData


async def privacy(_update: Update, context: Context) -> None:
    """/privacy: what is stored, and for how long."""
    kept = storage.retention
    await context.reply(
        render.privacy(
            context.language,
            written=kept.BODIES_KEPT,
            sent=kept.ALERTS_KEPT,
            away=kept.CLOSED_CHATS_KEPT,
            copies=storage.copies.KEEP_ASIDE,
        )
    )


async def mydata(_update: Update, context: Context) -> None:
    """/mydata: everything stored about this chat, as a JSON file.

    A group's goes to the administrator who asks, in private.
    """
    services, chat = context.services, context.chat
    private = chat.kind is ChatKind.PRIVATE
    if private:
        reader = chat.id
        caption = say("mydata.ready", context.language)
    else:
        reader = _administrator(context)
        title = chat.title
        origin = context.incoming.effective_chat
        if origin is not None and origin.title:  # the stored one is of when we met
            title = origin.title
        caption = say("mydata.group", context.language, title=title)
    async with services.store.reading() as db:
        found = await storage.privacy.export(db, chat.id)
    outcome = await _send_file(context, reader, caption.text, found)
    if isinstance(outcome, Gone) and not private:
        raise UserError("error.mydata_private", bot=f"@{context.bot.username}")
    if not isinstance(outcome, Sent):
        raise UserError("error.unexpected")
    if not private:
        await context.reply(say("mydata.sent", context.language))


def _administrator(context: Context) -> int:
    """The person whose private chat a group's data goes to; UserError for who writes as the group.

    Nobody knows who that is.
    """
    asking = author(context)
    if asking is None:
        raise UserError("error.mydata_anonymous")
    return asking


async def _send_file(context: Context, reader: int, caption: str, found: ChatData) -> Outcome:
    file = File(
        field="document",
        content=found.to_json(),
        filename="jarchy.json",
        content_type="application/json",
    )
    parameters = {"chat_id": reader, "caption": caption}
    return await context.send(Answer(method="sendDocument", parameters=parameters, file=file))


async def delete(_update: Update, context: Context) -> None:
    """/delete: asks first."""
    await context.reply(render.delete_question(context.language))


async def pressed(context: Context, answer: str) -> None:
    """Buttons `delete:yes` and `delete:no`."""
    services, chat = context.services, context.chat
    said = "cancel.done"
    if answer == "yes":
        async with services.store.writing() as db:
            # while it is known which message that is
            board = await storage.boards.end(db, chat.id)
            await storage.privacy.erase(db, chat.id)
        await boards.unpin(context, board)
        # What is remembered beside the store goes too, or the chat would be taken for a stored one.
        services.chats.pop(chat.id, None)
        services.buckets.pop(chat.id, None)
        context.erased = True
        said = "delete.done"
    elif answer != "no":
        raise UserError("error.stale")
    words = say(said, context.language)
    await context.edit(words)
    # whatever keeps the message from leaving, the press is answered; nobody can be told later
    await context.answer(words.text if context.erased else "")
