"""A lexicon: words, stems and phrases of one kind or another, and where a text has them.

A pattern is a word, a stem (`evacuat*`; Kyrgyz hangs everything on the end of a word, so stems
serve it well) or a phrase of those. The longest pattern at a place wins and takes its words with
it: "security deposit" is not security. What the kinds mean, and what a weight is for, say the
detectors: `security`, `severity`, `topics`, `facts`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import compress, count

from bot.languages import words_of
from bot.languages.letters import fold
from bot.model.text import SENTENCE_END

WORD = re.compile(r"[^\W_]+")
PATTERN_WORD = re.compile(r"[^\W_]+\*?")

LEAD_CHARS = 300  # the lead paragraph of a news text
TEXT_CHARS = 2000  # beyond this a text explains, it does not announce
HEADLINE, LEAD, BODY = 1.0, 0.6, 0.25  # how much a word counts by where it stands
# words of which a lexicon remembers what begins with them, none of them longer; news repeats few
REMEMBERED, LONGEST = 4_000, 30


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the lexicon; `words` are exact, or stems where `stems` says so."""

    text: str
    kind: str
    weight: float
    words: tuple[str, ...]
    stems: tuple[bool, ...]

    def matches(self, tokens: list[str], at: int) -> bool:
        """Whether every word of it stands at `at`; the first is known to."""
        if at + len(self.words) > len(tokens):
            return False
        for offset in range(1, len(self.words)):
            token, word = tokens[at + offset], self.words[offset]
            if token != word and not (self.stems[offset] and token.startswith(word)):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A language's patterns by first word or stem, longest first; and a blank text's score."""

    bias: float
    exact: Mapping[str, tuple[Pattern, ...]]
    stems: Mapping[str, tuple[Pattern, ...]]
    # of the stems that begin with these two letters, longest first
    lengths: Mapping[str, tuple[int, ...]]
    met: Met = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "met", Met(self.begun_by))

    def find(self, tokens: list[str]) -> Iterator[tuple[int, Pattern]]:
        """Each place of a pattern, with the longest pattern there; places do not overlap."""
        free = 0
        # most words begin nothing: they are passed without a step of Python's own
        for at in compress(count(), map(self.met.__getitem__, tokens)):
            if at < free:
                continue
            for pattern in self.met[tokens[at]]:
                if pattern.matches(tokens, at):
                    yield at, pattern
                    free = at + len(pattern.words)
                    break

    def begun_by(self, token: str) -> tuple[Pattern, ...]:
        """The patterns that begin with this word, longest first; of as long ones, exact first."""
        found = list(self.exact.get(token, ()))
        for length in self.lengths.get(token[:2], ()):
            if length <= len(token):
                found += self.stems.get(token[:length], ())
        if len(found) > 1:
            found.sort(key=lambda pattern: -len(pattern.words))
        return tuple(found)


class Met(dict[str, tuple[Pattern, ...]]):
    """The patterns that may begin with a word, of words met lately; most begin none."""

    def __init__(self, find: Callable[[str], tuple[Pattern, ...]]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, token: str) -> tuple[Pattern, ...]:
        begun = self._find(token)
        if len(token) <= LONGEST:
            if len(self) >= REMEMBERED:
                self.clear()
            self[token] = begun
        return begun


def read_pattern(text: str, kind: str, weight: float) -> Pattern:
    """A pattern from its written form: words, stems with `*`, apart by spaces or hyphens."""
    parts = PATTERN_WORD.findall(fold(text))
    return Pattern(
        text,
        kind,
        weight,
        tuple(part.rstrip("*") for part in parts),
        tuple(part.endswith("*") for part in parts),
    )


def build_lexicon(patterns: list[Pattern], bias: float) -> Lexicon:
    """Index the patterns by their first word."""
    exact: dict[str, list[Pattern]] = {}
    stems: dict[str, list[Pattern]] = {}
    lengths: dict[str, set[int]] = {}
    for pattern in sorted(patterns, key=lambda pattern: (-len(pattern.words), -len(pattern.text))):
        first = pattern.words[0]
        if pattern.stems[0]:
            stems.setdefault(first, []).append(pattern)
            # by two letters, so that a word is tried at a handful of lengths and not at all
            lengths.setdefault(first[:2], set()).add(len(first))
        else:
            exact.setdefault(first, []).append(pattern)
    return Lexicon(
        bias=bias,
        exact=_frozen(exact),
        stems=_frozen(stems),
        lengths={letters: tuple(sorted(found, reverse=True)) for letters, found in lengths.items()},
    )


def _frozen(patterns: Mapping[str, list[Pattern]]) -> dict[str, tuple[Pattern, ...]]:
    return {word: tuple(found) for word, found in patterns.items()}


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of a text and how much its words count."""

    text: str
    tokens: list[str]
    share: float

    def clauses(self) -> list[int]:
        """The clause that each word stands in, counted from the beginning of the stretch."""
        ends = [found.start() for found in clause_break().finditer(self.text)]
        return [bisect_right(ends, word.start()) for word in WORD.finditer(self.text)]


def with_headline(title: str, text: str) -> tuple[str, str]:
    """Title and text; without a title, the text's first sentence and what comes after it."""
    if title.strip():
        return title, text
    end = SENTENCE_END.search(text)
    if end is None:
        return text, ""
    return text[: end.end()], text[end.end() :]


def zones(title: str, text: str) -> tuple[Zone, ...]:
    """Headline, lead and body; the first sentence stands for a missing headline."""
    title, text = with_headline(title, text[:TEXT_CHARS])
    stretches = ((title, HEADLINE), (text[:LEAD_CHARS], LEAD), (text[LEAD_CHARS:], BODY))
    found: list[Zone] = []
    for stretch, share in stretches:
        if stretch:
            folded = fold(stretch)
            found.append(Zone(folded, WORD.findall(folded), share))
    return tuple(found)


@cache
def clause_break() -> re.Pattern[str]:
    """The breaks between the clauses of a sentence: marks, and words of every language."""
    words = "|".join(words_of(lambda spoken: spoken.news.clause))
    return re.compile(rf"[;:!?()«»\"“”—–…\n]|[.,](?!\d)|\s(?:{words})\s")


def shares(lexicon: Lexicon, where: tuple[Zone, ...]) -> dict[Pattern, float]:
    """Each pattern found, once, with the share of the best place it stands in."""
    found: dict[Pattern, float] = {}
    for zone in where:  # the headline first, and nothing counts more than that
        for _, pattern in lexicon.find(zone.tokens):
            found.setdefault(pattern, zone.share)
    return found
