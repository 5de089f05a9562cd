"""What somebody means by a filter, and what a story offers to hear less of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.convert.filters import LONGEST_ITEM, TypedItem
from bot.detect.filters import place_of, places_offered, words_offered
from bot.i18n import known, name_of, t
from bot.languages import LANGUAGES
from bot.model.filters import Filter, Mark, Sense
from bot.model.news import Story
from bot.readers.news import READERS_TOPICS
from bot.sources.specs import Catalog

WORDS_OFFERED = 3
PLACES_OFFERED = 2
SOURCES_OFFERED = 3


def meant(items: Sequence[TypedItem], catalog: Catalog, language: str) -> list[Filter]:
    """The filters that somebody names: a topic, a source, a place, else words; each once."""
    found: dict[tuple[Mark, str], Filter] = {}
    for item in items:
        mark, what, said = _read(item, catalog, language)
        found[mark, what] = Filter(sense=item.sense, mark=mark, what=what, said=said)
    return list(found.values())


def _read(item: TypedItem, catalog: Catalog, language: str) -> tuple[Mark, str, str]:
    text = item.text
    if not item.quoted:
        said = text.casefold()
        for topic in READERS_TOPICS:
            if said in _topic_names(topic):
                return Mark.TOPIC, topic, topic
        for key, names in catalog.feed_names.items():
            if said == key or said in {name.casefold() for name in names.values()}:
                return Mark.SOURCE, key, name_of(dict(names), language) or key
        place = place_of(text)
        if place is not None:
            return Mark.PLACE, place, text
    return Mark.WORD, text.casefold(), text


def _topic_names(topic: str) -> set[str]:
    msgid = f"topic.{topic}"
    names = {t(msgid, language).casefold() for language in LANGUAGES if known(msgid)}
    return {topic, *names}


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
