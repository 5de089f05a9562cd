"""Rights: whether an update is for us at all, and whether its author may do what it asks for.

Each route says who may use it and in which chats (`handlers.COMMANDS`, `handlers.BUTTONS`); this
room decides whether somebody is that. What Telegram's updates do not say and one has to know:

* An anonymous administrator writes as the group: `sender_chat` is the group itself, which only
  Telegram can put there and only for an administrator. Pressing a button, the same person comes
  under their own name. Nobody can tell which of them it is, so a group has to allow it first.
* Whoever writes as a channel has that in `sender_chat`, and a channel has no rights in a group. A
  linked channel's posts come by themselves (`is_automatic_forward`).
* A forwarded message, or one made by an inline bot, holds words that its sender may never have
  read.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Generic, TypeVar

from telegram import Message as TelegramMessage
from telegram import Update
from telegram.ext import filters

from bot.errors import UserError
from bot.model.chats import Chat, ChatKind
from bot.telegram.outcomes import Gone, Outcome, Rejected, Sent
from bot.telegram.results import member_of
from handlers.answers import Answer
from handlers.context import Context, Handler

#: Bots that lend their name to whoever writes as a group or as a channel.
MASKS = frozenset({1087968824, 136817688})
#: Accounts that many people share: those, and Telegram itself. No operator is one of them, whatever
#: is configured.
NOBODYS_IDS = MASKS | {777000}
ADMINISTRATOR_STATUSES = frozenset({"creator", "administrator"})
#: Entities inside which a name is no mention.
QUOTED_ENTITIES = frozenset({"code", "pre", "url", "email", "text_link"})


class Who(Enum):
    """The people who may use a route. In a private chat its owner is everybody but an operator.

    A poster may post in the channel that a button's words name.
    """

    ANYBODY = auto()
    ADMINISTRATOR = auto()
    OPERATOR = auto()
    POSTER = auto()


class Where(Enum):
    """The kinds of chat in which a route is used."""

    ANYWHERE = frozenset(ChatKind)
    PRIVATE = frozenset({ChatKind.PRIVATE})
    GROUP = frozenset({ChatKind.GROUP})


Handles = TypeVar("Handles")
#: Takes what was written, or says that it was not for it.
Takes = Callable[[Update, Context], Awaitable[bool]]
LEFT_OUT: Any = None  # a part of a route that has to be there
#: Decides for one use of a route: the same command may look or change, by its words.
Decide = Callable[[Context], Awaitable[Who]]
#: Finds the channel that a button's words name; UserError where they name none of whoever pressed.
Names = Callable[..., Awaitable[Chat]]


@dataclass(frozen=True, slots=True)
class Route(Generic[Handles]):
    """A line of the routing table: the handler of a command, a button or something written; who may
    use it, and in which chats.

    `who` may depend on the use; `offered` then has to say to whom the menu offers the command, and
    otherwise it is `who`. In another chat than `where` says, `elsewhere` is answered; without that
    a command or words are not heard there, and a button is out of date. `heard` is the part of all
    that is written which is meant. For a poster `names` finds the channel. A line that leaves a
    part out is told by name when the program starts. A `personal` command concerns whoever sends it
    alone: a group's menu offers it as one that nobody else there sees.
    """

    handler: Handles = LEFT_OUT
    who: Who | Decide = LEFT_OUT
    offered: Who | None = None
    where: Where = Where.ANYWHERE
    elsewhere: str = ""
    heard: filters.BaseFilter = filters.ALL
    names: Names | None = None
    personal: bool = False

    @property
    def menu(self) -> Who:
        """The people to whom a group's menu offers it."""
        if isinstance(self.who, Who):
            return self.who
        return self.offered or Who.ANYBODY

    async def require(self, context: Context, *words: str) -> None:
        """UserError unless whoever wrote or pressed may do this, here and in these words."""
        if context.chat.kind not in self.where.value:
            raise UserError(self.elsewhere or "error.stale")
        who = self.who
        if not isinstance(who, Who):
            who = await who(context)
        if who is Who.POSTER and self.names is not None:
            channel = await self.names(context, *words)
            await must_post(context, channel.id, channel.title)
        else:
            await _require(who, context)

    def listens(self) -> filters.BaseFilter:
        """The updates that reach it: also those that are answered with `elsewhere`."""
        if self.elsewhere or self.where is Where.ANYWHERE:
            return self.heard
        return KINDS_OF_CHAT[self.where] & self.heard


