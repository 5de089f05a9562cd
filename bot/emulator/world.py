"""The world behind the API: people, chats, memberships and messages.

Only what a bot can notice is modelled. Messages are kept as the JSON the API shows. Private chats
and basic groups share one message counter, as on a real account; supergroups and channels have
their own.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bot.emulator.errors import ApiError, Json, ScenarioError, bad_request, forbidden
from bot.emulator.people import Member, User

ANONYMOUS_ADMIN = 1087968824  # "Group", the author of what an anonymous administrator writes
TELEGRAM = 777000  # the author of channel posts forwarded to the linked group


@dataclass(slots=True, kw_only=True)
class Topic:
    """A forum topic."""

    name: str
    closed: bool = False


@dataclass(slots=True, kw_only=True)
class Chat:
    """A chat, its members, and its messages by id.

    With a `language` the page shows it to whoever speaks that, and to members once it is in use.
    """

    id: int
    type: str
    counter: Iterator[int]
    title: str | None = None
    username: str | None = None
    user: User | None = None
    is_forum: bool = False
    bot: Member
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    started: bool = True
    blocked: bool = False
    deactivated: bool = False
    migrated_to: int | None = None
    messages: dict[int, Json] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    ephemerals: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    keyboard: Json | None = None  # the reply keyboard in force
    language: str | None = None
    bot_at_first: Member = field(init=False)  # the bot's place when the chat was opened
    brief: Json = field(init=False)

    def __post_init__(self) -> None:
        self.bot_at_first = self.bot
        # made once, because every message of the chat carries it
        self.brief = {"id": self.id, "type": self.type}
        if self.user is not None:
            # a private chat is shown by the person's names; the language is told of users alone
            card = self.user.json()
            for name in ("first_name", "last_name", "username"):
                if name in card:
                    self.brief[name] = card[name]
        if self.title is not None:
            self.brief["title"] = self.title
        if self.username is not None:
            self.brief["username"] = self.username
        if self.is_forum:
            self.brief["is_forum"] = True

    def message(self, number: int) -> Json | None:
        """A message that calls may name: an ephemeral one has no number to them."""
        found = self.messages.get(number)
        if found is None or "ephemeral_message_id" in found:
            return None
        return found

    @property
    def is_channel(self) -> bool:
        """Posts here have no author but the channel."""
        return self.type == "channel"

    @property
    def word(self) -> str:
        """The server's word for this kind of chat in its refusals."""
        return self.type


def as_told(message: Json) -> Json:
    """A message as the API tells it: an ephemeral one has no number among the others."""
    if "ephemeral_message_id" in message:
        return message | {"message_id": 0}
    return message


