"""The filters that somebody names: a topic, a source, a place, else words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bot.detect.facts import TOKEN, places, surroundings
from bot.detect.search import LONGEST_WORD, has_too_long, words_of
from bot.errors import UserError
from bot.languages import LANGUAGES, languages
from bot.languages.letters import fold_typed
from bot.model.filters import Filter, Nameable, Trait, TypedItem

NO_PLACES = (("org",), ("head",))  # what stands among the places and is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What topics and sources are called in every language, case folded."""

    topics: Mapping[str, Nameable]
    sources: Mapping[str, Nameable]

    def find(self, text: str) -> tuple[Trait, Nameable] | None:
        """The topic, source or place that a text is the name of; None where it is only words."""
        said = text.casefold()
        if said in self.topics:
            return Trait.TOPIC, self.topics[said]
        if said in self.sources:
            return Trait.SOURCE, self.sources[said]
        place = place_of(text)
        if place is None:
            return None
        return Trait.PLACE, Nameable(what=place, said=text)


def meant(items: Sequence[TypedItem], names: Names) -> list[Filter]:
    """The filters that somebody names, each once; none of what has no words.

    UserError for what no story has as words: a name with an end behind it that nobody could read,
    and a word that is too long for one.
    """
    found: dict[tuple[Trait, str], Filter] = {}
    for item in items:
        for each in _apart(item, names):
            trait, one = _named_thing(each, names)
            if not one.what:
                continue
            found[trait, one.what] = Filter(
                sense=each.sense, trait=trait, what=one.what, said=one.said
            )
    return list(found.values())


def place_of(said: str) -> str | None:
    """The place that somebody names, in any language; None where it is no place that we know."""
    tokens = TOKEN.findall(fold_typed(said))
    for code in LANGUAGES:
        for _, pattern in places(code).find(tokens):
            # a place's name and nothing else: with a word beside it all of it is words
            whole = len(pattern.words) == len(tokens)
            if whole and surroundings()[pattern.kind] not in NO_PLACES:
                return pattern.kind
    return None


def _named_thing(item: TypedItem, names: Names) -> tuple[Trait, Nameable]:
    found = None if item.quoted else names.find(item.text)
    if found is not None:
        return found
    if _seems_ended(item, names):
        raise UserError("error.filter.end", said=item.text)
    if has_too_long(item.text):
        raise UserError("error.filter.long_word", longest=LONGEST_WORD)
    return Trait.WORD, Nameable(what=words_of(item.text), said=item.text)


def _seems_ended(item: TypedItem, names: Names) -> bool:
    """Whether an end was meant that nobody could read: behind a name, or with an "until" that
    leads to no place, as "the road to Osh" does in Russian.
    """
    words = item.text.split()
    if item.end_at is not None and _names_one(words[: item.end_at], names):
        return True
    return item.until_at is not None and not _names_one(words[item.until_at + 1 :], names)


def _apart(item: TypedItem, names: Names) -> Iterator[TypedItem]:
    """The names in "Osh and Batken", each an item; another item is one thing as it stands."""
    if item.quoted or names.find(item.text) is not None:
        yield item
        return
    parts: list[list[str]] = [[]]
    for word in item.text.split():
        if fold_typed(word) in _both():
            parts.append([])
        else:
            parts[-1].append(word)
    said = [" ".join(part) for part in parts if part]
    if len(parts) > 1 and said and all(names.find(part) is not None for part in said):
        for part in said:
            yield replace(item, text=part, end_at=None, until_at=None)
    else:
        yield item


def _names_one(words: Sequence[str], names: Names) -> bool:
    """Whether a name stands among the words."""
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            if names.find(" ".join(words[start:end])) is not None:
                return True
    return False


@cache
def _both() -> frozenset[str]:
    """The words between two things of a list, of all languages."""
    return frozenset(
        word for spoken in languages() for word in fold_typed(spoken.filters.both).split()
    )
