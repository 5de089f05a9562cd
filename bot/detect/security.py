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
from collections.abc import Mapping
from functools import cache

from bot.detect.language import known_language
from bot.detect.lexicon import Lexicon, Pattern, build_lexicon, read_pattern, shares, zones
from bot.detect.severity import severity
from bot.languages import language as speech
from bot.model.alerts import Severity
from bot.model.news import Verdict
from bot.model.reasons import Reason, reason
from bot.model.text import comparable

THRESHOLD = 0.5
REASONS = 4  # words named in an answer to "why?"
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
    level, loud = severity(where, weights, language)
    return Verdict(
        security=True,
        score=round(score, 4),
        severity=level,
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
