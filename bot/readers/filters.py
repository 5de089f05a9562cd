"""What a filter can name, and what a story offers to hear less of."""

from __future__ import annotations

from collections.abc import Iterator

from bot.convert.filters import LONGEST_ITEM
from bot.detect.filters import places_offered, words_offered
from bot.i18n import known, name_of, t
from bot.languages import LANGUAGES
from bot.model.filters import Filter, Mark, Nameable, Sense
from bot.model.news import Story
from bot.readers.news import READERS_TOPICS
from bot.sources.specs import Catalog

WORDS_OFFERED = 3
PLACES_OFFERED = 2
SOURCES_OFFERED = 3


def topics_by_name() -> dict[str, Nameable]:
    """Readers' topics by their names in every language."""
    found: dict[str, Nameable] = {}
    for topic in READERS_TOPICS:
        msgid = f"topic.{topic}"
        names = {t(msgid, language).casefold() for language in LANGUAGES if known(msgid)}
        for name in (topic, *names):
            found.setdefault(name, Nameable(what=topic, said=topic))
    return found


def sources_by_name(catalog: Catalog, language: str) -> dict[str, Nameable]:
    """The catalog's sources of news by their keys and names; the first of a name has it."""
    found: dict[str, Nameable] = {}
    for key, names in catalog.feed_names.items():
        one = Nameable(what=key, said=name_of(dict(names), language) or key)
        for name in (key, *names.values()):
            found.setdefault(name.casefold(), one)
    return found


def less_of(story: Story, catalog: Catalog, language: str) -> dict[str, Filter]:
    """What one may hear less of after a story, by a code for a button's data."""
    offered: dict[str, Filter] = {}
    for code, mark, what, said in _offers(story, catalog, language):
        offered[code] = Filter(sense=Sense.NEVER, mark=mark, what=what, said=said)
    return offered


def _offers(story: Story, catalog: Catalog, language: str) -> Iterator[tuple[str, Mark, str, str]]:
    told = story.told_in(language)
    title = told.lead.entry.title or told.lead.entry.summary
    yield "story", Mark.STORY, str(story.pk), title[:LONGEST_ITEM]
    for number, feed in enumerate(story.feeds[:SOURCES_OFFERED]):
        names = dict(catalog.feed_names.get(feed, {}))
        yield f"source{number}", Mark.SOURCE, feed, name_of(names, language) or feed
    for place, written in places_offered(told, most=PLACES_OFFERED).items():
        yield f"place-{place}", Mark.PLACE, place, written
    for word in words_offered(told, most=WORDS_OFFERED):
        yield f"word-{word}", Mark.WORD, word.casefold(), word
