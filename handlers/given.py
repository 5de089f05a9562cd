"""Our answers to each message: in memory, so a restart forgets them."""

from __future__ import annotations

from dataclasses import dataclass, field

from cachetools import LRUCache

REMEMBERED_QUESTIONS = 10_000  # whose edits still change our answers


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours in answer: words, or a picture, which never changes back into words."""

    id: int
    picture: bool = False


@dataclass(slots=True)
class Given:
    """The answers to one message, oldest first, and the hash of the words that were answered: None
    while they are not, or not to the end.
    """

    words: int | None = None
    messages: list[Ours] = field(default_factory=list)


class Questions:
    """The latest messages that were answered, by chat and number."""

    def __init__(self) -> None:
        self._given: LRUCache[tuple[int, int], Given] = LRUCache(REMEMBERED_QUESTIONS)

    def answers(self, chat: int, message: int) -> list[Ours]:
        """Our messages that stand below a message in answer to it, oldest first."""
        given = self._given.get((chat, message))
        return [] if given is None else list(given.messages)

    def note(self, chat: int, message: int, given: Given) -> None:
        """Keep what answered a message, or so far where that failed."""
        self._given[chat, message] = given

    def is_unchanged(self, chat: int, message: int, words: str) -> bool:
        """Whether these are the very words that were answered.

        Telegram tells of an edit, too, when it changed what no bot sees.
        """
        given = self._given.get((chat, message))
        return given is not None and given.words == hash(words)

    def forget(self, chat: int, message: int) -> None:
        """No edit of this message changes its answers any more."""
        self._given.pop((chat, message), None)
