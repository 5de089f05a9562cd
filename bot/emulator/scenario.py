"""What people do: write, press, block, promote. Everything the bot hears of starts here.

A press and an inline query return what the bot answered; the rest returns at once, and what the bot
makes of it can be waited for with `wait_message` or `calls.wait`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.emulator import text as texts
from bot.emulator.api import BotApi
from bot.emulator.calls import Calls
from bot.emulator.commands import Profile
from bot.emulator.errors import Json, ScenarioError
from bot.emulator.faults import Fault, Faults, Limits
from bot.emulator.files import Files
from bot.emulator.updates import Backoff, Updates
from bot.emulator.world import ANONYMOUS_ADMIN, PRESENT, Chat, Member, Topic, User, World

__all__ = ["Chat", "Control", "Fault", "Scenario", "User"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A button of the demonstration above the chats; `run` returns what to show as its result."""

    id: str
    label: str
    run: Callable[[], Awaitable[str]]


class Scenario:
    """The world, and the hands that move it.

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
        self.privacy = privacy

    # the stage

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
        person = self.world.user(user) if isinstance(user, int) else self.world.add_user(user)
        chat = Chat(
            id=person.id,
            type="private",
            user=person,
            username=person.username,
            bot=Member(status="member"),
            started=started,
            counter=self.world.new_counter("private"),
        )
        return self.world.add_chat(chat)

    def add_group(
        self,
        id: int,  # noqa: A002 - the Bot API's own word
        title: str,
        *,
        type: str = "supergroup",  # noqa: A002 - likewise
        members: Iterable[int] = (),
        admins: Iterable[int] = (),
        owner: int | None = None,
        bot_status: str = "member",
        rights: Mapping[str, bool] | None = None,
        is_forum: bool = False,
        username: str | None = None,
    ) -> Chat:
        """A group of people; ids of supergroups start with -100."""
        chat = Chat(
            id=id,
            type=type,
            title=title,
            username=username,
            is_forum=is_forum,
            bot=Member(status=bot_status, rights=dict(rights or {})),
            counter=self.world.new_counter(type),
        )
        chat.members = {user_id: Member(status="member") for user_id in members}
        chat.members |= {user_id: Member(status="administrator") for user_id in admins}
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
    ) -> Chat:
        """A channel the bot posts to."""
        chat = Chat(
            id=id,
            type="channel",
            title=title,
            username=username,
            bot=Member(status=bot_status, rights=dict(rights or {})),
            counter=self.world.new_counter("channel"),
        )
        if owner is not None:
            chat.members[owner] = Member(status="creator")
        return self.world.add_chat(chat)

    def set_member(
        self, chat_id: int, user_id: int, status: str, rights: Mapping[str, bool] | None = None
    ) -> None:
        """Give somebody a place in a chat; a bot that asked for chat_member updates hears of it."""
        chat, user = self.world.chat(chat_id), self.world.user(user_id)
        old = chat.members.get(user_id, Member(status="left"))
        chat.members[user_id] = new = Member(status=status, rights=dict(rights or {}))
        self.updates.push(
            "chat_member", self.api.membership_change(chat, user, old, new, by=user.json())
        )

    def add_topic(self, chat_id: int, thread_id: int, name: str, *, closed: bool = False) -> None:
        """Open a forum topic, or replace what is known of it."""
        self.world.chat(chat_id).topics[thread_id] = Topic(name=name, closed=closed)

    def close_topic(self, chat_id: int, thread_id: int, *, closed: bool = True) -> None:
        """Close a topic, or open it again."""
        self.world.chat(chat_id).topics[thread_id].closed = closed

    def delete_topic(self, chat_id: int, thread_id: int) -> None:
        """Delete a topic: "message thread not found" from now on."""
        del self.world.chat(chat_id).topics[thread_id]

    # what people write

    async def send_text(
        self,
        chat_id: int,
        text: str,
        *,
        user_id: int | None = None,
        reply_to: int | None = None,
        thread_id: int | None = None,
        anonymous: bool = False,
        extra: Json | None = None,
    ) -> int:
        """Write to a chat as a person (default: its own, or its first member); returns the message
        id.

        In a channel it is a post. With `anonymous` an administrator writes as the group. `extra`
        fields go into the message as they are.
        """
        kept, entities = texts.clean(text, None)
        content: Json = (
            {"text": kept} | ({"entities": entities} if entities else {}) | (extra or {})
        )
        return self._say(
            chat_id, content, user_id, reply_to=reply_to, thread_id=thread_id, anonymous=anonymous
        )

    async def share_location(
        self, chat_id: int, latitude: float, longitude: float, *, user_id: int | None = None
    ) -> int:
        """Share a place; returns the message id."""
        return self._say(
            chat_id, {"location": {"latitude": latitude, "longitude": longitude}}, user_id
        )

    async def edit_text(self, chat_id: int, message_id: int, text: str) -> None:
        """Change an earlier message of a person or a channel post."""
        chat = self.world.chat(chat_id)
        kept, entities = texts.clean(text, None)
        changes: Json = {"text": kept, "entities": entities or None}
        message = self.world.change_message(chat, self._message(chat, message_id), changes)
        self.updates.push("edited_channel_post" if chat.is_channel else "edited_message", message)

    def _say(
        self,
        chat_id: int,
        content: Json,
        user_id: int | None,
        *,
        reply_to: int | None = None,
        thread_id: int | None = None,
        anonymous: bool = False,
    ) -> int:
        chat = self.world.chat(chat_id)
        if chat.type == "private":
            self._reopen(chat)
        message = self._author(chat, user_id, anonymous=anonymous)
        if thread_id is not None:
            message |= {"message_thread_id": thread_id, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = self._message(chat, reply_to)
        message = self.world.add_message(chat, message | content)
        message_id = int(message["message_id"])
        if chat.is_channel:
            self.world.foreign_posts.add((chat.id, message_id))
        if self._hears(chat, message):
            self.updates.push("channel_post" if chat.is_channel else "message", message)
        return message_id

    def _author(self, chat: Chat, user_id: int | None, *, anonymous: bool) -> Json:
        if chat.is_channel:
            return {"sender_chat": chat.brief}
        if anonymous:
            group = User(
                id=ANONYMOUS_ADMIN, first_name="Group", username="GroupAnonymousBot", is_bot=True
            )
            return {"from": group.json(), "sender_chat": chat.brief}
        return {"from": self._person(chat, user_id).json()}

    def _person(self, chat: Chat, user_id: int | None) -> User:
        if user_id is not None:
            return self.world.user(user_id)
        if chat.user is not None:
            return chat.user
        if not chat.members:
            raise ScenarioError(f"nobody is in chat {chat.id}: say who acts (user_id)")
        return self.world.user(next(iter(chat.members)))

    def _hears(self, chat: Chat, message: Json) -> bool:
        """Whether the bot gets this message as an update."""
        if chat.type == "private" or chat.bot.status == "administrator":
            return True
        if chat.is_channel or chat.bot.status not in PRESENT:
            return False
        if (
            not self.privacy
            or message.get("reply_to_message", {}).get("from", {}).get("id") == self.bot.id
        ):
            return True
        text, own = str(message.get("text", "")), f"@{self.bot.username}".lower()
        commands = texts.commands_in(text, message.get("entities", ()))
        return own in text.lower() or any("@" not in command for command in commands)

    def _reopen(self, chat: Chat) -> None:
        chat.started = True
        if chat.blocked:
            self._set_blocked(chat, blocked=False)

    def _message(self, chat: Chat, message_id: int) -> Json:
        try:
            return chat.messages[message_id]
        except KeyError:
            raise ScenarioError(f"there is no message {message_id} in chat {chat.id}") from None

    # what people press and ask

    async def press(
        self,
        chat_id: int,
        message_id: int,
        data: str,
        *,
        user_id: int | None = None,
        timeout: float = 10.0,  # noqa: ASYNC109 - whoever waits says how long
    ) -> Json:
        """Press an inline button; returns the bot's answer: text, show_alert, url. Raises
        TimeoutError.

        Any data goes, as from a changed client; under a message that is gone the bot sees an
        inaccessible one.
        """
        chat = self.world.chat(chat_id)
        gone: Json = {"chat": chat.brief, "message_id": message_id, "date": 0}
        query: Json = {
            "from": self._person(chat, user_id).json(),
            "message": chat.messages.get(message_id, gone),
            "chat_instance": str(chat.id * 7919),
            "data": data,
        }
        return await self._ask("callback_query", query, seconds=timeout)

    async def inline_query(
        self,
        user_id: int,
        query: str,
        *,
        offset: str = "",
        chat_type: str = "sender",
        timeout: float = 10.0,  # noqa: ASYNC109 - whoever waits says how long
    ) -> Json:
        """Type "@bot query"; the bot's answer: results, next_offset, button, or TimeoutError."""
        question: Json = {
            "from": self.world.user(user_id).json(),
            "query": query,
            "offset": offset,
            "chat_type": chat_type,
        }
        return await self._ask("inline_query", question, seconds=timeout)

    async def choose_result(self, chat_id: int, user_id: int, query: str, result: Json) -> int:
        """Post an inline result to a chat, via the bot; returns the message id."""
        chat, user = self.world.chat(chat_id), self.world.user(user_id).json()
        content = result.get("input_message_content", {})
        kept, entities = texts.clean(
            str(content.get("message_text", result.get("title", ""))), content.get("entities")
        )
        message: Json = {"from": user, "via_bot": self.world.bot_json, "text": kept}
        if entities:
            message["entities"] = entities
        if result.get("reply_markup"):
            message["reply_markup"] = result["reply_markup"]
        posted = self.world.add_message(chat, message)
        chosen = {"result_id": str(result.get("id", "")), "from": user, "query": query}
        self.updates.push("chosen_inline_result", chosen)
        return int(posted["message_id"])

    async def _ask(self, kind: str, question: Json, *, seconds: float) -> Json:
        query_id, answer = self.api.ask()
        self.updates.push(kind, {"id": query_id, **question})
        try:
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            self.api.questions.pop(query_id, None)

    # what happens to the bot

    def set_bot_status(
        self,
        chat_id: int,
        status: str,
        *,
        by: int | None = None,
        rights: Mapping[str, bool] | None = None,
    ) -> None:
        """Add, promote, restrict or remove the bot in a group or channel, as a member of it."""
        chat = self.world.chat(chat_id)
        person = self._person(chat, by).json()
        joined = chat.bot.status not in PRESENT and status in PRESENT
        self.api.change_bot_status(
            chat, Member(status=status, rights=dict(rights or {})), by=person
        )
        if joined and not chat.is_channel:
            service = self.world.add_message(
                chat, {"from": person, "new_chat_members": [self.world.bot_json]}
            )
            self.updates.push("message", service)

    def block(self, chat_id: int) -> None:
        """Block the bot in a private chat."""
        self._set_blocked(self.world.chat(chat_id), blocked=True)

    def unblock(self, chat_id: int) -> None:
        """Let the bot write again."""
        self._set_blocked(self.world.chat(chat_id), blocked=False)

    def _set_blocked(self, chat: Chat, *, blocked: bool) -> None:
        if chat.user is None:
            raise ScenarioError(f"chat {chat.id} is not private: use set_bot_status")
        if chat.blocked == blocked:
            return
        chat.blocked = blocked
        before, after = Member(status="kicked"), Member(status="member")
        if blocked:
            before, after = after, before
        self.api.push_my_chat_member(chat, before, after, by=chat.user.json())
        self.world.tell({"kind": "chat", "chat_id": str(chat.id)})

    def deactivate(self, chat_id: int) -> None:
        """Delete the person's account."""
        self.world.chat(chat_id).deactivated = True

    def set_language(self, user_id: int, language_code: str | None) -> None:
        """Change the language of a person's client."""
        self.world.user(user_id).language_code = language_code
        self.world.tell({"kind": "user", "user_id": str(user_id)})

    def migrate(self, chat_id: int, new_id: int) -> Chat:
        """Make a supergroup of a group: writing to the old id is answered with the new one."""
        old = self.world.chat(chat_id)
        new = self.add_group(
            new_id, old.title or "", bot_status=old.bot.status, rights=old.bot.rights
        )
        new.members = dict(old.members)
        author = (
            {"from": self._person(old, None).json()}
            if old.members
            else {"from": self.world.bot_json}
        )
        left = self.world.add_message(old, author | {"migrate_to_chat_id": new_id})
        old.migrated_to = new_id
        arrived = self.world.add_message(new, author | {"migrate_from_chat_id": chat_id})
        self.updates.push("message", left)
        self.updates.push("message", arrived)
        return new

    def push_update(self, update: Json) -> None:
        """Send the bot an update as it is: an unknown kind, or an update_id it has already seen."""
        if "update_id" not in update:
            update = {"update_id": self.updates.next_id, **update}
        self.updates.push_raw(update)

    # what there is to see

    def messages(self, chat_id: int) -> list[Json]:
        """The messages of a chat as the API shows them, newest last."""
        return list(self.world.chat(chat_id).messages.values())

    def silent(self, chat_id: int, message_id: int) -> bool:
        """Whether a message came without a sound."""
        return (chat_id, message_id) in self.world.silent

    async def wait_message(
        self,
        chat_id: int,
        predicate: Callable[[Json], bool] = bool,
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - whoever waits says how long
        after: int = 0,
    ) -> Json:
        """The first message of a chat, with an id above `after`, that fits; waits for it, also for
        edits.

        Raises TimeoutError.
        """
        async with asyncio.timeout(timeout):
            while True:
                chat = self.world.chats.get(chat_id)
                for message in chat.messages.values() if chat else ():
                    if message["message_id"] > after and predicate(message):
                        return message
                await self.world.changed(chat_id)
