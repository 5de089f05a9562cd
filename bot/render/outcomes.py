"""What became of a story that was told: it is over, was corrected, or taken back."""

from __future__ import annotations

from bot.i18n import name_of, t
from bot.model.news import Mending, StoredEntry, Story
from bot.render.news import Names
from bot.render.phrases import phrase
from bot.render.text import Rich, join, link, one_line

OVER_MARK = "✔"
MENDED_MARKS = {Mending.CORRECTED: "✎", Mending.TAKEN_BACK: "✖"}
TEXTS = ("news.over", "news.corrected", "news.taken_back")


def over(over: StoredEntry, language: str) -> Rich:
    """The line that it is over, in the words of who said so."""
    said = link(one_line(over.entry.title), over.entry.link)
    return join("", [f"{OVER_MARK} {t('news.over', language)}: ", said])


def mended(by: StoredEntry, how: Mending, story: Story, feed_names: Names, language: str) -> Rich:
    """The line that it was corrected or taken back, by whom, and in which words where they do not
    lead it.
    """
    source = name_of(dict(feed_names.get(by.feed, {})), language) or by.feed
    line = join(" ", [MENDED_MARKS[how], phrase(f"news.{how}", language, source=one_line(source))])
    if by.pk == story.lead.pk:
        return line
    return join(": ", [line, link(one_line(by.entry.title), by.entry.link)])
