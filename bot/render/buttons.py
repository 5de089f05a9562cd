"""Buttons that many messages have: switches, back, share; and rows that fit a phone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from bot.i18n import t, ungrouped
from bot.render.phrases import phrase
from bot.render.text import Button, Rows

CHOSEN = "✓"
SHARE = "https://t.me/share/url?url="
PHONE_LETTERS = 30  # that fit side by side in a row of buttons on a phone


def switch(text: str, data: str, *, on: bool) -> Button:
    """A button for something chosen or not: what is chosen carries ✓."""
    if on:
        text = f"{CHOSEN} {text}"
    return Button(text, data)


def put_in(rows: Rows, instead: Mapping[str, Button]) -> Rows:
    """The same rows with other buttons in the place of those that have such data."""
    return tuple(tuple(instead.get(one.data or "", one) for one in row) for row in rows)


def back_button(language: str, data: str) -> Button:
    """The way back to the message before."""
    return Button(t("button.back", language), data)


def share_button(address: str, language: str) -> Button:
    """Telegram's own choice of a chat to pass an address on to."""
    return Button(t("button.share", language), url=SHARE + quote(address, safe=""))


def copy_button(figure: str, language: str) -> Button:
    """Copies a figure as it is typed into a form: without the marks between thousands."""
    said = phrase("button.copy", language, figure=figure).text
    return Button(said, copy=ungrouped(figure, language))


def rows_of(buttons: Sequence[Button], width: int) -> Iterable[list[Button]]:
    """The buttons in even rows of at most `width`, fewer where a phone would cut the longest."""
    # measured without its ✓, and room kept for one: a tap must not put the buttons into other rows
    longest = max((len(button.text.lstrip("✓ ")) for button in buttons), default=0) + 2
    width = max(1, min(width, PHONE_LETTERS // longest))
    waiting = list(buttons)
    for rows_left in range(-(-len(buttons) // width), 0, -1):
        # the first rows take what does not divide evenly: 5 as 3 and 2, not as 4 and 1
        size = -(-len(waiting) // rows_left)
        yield waiting[:size]
        del waiting[:size]
