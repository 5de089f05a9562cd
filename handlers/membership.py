"""The bot's memberships: added, promoted, removed, blocked; and groups with a new id."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from telegram import ChatMember, ChatMemberUpdated, Update

import storage.alerts
import storage.chats
import storage.setups
import storage.supergroups
from bot.alerts import greetings, notices
from bot.alerts.notices import Notice
from bot.languages import client_language
from bot.model.chats import Chat, ChatKind
from bot.model.rates import Pair
from bot.model.subjects import DIGEST_CURRENCIES, SECURITY, PairSubject
from bot.reasons import ChatNumber, Reason
from bot.render import welcome as render
from bot.render.text import Message
from bot.render.wire import to_api
from bot.telegram.outcomes import BLOCKED, KICKED, NO_RIGHT, Ambiguous, Retry, Sent
from bot.telegram.results import member as member_by
from handlers import editorial
from handlers.answers import Answer
from handlers.context import Context
from handlers.outgoing import Outgoing
from handlers.posting import is_of_catalog
from handlers.services import Services
from handlers.subscriptions import names
from storage.db import Db

log = structlog.get_logger(__name__)
#: Seconds in which the other update of a pair comes: both groups tell that one became the other,
#: and who lets us in by a key says so too.
SETTLES = 2.0
NEW = timedelta(minutes=1)
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
    welcome = None
    async with services.store.writing() as db:
        if may:
            may = await storage.chats.revive(db, chat.id)  # readers' own stop ends by /start
            if chat.kind is ChatKind.CHANNEL:
                welcome = await _let_in(db, services, change, chat)
        else:
            await _lose(db, change, chat, now=services.clock())
    services.chats.pop(chat.id, None)  # whether it is written to has changed
    log.info("membership", kind=chat.kind.value, status=status, writes=may)
    if may and welcome is not None:
        await _welcome(services, change, welcome)
    elif may and chat.kind is ChatKind.GROUP:
        await _greet(services, change, chat)
    elif _is_muted(chat.kind, change.new_chat_member) and not _is_muted(
        chat.kind, change.old_chat_member
    ):
        await _tell(
            services,
            change,
            render.no_right(change.chat.title or "", _language(services, change), chat.kind),
        )


async def _welcome(services: Services, change: ChatMemberUpdated, welcome: Message) -> None:
    """A channel's welcome, unless whoever let us in chose it by the key of /channel: its set-up
    says the same and more, and of the two updates either may come first.
    """
    await services.rest(SETTLES)
    async with services.store.reading() as db:
        if await storage.setups.was_shown(db, change.chat.id, change.from_user.id, within=NEW):
            return
    await _tell(services, change, welcome)


async def _greet(services: Services, change: ChatMemberUpdated, chat: Chat) -> None:
    """A group that let us in is greeted, once; one that only became a supergroup is not.

    Of that Telegram tells in the old group and in the new one, in any order: here it is as if we
    were let in, until the old one's number is rewritten.
    """
    before = str(getattr(change.old_chat_member, "status", ""))  # an odd update may lack it
    if not before or before in _INSIDE:
        return  # a promotion, or other rights
    now = services.clock()
    if chat.active and not await _is_new(services, chat.id, now):
        return
    await services.rest(SETTLES)
    if chat.active and not await _is_new(services, chat.id, now):
        return
    async with services.store.writing() as db:
        await storage.alerts.enqueue(db, greetings.alert(chat.id, now=now))
    services.wake()


async def _is_new(services: Services, chat_id: int, now: datetime) -> bool:
    """Whether we know a chat since this moment alone."""
    async with services.store.reading() as db:
        met_at = await storage.chats.met_at(db, chat_id)
    return met_at is not None and met_at > now - NEW


async def _let_in(
    db: Db, services: Services, change: ChatMemberUpdated, chat: Chat
) -> Message | None:
    """A channel lets us post: what it follows, whose it is, and the welcome that says so. None
    where we could post before, and nothing is new but some other right.
    """
    language, title = _language(services, change), change.chat.title or ""
    news = not _may_write(chat.kind, change.old_chat_member)
    if is_of_catalog(services, chat.id, change.chat.username or ""):
        return render.channel_of_catalog(title, language) if news else None
    begun = await begin(db, chat.id, chat.home, now=services.clock())
    setup = await storage.setups.adopt(db, chat.id, change.from_user.id)
    await editorial.ask(db, setup)
    theirs = setup.id if setup.owner == change.from_user.id else None
    if begun:
        return render.channel_welcome(title, _given(chat.home), language, setup=theirs)
    if not news:
        return None
    keys = await storage.chats.subscriptions(db, chat.id)
    following = names(keys, chat.home, language, order=chat.currencies)
    return render.channel_again(title, following, language, setup=theirs)


async def begin(db: Db, chat_id: int, home: str, *, now: datetime) -> bool:
    """Subscribe a channel that follows nothing yet to security and to the currencies usual at
    `home`.

    Its set-up may choose otherwise. False where it followed something already.
    """
    if await storage.chats.subscriptions(db, chat_id):
        return False
    keys = [str(SECURITY)]
    for code in _given(home):
        keys.append(str(PairSubject(Pair(code, home))))
    await storage.chats.subscribe(db, chat_id, keys, now=now)
    return True


async def _lose(db: Db, change: ChatMemberUpdated, chat: Chat, *, now: datetime) -> None:
    """A chat is not written to any more; whoever set it up is told, unless they did it."""
    why = _why(chat.kind, change.new_chat_member.status)
    await storage.chats.close(db, chat.id, why=why)
    await storage.setups.shown_no_more(db, chat.id)
    # who took the bot away knows: it only counts as told
    if await storage.setups.owner_of(db, chat.id) == change.from_user.id:
        await storage.setups.to_be_told(db, chat.id)
    else:
        await notices.lost(db, chat.id, why, now=now)


def _given(home: str) -> list[str]:
    """The currencies whose moves a new channel is given: its home currency has none."""
    return [code for code in DIGEST_CURRENCIES if code != home]


def _may_write(kind: ChatKind, member: ChatMember) -> bool:
    if kind is ChatKind.PRIVATE:
        return member.status in _INSIDE
    if kind is ChatKind.CHANNEL and member.status != "administrator":
        return False  # the owner of a channel is a person, and its members only read
    return member.status in _INSIDE and member_by(member.to_dict()).lacks is None


def _is_muted(kind: ChatKind, member: ChatMember) -> bool:
    """In the chat, and not allowed to write there."""
    return (
        kind is not ChatKind.PRIVATE and member.status in _INSIDE and not _may_write(kind, member)
    )


def _why(kind: ChatKind, status: str) -> Reason:
    """The reason that a chat is written to no more, as Telegram's refusals have it."""
    if kind is ChatKind.PRIVATE:
        return BLOCKED.why
    if status in _INSIDE:
        return NO_RIGHT.why
    return KICKED.why


def _language(services: Services, change: ChatMemberUpdated) -> str:
    return client_language(change.from_user.language_code, services.settings.default_language)


async def _tell(services: Services, change: ChatMemberUpdated, message: Message) -> None:
    """Tell whoever changed our place; the operators when that person does not talk with us.

    They hear of it only where we may not write either.
    """
    reader = change.from_user.id
    answer = Answer(method="sendMessage", parameters={"chat_id": reader, **to_api(message)})
    outcome = await Outgoing(services, reader, _language(services, change)).send(answer)
    # what Telegram does not take now waits in the outbox
    told = isinstance(outcome, Sent | Ambiguous | Retry)
    if told or _may_write(ChatKind.CHANNEL, change.new_chat_member):
        return
    await services.on_trouble(
        Notice.of("notice.gone", {"chat": ChatNumber(change.chat.id)}), NO_RIGHT.why
    )
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
        await storage.supergroups.migrate(db, old, new)
    # loaded anew: either may be remembered as it was before the move
    for chat_id in (old, new):
        services.chats.pop(chat_id, None)
    log.info("a group became a supergroup")
