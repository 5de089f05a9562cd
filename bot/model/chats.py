"""Chats: where we write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChatKind(StrEnum):
    """A person, a group (of either kind), or a channel."""

    PRIVATE = "private"
    GROUP = "group"
    CHANNEL = "channel"


class Style(StrEnum):
    """How much of a story is told; `full` only where the source's catalog entry allows it."""

    FULL = "full"
    BRIEF = "brief"
    HEADLINE = "headline"


class Wakes(StrEnum):
    """How grave a story about security must be to wake a chat that follows security."""

    ALL = "all"  # calm ones too, without sound
    IMPORTANT = "important"  # notable and urgent ones
    URGENT = "urgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One place we write to: its 64-bit id and what its members chose.

    `active` is False after a block or a removal: nothing is sent until it comes back.
    """

    id: int
    kind: ChatKind
    language: str
    time_zone: str
    home: str  # the currency others are quoted in
    style: Style = Style.BRIEF
    wakes: Wakes = Wakes.IMPORTANT
    active: bool = True
    title: str = ""
    thread: int | None = None  # a forum topic to post to
