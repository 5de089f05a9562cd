"""The pictures that Telegram has already: what was sent once is sent again by its file id."""

from __future__ import annotations

from cachetools import LRUCache

from bot.telegram.outcomes import Outcome, Sent

KEPT = 500  # file ids, and short keys; what is forgotten is drawn once more

Key = tuple[object, ...]


class Drawn:
    """The file ids of what was sent; one for the program."""

    def __init__(self) -> None:
        self.file_ids: LRUCache[Key, str] = LRUCache(KEPT)
        self.names: LRUCache[Key, Key] = LRUCache(KEPT)

    def keep(self, key: Key, outcome: Outcome) -> None:
        """Remember the largest size's file id of a photo that was sent."""
        if not isinstance(outcome, Sent) or not isinstance(outcome.result, dict):
            return
        # Telegram makes several sizes of a photo, the largest last; its id stands for all.
        if sizes := outcome.result.get("photo"):
            self.file_ids[key] = str(sizes[-1]["file_id"])
