"""The right to post in a channel: asked of Telegram, of the bot and of who sets it up."""

from __future__ import annotations

from dataclasses import replace

from telegram import Chat as TelegramChat

from bot.errors import UserError
from bot.model.chats import Chat
from bot.telegram.outcomes import Outcome, Sent
from bot.telegram.results import chat_of, member_of
from handlers.access import must_post, unknown_place
from handlers.answers import Answer
from handlers.context import Context
from handlers.services import Services, new_chat


async def verified(context: Context, chat_id: int, title: str) -> Chat:
    """The channel as a chat, if both this person and the bot may post there; else UserError."""
    found = await ask_telegram(context, "getChat", chat_id=chat_id)
    if not isinstance(found, Sent):
        raise unknown_place(found, "error.channel.no_bot", title=title)
    card = chat_of(found)
    if card is None or card.type != "channel":
        raise UserError("error.stale")
    title = card.title or title
    if is_of_catalog(context.services, chat_id, card.username):
        raise UserError("error.channel.catalog", title=title)
    ours = await ask_telegram(context, "getChatMember", chat_id=chat_id, user_id=context.bot.id)
    bot = member_of(ours)
    if bot is None or bot.status != "administrator":
        raise unknown_place(ours, "error.channel.no_bot", title=title)
    if bot.lacks is not None:
        raise UserError("error.channel.no_right", title=title)
    await must_post(context, chat_id, title)
    assumed = new_chat(context.services, TelegramChat(chat_id, "channel", title), context.language)
    # it begins as who added it has it
    return replace(assumed, language=context.language, time_zone=context.chat.time_zone)


async def ask_telegram(context: Context, method: str, **parameters: int) -> Outcome:
    """Ask Telegram about a channel, or of it, now or not at all; what became of it."""
    return await context.send(Answer(method=method, parameters=parameters, postponable=False))


def is_of_catalog(services: Services, chat_id: int, username: str) -> bool:
    """Whether the catalog says what a channel posts: it would say so again at the next start."""
    for spec in services.catalog.channels.values():
        if not spec.disabled and str(spec.chat).lower() in {str(chat_id), f"@{username}".lower()}:
            return True
    return False
