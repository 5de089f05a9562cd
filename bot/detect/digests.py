"""The rates and stories of a day that a digest tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from bot.detect.corrections import is_taken_back
from bot.detect.series import AnyRate, cut_at
from bot.model.news import Story
from bot.model.rates import RateKind


def by_worth(
    stories: Iterable[Story], *, language: str, topics: Collection[str] = ()
) -> list[Story]:
    """The stories of these topics (none: of any), the one most worth telling first; none that was
    taken back.

    One that is reported in the reader's language goes before others, then the more severe one, the
    one more newsrooms report, the latest.
    """

    def worth(story: Story) -> tuple[bool, int, int, datetime]:
        mine = any(item.entry.language == language for item in story.entries)
        return mine, story.severity.rank, len(story.feeds), story.lead.at

    wanted = []
    for story in stories:
        about = not topics or not set(topics).isdisjoint(story.topics)
        if about and not is_taken_back(story):
            wanted.append(story)
    return sorted(wanted, key=worth, reverse=True)


def rates_of_day(
    rates: Iterable[AnyRate], day: date, *, home: str
) -> tuple[dict[str, AnyRate], dict[str, AnyRate]]:
    """A source's rates against `home` that hold on a day, and those that begin the day after, by
    currency; oldest first.
    """
    own: list[AnyRate] = []
    for rate in rates:
        # a digest names one source for all its rates; our own arithmetic is not that source's
        if rate.pair.quote == home and rate.kind is not RateKind.CROSS:
            own.append(rate)
    begun, later = cut_at(own, day)
    next_day, _ = cut_at(later, day + timedelta(days=1))
    held = {rate.pair.base: rate for rate in begun}
    following = {rate.pair.base: rate for rate in next_day}
    return held, following
