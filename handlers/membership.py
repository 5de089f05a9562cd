"""Where the bot is a member: added, promoted, removed, blocked; and groups that changed their id."""

from __future__ import annotations

import structlog
from telegram import ChatMemberUpdated, Update

import storage.chats
import storage.outbox
from bot.model.chats import ChatKind
from bot.render import help as words
from bot.render.text import to_api
from handlers.context import Context, Services

log = structlog.get_logger(__name__)
_IN = frozenset({"member", "administrator", "creator", "restricted"})


async def changed(update: Update, context: Context) -> None:
    """`my_chat_member`: start or stop writing to a chat; greet whoever made us a channel's administrator."""
    change = update.my_chat_member
    if change is None:
        return
    services, chat = context.services, context.chat
    status = change.new_chat_member.status
    writes = status in ({"administrator"} if chat.kind is ChatKind.CHANNEL else _IN)
    async with services.store.writing() as db:
        if writes:
            await storage.chats.activate(db, chat.id)
            if chat.kind is ChatKind.CHANNEL and not await storage.chats.subscriptions(db, chat.id):
                keys = ["topic:security", *(f"pair:{code}/{chat.home}" for code in ("USD", "EUR", "RUB"))]
                await storage.chats.subscribe(db, chat.id, keys, now=services.clock())
        else:
            await storage.outbox.close_chat(db, chat.id, why="blocked" if chat.kind is ChatKind.PRIVATE else "kicked")
    services.chats.pop(chat.id, None)
    log.info("membership", kind=chat.kind.value, status=status)
    if writes and chat.kind is ChatKind.CHANNEL:
        await _greet(services, change)


async def _greet(services: Services, change: ChatMemberUpdated) -> None:
    user = change.from_user
    language = (user.language_code or "").split("-")[0]
    message = words.channel_welcome(
        change.chat.title or "", language if language in {"en", "ru", "ky"} else services.default_language
    )
    await services.turn(user.id)
    await services.api.call("sendMessage", chat_id=user.id, **to_api(message))


async def migrated(update: Update, context: Context) -> None:
    """A group became a supergroup: its id is rewritten everywhere."""
    message = update.effective_message
    if message is None or message.migrate_to_chat_id is None:
        return
    async with context.services.store.writing() as db:
        await storage.chats.migrate(db, context.chat.id, message.migrate_to_chat_id)
    context.services.chats.pop(context.chat.id, None)
