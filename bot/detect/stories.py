"""Do two entries tell of the same event?

Cautiously: a wrong yes hides a story, a wrong no is one message more.

What is compared is what is rare: words weigh by how seldom newsrooms use them
(`bot/languages/*/common.tsv`: stem, weight; what is not listed there is rare), so that "it became
known about" is nothing and a village's name is much.

Facts of the outside world:

* A denial, a reaction and "details have emerged" repeat the headline they follow almost word for
  word, and are other events. A denial on one side only speaks strongly against; the rest does where
  there is no text to compare.
* Agencies count the same dead differently for hours; a different number alone does not make another
  event when the texts agree, but does when there is nothing but two headlines.

Measured on human judgements (`python -m bench.pairs`, `pytest tests/detect/test_stories.py`): pairs
with text, F1 0.84 Russian and 0.95 English by folds, 0.82 and 0.95 by date, and where words are
undecided and vectors decide 0.85 and 0.86 in Russian (`docs/detection.md`); two bare headlines,
chosen to be hard (8 of 88 the same): 2 found, 1 or 2 wrongly. Entries in two languages share no
words and are compared by facts (`bot/detect/facts.py`).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property, lru_cache, partial

from bot.detect.facts import Facts, facts_of, kinds_of
from bot.detect.language import known_language
from bot.detect.lexicon import with_headline
from bot.detect.meaning import cosine
from bot.detect.stems import stems_of
from bot.detect.weighing import agreement, other_event, weigh
from bot.languages import language
from bot.languages.letters import fold
from bot.model.news import Entry, StoredEntry
from bot.model.text import comparable

WORD = re.compile(r"[^\W_]+")
# the weight of a stem newsrooms hardly use, on the scale of the table (log of one in so many texts)
RARE_STEM = 6.5
LEAD_CHARS = 2000  # of a text: half of it joins less, more of it nothing (`bench/pairs.py`)
FORMULA = 40  # characters of a text; a shorter one ("Details follow.") says nothing of its event
SHORT = 50  # characters below which lengths hardly differ
NEW_EVENT_HOURS = 72  # the same words three days later are a development
A_DAY_LATER = 0.5  # how much less likely, in the units of the score, each day makes it
SAME_STORY_SCORE = 0.5  # of a probability: as likely as not
NEARLY = -1.5  # log-odds from which facts are asked whether two texts are one event in other words
#: Log odds of two texts: to begin with, for their likeness, the headlines told, the lengths.
BY_TEXT = (-5.4, 4.5, 2.65, 1.0)
#: Within which log-odds of two texts' words their vectors decide, where they have any, and how.
UNDECIDED = 3.0
BY_MEANING = (-45.3, 49.5)  # log odds to begin with, and for the cosine
OTHER_EVENT = 6.0  # what another place or magnitude takes from them
# of two bare headlines: from which likeness, and how sharply, they are one event
ALIKE, STEEP = 0.7, 8.0
# what each takes from the score's log-odds: of two headlines, and a denial of two texts
DENIAL, FOLLOW_UP, OTHER_NUMBERS = 2.5, 3.0, 2.0
DENIAL_IN_TEXTS = 1.5  # "a scheme of fakes" is no denial, and the texts say so
# one headline is one event for so long, whatever the texts; and for so long without a text
HOURS_OF_ONE_HEADLINE, HOURS_OF_A_BARE_HEADLINE = 3, 12
ALIKE_BEYOND = 0.25  # of two texts under one headline, without its words
ANOTHER_LANGUAGE_HOURS = 36
REMEMBERED = 256  # sketches, some 4 KB each
ENOUGH, HALF_A_DAY_LATER, ANSWERS = 3.5, 0.5, 0.5  # in points of `facts.weigh`


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Whether two entries tell of one event, how likely (0 to 1), and why."""

    same: bool
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """An entry as it is compared: stems with their counts, of its title and of its beginning."""

    language: str
    key: str
    facts: Callable[[], Facts]
    tells: Callable[[], frozenset[str]]
    title: Mapping[str, int]
    whole: Mapping[str, int]
    has_text: bool
    length: int
    denies: bool
    answers: frozenset[str]
    numbers: frozenset[str]

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of events that its headline tells of: most headlines of none."""
        return self.tells()

    @cached_property
    def size(self) -> float:
        """The size of all stems' weights together, as a vector's; most are never compared."""
        return _size(self.whole, weights_of(self.language))


def title_key(title: str) -> str:
    """A short hash of a title's words: equal whatever its punctuation and capitals."""
    return _key(words_of(title))


