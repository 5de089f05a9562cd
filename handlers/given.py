"""What was answered to what: in memory, so a restart forgets it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cachetools import LRUCache

REMEMBERED_QUESTIONS = 10_000


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours in answer: words, or a picture, which never changes back into words."""

    id: int
    picture: bool = False


@dataclass(slots=True)
class Given:
    """The answers to one message, oldest first, while its words had this hash."""

    words: int
    messages: list[Ours] = field(default_factory=list)


class Questions:
    """The latest messages that were answered, by chat and number."""

    def __init__(self) -> None:
        self._given: LRUCache[tuple[int, int], Given] = LRUCache(REMEMBERED_QUESTIONS)

    def ask(self, chat: int, message: int, words: str) -> tuple[Given, list[Ours]]:
        """A message as it is answered from now on, and what was answered to its earlier words."""
        earlier = self._given.get((chat, message))
        given = self._given[chat, message] = Given(hash(words))
        return given, [] if earlier is None else earlier.messages

    def is_unchanged(self, chat: int, message: int, words: str) -> bool:
        """Whether these are the very words that were answered.

        Telegram tells of an edit, too, when it changed what no bot sees.
        """
        given = self._given.get((chat, message))
        return given is not None and given.words == hash(words)

    def forget(self, chat: int, message: int) -> None:
        """No edit of this message changes its answers any more."""
        self._given.pop((chat, message), None)
