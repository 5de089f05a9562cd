"""Buttons that many messages have: switches, back, share; and rows that fit a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from urllib.parse import quote

from bot.i18n import t
from bot.render.text import Button

CHOSEN = "✓"
SHARE = "https://t.me/share/url?url="
PHONE_LETTERS = 30  # that fit side by side in a row of buttons on a phone


def switch(text: str, data: str, *, on: bool) -> Button:
    """A button for something chosen or not: what is chosen carries ✓."""
    return Button(f"{CHOSEN} {text}" if on else text, data)


def back_button(language: str, data: str) -> Button:
    """The way back to the message before."""
    return Button(t("button.back", language), data)


def share_button(address: str, language: str) -> Button:
    """Telegram's own choice of a chat to pass an address on to."""
    return Button(t("button.share", language), url=SHARE + quote(address, safe=""))


def rows_of(buttons: Sequence[Button], width: int) -> Iterable[list[Button]]:
    """The buttons in even rows of at most `width`, fewer where a phone would break the longest in
    two.
    """
    # with or without its ✓
    longest = max((len(button.text.lstrip("✓ ")) for button in buttons), default=0) + 2
    width = max(1, min(width, PHONE_LETTERS // longest))
    rows = -(-len(buttons) // width)
    each, wider = divmod(len(buttons), rows) if rows else (0, 0)
    ends = [each * row + min(row, wider) for row in range(rows + 1)]
    return (list(buttons[start:end]) for start, end in pairwise(ends))
