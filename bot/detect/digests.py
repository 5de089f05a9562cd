"""Which of a day's stories a digest tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from bot.model.news import Story


def story_of_the_day(
    stories: Iterable[Story], *, language: str, topics: Collection[str] = ()
) -> Story | None:
    """The story most worth telling, of these topics (none: of any); None when there is none.

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
    return max(wanted, key=worth, default=None)
