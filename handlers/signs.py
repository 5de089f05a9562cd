"""The signs of all chats together: how many there were, and where Telegram wants none."""

from __future__ import annotations

import time

from bot.telegram.quiet import Quiet

AFTER = 0.5  # seconds of waiting
SIGN_EVERY = 4.5  # seconds; a chat shows it for five
# for all chats together: when everything is slow, answers are worth more
SIGNS_A_SECOND = 5


class Signs:
    """One for the program; `quiet` is where Telegram wants no sign for a while."""

    def __init__(self) -> None:
        self.after, self.again = AFTER, SIGN_EVERY
        self.quiet = Quiet()
        self._paid = 0.0

    def allow(self) -> bool:
        """Whether one more may be sent now; counts it if so."""
        now = time.monotonic()
        paid = max(self._paid, now - 1) + 1 / SIGNS_A_SECOND
        if paid > now + 1e-6:  # five fifths of a second are a second
            return False
        self._paid = paid
        return True
