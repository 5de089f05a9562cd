"""Methods that tell the bot of chats, people and files."""

from __future__ import annotations

from bot.emulator.errors import Json, bad_request
from bot.emulator.methods.shared import Method, Shared, check_visible
from bot.emulator.params import Params
from bot.emulator.people import PRESENT, Member, User, member_json, permissions_json
from bot.emulator.world import Chat, administrators


class Chats(Shared):
    """Methods that tell the bot of chats, people and files."""

    def methods(self) -> tuple[Method, ...]:
        """The methods of this subject."""
        return (
            self.get_chat,
            self.get_chat_member,
            self.get_chat_member_count,
            self.get_chat_administrators,
            self.leave_chat,
            self.get_file,
        )

    def get_chat(self, params: Params) -> Json:
        """ChatFullInfo."""
        chat = self.world.known_chat(self.chat_id(params))
        check_visible(chat)
        gifts = (
            "unlimited_gifts",
            "limited_gifts",
            "unique_gifts",
            "premium_subscription",
            "gifts_from_channels",
        )
        info = chat.brief | {
            # required, though no bot needs it: a client that checks types refuses a chat without
            "accent_color_id": chat.id % 7,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }
        if chat.username:
            info["active_usernames"] = [chat.username]
        if chat.type in {"group", "supergroup"}:
            info["permissions"] = permissions_json()
        if chat.pinned and chat.pinned[-1] in chat.messages:
            info["pinned_message"] = chat.messages[chat.pinned[-1]]
        return info

    def get_chat_member(self, params: Params) -> Json:
        """Somebody's place in a chat; a stranger has left."""
        chat = self.world.peopled_chat(self.chat_id(params))
        check_visible(chat)
        user_id = params.count("user_id", 0)
        user = self.world.users.get(user_id)
        if user is None:
            raise bad_request("invalid user_id specified")
        if user_id == self.world.bot.id:  # its own place is kept apart from the members'
            return member_json(user, chat.bot, chat.type)
        member = Member(status="left")
        if chat.id == user_id:  # their own private chat
            member = Member(status="member")
        return member_json(user, chat.members.get(user_id, member), chat.type)

    def get_chat_member_count(self, params: Params) -> int:
        """The number of members, the bot included."""
        chat = self.world.known_chat(self.chat_id(params))
        check_visible(chat)
        # the person and the bot; a private chat keeps no list of members
        if chat.user:
            return 2
        count = 1  # the bot
        for member in chat.members.values():
            count += member.status in PRESENT
        return count

    def get_chat_administrators(self, params: Params) -> list[Json]:
        """The administrators of a chat; other bots would be left out."""
        chat = self.world.peopled_chat(self.chat_id(params))
        check_visible(chat)
        if chat.type == "private":
            raise bad_request("there are no administrators in the private chat")
        cards: list[Json] = []
        for user, member in administrators(self.world, chat):
            cards.append(member_json(user, member, chat.type))
        return cards

    def leave_chat(self, params: Params) -> bool:
        """Go away; the bot is told so itself."""
        chat = self.world.known_chat(self.chat_id(params))
        check_visible(chat)
        if chat.type == "private":
            raise bad_request("chat not found")
        self.change_bot_status(chat, Member(status="left"), by=self.world.bot_json)
        return True

    def change_bot_status(self, chat: Chat, new: Member, *, by: Json) -> None:
        """Give the bot another place in a chat; it gets a my_chat_member update."""
        old, chat.bot = chat.bot, new
        self.push_my_chat_member(chat, old, new, by=by)
        self.world.tell({"kind": "chat", "chat_id": str(chat.id)})

    def push_my_chat_member(self, chat: Chat, old: Member, new: Member, *, by: Json) -> None:
        """Tell the bot that its place in a chat has changed."""
        self.updates.push(
            "my_chat_member", self.membership_change(chat, self.world.bot, old, new, by=by)
        )

    def membership_change(
        self, chat: Chat, user: User, old: Member, new: Member, *, by: Json
    ) -> Json:
        """ChatMemberUpdated."""
        return {
            "chat": chat.brief,
            "from": by,
            "date": self.world.now(),
            "old_chat_member": member_json(user, old, chat.type),
            "new_chat_member": member_json(user, new, chat.type),
        }

    def get_file(self, params: Params) -> Json:
        """The file's card, with the path to download it from."""
        file = self.files.to_download(params.text("file_id"))
        names = ("file_id", "file_unique_id", "file_size")
        return {name: file.card[name] for name in names} | {"file_path": file.path}
