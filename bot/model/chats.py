"""Chats: where we write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.model.quiet import QuietHours


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


class Post(StrEnum):
    """What comes by itself, by kind: each may be as loud as the chat likes, and waits in the quiet
    hours.
    """

    RATES = "rates"
    STORIES = "stories"
    DIGESTS = "digests"
    FEEDS = "feeds"


class Sound(StrEnum):
    """How a kind of post arrives."""

    SOUND = "sound"
    SILENT = "silent"
    OFF = "off"  # not at all


Sounds = Mapping[Post, Sound]
#: How each arrives where a chat chose nothing else; what an alert itself knows goes before it.
USUAL: Sounds = {
    Post.RATES: Sound.SOUND,
    Post.STORIES: Sound.SOUND,
    Post.DIGESTS: Sound.SILENT,
    Post.FEEDS: Sound.SILENT,
}


def write_sounds(sounds: Sounds) -> str:
    """The one written form: "feeds=off rates=silent"; what is as usual is not in it."""
    return " ".join(sorted(f"{post}={sound}" for post, sound in sounds.items()))


def read_sounds(written: str) -> dict[Post, Sound]:
    """What `write_sounds` wrote; what a newer program wrote besides is passed over."""
    found: dict[Post, Sound] = {}
    for one in written.split():
        post, _, sound = one.partition("=")
        if post in set(Post) and sound in set(Sound):
            found[Post(post)] = Sound(sound)
    return found


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
    quiet: QuietHours | None = None
    quiet_urgent: bool = True  # whether what is urgent comes in the quiet hours all the same
    sounds: Sounds = field(default_factory=dict)  # of the kinds that are not as loud as usual
    active: bool = True
    title: str = ""
    thread: int | None = None  # a forum topic to post to
