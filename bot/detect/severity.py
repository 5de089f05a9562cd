"""The severity of a security story: by what its words say of danger, nearness and the dead.

`severity.tsv` of a language has the words, `units.tsv` those for the wounded, who are not counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from bot.detect.lexicon import (
    HEADLINE,
    LEAD,
    WORD,
    Lexicon,
    Pattern,
    Zone,
    build_lexicon,
    read_pattern,
)
from bot.languages import language as speech
from bot.languages import languages, words_of
from bot.languages.letters import fold
from bot.model.alerts import Severity
from bot.reasons import Reason, reason

CLEARLY = 1.0  # the weight from which words of a kind say what a text is about
GRAVE_KINDS = ("conflict", "border", "terror", "disaster")
CUES = ("near", "danger", "calm", "death")  # what the words of `severity.tsv` may say
YEAR = re.compile(r"(19|20)\d\d")


def severity(
    where: tuple[Zone, ...], weights: Mapping[Pattern, float], code: str
) -> tuple[Severity, tuple[Reason, ...]]:
    """The severity of a security story, and why.

    A point for war, terror, a border or a disaster; for danger in its first words; for being near
    (Central Asia); one to three for the dead; two less for an anniversary or a drill. Two points
    are notable; four urgent, if there is danger or it is near: a far disaster is worth reading and
    not worth waking anybody.
    """
    kinds: dict[str, float] = {}
    for pattern, weight in weights.items():
        kinds[pattern.kind] = kinds.get(pattern.kind, 0.0) + max(weight, 0.0)
    grave = any(kinds.get(kind, 0.0) >= CLEARLY for kind in GRAVE_KINDS)
    cues = dict.fromkeys(CUES, False)
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
        reason("grave", "grave"): int(grave),
        reason("danger", "danger"): int(cues["danger"]),
        reason("near", "near"): int(grave and cues["near"]),
        reason("dead", "{n} dead", n=dead): (dead >= 1) + (dead >= 10) + (dead >= 100),
        reason("calm", "not happening now"): -2 * cues["calm"],
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


def sounds_past(headline: str, code: str) -> bool:
    """Whether a headline says that what it tells does not happen now."""
    tokens = WORD.findall(fold(headline))
    return any(pattern.kind == "calm" for _, pattern in _cues(code).find(tokens))


@cache
def _cues(code: str) -> Lexicon:
    """The words that make a story loud: near, danger, death, calm."""
    rows = speech(code).rows("severity")
    return build_lexicon([read_pattern(pattern, cue, 0.0) for cue, pattern in rows], 0.0)


@cache
def _hurt(code: str) -> Lexicon:
    """The words for those who live: a figure that is theirs counts no dead."""
    rows = speech(code).rows("units")
    # `units.tsv` has units for all facts; of these only the wounded matter here
    hurt = [read_pattern(pattern, unit, 0.0) for unit, pattern in rows if unit == "hurt"]
    return build_lexicon(hurt, 0.0)


@cache
def _counted() -> Mapping[str, int]:
    """Words to the number of people they count, in any language: stories name foreign figures."""
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


def _number_near(zone: Zone, at: int, code: str) -> int:
    """The number of dead: the figure or number word closest to the word for death, or 0.

    Not the one that counts the wounded beside them.
    """
    tokens, clauses = zone.tokens, zone.clauses()
    hurt = [at for at, _ in _hurt(code).find(tokens)]
    # within five words: further away, a figure counts something else
    for distance in range(1, 6):
        # of two that are equally near, the one before the word: "12 people died"
        for index in (at - distance, at + distance):
            number = _people(tokens, index)
            if number and not any(_is_theirs(zone, clauses, index, at, other) for other in hurt):
                return number
    return 0


def _is_theirs(zone: Zone, clauses: list[int], index: int, death: int, hurt: int) -> bool:
    """Whether a number belongs to a word for the wounded rather than to one for death.

    It is of those in its own clause; where that decides nothing, of the nearest.
    """
    beside_hurt = clauses[hurt] == clauses[index]
    if beside_hurt != (clauses[death] == clauses[index]):
        return beside_hurt
    if abs(hurt - index) > abs(death - index):
        return False
    # Not where they have another one right on their other side: "killed 2, wounded 5".
    beyond = hurt + (1 if index < hurt else -1)
    return not _people(zone.tokens, beyond)


def _people(tokens: list[str], index: int) -> int:
    """The number of people counted by a token of a text; 0: none."""
    if not 0 <= index < len(tokens):
        return 0
    token = tokens[index]
    if token in _counted():
        return _counted()[token]
    return int(token) if _may_count_people(tokens, index) else 0


def _may_count_people(tokens: list[str], index: int) -> bool:
    """Whether a figure may be a toll: no year, no date, no age ("42-year-old", "42 жаштагы")."""
    token = tokens[index]
    if not token.isdecimal() or len(token) > 5 or YEAR.fullmatch(token):
        return False
    return not "".join(tokens[index + 1 : index + 2]).startswith(_not_people())