def _key(words: Sequence[str]) -> str:
    return hashlib.sha1(" ".join(words).encode(), usedforsecurity=False).hexdigest()[:20]


def same_story(
    a: Entry, b: Entry, *, hours_apart: float = 0.0, alike: float | None = None
) -> Match:
    """Compare two entries published `hours_apart` hours apart; the order does not matter.

    `alike` is the cosine of their vectors (`bot/detect/meaning.py`), where they have any.
    """
    return compare(sketch(a), sketch(b), hours_apart=hours_apart, alike=alike)


def undecided(a: Entry, b: Entry) -> bool:
    """Whether the words of two entries do not tell if they are one event: vectors may."""
    one, other = sketch(a), sketch(b)
    if one.language != other.language or one.key == other.key:
        return False
    return one.has_text and other.has_text and abs(_by_text(one, other)[0]) < UNDECIDED


def best_match(
    entry: Entry, recent: Iterable[StoredEntry], *, now: datetime, meaning: bytes | None = None
) -> tuple[StoredEntry, Match] | None:
    """The entry of `recent` that most surely tells of the same event; None when none does.

    `now` stands for the time of an `entry` that carries none, or one in the future; `meaning` is
    its vector.
    """
    mine = sketch(entry)
    at = min(entry.published_at or now, now)
    best: tuple[StoredEntry, Match] | None = None
    for stored in recent:
        hours = abs((at - stored.at).total_seconds()) / 3600
        if hours > NEW_EVENT_HOURS:
            continue
        alike = None
        if meaning and stored.meaning:
            alike = cosine(meaning, stored.meaning)
        match = compare(mine, sketch(stored.entry), hours_apart=hours, alike=alike)
        if match.same and (best is None or match.score > best[1].score):
            best = (stored, match)
    return best


def sketch(entry: Entry) -> Sketch:
    """The sketch of an entry; remembered, since a new entry is compared with all recent ones."""
    text = entry.content or entry.summary
    return _sketch(comparable(entry.title), comparable(text[:LEAD_CHARS]), entry.language)


@lru_cache(maxsize=REMEMBERED)
def _sketch(title: str, text: str, said: str | None) -> Sketch:
    code = known_language(said, f"{title}\n{text}")
    news = language(code).news
    words = WORD.findall(fold(title))  # both texts are comparable already
    stem = stems_of(by_endings=bool(news.endings)).__getitem__
    stems = Counter(map(stem, words))
    whole = stems.copy()
    whole.update(map(stem, WORD.findall(fold(text))))
    said_in = " " + " ".join(words)
    return Sketch(
        language=code,
        key=_key(words),
        facts=partial(facts_of, title, text, code),  # read when another language asks for them
        tells=partial(kinds_of, with_headline(title, text)[0], code),
        title=stems,
        whole=whole,
        has_text=len(text.strip()) >= FORMULA,
        length=SHORT + len(text),
        denies=any(f" {stem}" in said_in for stem in news.denials.split()),
        # which stems, and not only whether: two that answer in the same words may be one answer
        answers=frozenset(stem for stem in news.follow_ups.split() if f" {stem}" in said_in),
        numbers=frozenset(filter(str.isdecimal, words)),
    )


