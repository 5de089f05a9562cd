"""What can become of one request to Telegram: six outcomes, each with its own reaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sent:
    """Telegram has it. `message_id` is 0 for methods that make no message."""

    message_id: int
    result: Any = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not accepted; the same request may do later. `after` in seconds, when Telegram said how long."""

    why: str
    after: float | None = None
    flood: bool = False  # 429: this chat (or everybody) must wait


@dataclass(frozen=True, slots=True)
class Migrated:
    """The group lives on under another id."""

    chat: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Nobody can be reached there until they come back by themselves."""

    why: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """This message cannot be sent as it is; `plain` when it may do without entities and buttons."""

    why: str
    plain: bool = False
    thread: bool = False  # the forum topic is closed or gone: General may do
    token: bool = False  # 401: Telegram does not know the token
    unneeded: bool = False  # the message to change is there no more: nobody misses the change
    conflict: bool = False  # 409: a webhook is set, or somebody else asks for updates


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Nobody knows: it may have been delivered. `body` is what a complete answer said, when that was no JSON."""

    why: str
    body: bytes = field(default=b"", repr=False)


Outcome = Sent | Retry | Migrated | Gone | Rejected | Ambiguous


def answers(outcome: Outcome) -> bool:
    """Whether an outcome is an answer of Telegram's, however unkind, and not of something in front of it."""
    if isinstance(outcome, Retry):
        return outcome.flood or outcome.after is not None
    return not isinstance(outcome, Ambiguous)


NO_RIGHT = Gone("no right to write")
LEFT = Gone("kicked")


def lacking(member: Mapping[str, Any]) -> Gone | None:
    """Why somebody with this ChatMember object cannot write; rights that are not said are there."""
    status = member.get("status")
    if status in {"left", "kicked"}:
        return LEFT
    if status == "administrator" and member.get("can_post_messages") is False:
        return NO_RIGHT
    if status == "restricted" and (member.get("can_send_messages") is False or member.get("is_member") is False):
        return NO_RIGHT
    return None
