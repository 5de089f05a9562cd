"""Stories that a chat's filters keep back.

Words are compared as in the search of the archive: by stems, or by beginnings where a language has
no stems here. Places are the facts that stories in two languages are compared by, so that "Ош" is
found in an English text too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from zlib import crc32

from bot.detect.facts import facts_of, places, surroundings
from bot.detect.language import known_language
from bot.detect.named_filters import NO_PLACES
from bot.detect.search import WORD, Token, measured_words, phrase_of, sequence_of, words_of
from bot.i18n import place_name
from bot.languages import language as spoken
from bot.languages.letters import fold_typed
from bot.model.filters import (
    LONGEST_ITEM,
    Filter,
    Sense,
    StoredFilter,
    Trait,
)
from bot.model.news import StoredEntry, Story

#: The traits that an entry of a chat's own feed may have.
_OWN = frozenset({Trait.WORD, Trait.PLACE})
#: Characters of all of a story's reports that words are looked for in, ten milliseconds' worth; of
#: each so many at least. A great event has hundreds of reports, which say the same at length.
LOOKED_INTO, LEAST_OF_EACH = 80_000, 250
LONGEST_OFFERED = 36  # its bytes: a button's data has 64
# of each trait under one story, so that a menu stays one screen
WORDS_OFFERED = 3
PLACES_OFFERED = 2
SOURCES_OFFERED = 3

# The words of chats' filters are the same again next time. Some 1.3 KB each; where chats have more
# different ones than that, each is read anew in 15 microseconds.
_words = lru_cache(maxsize=2_000)(phrase_of)


class _Text:
    """The tokens of a text, so that a word that is not there is known at once."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._each = frozenset(tokens)
        self._joined = " " + " ".join(tokens)

    def says(self, words: Sequence[frozenset[Token]]) -> bool:
        """Whether these words stand side by side somewhere."""
        for each in words:
            if not self._has_one_of(each):
                return False
        return len(words) == 1 or _stand_in(words, self._tokens)

    def _has_one_of(self, meant: frozenset[Token]) -> bool:
        for one in meant:
            # each token stands behind a space there, so that a beginning is found by one search
            if one.text in self._each or (one.begins and f" {one.text}" in self._joined):
                return True
        return False


