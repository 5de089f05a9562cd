"""Events of the bot and its chats: promoted, blocked, moved to a supergroup."""

from __future__ import annotations

from collections.abc import Mapping

from bot.emulator.errors import Json, ScenarioError
from bot.emulator.people import PRESENT, Member, User
from bot.emulator.stage import Stage
from bot.emulator.world import Chat


class Happenings(Stage):
    """Changes of the bot's standing, a person or a chat, and the bot's updates of them."""

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
        self.api.chats.change_bot_status(
            chat, Member(status=status, rights=dict(rights or {})), by=person
        )
        # in groups it is told twice, as a change of standing and as a message everybody sees
        if joined and not chat.is_channel:
            service = self.world.add_message(
                chat, {"from": person, "new_chat_members": [self.world.bot_json]}
            )
            self.updates.push("message", service)

    def may_place_bot(self, chat_id: int, status: str, by: int) -> None:
        """Check that clients let a person give the bot this place; ScenarioError where not.

        A member of a group adds it; who appoints administrators makes it one; who removes people
        removes it.
        """
        chat = self.world.chat(chat_id)
        person = chat.members.get(by, Member(status="left"))
        runs = person.status in {"creator", "administrator"}
        if status == "administrator":
            may = runs and person.can("can_promote_members")
        elif status == "member" and not chat.is_channel and chat.bot.status not in PRESENT:
            may = person.status in {"creator", "administrator", "member"}
        else:
            may = runs and person.can("can_restrict_members")
        if not may:
            raise ScenarioError(f"{by} may not do that in chat {chat_id}")

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
        # Telegram tells of a block in the words of a group: the bot is kicked, then a member
        before, after = Member(status="kicked"), Member(status="member")
        if blocked:
            before, after = after, before
        self.api.chats.push_my_chat_member(chat, before, after, by=chat.user.json())
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
        # people and rights move; the messages stay behind, under the old number
        new.members = dict(old.members)
        author: Json = {"from": self.world.bot_json}
        if old.members:
            author = {"from": self._person(old, None).json()}
        # One service message in each of the two, and the first that a bot hears may be either.
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

    def _person(self, chat: Chat, user_id: int | None) -> User:
        if user_id is not None:
            return self.world.user(user_id)
        if chat.user is not None:
            return chat.user
        if not chat.members:
            raise ScenarioError(f"nobody is in chat {chat.id}: say who acts (user_id)")
        return self.world.user(next(iter(chat.members)))
