"""Where the bot is a member: added, promoted, removed, blocked; and groups with a new id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from telegram import ChatMember, ChatMemberUpdated, Update

import storage.chats
from bot.languages import client_language
from bot.model.chats import ChatKind
from bot.model.rates import Pair
from bot.model.subjects import PairSubject, TopicSubject
from bot.readers.digest import DIGEST_CURRENCIES
from bot.render import welcome as render
from bot.render.text import Message, to_api
from bot.telegram.outcomes import NO_RIGHT, Ambiguous, Retry, Sent, lacking
from handlers.context import Context
from handlers.outgoing import Answer, Outgoing
from handlers.services import Services

log = structlog.get_logger(__name__)
_INSIDE = frozenset({"member", "administrator", "creator", "restricted"})


async def changed(update: Update, context: Context) -> None:
    """`my_chat_member`: start or stop writing to a chat.

    Whoever made us a channel's administrator is told what came of it, also when the right to post
    is not among the rights given.
    """
    change = update.my_chat_member
    if change is None:
        return
    services, chat = context.services, context.chat
    status = change.new_chat_member.status
    may = _may_write(chat.kind, change.new_chat_member)
    async with services.store.writing() as db:
        if may:
            may = await storage.chats.revive(db, chat.id)  # readers' own stop ends by /start
            if chat.kind is ChatKind.CHANNEL and not await storage.chats.subscriptions(db, chat.id):
                # nobody in a channel can press our switches; the catalog may choose otherwise
                keys = [str(TopicSubject("security"))]
                for code in _given(chat.home):
                    keys.append(str(PairSubject(Pair(code, chat.home))))
                await storage.chats.subscribe(db, chat.id, keys, now=services.clock())
        else:
            await storage.chats.close(db, chat.id, why=_why(chat.kind, status))
    services.chats.pop(chat.id, None)  # whether it is written to has changed
    log.info("membership", kind=chat.kind.value, status=status, writes=may)
    if may and chat.kind is ChatKind.CHANNEL:
        await _tell(services, change, _welcome(services, change, chat.home))
    elif _is_muted(chat.kind, change.new_chat_member) and not _is_muted(
        chat.kind, change.old_chat_member
    ):
        await _tell(
            services,
            change,
            render.no_right(change.chat.title or "", _language(services, change), chat.kind),
        )


def _welcome(services: Services, change: ChatMemberUpdated, home: str) -> Message:
    return render.channel_welcome(
        change.chat.title or "", _given(home), _language(services, change)
    )


def _given(home: str) -> list[str]:
    """The currencies whose moves a new channel is given: its home currency has none."""
    return [code for code in DIGEST_CURRENCIES if code != home]


def _card(member: ChatMember) -> Mapping[str, Any]:
    return member.to_dict()


def _may_write(kind: ChatKind, member: ChatMember) -> bool:
    if kind is ChatKind.PRIVATE:
        return member.status in _INSIDE
    if kind is ChatKind.CHANNEL and member.status != "administrator":
        return False  # the owner of a channel is a person, and its members only read
    return member.status in _INSIDE and lacking(_card(member)) is None


def _is_muted(kind: ChatKind, member: ChatMember) -> bool:
    """In the chat, and not allowed to write there."""
    return (
        kind is not ChatKind.PRIVATE and member.status in _INSIDE and not _may_write(kind, member)
    )


def _why(kind: ChatKind, status: str) -> str:
    """Why a chat is written to no more, in the words of Telegram's refusals."""
    if kind is ChatKind.PRIVATE:
        return "blocked"
    if status in _INSIDE:
        return NO_RIGHT.why
    return "kicked"


def _language(services: Services, change: ChatMemberUpdated) -> str:
    return client_language(change.from_user.language_code, services.settings.default_language)


async def _tell(services: Services, change: ChatMemberUpdated, message: Message) -> None:
    """To whoever changed our place; to the operators when that person does not talk with us.

    They hear of it only where we may not write either.
    """
    reader = change.from_user.id
    answer = Answer(method="sendMessage", parameters={"chat_id": reader, **to_api(message)})
    outcome = await Outgoing(services, reader, _language(services, change)).send(answer)
    # what Telegram does not take now waits in the outbox
    told = isinstance(outcome, Sent | Ambiguous | Retry)
    if told or _may_write(ChatKind.CHANNEL, change.new_chat_member):
        return
    await services.on_trouble("notice.gone", {"chat": str(change.chat.id), "why": NO_RIGHT.why})
    services.wake()


async def migrated(services: Services, update: Update) -> None:
    """A group became a supergroup: its id is rewritten everywhere.

    Telegram tells it in the old group and in the new one, in any order.
    """
    message = update.effective_message
    if message is None:
        return
    here = message.chat.id
    if message.migrate_to_chat_id is not None:
        old, new = here, message.migrate_to_chat_id
    elif message.migrate_from_chat_id is not None:
        old, new = message.migrate_from_chat_id, here
    else:
        return
    async with services.store.writing() as db:
        await storage.chats.migrate(db, old, new)
    for chat_id in (old, new):
        services.chats.pop(chat_id, None)
    log.info("a group became a supergroup")
