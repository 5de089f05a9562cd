"""A board: rates, how far banks differ, the last stories, and when that was so; and how it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.i18n import name_of, t
from bot.model.channels import Board, BoardView, Spread, Trouble
from bot.render.news import Names, item, left_out
from bot.render.numbers import as_printed
from bot.render.phrases import phrase, when
from bot.render.rates import card
from bot.render.text import Message, Rich, bold, join, lines, message

SourceNames = Callable[[str], dict[str, str]]


def board(
    view: BoardView,
    language: str,
    *,
    zone: str,
    now: datetime,
    feed_names: Names,
    source_names: SourceNames,
) -> Rich:
    """The text of a board without the time of its update: one that says the same stays."""
    parts: list[Rich | None] = []
    if view.card is not None:
        today = now.astimezone(ZoneInfo(view.card.zone)).date()
        parts.append(card(view.card, language, today=today).body)
    if view.spreads:
        rows = [_spread(one, language, source_names) for one in view.spreads]
        parts.append(lines(bold(t("board.spread", language)), *rows))
    if view.stories:
        told = [story.told_in(language) for story in view.stories]
        items = [item(story, feed_names, language, zone, now) for story in told]
        parts.append(lines(bold(t("board.stories", language)), join("\n\n", items)))
    parts.append(left_out(view.left_out, language))
    return join("\n\n", parts)


def updated(language: str, *, zone: str, at: datetime) -> Rich:
    """The time of a board's update, by the channel's clock."""
    return phrase("board.updated", language, time=when(at, language, zone))


def how_it_is(kept: Board | None, language: str) -> Rich:
    """Whether a chat has a board that is kept, and pinned."""
    said = "channel.board_on"
    if kept is None or not kept.kept:
        said = "channel.board_off"
    elif kept.trouble is Trouble.UNPINNED:
        said = "channel.board_unpinned"
    return phrase(said, language)


def state(kept: Board | None, language: str) -> Message:
    """The state of a group's board, and how to change that."""
    return message(lines(how_it_is(kept, language), phrase("board.hint", language)))


def _spread(spread: Spread, language: str, source_names: SourceNames) -> Rich:
    """USD: 84.10 (one bank) – 86.20 (another)."""
    ends: list[str] = []
    for rate in (spread.lowest, spread.highest):
        name = name_of(source_names(rate.source), language) or rate.source
        ends.append(f"{as_printed(rate.per_unit, language)} ({name})")
    return Rich(f"{spread.lowest.pair.base}: {' – '.join(ends)}")
