"""Security stories: is this text about war, terror, borders, crime, a disaster, an emergency?

A lexicon per language (`bot/languages/*/security.tsv`: kind, weight, pattern), written by hand; the
weights were then measured on labelled news and only ever moved on their own side of zero, so each
can still be read and argued about. A pattern is a word, a stem (`evacuat*`; Kyrgyz hangs everything
on the end of a word, so stems serve it well) or a phrase of those. The longest pattern at a place
wins and takes its words with it: "security deposit" is not security.

Facts of the outside world:

* Russian newsrooms write headlines without a body; Kyrgyz agencies send a body without a headline.
  Where there is no title, the first sentence stands for it.
* Sport borrows all of war's words (attack, defence, shoot, battle), and so does the stock market
  (crash, raid): their own words count against.
* A long text mentions many things once; what it is about stands at its beginning.

Measured with `pytest tests/detect/test_security.py` (precision / recall / F1; weights fitted on
four fifths, measured on the fifth left out, by date): en core 0.94/0.95/0.94, hard 0.88/1.00/0.93;
ru core 0.91/0.87/0.89, hard 0.97/0.78/0.87; ky core 0.89/0.82/0.86, hard 0.75/0.92/0.83. "Hard" are
wars, borders, alliances and near misses. 0.3 ms a text.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from bot.detect.language import known_language
from bot.languages import language as speech
from bot.languages import languages, words_of
from bot.languages.letters import fold
from bot.model.alerts import Severity
from bot.model.news import Verdict
from bot.model.reasons import Reason, reason
from bot.model.text import SENTENCE_END, comparable

WORD = re.compile(r"[^\W_]+")
PATTERN_WORD = re.compile(r"[^\W_]+\*?")

LEAD_CHARS = 300  # the lead paragraph of a news text
TEXT_CHARS = 2000  # beyond this a text explains, it does not announce
HEADLINE, LEAD, BODY = 1.0, 0.6, 0.25  # how much a word counts by where it stands

THRESHOLD = 0.5
CLEARLY = 1.0  # the weight from which words of a kind say what a text is about
REASONS = 4  # words named in an answer to "why?"

GRAVE_KINDS = ("conflict", "border", "terror", "disaster")

YEAR = re.compile(r"(19|20)\d\d")
NO_LEXICON = -6.0  # the score's log-odds in a language whose lexicon is a stub: about nothing


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

    def find(self, tokens: list[str]) -> Iterator[tuple[int, Pattern]]:
        """Each place of a pattern, with the longest pattern there; places do not overlap."""
        at = 0
        while at < len(tokens):
            found = self._at(tokens, at)
            if found is None:
                at += 1
            else:
                yield at, found
                at += len(found.words)

    def _at(self, tokens: list[str], at: int) -> Pattern | None:
        token = tokens[at]
        best: Pattern | None = None
        # longest first: the first that matches is the best of its list
        for pattern in self.exact.get(token, ()):
            if pattern.matches(tokens, at):
                best = pattern
                break
        for length in self.lengths.get(token[:2], ()):
            if length > len(token):
                continue
            for pattern in self.stems.get(token[:length], ()):
                if (best is None or len(pattern.words) > len(best.words)) and pattern.matches(
                    tokens, at
                ):
                    best = pattern
        return best


@cache
def lexicon(code: str) -> Lexicon:
    """The security lexicon of one of our languages, read once."""
    bias = NO_LEXICON
    patterns: list[Pattern] = []
    for kind, weight, pattern in speech(code).rows("security"):
        if kind == "bias":
            bias = float(weight)
        else:
            patterns.append(read_pattern(pattern, kind, float(weight)))
    return build_lexicon(patterns, bias)


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
    """What parts the clauses of a sentence: marks, and words of every language."""
    words = "|".join(words_of(lambda spoken: spoken.news.clause))
    return re.compile(rf"[;:!?()«»\"“”—–…\n]|[.,](?!\d)|\s(?:{words})\s")


def shares(lexicon: Lexicon, where: tuple[Zone, ...]) -> dict[Pattern, float]:
    """Each pattern found, once, with the share of the best place it stands in."""
    found: dict[Pattern, float] = {}
    for zone in where:  # the headline first, and nothing counts more than that
        for _, pattern in lexicon.find(zone.tokens):
            found.setdefault(pattern, zone.share)
    return found


def detect(title: str, text: str, language: str | None = None) -> Verdict:
    """Say whether a story is about security, how severe it is, and why.

    `language` is a code, or None to look for it; a language not ours is read with the closest of
    ours. `score` is between 0 and 1.
    """
    title, text = comparable(title), comparable(text)
    language = known_language(language, f"{title}\n{text}")
    where = zones(title, text)
    words = lexicon(language)
    found = shares(words, where)
    weights = {pattern: pattern.weight * share for pattern, share in found.items()}
    odds = words.bias + sum(weights.values())
    # within 30, beyond which the score is 0 or 1 to every digit, and exp() of 710 overflows
    score = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
    if score < THRESHOLD:
        return Verdict(
            security=False,
            score=round(score, 4),
            severity=Severity.INFO,
            topics=(),
            reasons=_reasons(weights, security=False),
            language=language,
        )
    severity, loud = _severity(where, weights, language)
    return Verdict(
        security=True,
        score=round(score, 4),
        severity=severity,
        topics=("security",),
        reasons=(*loud, *_reasons(weights, security=True)),
        language=language,
    )


def _reasons(weights: Mapping[Pattern, float], *, security: bool) -> tuple[Reason, ...]:
    """The words that decided, strongest first; words against stand last."""
    ranked = sorted(weights.items(), key=lambda item: -abs(item[1]))
    spoke_for: list[Reason] = []
    against: list[Reason] = []
    for pattern, weight in ranked:
        if weight > 0:
            spoke_for.append(reason("found", pattern.kind, pattern.text))
        elif weight < 0:
            against.append(reason("against", pattern.kind, pattern.text))
    if security:
        return (*spoke_for[:REASONS], *against[:1])
    return (*against[:REASONS], *spoke_for[:1])


@cache
def _cues(code: str) -> Lexicon:
    """The words that make a story loud: near, danger, death, calm."""
    rows = speech(code).rows("severity")
    return build_lexicon([read_pattern(pattern, cue, 0.0) for cue, pattern in rows], 0.0)


@cache
def _hurt(code: str) -> Lexicon:
    """The words for those who live: a figure that is theirs counts no dead."""
    rows = speech(code).rows("units")
    hurt = [read_pattern(pattern, unit, 0.0) for unit, pattern in rows if unit == "hurt"]
    return build_lexicon(hurt, 0.0)


@cache
def _counted() -> Mapping[str, int]:
    """How many people a word counts, in any language: stories name foreign figures."""
    found: dict[str, int] = {}
    for spoken in reversed(languages()):  # of two that claim a word, the earlier in menus has it
        numbers = spoken.numbers
        for table in (numbers.words, numbers.people, numbers.crowds):
            for number, words in table.items():
                found |= dict.fromkeys(fold(words).split(), number)
    for word in words_of(lambda spoken: spoken.numbers.also_else):
        found.pop(fold(word), None)
    # "one" is an article as often as a number, and says as little as none
    for word, number in list(found.items()):
        if number <= 1:
            del found[word]
    return found


@cache
def _not_people() -> tuple[str, ...]:
    """Beginnings of words after a number that counts no people, in all languages."""
    return tuple(words_of(lambda spoken: spoken.news.not_people))


def _severity(
    where: tuple[Zone, ...], weights: Mapping[Pattern, float], code: str
) -> tuple[Severity, tuple[Reason, ...]]:
    """How loud a security story is, and why.

    A point for war, terror, a border or a disaster; for danger in its first words; for being near
    (Central Asia); one to three for the dead; two less for an anniversary or a drill. Two points
    are notable; four urgent, if there is danger or it is near: a far disaster is worth reading and
    not worth waking anybody.
    """
    kinds: dict[str, float] = {}
    for pattern, weight in weights.items():
        kinds[pattern.kind] = kinds.get(pattern.kind, 0.0) + max(weight, 0.0)
    grave = any(kinds.get(kind, 0.0) >= CLEARLY for kind in GRAVE_KINDS)
    cues = {"near": False, "danger": False, "calm": False}
    dead = 0
    for zone in where:
        if zone.share < LEAD:  # far below, texts recall the dead of earlier years
            continue
        for at, pattern in _cues(code).find(zone.tokens):
            if pattern.kind == "death":
                dead = max(dead, _number_near(zone, at, code))
            # a story about an anniversary says so in its headline; any text may mention one
            elif pattern.kind != "calm" or zone.share == HEADLINE:
                cues[pattern.kind] = True
    points = {
        reason("grave"): int(grave),
        reason("danger"): int(cues["danger"]),
        reason("near"): int(grave and cues["near"]),
        reason("dead", dead): (dead >= 1) + (dead >= 10) + (dead >= 100),
        reason("calm"): -2 * cues["calm"],
    }
    reasons = []
    for why, worth in points.items():
        if worth:
            reasons.append(why)
    level = Severity.INFO
    total = sum(points.values())
    if total >= 4 and (cues["danger"] or cues["near"]):
        level = Severity.URGENT
    elif total >= 2:
        level = Severity.NOTABLE
    return level, tuple(reasons)


def _number_near(zone: Zone, at: int, code: str) -> int:
    """The number of dead: the figure or number word closest to the word for death, or 0.

    Not the one that counts the wounded beside them.
    """
    tokens, clauses = zone.tokens, zone.clauses()
    hurt = [place for place, _ in _hurt(code).find(tokens)]
    for distance in range(1, 6):
        for place in (at - distance, at + distance):
            number = _people(tokens, place)
            if number and not any(_is_theirs(zone, clauses, place, at, other) for other in hurt):
                return number
    return 0


def _is_theirs(zone: Zone, clauses: list[int], place: int, death: int, hurt: int) -> bool:
    """Whether a number belongs to a word for the wounded rather than to one for death.

    It is of those in its own clause; where that decides nothing, of the nearest.
    """
    beside_hurt = clauses[hurt] == clauses[place]
    if beside_hurt != (clauses[death] == clauses[place]):
        return beside_hurt
    if abs(hurt - place) > abs(death - place):
        return False
    # Not where they have another one right on their other side: "killed 2, wounded 5".
    beyond = hurt + (1 if place < hurt else -1)
    return not _people(zone.tokens, beyond)


def _people(tokens: list[str], place: int) -> int:
    """How many people are counted at a place of a text; 0: none."""
    if not 0 <= place < len(tokens):
        return 0
    token = tokens[place]
    if token in _counted():
        return _counted()[token]
    return int(token) if _may_count_people(tokens, place) else 0


def _may_count_people(tokens: list[str], place: int) -> bool:
    """Whether a figure may be a toll: no year, no date, no age ("42-year-old", "42 жаштагы")."""
    token = tokens[place]
    if not token.isdecimal() or len(token) > 5 or YEAR.fullmatch(token):
        return False
    return not "".join(tokens[place + 1 : place + 2]).startswith(_not_people())
