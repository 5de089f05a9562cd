"""People and bots, their places in chats, and what each place may do."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.emulator.errors import Json

_ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
_CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages")
_GROUP_RIGHTS = ("can_pin_messages", "can_manage_topics")
_PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
PRESENT = frozenset({"creator", "administrator", "member", "restricted"})


@dataclass(slots=True, kw_only=True)
class User:
    """A person or a bot."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False

    def json(self) -> Json:
        """The user as updates show it."""
        user: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        for name in ("last_name", "username", "language_code"):
            value = getattr(self, name)
            if value is not None:
                user[name] = value
        return user


@dataclass(slots=True, kw_only=True)
class Member:
    """Somebody's place in a chat; `rights` override what the status brings."""

    status: str
    rights: dict[str, bool] = field(default_factory=dict)

    def can(self, right: str) -> bool:
        """Whether an administrator or a restricted member may do this."""
        if self.status == "creator":  # whose rights nobody can take
            return True
        return self.rights.get(right, self.status in {"administrator", "member"})


def member_json(user: User, member: Member, chat_type: str) -> Json:
    """A ChatMember object, with every field its status requires."""
    card: Json = {"status": member.status, "user": user.json()}
    if member.status == "creator":
        card["is_anonymous"] = False
    elif member.status == "administrator":
        special = _GROUP_RIGHTS
        if chat_type == "channel":
            special = _CHANNEL_RIGHTS
        card |= {"can_be_edited": False, "is_anonymous": False}
        for right in (*_ADMIN_RIGHTS, *special):
            card[right] = member.can(right)
        # and what a scenario says besides: a right of a newer Bot API, say
        card = member.rights | card
    elif member.status == "restricted":
        card |= {"is_member": True, "until_date": 0}
        for right in _PERMISSIONS:
            card[right] = member.rights.get(right, False)
    elif member.status == "kicked":
        card["until_date"] = 0
    return card


def permissions_json() -> Json:
    """ChatPermissions of an ordinary group."""
    return dict.fromkeys(_PERMISSIONS, True)
