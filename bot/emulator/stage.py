"""The stage: people, groups, channels and topics, and who has which place in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from bot.emulator.api import BotApi
from bot.emulator.calls import Calls
from bot.emulator.commands import Profile
from bot.emulator.errors import Json, ScenarioError
from bot.emulator.faults import Faults, Limits
from bot.emulator.files import Files
from bot.emulator.people import Member, User
from bot.emulator.tally import Tally
from bot.emulator.updates import Backoff, Updates
from bot.emulator.world import Chat, Topic, World


class Stage:
    """The world, and whoever is in it.

    `privacy`: in groups the bot hears only commands, mentions and replies to it, unless it is an
    administrator. `clock` gives Unix time for message dates.
    """

    def __init__(
        self,
        *,
        bot_id: int,
        username: str,
        name: str,
        clock: Callable[[], float] = time.time,
        keep_messages: int | None = None,
        keep_calls: int = 200_000,
        open_chats: bool = False,
        privacy: bool = True,
        limits: Limits | None = None,
        webhook_backoff: Backoff | None = None,
    ) -> None:
        bot = User(id=bot_id, first_name=name, username=username, is_bot=True)
        self.bot = bot
        self.world = World(bot, clock=clock, keep_messages=keep_messages, open_chats=open_chats)
        self.updates = Updates(backoff=webhook_backoff or Backoff(), clock=clock)
        self.files = Files()
        self.profile = Profile()
        self.api = BotApi(self.world, self.updates, self.files, self.profile)
        self.faults = Faults()
        self.limits = limits or Limits()
        self.calls = Calls(keep_calls)
        self.tally: Tally | None = None  # a load test makes millions of messages
        # what a demonstration has to say in a chat: its steps, a control to offer, words to write
        self.guide: Callable[[Chat], Json] | None = None
        self.privacy = privacy

    def begin_anew(self) -> None:
        """Nothing has been said yet, nobody has started or added the bot, no fault is in force."""
        self.updates.pending.clear()
        self.faults.clear()
        if self.tally is not None:
            self.tally = Tally(self.tally.is_late, self.tally.noted)
        for chat in self.world.chats.values():
            chat.messages.clear()
            chat.pinned.clear()
            chat.keyboard = None
            chat.blocked = False
            chat.started = chat.user is None
            chat.bot = chat.bot_at_first
            self.world.tell({"kind": "chat", "chat_id": str(chat.id)})

    def guides(self) -> Json:
        """The demonstration's hints for each chat, by the chat's number as text."""
        if self.guide is None:
            return {}
        return {str(chat.id): self.guide(chat) for chat in self.world.chats.values()}

    def add_user(
        self,
        id: int,  # noqa: A002 - the Bot API's own word
        first_name: str,
        language_code: str | None = None,
        *,
        last_name: str | None = None,
        username: str | None = None,
    ) -> User:
        """Introduce a person."""
        user = User(
            id=id,
            first_name=first_name,
            last_name=last_name,
            username=username,
            language_code=language_code,
        )
        return self.world.add_user(user)

    def add_private(self, user: User | int, *, started: bool = True) -> Chat:
        """A person's private chat with the bot, which may not write there before its start."""
        if isinstance(user, int):
            person = self.world.user(user)
        else:
            person = self.world.add_user(user)
        chat = Chat(
            id=person.id,
            type="private",
            user=person,
            username=person.username,
            bot=Member(status="member"),
            started=started,
            # an account numbers the messages of all its private chats and basic groups together
            counter=self.world.new_counter("private"),
        )
        return self.world.add_chat(chat)

    def add_group(
        self,
        id: int,  # noqa: A002 - the Bot API's own word
        title: str,
        *,
        type: str = "supergroup",  # noqa: A002 - likewise; "group" for a basic one
        members: Iterable[int] = (),
        admins: Iterable[int] = (),
        owner: int | None = None,
        bot_status: str = "member",
        rights: Mapping[str, bool] | None = None,
        is_forum: bool = False,
        username: str | None = None,
        language: str | None = None,
    ) -> Chat:
        """A group of people; ids of supergroups start with -100."""
        chat = Chat(
            id=id,
            type=type,
            title=title,
            username=username,
            is_forum=is_forum,
            language=language,
            bot=Member(status=bot_status, rights=dict(rights or {})),
            counter=self.world.new_counter(type),
        )
        # the highest place comes last: who is named twice has that
        for user_id in members:
            chat.members[user_id] = Member(status="member")
        for user_id in admins:
            chat.members[user_id] = Member(status="administrator")
        if owner is not None:
            chat.members[owner] = Member(status="creator")
        return self.world.add_chat(chat)

    def add_channel(
        self,
        id: int,  # noqa: A002 - the Bot API's own word
        title: str,
        username: str | None = None,
        *,
        owner: int | None = None,
        bot_status: str = "administrator",
        rights: Mapping[str, bool] | None = None,
        language: str | None = None,
    ) -> Chat:
        """A channel the bot posts to."""
        return self.add_group(
            id,
            title,
            type="channel",
            owner=owner,
            bot_status=bot_status,
            rights=rights,
            username=username,
            language=language,
        )

    def set_member(
        self, chat_id: int, user_id: int, status: str, rights: Mapping[str, bool] | None = None
    ) -> None:
        """Give somebody a place in a chat; a bot that asked for chat_member updates hears of it."""
        chat, user = self.world.chat(chat_id), self.world.user(user_id)
        old = chat.members.get(user_id, Member(status="left"))
        chat.members[user_id] = new = Member(status=status, rights=dict(rights or {}))
        self.updates.push(
            # the queue drops it for a bot that did not ask for this kind by name
            "chat_member",
            self.api.chats.membership_change(chat, user, old, new, by=user.json()),
        )

    def add_topic(self, chat_id: int, thread_id: int, name: str, *, closed: bool = False) -> None:
        """Open a forum topic, or replace what is known of it."""
        self.world.chat(chat_id).topics[thread_id] = Topic(name=name, closed=closed)

    def close_topic(self, chat_id: int, thread_id: int, *, closed: bool = True) -> None:
        """Close a topic, or open it again."""
        self._topic(chat_id, thread_id).closed = closed

    def delete_topic(self, chat_id: int, thread_id: int) -> None:
        """Delete a topic: "message thread not found" from now on."""
        self._topic(chat_id, thread_id)
        del self.world.chat(chat_id).topics[thread_id]

    def _topic(self, chat_id: int, thread_id: int) -> Topic:
        topic = self.world.chat(chat_id).topics.get(thread_id)
        if topic is None:
            raise ScenarioError(f"chat {chat_id} has no topic {thread_id}")
        return topic
