"""Tokens for search: those of a text, and those of a question, which find each other.

A token is the stem of a word behind the code of the language it was cut by: a Russian ending is
not taken for a Kyrgyz one. A language that Snowball does not know keeps its words whole and is
found by their beginnings: those of a question's words without the endings that the language says.
A word of a question is asked for in each language of its script: readers type what they read in any
of them; and as it stands in those of another, whose texts have names in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from bot.detect.language import script_of
from bot.i18n import place_name, t
from bot.languages import LANGUAGES, language
from bot.languages.letters import fold_typed, is_marked, unmarked
from bot.model.hazards import Hazard
from bot.model.text import comparable

# Some letters of New Tai Lue and Vedic Sanskrit are marks to SQLite, which knows Unicode 6.1: to it
# a word with one of them is two, and it takes no two for one token.
WORD = re.compile(r"[^\W_\u19b0-\u19c9\u1cf2\u1cf3]+")
#: The version of how words are folded, and of `is_folded_anew`: 2 since marks are taken off.
FOLDING = 2
INDEXED = 8000  # characters of a text that can be found by: few articles have more
MOST_WORDS = 8  # of a question; the rest is left out
LONGEST_WORD = 40  # characters: beyond, it is no word
ROOT = 3  # letters of a root that is not cut to be a beginning
STEM = 4  # letters that a word keeps when its endings are cut
SHORT, LONG = 4, 8  # letters of a word that has no ending to cut, and of one with a long ending
BEGINNING = 6  # letters of a word's beginning, at most
REMEMBERED = 2_000  # words of a language, some 300 bytes each; another costs a microsecond
# between the names in an institute's words: "40 km S of Kaji-Say, Kyrgyzstan"
_PLACES = re.compile(r"^.{0,20} of |, |(?<=\w)-(?=[^,]+ border region)| border region")
ELSE = "xx"  # stands for every language that we do not have


class Token(NamedTuple):
    """A word as it is looked for; `begins` where every token that begins so is meant."""

    text: str
    begins: bool = False


def sequence_of(text: str, code: str | None) -> list[str]:
    """The tokens of a text in that language, one for each of its words."""
    cut = _cutter(code if code in LANGUAGES else None)
    return [cut(word) for word in _words(text[:INDEXED])]


def tokens_of(text: str, code: str | None) -> list[str]:
    """The tokens of a text in that language, each once, in their order."""
    return list(dict.fromkeys(sequence_of(text, code)))


def measured_words(content: str) -> dict[str, str]:
    """The names of a measured event and of its place by language: it is stored in values, and read
    by each reader in words. None for any other text.
    """
    hazard = Hazard.read(content)
    if hazard is None:
        return {}
    found: dict[str, str] = {}
    for code in LANGUAGES:
        places = [place_name(part, code) or "" for part in _PLACES.split(hazard.place)]
        found[code] = " ".join([t(f"hazard.{hazard.kind.value}", code), *places])
    return found


def is_folded_anew(text: str) -> bool:
    """Whether a text may have other tokens than by the folding before this one."""
    return is_marked(comparable(text[:INDEXED]))


def asked(question: str) -> list[frozenset[Token]]:
    """For each word of a question the tokens of which a text must have one; empty without words."""
    words = list(dict.fromkeys(_words(question)))[:MOST_WORDS]
    return [_meant(word) for word in words]


def searched(question: str) -> str:
    """The words of a question that are looked for, as they were typed; "" where there are none.

    A run of marks, a word said twice, and what comes behind the last word that counts are none.
    """
    found: list[str] = []
    seen: set[str] = set()
    for typed in question.split():
        new = [word for word in dict.fromkeys(_words(typed)) if word not in seen]
        whole = len(typed) <= LONGEST_WORD and len(seen) + len(new) <= MOST_WORDS
        for word in new[: MOST_WORDS - len(seen)]:
            seen.add(word)
            if not whole:  # of an address some words count
                found.append(word)
        if new and whole:
            found.append(typed)
    return " ".join(found)


def phrase_of(phrase: str) -> list[frozenset[Token]]:
    """The same for words that stand side by side, each as often as it is said: "step by step"."""
    return [_meant(word) for word in _words(phrase)[:MOST_WORDS]]


def words_of(phrase: str) -> str:
    """A phrase's words, folded: the same for all phrases that stand for the same words; "" where
    there are none.
    """
    return " ".join(_words(phrase)[:MOST_WORDS])


def has_too_long(phrase: str) -> bool:
    """Whether what stands among a phrase's words is none, because it is too long for one."""
    return any(len(word) > LONGEST_WORD for word in WORD.findall(_folded(phrase)))


