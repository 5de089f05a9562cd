"""Looks that are spared: what found nothing finds nothing until something is written.

A bot at rest would do little else but look a dozen times a second for what nobody wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.db import Store


@dataclass(slots=True)
class Still:
    """What one look found nothing in. Ask `holds` before each look, and tell `found` after it.

    On a server nothing is ever still: there is no telling what others wrote.
    """

    store: Store
    version: int | None = None  # the store's, before the look that is under way
    repeats: bool = False  # nothing was written between that look and the one before it
    _empty_at: int | None = None  # the version at which a look found nothing
    _until: datetime | None = None  # when there is something though nobody writes

    def holds(self, now: datetime) -> bool:
        """Whether another look, at `now`, would find nothing either."""
        before, self.version = self.version, self.store.version()
        self.repeats = self.version is not None and self.version == before
        if self.version is None or self.version != self._empty_at:
            return False
        return self._until is None or now < self._until

    def found(self, *, nothing: bool, until: datetime | None = None) -> None:
        """Note what the look brought: `nothing`, and not before `until` unless somebody writes."""
        self._empty_at = self.version if nothing else None
        self._until = until