def compare(a: Sketch, b: Sketch, *, hours_apart: float = 0.0, alike: float | None = None) -> Match:
    """Compare two sketches; see `same_story`."""
    if hours_apart > NEW_EVENT_HOURS:
        return Match(same=False, score=0.0, reasons=("days apart",))
    if a.language != b.language:
        return _across(a, b, hours_apart)
    if a.key == b.key and a.title:
        return _one_headline(a, b, hours_apart)
    weights = weights_of(a.language)
    texts = a.has_text and b.has_text
    if texts:
        likely, reasons = _by_text(a, b)
        if alike is not None and abs(likely) < UNDECIDED:
            likely = BY_MEANING[0] + BY_MEANING[1] * alike
            reasons.append(f"meaning {alike:.2f}")
        said, why = _by_facts(a, b, likely)
        likely += said
        reasons += why
    else:
        likely, reasons = _by_headline(a, b, _cosine(a.title, b.title, weights))
    if a.denies != b.denies:
        likely -= DENIAL_IN_TEXTS if texts else DENIAL
        reasons.append("one denies the other")
    likely -= A_DAY_LATER * hours_apart / 24
    score = 1 / (1 + math.exp(-likely))
    same = score >= SAME_STORY_SCORE
    return Match(same=same, score=round(score, 4), reasons=(*_shared(a, b, weights), *reasons))


def _across(a: Sketch, b: Sketch, hours_apart: float) -> Match:
    """Two languages: facts that survive translation have to be enough (`bot/detect/facts.py`)."""
    if hours_apart > ANOTHER_LANGUAGE_HOURS:
        return Match(same=False, score=0.0, reasons=("two languages, a day and a half apart",))
    if a.denies != b.denies:
        return Match(same=False, score=0.0, reasons=("one denies the other",))
    points, reasons = weigh(a.facts(), b.facts())
    points -= HALF_A_DAY_LATER * hours_apart / 12 + ANSWERS * (bool(a.answers) != bool(b.answers))
    score = 1 / (1 + math.exp(-(points - ENOUGH)))
    return Match(same=points >= ENOUGH, score=round(score, 4), reasons=("two languages", *reasons))


def one_headline(entry: Entry, stored: StoredEntry, *, now: datetime) -> Match:
    """Whether an entry under the headline of a stored one tells of its event, in whatever
    language both are said to be.
    """
    at = min(entry.published_at or now, now)
    hours = abs((at - stored.at).total_seconds()) / 3600
    language = stored.entry.language
    return _one_headline(sketch(replace(entry, language=language)), sketch(stored.entry), hours)


def _one_headline(a: Sketch, b: Sketch, hours_apart: float) -> Match:
    """One headline is used for many events: hours apart the texts have to agree as well, and
    what their facts contradict is another event at any time.
    """
    reasons = ["the same headline"]
    if a.has_text and b.has_text:
        if other_event(a.facts(), b.facts()):
            return Match(same=False, score=0.0, reasons=(*reasons, "another place or magnitude"))
        texts = _cosine(_beyond(a), _beyond(b), weights_of(a.language))
        if hours_apart < HOURS_OF_ONE_HEADLINE or texts >= ALIKE_BEYOND:
            return Match(same=True, score=1.0, reasons=tuple(reasons))
        reasons.append(f"texts {texts:.2f} hours later")
    elif hours_apart < HOURS_OF_A_BARE_HEADLINE:
        return Match(same=True, score=1.0, reasons=tuple(reasons))
    return Match(same=False, score=0.0, reasons=tuple(reasons))


def _beyond(side: Sketch) -> Counter[str]:
    """The stems of a text beyond its headline's; the headline's own where there is nothing else."""
    return Counter(side.whole) - Counter(side.title) or Counter(side.title)


def _by_text(a: Sketch, b: Sketch) -> tuple[float, list[str]]:
    """Log odds from the texts' likeness, each headline's share in the other text, and how much
    longer one is than the other: what is short shares less (fitted by `bench/pairs.py`).
    """
    texts, told, longer = likeness(a, b)
    likely = BY_TEXT[0] + BY_TEXT[1] * texts + BY_TEXT[2] * told + BY_TEXT[3] * longer
    return likely, [f"texts {texts:.2f}", f"headlines told {told:.2f}"]