class Looked:
    """A story as filters look at it: each trait is looked for once, however many chats ask.

    It is welcome to who wants to hear of places that it is `near` to, though no report names them:
    an earthquake is felt where nobody wrote of it yet.
    """

    def __init__(self, story: Story, near: frozenset[str] = frozenset()) -> None:
        self.story = story
        self.near = near
        self._found: dict[tuple[Trait, str], bool] = {}
        self._texts: list[_Text] | None = None
        self._places: frozenset[str] | None = None

    def has(self, trait: Trait, what: str) -> bool:
        """Whether the story has this trait."""
        key = (trait, what)
        if key not in self._found:
            self._found[key] = self._look(trait, what)
        return self._found[key]

    def _look(self, trait: Trait, what: str) -> bool:
        match trait:
            case Trait.WORD:
                return self._says(what)
            case Trait.SOURCE:
                return what in self.story.feeds
            case Trait.STORY:
                return what == str(self.story.pk)
            case Trait.PLACE:
                return what in self.places
            case Trait.TOPIC:
                return what in self.story.topics

    def _says(self, what: str) -> bool:
        words = _words(what)
        if not words:
            return False
        if self._texts is None:
            self._texts = []
            most = max(LOOKED_INTO // max(len(self.story.entries), 1), LEAST_OF_EACH)
            for item in self.story.entries:
                self._texts.append(_Text(sequence_of(_text(item)[:most], item.entry.language)))
                for code, said in measured_words(item.entry.content).items():
                    self._texts.append(_Text(sequence_of(said, code)))
        return any(text.says(words) for text in self._texts)

    @property
    def places(self) -> frozenset[str]:
        """The places that the reports name, with all that lies around them."""
        if self._places is None:
            found: set[str] = set()
            for item in self.story.entries:
                found |= _named(item)
            self._places = frozenset(found)
        return self._places


def keeps_back(filters: Sequence[StoredFilter], looked: Looked) -> StoredFilter | None:
    """The one of a chat's filters that keeps a story back; None where none does.

    What some of its sources report is told as long as one of them is not muted. An entry of a
    chat's own feed has no topics, and no source that a filter could name: none is demanded of it.
    """
    if looked.story.own:
        filters = [one for one in filters if one.sense is Sense.NEVER or one.trait in _OWN]
    muted = [one for one in filters if _is_muted_source(one) and looked.has(one.trait, one.what)]
    if muted and {one.what for one in muted} >= set(looked.story.feeds):
        return muted[0]
    wanted: list[StoredFilter] = []
    welcome = False
    for one in filters:
        if _is_muted_source(one):
            continue
        has = looked.has(one.trait, one.what)
        if one.sense is Sense.ONLY:
            wanted.append(one)
            welcome = welcome or has or (one.trait is Trait.PLACE and one.what in looked.near)
        elif has is (one.sense is Sense.NEVER):  # a trait that it must not have, or lacks
            return one
    if wanted and not welcome:
        return wanted[0]
    return None


def less_of(story: Story, names: Mapping[str, str], language: str) -> dict[str, Filter]:
    """The filters offered after a story for hearing less of it, by a code for a button's data.

    `names` are what the reader calls the sources. The headline is the one in their language.
    """
    offered: dict[str, Filter] = {}
    for code, trait, what, said in _offers(story, names, language):
        offered[code] = Filter(sense=Sense.NEVER, trait=trait, what=what, said=said)
    return offered


def _offers(
    story: Story, names: Mapping[str, str], language: str
) -> Iterator[tuple[str, Trait, str, str]]:
    """Code, trait, what and said of each filter that a story offers."""
    told = story.told_in(language)
    title = told.lead.entry.title or told.lead.entry.summary
    yield "story", Trait.STORY, str(story.pk), title[:LONGEST_ITEM]
    # those that its message credits by name
    for feed in told.feeds[:SOURCES_OFFERED]:
        yield source_code(feed), Trait.SOURCE, feed, names.get(feed, feed)
    for place, written in _places_offered(told).items():
        yield f"place-{place}", Trait.PLACE, place, place_name(place, language) or written
    for word in _words_offered(told, language):
        yield f"word-{word}", Trait.WORD, words_of(word), word


def source_code(feed: str) -> str:
    """The code of a source's filter, whatever place others that join leave it; a key may be longer
    than a button's data.
    """
    return f"source-{crc32(feed.encode()):x}"


def _words_offered(story: Story, language: str) -> list[str]:
    """The words of a story's headline as a dictionary of the reader's language has them; none where
    the headline is in another one.

    Headlines have words in all their forms, and "пограничника" is nothing to choose by.
    """
    entry = story.lead.entry
    said = measured_words(entry.content).get(language)
    if said is None and entry.language == language:
        said = entry.title
    if said is None:
        return []
    tokens = sequence_of(said, language)
    found: list[str] = []
    for noun, stems in _nouns(language).items():
        if len(noun.encode()) <= LONGEST_OFFERED and _stand_in(stems, tokens):
            found.append(noun)
    return found[:WORDS_OFFERED]


@cache
def _nouns(language: str) -> Mapping[str, Sequence[frozenset[Token]]]:
    """The nouns that filters offer, each with the stems by which a text is known to have it."""
    return {
        noun: phrase_of(noun) for noun in filter(None, spoken(language).filters.nouns.split(","))
    }


def _places_offered(story: Story) -> dict[str, str]:
    """The places that a story's lead names and how it writes them, the narrowest first."""
    around = surroundings()
    item = story.lead
    language = known_language(item.entry.language, _text(item))
    words = WORD.findall(_text(item))
    folded = [fold_typed(word) for word in words]
    written: dict[str, str] = {}
    for at, pattern in places(language).find(folded):
        if around[pattern.kind] not in NO_PLACES:
            written.setdefault(pattern.kind, " ".join(words[at : at + len(pattern.words)]))
    # the more lies around a place, the narrower it is
    narrowest = sorted(written, key=lambda place: -len(around[place]))
    return {place: written[place] for place in narrowest[:PLACES_OFFERED]}


def _is_muted_source(one: StoredFilter) -> bool:
    return one.trait is Trait.SOURCE and one.sense is Sense.NEVER


def _stand_in(words: Sequence[frozenset[Token]], tokens: Sequence[str]) -> bool:
    """Whether these words stand side by side somewhere in a text."""
    for at in range(len(tokens) - len(words) + 1):
        if all(_is_one_of(tokens[at + away], each) for away, each in enumerate(words)):
            return True
    return False


def _is_one_of(token: str, meant: frozenset[Token]) -> bool:
    return any(token == one.text or (one.begins and token.startswith(one.text)) for one in meant)


def _text(item: StoredEntry) -> str:
    entry = item.entry
    return f"{entry.title}\n{entry.summary or entry.content}"


def _named(item: StoredEntry) -> set[str]:
    entry = item.entry
    language = known_language(entry.language, _text(item))
    part = facts_of(entry.title, entry.summary or entry.content, language).whole
    around = surroundings()
    found = set(part.countries)
    for place in part.places:
        found.add(place)
        found.update(around[place])
    return found
