"""Cards and charts' captions that were made last: good until other rates are stored."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from bot.model.rates import Pair
from bot.render.text import Message

CARDS_KEPT = 200  # cards and captions: when it is full, all are made anew


class Card(NamedTuple):
    """The key of a card, besides rates; `minute` because it says how fresh it is. The `usual`
    currencies are a chat's own, where it asked for none.
    """

    home: str
    codes: tuple[str, ...]
    on: date | None
    language: str
    minute: datetime
    usual: tuple[str, ...] = ()


class Caption(NamedTuple):
    """The key of a chart's caption, besides rates: today decides where a range begins."""

    pair: Pair
    span: str
    language: str
    dark: bool
    today: date


class Cards:
    """The messages that were made of the rates as they are; one for the program."""

    def __init__(self) -> None:
        self._made: dict[Card | Caption, Message] = {}

    def __len__(self) -> int:
        """The number that are kept."""
        return len(self._made)

    def get(self, what: Card | Caption) -> Message | None:
        """The message that was made for this key, or None."""
        return self._made.get(what)

    def keep(self, what: Card | Caption, made: Message) -> None:
        """Give this to whoever asks for the same."""
        # all at once rather than the eldest: new rates clear them too, several times a day
        if len(self._made) >= CARDS_KEPT:
            self._made.clear()
        self._made[what] = made

    def forget(self) -> None:
        """Other rates were stored: all is made anew."""
        self._made.clear()
