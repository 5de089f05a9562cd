"""What keeps the bot from noting what it has sent: it stands still, or its database is held."""

from __future__ import annotations

import time
from dataclasses import dataclass

CAUGHT_UP_WITHIN = 2.0  # seconds after it, until everything is surely noted


@dataclass(slots=True)
class Hindrance:
    """One such thing, from its beginning to its end (`time.monotonic`)."""

    since: float | None = None
    until: float | None = None

    def begins(self) -> None:
        """From now on nothing is noted."""
        self.since, self.until = time.monotonic(), None

    def ends(self) -> None:
        """The bot may note again."""
        self.until = time.monotonic()

    def noted(self, at: float) -> float:
        """The moment until which the bot could note, by the moment `at`, what had arrived."""
        if self.since is None:
            return at
        if self.until is not None and at - self.until > CAUGHT_UP_WITHIN:
            return at
        return min(self.since, at)