def likeness(a: Sketch, b: Sketch) -> tuple[float, float, float]:
    """The measures of two texts: their likeness, the share of each headline that the other entry
    tells (together 0 to 2), and the logarithm of how much longer one is.
    """
    weights = weights_of(a.language)
    told = share_told(a.title, b.whole, weights) + share_told(b.title, a.whole, weights)
    product = _product(a.whole, b.whole, weights)
    texts = product / (a.size * b.size) if product else 0.0
    return texts, told, abs(math.log(a.length / b.length))


def _by_facts(a: Sketch, b: Sketch, likely: float) -> tuple[float, list[str]]:
    """The verdict of facts on two texts whose words are enough, or nearly; asked only where it
    decides.

    Texts about two places are two events, however alike their words.
    """
    if likely >= 0:
        against = other_event(a.facts(), b.facts())
        return -OTHER_EVENT * against, ["another place or magnitude"] * against
    # where neither headline tells of an event, facts agree on none
    if likely <= NEARLY or not (a.kinds or b.kinds):
        return 0.0, []
    told = agreement(a.facts(), b.facts())
    return told, [f"facts {told:+.2f}"] * (told > 0)


def _by_headline(a: Sketch, b: Sketch, titles: float) -> tuple[float, list[str]]:
    """Two bare headlines must be much alike, agree on numbers, and not answer one another."""
    likely = STEEP * (titles - ALIKE)
    reasons = [f"headlines {titles:.2f}"]
    if a.numbers != b.numbers and a.numbers and b.numbers:
        likely -= OTHER_NUMBERS
        reasons.append("other numbers")
    if a.answers != b.answers:
        likely -= FOLLOW_UP
        reasons.append("one answers the other")
    return likely, reasons


def _shared(a: Sketch, b: Sketch, weights: Mapping[str, float]) -> tuple[str, ...]:
    """The rarest stems both headlines have, at most three."""
    common = a.title.keys() & b.title.keys()
    if not common:
        return ()
    rarest = sorted(common, key=lambda stem: (-weights.get(stem, RARE_STEM), stem))
    return (f"both: {', '.join(rarest[:3])}",)


def _cosine(a: Mapping[str, int], b: Mapping[str, int], weights: Mapping[str, float]) -> float:
    product = _product(a, b, weights)
    if not product:
        return 0.0
    return product / (_size(a, weights) * _size(b, weights))


def _product(a: Mapping[str, int], b: Mapping[str, int], weights: Mapping[str, float]) -> float:
    if len(b) < len(a):  # a headline beside an article: the shorter one is walked through
        a, b = b, a
    product = 0.0
    for stem, count in a.items():
        if stem in b:
            weight = weights.get(stem, RARE_STEM)
            other = b[stem]
            mine = weight if count == 1 else weight * _often(count)
            product += mine * (weight if other == 1 else weight * _often(other))
    return product


def _size(side: Mapping[str, int], weights: Mapping[str, float]) -> float:
    total = 0.0
    for stem, count in side.items():
        weight = weights.get(stem, RARE_STEM)
        total += (weight if count == 1 else weight * _often(count)) ** 2
    return math.sqrt(total)


def _often(count: int) -> float:
    """The factor of a stem that a text repeats."""
    return 1 + math.log(count)


def share_told(
    title: Mapping[str, int], other: Mapping[str, int], weights: Mapping[str, float]
) -> float:
    """The share of a headline, by weight, that the other entry has too."""
    total = told = 0.0
    for stem in title:
        weight = weights.get(stem, RARE_STEM)
        total += weight
        if stem in other:
            told += weight
    if not total:
        return 0.0
    return told / total


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return WORD.findall(fold(comparable(text)))


@cache
def weights_of(code: str) -> Mapping[str, float]:
    """The weights of a language's common stems, by rarity; a stem not here weighs `RARE_STEM`."""
    return {stem: float(weight) for stem, weight in language(code).rows("common")}
