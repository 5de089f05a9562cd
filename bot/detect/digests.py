"""Which of a day's stories a digest tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from bot.model.news import Story


def by_worth(
    stories: Iterable[Story], *, language: str, topics: Collection[str] = ()
) -> list[Story]:
    """The stories of these topics (none: of any), the one most worth telling first.

    One that is reported in the reader's language goes before others, then the more severe one, the
    one more newsrooms report, the latest.
    """

    def worth(story: Story) -> tuple[bool, int, int, datetime]:
        mine = any(item.entry.language == language for item in story.entries)
        return mine, story.severity.rank, len(story.feeds), story.lead.at

    wanted = []
    for story in stories:
        if not topics or not set(topics).isdisjoint(story.topics):
            wanted.append(story)
    return sorted(wanted, key=worth, reverse=True)
