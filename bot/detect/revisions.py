"""Does a text that its publisher changed say otherwise, or the same in other words?

Text that changes under one headline is mostly worded anew, longer, or counts its readers. A
correction has another place, name or counted thing instead of the one that stood there; or in one
place, among words that stay, another event, scene, country or organisation, the same number of
something else, or a "not". What was added or left out corrects nothing.

Measured: of 570 texts of news that were halved, or lost a sentence, 25 are taken for corrections,
because a fact stands behind those that are read then (`facts.LEAD`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from bot.detect.corrections import mends
from bot.detect.facts import Facts, facts_of
from bot.detect.headlines import typed_words
from bot.detect.language import known_language
from bot.detect.weighing import same_name
from bot.languages import language
from bot.model.news import Entry

#: What is counted by nobody's word for it, and the hour, which tells when a text was changed.
UNSURE_UNITS = frozenset({"", "clock"})
COMPARED_WORDS = 200  # of a text: as many as facts are read from
# times that a text may have a word: to lay a few words beside themselves takes a fifth of a second
REPEATED = 40
IN_PLACE = 6  # words that another stretch takes the place of, at most; more are worded anew
MARKS = '.,:;!?…()«»“”"'  # beside a word, which is the same without them
TURNING_WORDS = 2  # that turn a sentence where nothing else goes for them: "not yet"
AROUND = 4  # unchanged words on each side, by which such a stretch is read


@dataclass(frozen=True, slots=True)
class _Change:
    """A few words that stand in the place of others, each with the words around them; `apart` are
    such as only came or went, as a clause of their own.
    """

    gone: str
    come: str
    before: str
    after: str
    apart: bool


def tells_otherwise(before: Entry, after: Entry) -> bool:
    """Whether an entry's changed text says otherwise than it did; not what was added, left out or
    worded anew.
    """
    if mends(after) is not None and mends(before) is None:
        return True
    code = known_language(after.language, f"{after.title}\n{_text(after)}")
    # not its headline's, which stays and would still say what the text does not any more
    ours, theirs = facts_of("", _text(before), code), facts_of("", _text(after), code)
    changes = list(_changes(_text(before), _text(after)))
    return (
        _replaced(ours.whole.places, theirs.whole.places)
        or _other_names(ours.names, theirs.names)
        or _other_counts(ours, theirs)
        or _turn(changes, code)
        or any(_says_otherwise(one, code) for one in changes)
    )


def _text(entry: Entry) -> str:
    return entry.summary or entry.content


def _replaced(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    return bool(ours - theirs and theirs - ours)


def _other_names(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether each side has a name that the other has in no case."""
    gone = [one for one in ours if not any(same_name(one, other) for other in theirs)]
    come = [one for one in theirs if not any(same_name(one, other) for other in ours)]
    return bool(gone and come)


def _other_counts(ours: Facts, theirs: Facts) -> bool:
    """Whether of some unit each side has a number that the other has not."""
    units = {unit for unit, _ in ours.numbers | theirs.numbers} - UNSURE_UNITS
    for unit in units:
        here, there = ours.of(unit), theirs.of(unit)
        if here - there and there - here:
            return True
    return False


def _says_otherwise(change: _Change, code: str) -> bool:
    """Whether the words that took a place tell of something else than those that had it."""
    ours, theirs = facts_of("", change.before, code), facts_of("", change.after, code)
    here, there = ours.whole, theirs.whole
    return (
        _replaced(here.kinds, there.kinds)
        or _replaced(here.scenes, there.scenes)
        or _replaced(here.goods, there.goods)
        or _replaced(here.countries, there.countries)
        or _replaced(here.bodies, there.bodies)
        or _counts_others(ours, theirs)
    )


def _turn(changes: Sequence[_Change], code: str) -> bool:
    """Whether a sentence says the contrary now, by a word that came or went, and was not only put
    elsewhere in it.
    """
    negations = frozenset(typed_words(language(code).news.negations))
    gone = Counter(word for one in changes for word in typed_words(one.gone) if word in negations)
    come = Counter(word for one in changes for word in typed_words(one.come) if word in negations)
    return gone != come and any(_is_turned(one, negations) for one in changes)


def _is_turned(change: _Change, negations: frozenset[str]) -> bool:
    gone, come = typed_words(change.gone), typed_words(change.come)
    if change.apart:  # "Nobody is hurt." turns nothing that stood there
        return False
    if negations.isdisjoint(gone) == negations.isdisjoint(come):
        return False
    # "not far from Batken" is more of the same
    return bool(gone and come) or max(len(gone), len(come)) <= TURNING_WORDS


def _counts_others(ours: Facts, theirs: Facts) -> bool:
    """Whether a number is of something else now: fourteen are dead who were wounded."""
    for unit, value in ours.numbers - theirs.numbers:
        for other, same in theirs.numbers - ours.numbers:
            if value == same and UNSURE_UNITS.isdisjoint((unit, other)):
                return True
    return False


def _changes(before: str, after: str) -> Iterator[_Change]:
    ours, theirs = before.split()[:COMPARED_WORDS], after.split()[:COMPARED_WORDS]
    i = j = 0
    bare, others = [one.strip(MARKS) for one in ours], [one.strip(MARKS) for one in theirs]
    if any(count > REPEATED for words in (bare, others) for count in Counter(words).values()):
        return  # no text of anybody's: what it counts and names is compared all the same
    for same in SequenceMatcher(None, bare, others, autojunk=False).get_matching_blocks():
        ends = same.a + same.size == len(ours) and same.b + same.size == len(theirs)
        begins = same.a == same.b == 0
        # fewer words in common stand in any two sentences
        if same.size < AROUND and not (begins or ends):
            continue
        gone, come = ours[i : same.a], theirs[j : same.b]
        if (gone or come) and max(len(gone), len(come)) <= IN_PLACE:
            # both sides with the same words around them, so that these tell no difference
            left, right = ours[max(i - AROUND, 0) : i], ours[same.a : same.a + AROUND]
            yield _Change(
                gone=" ".join(gone),
                come=" ".join(come),
                before=" ".join((*left, *gone, *right)),
                after=" ".join((*left, *come, *right)),
                apart=(not gone and _are_a_clause(theirs, j, same.b))
                or (not come and _are_a_clause(ours, i, same.a)),
            )
        i, j = same.a + same.size, same.b + same.size


def _are_a_clause(words: Sequence[str], start: int, stop: int) -> bool:
    """Whether words stand between two marks, or between one and an end of the text."""
    for at in (start, stop):
        if at not in {0, len(words)} and words[at - 1].rstrip(MARKS) == words[at - 1]:
            return False
    return True