#: Telegram's word for each.
KINDS_OF_CHAT = {
    Where.PRIVATE: filters.ChatType.PRIVATE,
    Where.GROUP: filters.ChatType.GROUPS,
}


async def _require(who: Who, context: Context) -> None:
    if who is Who.OPERATOR:
        _must_be_operator(context)
    elif who is Who.ADMINISTRATOR:
        await _must_be_administrator(context)
    elif who is Who.POSTER:  # of no channel that anything names
        raise UserError("error.stale")


async def may(who: Who, context: Context) -> bool:
    """Whether whoever wrote or pressed is that; where nobody knows, they are not."""
    try:
        await _require(who, context)
    except UserError:
        return False
    return True


def guarded(to: Route[Handler]) -> Handler:
    """A route's handler, which asks first whether whoever wrote this may."""

    async def serve(update: Update, context: Context) -> None:
        await to.require(context)
        await to.handler(update, context)

    return serve


async def taken(by: Route[Takes], update: Update, context: Context) -> bool:
    """Whether what was written is taken by a route that may leave it; of who may not use the route
    it takes nothing.
    """
    try:
        await by.require(context)
    except UserError:
        return False
    return await by.handler(update, context)


async def looking_or_changing(context: Context) -> Who:
    """Alone a command shows something, with words it changes it."""
    if context.words:
        return Who.ADMINISTRATOR
    return Who.ANYBODY


async def always_looking(_context: Context) -> Who:
    """Anybody: the command only shows switches, whatever is said with it; these ask who presses."""
    return Who.ANYBODY


def _is_operator(context: Context) -> bool:
    """Whether this is an operator, by their number and in their own chat."""
    user = context.incoming.effective_user
    own = user is not None and user.id == context.chat.id and context.chat.kind is ChatKind.PRIVATE
    return own and context.chat.id in context.services.admins - NOBODYS_IDS


def _must_be_operator(context: Context) -> None:
    """An operator; to others neither the button nor the command exists."""
    if _is_operator(context):
        return
    if context.incoming.callback_query is None:
        raise UserError("unknown.text", example="100 usd")
    raise UserError("error.stale")


def other_operators(context: Context) -> list[int]:
    """The operators beside the one of this chat, in a fixed order."""
    return sorted(context.services.admins - NOBODYS_IDS - {context.chat.id})


def author(context: Context) -> int | None:
    """The author, where that is a person by their own name: None of who writes as a group or as a
    channel, since nobody knows who that is.
    """
    message, user = context.incoming.effective_message, context.incoming.effective_user
    if user is None or message is None or message.sender_chat is not None:
        return None
    return user.id


async def must_post(context: Context, chat_id: int, title: str) -> None:
    """UserError unless this person runs a channel, with the right to post in it."""
    outcome = await _place_of(context, chat_id, context.chat.id)
    person = member_of(outcome)
    if person is None:
        raise unknown_place(outcome, "error.channel.gone", title=title)
    if person.status not in ADMINISTRATOR_STATUSES or person.lacks is not None:
        raise UserError("error.channel.not_yours", title=title)


async def _place_of(context: Context, chat_id: int, person: int) -> Outcome:
    """Ask Telegram for somebody's place in a chat. The question is as patient as an answer, for one
    refusal may be a mistake.
    """
    asked = {"chat_id": chat_id, "user_id": person}
    return await context.send(Answer(method="getChatMember", parameters=asked, postponable=False))


def unknown_place(outcome: Outcome, msgid: str, **values: str) -> UserError:
    """The error to show where Telegram told no place in a chat: it refused, or it is away."""
    if isinstance(outcome, Sent | Gone | Rejected):
        return UserError(msgid, **values)
    return UserError("error.unexpected")  # not a word about rights that nobody knows