def share(question: str, text: str, code: str | None) -> float:
    """The share of a question's words that a text has, from 0 to 1."""
    words = asked(question)
    if not words:
        return 0.0
    tokens = tokens_of(text, code)
    told = 0
    for each in words:
        told += any(
            one.startswith(token.text) if token.begins else one == token.text
            for token in each
            for one in tokens
        )
    return round(told / len(words), 4)


def _words(text: str) -> list[str]:
    return [word for word in WORD.findall(_folded(text)) if len(word) <= LONGEST_WORD]


def _folded(text: str) -> str:
    return fold_typed(unmarked(comparable(text)))


def _meant(word: str) -> frozenset[Token]:
    if word.isdecimal():
        return frozenset({Token(word)})
    script = script_of(word)
    found = {Token(ELSE + _beginning(word), begins=True)}
    for code in LANGUAGES:
        spoken = language(code)
        if spoken.reading.script is not script:
            # a name in a text of other letters, where it has no forms: "Starlink", "COVID"
            found.add(Token(_cutter(code)(word)))
            continue
        if spoken.news.stemmer:
            found.add(Token(_cutter(code)(word)))
        else:
            for one in _beginnings(word, code):
                found.add(Token(code + one, begins=True))
                found.update(_of_a_root(one, code))
    return frozenset(found)


def _beginning(word: str) -> str:
    """The common beginning of a word's forms: a short word has a short ending."""
    ending = 2 if len(word) < LONG else 3
    return word[: max(SHORT, min(BEGINNING, len(word) - ending))]


def _beginnings(word: str, code: str) -> set[str]:
    """With what a word's forms begin in a language without a stemmer: with the word less the
    endings that the language says of itself; and so softened, as its last letter is before some.
    """
    news = language(code).news
    if not news.suffixes:
        return {_beginning(word)}
    while (shorter := _without_an_ending(word, news.suffixes)) != word:
        word = shorter
    found = {word}
    for pair in news.softened.split():
        for both in (pair, pair[::-1]):
            if word.endswith(both[0]):
                found.add(word[:-1] + both[1])
    return found


def _of_a_root(word: str, code: str) -> Iterator[Token]:
    """The forms of a short root, where a word is one of them: so much else begins with three
    letters that each form is named, and what may follow its longer endings alone is left open.
    """
    suffixes = language(code).news.suffixes
    root, ending = word[:ROOT], word[ROOT:]
    for letters, those in suffixes.items():
        if ending in those.split() and root[-1] in letters:
            yield Token(code + root)
            for one in those.split():
                yield Token(code + root + one, begins=len(one) >= ROOT)


def _without_an_ending(word: str, suffixes: Mapping[str, str]) -> str:
    """A word less its longest ending, if what is left is a word; an ending of one letter is as
    often a part of the word where that is short.
    """
    for length in range(len(word) - STEM, 0, -1):
        ending, left = word[-length:], word[:-length]
        if length == 1 and len(left) == STEM:
            continue
        for letters, those in suffixes.items():
            if left[-1] in letters and ending in those.split():
                return left
    return word


@cache
def _cutter(code: str | None) -> Callable[[str], str]:
    """The function that makes tokens of a language's words; numbers are the same in all."""
    import Stemmer  # by the first question or text

    prefix = code or ELSE
    name = language(code).news.stemmer if code else ""
    stem = Stemmer.Stemmer(name, 0).stemWord if name else str  # 0: `cut` remembers

    @lru_cache(maxsize=REMEMBERED)
    def cut(word: str) -> str:
        return word if word.isdecimal() else prefix + str(stem(word))

    return cut
