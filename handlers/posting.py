"""Who may post in a channel: asked of Telegram, of the bot and of the person who sets it up."""

from __future__ import annotations

from dataclasses import replace

from telegram import Chat as TelegramChat

from bot.errors import UserError
from bot.model.chats import Chat
from bot.telegram.outcomes import Gone, Migrated, Outcome, Rejected, Sent
from bot.telegram.results import chat_of, member_of
from handlers.access import ADMINISTRATOR_STATUSES
from handlers.context import Context
from handlers.outgoing import Answer
from handlers.services import new_chat


async def verified(context: Context, chat_id: int, title: str) -> Chat:
    """The channel as a chat, if both this person and the bot may post there; else UserError."""
    found = await ask_telegram(context, "getChat", chat_id=chat_id)
    if not isinstance(found, Sent):
        raise _unknown(found, "error.channel.no_bot", title)
    card = chat_of(found)
    if card is None or card.type != "channel":
        raise UserError("error.stale")
    title = card.title or title
    if _is_of_catalog(context, chat_id, card.username):
        raise UserError("error.channel.catalog", title=title)
    ours = await ask_telegram(context, "getChatMember", chat_id=chat_id, user_id=context.bot.id)
    bot = member_of(ours)
    if bot is None or bot.status != "administrator":
        raise _unknown(ours, "error.channel.no_bot", title)
    if bot.lacks is not None:
        raise UserError("error.channel.no_right", title=title)
    await must_post(context, chat_id, title)
    assumed = new_chat(context.services, TelegramChat(chat_id, "channel", title), context.language)
    # it begins as who added it has it
    return replace(assumed, language=context.language, time_zone=context.chat.time_zone)


async def must_post(context: Context, chat_id: int, title: str) -> None:
    """UserError unless this person runs the channel, with the right to post in it."""
    found = await ask_telegram(context, "getChatMember", chat_id=chat_id, user_id=context.chat.id)
    person = member_of(found)
    if person is None:
        raise _unknown(found, "error.channel.gone", title)
    if person.status not in ADMINISTRATOR_STATUSES or person.lacks is not None:
        raise UserError("error.channel.not_yours", title=title)


async def ask_telegram(context: Context, method: str, **parameters: int) -> Outcome:
    """Ask Telegram about a channel, or of it, now or not at all; what became of it."""
    return await context.send(Answer(method=method, parameters=parameters, postponable=False))


def _unknown(outcome: Outcome, msgid: str, title: str) -> UserError:
    """What to say where Telegram told nothing of a channel: it is away, or we are not in it."""
    if isinstance(outcome, Sent | Gone | Rejected | Migrated):
        return UserError(msgid, title=title)
    return UserError("error.unexpected")


def _is_of_catalog(context: Context, chat_id: int, username: str) -> bool:
    """Whether the catalog says what a channel posts: it would say so again at the next start."""
    for spec in context.services.catalog.channels.values():
        if not spec.disabled and str(spec.chat).lower() in {str(chat_id), f"@{username}".lower()}:
            return True
    return False
