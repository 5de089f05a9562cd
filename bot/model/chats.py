"""Chats: where we write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.model.quiet import QuietHours

#: Begins the word by which `jarchy init` recognises the operator it waits for; it opens nothing.
OPERATORS_LINK = "init_"


class ChatKind(StrEnum):
    """A person, a group (of either kind), or a channel."""

    PRIVATE = "private"
    GROUP = "group"
    CHANNEL = "channel"


class Style(StrEnum):
    """The length of a told story; `full` only where the source's catalog entry allows it."""

    FULL = "full"
    BRIEF = "brief"
    HEADLINE = "headline"


class Wakes(StrEnum):
    """The least severity of a security story that wakes a chat which follows security."""

    ALL = "all"  # calm ones too, without sound
    IMPORTANT = "important"  # notable and urgent ones
    URGENT = "urgent"


class Editorial(StrEnum):
    """A channel's demand on a story about security before it posts it, the strictest last."""

    PUBLISH = "publish"  # nothing
    TWO_SOURCES = "two_sources"  # that a second publisher reports it
    APPROVE = "approve"  # the word of whoever set the channel up

    def is_stricter(self, other: Editorial) -> bool:
        """Whether it asks more of a story than another one."""
        ranks = tuple(Editorial)
        return ranks.index(self) > ranks.index(other)


class Post(StrEnum):
    """The kinds of posts that come by themselves: each may be as loud as the chat likes, waits in
    the quiet hours, and may have a forum topic of its own.
    """

    RATES = "rates"
    RULES = "rules"
    STORIES = "stories"
    DIGESTS = "digests"
    FEEDS = "feeds"


class Sound(StrEnum):
    """The loudness of a kind of post."""

    SOUND = "sound"
    SILENT = "silent"
    OFF = "off"  # not at all


Sounds = Mapping[Post, Sound]
#: How each arrives where a chat chose nothing else; what an alert itself knows goes before it.
USUAL: Sounds = {
    Post.RATES: Sound.SOUND,
    Post.RULES: Sound.SOUND,
    Post.STORIES: Sound.SOUND,
    Post.DIGESTS: Sound.SILENT,
    Post.FEEDS: Sound.SILENT,
}


def write_sounds(sounds: Sounds) -> str:
    """The one written form: "feeds=off rates=silent"; what is as usual is not in it."""
    return " ".join(sorted(f"{post}={sound}" for post, sound in sounds.items()))


def read_sounds(written: str) -> dict[Post, Sound]:
    """The sounds that `write_sounds` wrote; what a newer program wrote besides is passed over."""
    known = set(Sound)
    return {post: Sound(one) for post, one in _by_post(written) if one in known}


#: The forum topics that kinds of post go to; a kind that is not in it goes to General.
Threads = Mapping[Post, int]


def write_threads(threads: Threads) -> str:
    """The one written form: "digests=9 rates=7"."""
    return " ".join(sorted(f"{post}={thread}" for post, thread in threads.items()))


def read_threads(written: str) -> dict[Post, int]:
    """The topics that `write_threads` wrote; what a newer program wrote besides is passed over."""
    return {post: int(one) for post, one in _by_post(written) if one.isdecimal()}


def _by_post(written: str) -> Iterator[tuple[Post, str]]:
    """The written value of each kind of post that is known here."""
    for pair in written.split():
        post, _, value = pair.partition("=")
        if post in set(Post):
            yield Post(post), value


def thread_of(threads: Threads, post: Post | None) -> int | None:
    """The forum topic of a post. One of no kind, or of several, goes where all kinds go together,
    if they do.
    """
    if post is not None:
        return threads.get(post)
    chosen = {threads.get(one) for one in Post}
    if len(chosen) > 1:
        return None
    return chosen.pop()


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
    threads: Threads = field(default_factory=dict)
    currencies: tuple[str, ...] = ()  # in the order it chose; others come after them as usual
    tables: bool = False  # whether figures come as tables, which some clients show blank
    policy: Editorial = Editorial.PUBLISH
    anonymous: bool = False  # whether an administrator who writes as the group may change it
