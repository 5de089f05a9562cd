"""The pictures that Telegram has already: what was sent once is sent again by its file id."""

from __future__ import annotations

from cachetools import LRUCache

from bot.telegram.outcomes import Outcome
from bot.telegram.results import photo_of

FILE_IDS_KEPT = 500  # file ids, and short keys; what is forgotten is drawn once more

Key = tuple[object, ...]


class Drawn:
    """The file ids of what was sent; one for the program."""

    def __init__(self) -> None:
        self.file_ids: LRUCache[Key, str] = LRUCache(FILE_IDS_KEPT)
        self.names: LRUCache[Key, Key] = LRUCache(FILE_IDS_KEPT)

    def keep(self, key: Key, outcome: Outcome) -> None:
        """Remember the largest size's file id of a photo that was sent."""
        file_id = photo_of(outcome)
        if file_id is not None:
            self.file_ids[key] = file_id
