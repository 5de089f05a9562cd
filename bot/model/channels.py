"""Channels that somebody set up in private, and the pinned board of a channel or a group."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.model.news import Story
from bot.model.rates import RateCard, SeenRate


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A channel and who set it up; `message` is where in their private chat that stands."""

    id: int
    chat: int
    owner: int
    message: int | None = None


class Trouble(StrEnum):
    """The reason that a board is not kept as it should be; whoever asked for it knows."""

    OFF = "off"  # they switched it off
    DELETED = "deleted"  # twice
    LOST = "lost"  # nobody knows whether it arrived, or Telegram refused it
    UNPINNED = "unpinned"  # it may not be pinned: it is edited all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A chat's board as it is kept: its alerts, its message, and a hash of what it shows.

    The operators hear of the troubles of one `of_catalog`: nobody in the chat asked for it.
    """

    chat: int
    version: int = 0
    shown: str | None = None
    made_by: int | None = None
    message: int | None = None
    pinned_by: int | None = None
    edited_by: int | None = None
    remade: bool = False
    trouble: Trouble | None = None
    of_catalog: bool = False

    @property
    def kept(self) -> bool:
        """Whether the board is made and edited: nothing but a missing pin is in its way."""
        return self.trouble in {None, Trouble.UNPINNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The lowest and the highest rate of a currency among the banks that have one."""

    lowest: SeenRate
    highest: SeenRate


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """The content of a board at a moment; each part is empty where there is nothing yet.

    `left_out` counts the stories that the chat's filters keep back from it.
    """

    card: RateCard | None
    spreads: tuple[Spread, ...]
    stories: tuple[Story, ...]
    left_out: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is neither a rate nor a story to show."""
        return self.card is None and not self.stories