class World:
    """All chats of one bot.

    `keep_messages` bounds the messages kept over all chats (the oldest go first); with
    `open_chats`, a private chat comes into being when the bot first writes to it: a load test needs
    no million introductions.
    """

    def __init__(
        self,
        bot: User,
        *,
        clock: Callable[[], float] = time.time,
        keep_messages: int | None = None,
        open_chats: bool = False,
    ) -> None:
        self.bot = bot
        self.bot_json = bot.json()
        self.clock = clock
        self.open_chats = open_chats
        self.users: dict[int, User] = {bot.id: bot}
        self.chats: dict[int, Chat] = {}
        self.names: dict[str, int] = {}
        # messages sent without a sound; only the page can tell
        self.silent: set[tuple[int, int]] = set()
        # channel posts the bot did not write: the messages do not tell them apart
        self.foreign_posts: set[tuple[int, int]] = set()
        self.observers: list[Callable[[Json], None]] = []
        self._account_counter = itertools.count(1)
        self._keep = keep_messages
        self._order: deque[tuple[int, int]] = deque()
        self._waiting: dict[int, set[asyncio.Event]] = {}

    def now(self) -> int:
        """Unix time by the emulator's clock, which a demonstration may move."""
        return int(self.clock())

    # people and chats

    def add_user(self, user: User) -> User:
        """Introduce a person, or replace what is known of them."""
        self.users[user.id] = user
        return user

    def add_chat(self, chat: Chat) -> Chat:
        """Open a chat and tell those who watch."""
        self.chats[chat.id] = chat
        if chat.username and chat.type != "private":
            self.names[chat.username.lower()] = chat.id
        self.tell({"kind": "chat", "chat_id": str(chat.id)})
        return chat

    def new_counter(self, chat_type: str) -> Iterator[int]:
        """The counter of a chat's message ids: only channels and supergroups have their own."""
        if chat_type in {"supergroup", "channel"}:
            return itertools.count(1)
        return self._account_counter

    def chat(self, chat_id: int) -> Chat:
        """A chat of the scenario."""
        try:
            return self.chats[chat_id]
        except KeyError:
            raise ScenarioError(f"there is no chat {chat_id}") from None

    def user(self, user_id: int) -> User:
        """A person of the scenario."""
        try:
            return self.users[user_id]
        except KeyError:
            raise ScenarioError(f"there is no user {user_id}") from None

    def known_chat(self, chat_id: int) -> Chat:
        """The chat a call names, for reading; refuses unknown ones."""
        chat = self.chats.get(chat_id)
        if chat is None and self.open_chats and chat_id > 0:
            user = self.add_user(User(id=chat_id, first_name=f"Reader {chat_id}"))
            chat = Chat(
                id=chat_id,
                type="private",
                user=user,
                bot=Member(status="member"),
                counter=itertools.count(1),
            )
            self.chats[chat_id] = chat
        if chat is None:  # also a person's who never wrote: a bot cannot know them
            raise bad_request("chat not found")
        return chat

    def peopled_chat(self, chat_id: int) -> Chat:
        """The chat whose members a call asks for: of a group that moved it refuses to say them."""
        chat = self.known_chat(chat_id)
        if chat.migrated_to is not None:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to=chat.migrated_to,
            )
        return chat

    def writable_chat(
        self, chat_id: int, *, media: str | None = None, thread_id: int | None = None
    ) -> Chat:
        """The chat a call wants to write to; refuses as the server does where the bot may not."""
        chat = self.peopled_chat(chat_id)
        if chat.type == "private":
            _check_private(chat)
        else:
            _check_membership(chat, media)
        if thread_id is not None:
            _check_topic(chat, thread_id)
        return chat

    # messages

    def add_message(self, chat: Chat, message: Json, *, silent: bool = False) -> Json:
        """Give a message its id and date, keep it, and wake those who wait for it."""
        message_id = next(chat.counter)
        message = {"message_id": message_id, "date": self.now(), "chat": chat.brief, **message}
        chat.messages[message_id] = message
        if self._keep is not None:
            # the oldest of all chats together: one busy chat may push out the others'
            self._order.append((chat.id, message_id))
            while len(self._order) > self._keep:
                old_chat, old_id = self._order.popleft()
                self.chats[old_chat].messages.pop(old_id, None)
                self.silent.discard((old_chat, old_id))
        if silent:
            self.silent.add((chat.id, message_id))
        self._changed(chat.id, {"kind": "message", "message": message, "silent": silent})
        return message

    def change_message(
        self, chat: Chat, message: Json, changes: Json, *, mark: bool = True
    ) -> Json:
        """Replace fields of a message (None removes one); `mark` shows it as edited."""
        changed = message | changes
        if mark:
            changed["edit_date"] = self.now()
        for name, value in changes.items():
            if value is None:
                del changed[name]
        chat.messages[message["message_id"]] = changed
        self._changed(chat.id, {"kind": "edit", "message": changed})
        return changed

    def delete_message(self, chat: Chat, message_id: int) -> None:
        """Forget a message everywhere."""
        del chat.messages[message_id]
        if message_id in chat.pinned:
            chat.pinned.remove(message_id)
        self._changed(chat.id, {"kind": "delete", "message_id": message_id})

    async def changed(self, chat_id: int) -> None:
        """Return when the next message of this chat comes, changes or goes."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(chat_id, set())
        waiting.add(event)
        try:
            await event.wait()
        finally:
            waiting.discard(event)

    def tell(self, event: Json) -> None:
        """Show an event to those who watch, if anybody does."""
        for observer in self.observers:
            observer(event)

    def _changed(self, chat_id: int, event: Json) -> None:
        for waiting in self._waiting.get(chat_id, ()):
            waiting.set()
        # the event costs a dict, and in a load test nobody watches
        if self.observers:
            self.tell(event | {"chat_id": str(chat_id)})


def _check_private(chat: Chat) -> None:
    if chat.deactivated:
        raise forbidden("user is deactivated")
    if chat.blocked:
        raise forbidden("bot was blocked by the user")
    if not chat.started:
        raise forbidden("bot can't initiate conversation with a user")


def _check_membership(chat: Chat, media: str | None) -> None:
    # before all else: of a chat that it is not in a bot learns no more than that
    if chat.bot.status == "kicked":
        raise forbidden(f"bot was kicked from the {chat.word} chat")
    if chat.bot.status == "left":
        raise forbidden(f"bot is not a member of the {chat.word} chat")
    if chat.is_channel:
        # also for a bot that is a member only: in channels none but administrators post
        if chat.bot.status != "administrator" or not chat.bot.can("can_post_messages"):
            raise bad_request("need administrator rights in the channel chat")
    elif chat.bot.status == "restricted":
        if not chat.bot.can("can_send_messages"):
            raise bad_request("not enough rights to send text messages to the chat")
        if media and not chat.bot.can(f"can_send_{media}"):
            raise bad_request(f"not enough rights to send {media} to the chat")


def _check_topic(chat: Chat, thread_id: int) -> None:
    topic = chat.topics.get(thread_id)
    if topic is None:
        raise bad_request("message thread not found")
    # who manages topics may write in a closed one
    manages = chat.bot.status == "administrator" and chat.bot.can("can_manage_topics")
    if topic.closed and not manages:
        raise bad_request("TOPIC_CLOSED")


def administrators(world: World, chat: Chat) -> Iterable[tuple[User, Member]]:
    """The people, and the bot, who run a chat."""
    for user_id, member in chat.members.items():
        if member.status in {"creator", "administrator"}:
            yield world.user(user_id), member
    if chat.bot.status == "administrator":
        yield world.bot, chat.bot