async def _must_be_administrator(context: Context) -> None:
    """An administrator, in a group; Telegram is asked each time, for the menu is no proof.

    Nothing is remembered: who was an administrator a second ago may not be one now. Without an
    answer nobody is.
    """
    if context.chat.kind is ChatKind.PRIVATE:
        return
    user = context.incoming.effective_user
    message = context.incoming.effective_message
    # Of a press the message is the bot's own: who wrote it says nothing of who pressed.
    if context.incoming.callback_query is None and message is not None and message.sender_chat:
        if message.sender_chat.id == context.chat.id:
            if context.chat.anonymous:
                return
            raise UserError("error.anonymous")
        raise UserError("error.admins_only")
    if user is None or user.id in NOBODYS_IDS:
        raise UserError("error.admins_only")
    outcome = await _place_of(context, context.chat.id, user.id)
    member = member_of(outcome)
    if member is None or member.status not in ADMINISTRATOR_STATUSES:
        raise unknown_place(outcome, "error.admins_only")


def is_anothers(update: Update) -> bool:
    """Whether somebody acts in a private chat that is not theirs: no client does that."""
    chat, user = update.effective_chat, update.effective_user
    return chat is not None and chat.type == "private" and user is not None and user.id != chat.id


# --- messages -------------------------------------------------------------------------------------


def is_second_hand(message: TelegramMessage) -> bool:
    """Forwarded, or made by an inline bot. Servers before Bot API 7.0 say `forward_date`."""
    forwarded = message.forward_origin is not None or "forward_date" in message.api_kwargs
    return forwarded or message.via_bot is not None


class ForUs(filters.MessageFilter):
    """Lets pass what somebody wrote to us: no bot's words, no channel's post by itself.

    Nor anything of our own. In a private chat its owner may also forward something to us, or send
    what another inline bot made.
    """

    def filter(self, message: TelegramMessage) -> bool:
        """Whether a message is read at all."""
        author = message.from_user
        if message.chat.type == "private":
            via = message.via_bot
            if via is not None and via.id == message.get_bot().id:
                return False  # our own inline result, sent to ourselves: an answer to it has no end
            return author is None or (author.id == message.chat.id and not author.is_bot)
        if message.is_automatic_forward or is_second_hand(message):
            return False
        if author is None or not author.is_bot:
            return True
        # Who writes as the group or as a channel comes under a bot's number (module docstring).
        return author.id in MASKS and message.sender_chat is not None


class Commanded(filters.MessageFilter):
    """Lets pass what its sender wrote there and then: a forwarded command commands nothing."""

    def filter(self, message: TelegramMessage) -> bool:
        """Whether the command of a message counts."""
        return not is_second_hand(message)


class Mentioned(filters.MessageFilter):
    """Lets pass what names the bot: the rest of a group's talk is neither read nor paced."""

    def filter(self, message: TelegramMessage) -> bool:
        """Whether the text holds @its_name, and not inside a longer name, an address or code."""
        return mention(message, message.get_bot().username) is not None


def mention(message: TelegramMessage, name: str) -> tuple[int, int] | None:
    """The span of a message's text that names the bot: the first and the next character's place."""
    said = message.text or ""
    for found in _naming(name).finditer(said):
        # entities count UTF-16 units
        at = len(said[: found.start()].encode("utf-16-le", "surrogatepass")) // 2
        if not _is_quoted(message, at):
            return found.span()
    return None


def _is_quoted(message: TelegramMessage, at: int) -> bool:
    """Whether a place of a message's text, in UTF-16 units, is in code or a link."""
    for one in message.entities:
        if one.type in QUOTED_ENTITIES and one.offset <= at < one.offset + one.length:
            return True
    return False


@lru_cache(maxsize=4)
def _naming(name: str) -> re.Pattern[str]:
    """The bot's name in a text; "@bot.kg" and "me@bot" are addresses, "@botany" another's name."""
    return re.compile(rf"(?<![\w@./+-])@{re.escape(name)}(?!\w|@|\.[^\W\d])", re.IGNORECASE)
