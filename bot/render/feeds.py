"""The feeds that a chat added itself: listed, each with buttons to pause and to remove it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n import t
from bot.model.own_feeds import FollowedFeed
from bot.render.cutting import cut
from bot.render.phrases import phrase
from bot.render.text import Button, Message, bold, code, join, lines, message, one_line

BUTTON_LETTERS = 18  # of a feed's name on a button,
LISTED_LETTERS = 45  # and in the list


def listed(feeds: Sequence[FollowedFeed], language: str, *, most: int, example: str) -> Message:
    """The feeds with what is wrong with each; data `feed:pause:KEY`, `feed:remove:KEY`."""
    hint = phrase("feeds.hint", language, example=code(example), most=most)
    if not feeds:
        return message(lines(bold(t("feeds.title", language)), hint))
    rows: list[list[Button]] = []
    parts = [bold(t("feeds.title", language))]
    for number, one in enumerate(feeds, 1):
        name = cut(message(one_line(one.feed.name)), LISTED_LETTERS).text
        state = None
        if one.paused:
            state = t("feeds.paused", language)
        elif one.feed.failures:
            state = t("feeds.failing", language)
        parts.append(join(" · ", [f"{number}. {name}", state]))
        rows.append(_buttons(one, number, language))
    rows.append([Button(t("feeds.export", language), "feeds:opml")])
    return message(lines(*parts, hint), rows)


def _buttons(one: FollowedFeed, number: int, language: str) -> list[Button]:
    verb = "resume" if one.paused else "pause"
    name = f"{number}. {cut(message(one_line(one.feed.name)), BUTTON_LETTERS).text}"
    return [
        Button(f"{t(f'button.{verb}', language)}: {name}", f"feed:{verb}:{one.feed.key}"),
        Button(t("button.delete", language), f"feed:remove:{one.feed.key}"),
    ]
