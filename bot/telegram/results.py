"""The results in Telegram's answers, read in one place: each reading is of an outcome.

None where the outcome has no such result: it is another, or something on the way made the answer.
Nothing in it is sure to be of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.telegram.outcomes import KICKED, NO_RIGHT, Gone, Outcome, Sent, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody's place in a chat (ChatMember); a right that is not said is there."""

    status: str
    is_member: bool = True  # of the restricted
    may_send: bool = True
    may_post: bool = True

    @property
    def lacks(self) -> Gone | None:
        """The right that they lack to write there; None where they lack none."""
        if self.status in {"left", "kicked"}:
            return KICKED
        if self.status == "administrator" and not self.may_post:
            return NO_RIGHT
        if self.status == "restricted" and not (self.may_send and self.is_member):
            return NO_RIGHT
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCard:
    """A chat as Telegram shows it (`getChat`)."""

    id: int
    type: str
    title: str
    username: str
    members_may_send: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Posts:
    """The posts of updates (`getWebhookInfo`): where to, how many wait, what failed last, which."""

    url: str | None  # None: not said
    waiting: int
    failed_at: int | None
    why: str
    kinds: frozenset[str] | None = None  # None: those that come where nobody asked


def member(card: Mapping[str, Any]) -> Member:
    """Somebody's place in a chat by the Bot API's object."""
    return Member(
        status=str(card.get("status", "")),
        is_member=card.get("is_member") is not False,
        may_send=card.get("can_send_messages") is not False,
        may_post=card.get("can_post_messages") is not False,
    )


def member_of(outcome: Outcome) -> Member | None:
    """The answer to `getChatMember`."""
    match outcome:
        case Sent(result=dict(card)):
            return member(card)
    return None


def chat_of(outcome: Outcome) -> ChatCard | None:
    """The answer to `getChat`."""
    match outcome:
        case Sent(result=dict(card)) if (number := whole(card.get("id"))) is not None:
            rights = card.get("permissions")
            if not isinstance(rights, dict):
                rights = {}
            return ChatCard(
                id=number,
                type=str(card.get("type", "")),
                title=str(card.get("title") or ""),
                username=str(card.get("username") or ""),
                members_may_send=rights.get("can_send_messages") is not False,
            )
    return None


def posts_of(outcome: Outcome) -> Posts | None:
    """The answer to `getWebhookInfo`."""
    match outcome:
        case Sent(result=dict(info)):
            url, kinds = info.get("url"), info.get("allowed_updates")
            if not isinstance(kinds, list):
                kinds = []
            return Posts(
                url=url if isinstance(url, str) else None,
                waiting=whole(info.get("pending_update_count")) or 0,
                failed_at=whole(info.get("last_error_date")),
                why=str(info.get("last_error_message") or ""),
                kinds=frozenset(map(str, kinds)) or None,
            )
    return None


def updates_of(outcome: Outcome) -> list[Any] | None:
    """The answer to `getUpdates`; what is in it is for whoever takes updates in."""
    match outcome:
        case Sent(result=list(updates)):
            return updates
    return None


def username_of(outcome: Outcome) -> str | None:
    """The bot's name, of the answer to `getMe`."""
    match outcome:
        case Sent(result={"username": str(name)}):
            return name
    return None


def description_of(outcome: Outcome) -> str | None:
    """The answer to `getMyDescription`; empty where there is none."""
    match outcome:
        case Sent(result=dict(shown)):
            return str(shown.get("description") or "")
    return None


def file_path_of(outcome: Outcome) -> str | None:
    """The path of a file to fetch, of the answer to `getFile`."""
    match outcome:
        case Sent(result={"file_path": str(path)}):
            return path
    return None


def content_of(outcome: Outcome) -> bytes | None:
    """The bytes of a file that was downloaded."""
    match outcome:
        case Sent(result=bytes(content)):
            return content
    return None


def photo_of(outcome: Outcome) -> str | None:
    """The file id of a picture that was sent: Telegram makes several sizes, the largest last."""
    match outcome:
        case Sent(result={"photo": [*_, {"file_id": file_id}]}):
            return str(file_id)
    return None
