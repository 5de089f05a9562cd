"""Security stories: is this text about war, terror, borders, crime, a disaster, an emergency?

Two answer, and their log-odds are added:

* a lexicon per language (`bot/languages/*/security.tsv`: kind, weight, pattern), written by hand;
  its weights were measured on labelled news and only ever moved on their own side of zero, so each
  can still be read and argued about;
* how the text is worded (`bot.detect.wording`), learnt from labelled news by `bench/learn`.

Where the two of them are undecided and the text has a vector (`bot.detect.meaning`), its log-odds
are added as a third.

What was learnt is mostly crime and courts, because labelled news is; it forgets plain disasters and
calm words about an army, a border or an alliance. There the lexicon outranks it.

Facts of the outside world:

* Russian newsrooms write headlines without a body; Kyrgyz agencies send a body without a headline.
  Where there is no title, the first sentence stands for it.
* Sport borrows all of war's words (attack, defence, shoot, battle), and so does the stock market
  (crash, raid): their own words count against.
* A long text mentions many things once; what it is about stands at its beginning.

How well it does, and how that is measured: `docs/detection.md`. 0.2 to 1 ms a text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from bot.detect.language import is_foreign, known_language
from bot.detect.lexicon import (
    Lexicon,
    Pattern,
    Zone,
    build_lexicon,
    read_pattern,
    shares,
    zones,
)
from bot.detect.meaning import vector_odds
from bot.detect.severity import severity
from bot.detect.wording import wording, wording_odds
from bot.languages import FOLDER
from bot.languages import language as speech
from bot.languages.meanings import FILE, Meaning
from bot.model.alerts import Severity
from bot.model.news import Verdict
from bot.model.text import comparable
from bot.reasons import Reason, reason

THRESHOLD = 0.5  # of a probability: as likely as not
REASONS = 4  # words named in an answer to "why?"
#: Kinds whose words outrank the wording: what they add, and what it may then say against them.
OUTRANKING = frozenset({"conflict", "border", "terror", "alliance", "services", "disaster"})
OUTRANKS = 1.0
MOST_AGAINST = -2.0
#: Within which log-odds of lexicon and wording a vector is asked; further away it changes nothing.
UNDECIDED = 2.0
NO_LEXICON = -6.0  # the score's log-odds in a language whose lexicon is a stub: about nothing


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


@cache
def by_meaning(code: str) -> Meaning | None:
    """The meaning table of one of our languages, read when first asked for."""
    path = FOLDER / code / FILE
    if not path.exists():
        return None
    return Meaning.read(path.read_bytes())


def detect(
    title: str, text: str, language: str | None = None, *, vector: bytes | None = None
) -> Verdict:
    """Say whether a story is about security, how severe it is, and why.

    `language` is a code, or None to look for it; a language not ours is read with the closest of
    ours. `score` is between 0 and 1. `vector` is the text's, where one was made because the verdict
    without it is `undecided`.
    """
    title, text = comparable(title), comparable(text)
    language = known_language(language, f"{title}\n{text}")
    return detect_in(zones(title, text), title, text, language, vector=vector)


def detect_in(
    where: tuple[Zone, ...], title: str, text: str, language: str, *, vector: bytes | None = None
) -> Verdict:
    """The verdict on a text that is `comparable`, in one of our languages, with its zones.

    A text that is only closest to it is about nothing: a word of ours may mean another thing there.
    """
    if is_foreign(f"{title}\n{text}"):
        why = reason("foreign", "in a language that is not spoken here")
        return Verdict(
            security=False, score=0.0, severity=Severity.INFO, reasons=(why,), language=language
        )
    weights = weighed(where, language)
    by_words = lexicon(language).bias + sum(weights.values())
    worded, clear = _worded(title, text, language), outranking(weights)
    odds = _odds(by_words, worded, clear, language, vector)
    # within 30, beyond which the score is 0 or 1 to every digit, and exp() of 710 overflows
    score = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
    security = score >= THRESHOLD
    level = Severity.INFO
    loud: tuple[Reason, ...] = ()
    if security:
        level, loud = severity(where, weights, language)
    decided = []
    if security != (by_words >= 0):  # the words alone say the contrary
        if security:
            decided.append(reason("worded", "worded like security news"))
        else:
            decided.append(reason("worded_otherwise", "worded like other news"))
    return Verdict(
        security=security,
        score=round(score, 4),
        severity=level,
        topics=("security",) if security else (),
        reasons=(*loud, *_reasons(weights, security=security), *decided),
        language=language,
    )


def undecided(found: Verdict) -> bool:
    """Whether the vector of a text could change the verdict that was found without it."""
    # a score is rounded: of 0 and 1 are no log-odds, and no doubt
    doubtful = 0 < found.score < 1
    return doubtful and abs(math.log(found.score / (1 - found.score))) < UNDECIDED


def _odds(by_words: float, worded: float, clear: float, code: str, vector: bytes | None) -> float:
    """The log-odds of all that speak, beside the threshold that the language has for them."""
    table = wording(code)
    if table is None:
        return by_words
    meant = None if vector is None else by_meaning(code)
    if vector is None or meant is None:
        return by_words + (_outranked(worded, clear) - table.threshold)
    worded += vector_odds(vector, meant)
    return meant.lexicon * by_words + (_outranked(worded, clear) - meant.threshold)


def _worded(title: str, text: str, code: str) -> float:
    """The log-odds of a text's wording; nothing where the language has no table of it."""
    table = wording(code)
    if table is None:
        return 0.0
    return wording_odds(title, text, table)


def _outranked(learnt: float, clear: float) -> float:
    """The weight of learnt tables, where the words are clearly of a kind that outranks them."""
    if clear == 1.0:
        learnt = max(learnt, MOST_AGAINST)
    return learnt + OUTRANKS * clear


def weighed(where: tuple[Zone, ...], code: str) -> dict[Pattern, float]:
    """The patterns of a language's lexicon in a text, each with what it adds to the log-odds."""
    found = shares(lexicon(code), where)
    return {pattern: pattern.weight * share for pattern, share in found.items()}


def outranking(weights: Mapping[Pattern, float]) -> float:
    """The clearness, from 0 to 1, of words of a kind that outranks the wording."""
    total = 0.0
    for pattern, weight in weights.items():
        if weight > 0 and pattern.kind in OUTRANKING:
            total += weight
    return min(total, 1.0)


def _reasons(weights: Mapping[Pattern, float], *, security: bool) -> tuple[Reason, ...]:
    """The words that decided, strongest first; words against stand last."""
    ranked = sorted(weights.items(), key=lambda item: -abs(item[1]))
    spoke_for: list[Reason] = []
    against: list[Reason] = []
    for pattern, weight in ranked:
        if weight > 0:
            spoke_for.append(
                reason("found", "{kind}: {pattern}", kind=pattern.kind, pattern=pattern.text)
            )
        elif weight < 0:
            against.append(
                reason("against", "−{kind}: {pattern}", kind=pattern.kind, pattern=pattern.text)
            )
    if security:
        return (*spoke_for[:REASONS], *against[:1])
    return (*against[:REASONS], *spoke_for[:1])
