"""Does an entry say that it puts right, or takes back, what its publisher told before?

Whoever got a story is told of it however late, so that it must be sure:

* A newsroom says so by a label before the headline ("Correction:", "(RETRACTED)") or where a
  sentence begins with its own story ("story has been withdrawn"). The word alone says nothing:
  troops are withdrawn, ministries correct their forecasts and take back reports of theirs. What
  others deny is a report of its own. Of 14,406 headlines that nobody took back (`bench/learn`'s
  and `bench/pairs`' news) none is read as one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache

from bot.detect.language import known_language
from bot.detect.stories import Sketch, compare, share_told, sketch, weights_of
from bot.detect.weighing import other_event
from bot.languages import language
from bot.languages.letters import fold_typed
from bot.model.hazards import Hazard
from bot.model.news import Entry, Mending, StoredEntry, Story
from bot.model.text import comparable, first_sentence

NAMING_WORDS = 4  # of a headline that names an event by itself
NAMED = 0.9  # of their weight that the report has too
#: What parts a label from its headline, or the headline's end. A hyphen may join two words instead,
#: as dashes and slashes do where they are typed for it; a dash may stand within a sentence
#: ("Correction – what is it?"), and a full stop ends a sentence of one.
_MARK = r"\s*[:|]+\s*|\s+»+\s+|(?P<dash>\s+[-–/]+\s+|\s*—+\s*)|(?P<joint>\s*[-–/]+\s*)|\s*[.!]*$"
_COMMA = r"\s*[,;/+&]\s*"  # between two labels: "(updated, corrected)"
_HOUR = r"\d{1,2}[:.]\d\d"  # behind one in brackets: "(corrected at 12:40)"
_FIRST = re.compile(r"[^\W_]")


def mends(entry: Entry) -> Mending | None:
    """What an entry's headline says that it does; None of a report, and of what an institute
    measured: that says so by its values.
    """
    if Hazard.read(entry.content) is not None:
        return None
    return _read(_headline(entry), entry.language)[0]


def retracts(entry: Entry) -> bool:
    """Whether an entry's headline takes back what its publisher told."""
    return mends(entry) is Mending.TAKEN_BACK


def mending(story: Story) -> tuple[StoredEntry, Mending] | None:
    """The latest report of a story by which its own publisher puts it right or takes it back; None
    where there is no other report: a single one says so by its headline. Of a story as `led`, which
    knows the feeds of one publisher, as what follows.
    """
    if len(story.entries) == 1:
        return None
    first, *others = sorted(story.entries, key=lambda item: item.pk)
    told = Counter(one.house for one in story.entries)
    for one in reversed(others):
        how = mends(one.entry)
        # whoever takes a thing back told it, in words that we have no more or never had; what is
        # all that its publisher says is no correction but a report
        if how is Mending.TAKEN_BACK or (how is not None and told[one.house] > 1):
            return one, how
    how = mends(first.entry)  # as it is worded now
    return None if how is None else (first, how)


def as_mended(story: Story, mended: tuple[StoredEntry, Mending] | None) -> Story:
    """The story led by what puts it right, behind what an operator worded; by others, where one of
    them alone takes it back.
    """
    if mended is None:
        return story
    by, how = mended
    if how is Mending.TAKEN_BACK and len(story.houses) > 1:
        entries = sorted(story.entries, key=lambda one: one.house == by.house)
    else:
        # of what nobody reports any more an operator's headline says nothing
        worded = how is Mending.CORRECTED
        entries = sorted(
            story.entries, key=lambda one: (worded and one.headline is None, one.pk != by.pk)
        )
    return replace(story, entries=tuple(entries))


def is_taken_back(story: Story) -> bool:
    """Whether all who report a story have taken it back."""
    return taken_back_by(story) >= story.houses


def taken_back_by(story: Story) -> frozenset[str]:
    """The publishers that have taken a story back."""
    gone = (one.house for one in story.entries if retracts(one.entry))
    return frozenset(gone)


def without_taken_back(story: Story) -> Story:
    """The story by those alone who have not taken it back, if there are any."""
    gone = taken_back_by(story)
    return replace(story, entries=tuple(one for one in story.entries if one.house not in gone))


def tells_anew(entry: Entry, story: Story, at: datetime) -> bool:
    """Whether an entry of a time reports what all had taken back by then."""
    if mends(entry) is not None or not is_taken_back(story):
        return False
    gone = [one for one in story.entries if retracts(one.entry)]
    return at > max(max(one.at, one.entry.updated_at or one.at) for one in gone)


def mended(entry: Entry, told: Iterable[StoredEntry]) -> StoredEntry | None:
    """The report among those `told` whose event an entry names behind its label, of those alike
    the latest, else the one of the only story that tells all that its headline does, or whose own
    headline its text repeats; None where there is none. When either was written does not matter.
    """
    said = sketch(replace(entry, title=_read(_headline(entry), entry.language)[1]))
    best: tuple[float, int, StoredEntry] | None = None
    named: dict[int, StoredEntry] = {}
    for stored in told:
        other = sketch(stored.entry)
        match = compare(said, other)
        if match.same and (best is None or (match.score, stored.pk) > best[:2]):
            best = match.score, stored.pk, stored
        if _names(said, other) or _names(other, said):  # "in our report “…” of Monday"
            named[stored.story] = stored
    if best is not None:
        return best[2]
    return next(iter(named.values())) if len(named) == 1 else None


def _names(one: Sketch, other: Sketch) -> bool:
    """Whether a headline of some length says nothing that another report does not, whose text may
    be of something else: an agency's regret, or more than the event.
    """
    if one.language != other.language or len(one.title) < NAMING_WORDS:
        return False
    share = share_told(one.title, other.whole, weights_of(one.language))
    return share >= NAMED and not other_event(one.facts(), other.facts())


def _headline(entry: Entry) -> str:
    return entry.title or first_sentence(entry.summary or entry.content)


@lru_cache(maxsize=256)  # asked at each look at a story
def _read(headline: str, said: str | None) -> tuple[Mending | None, str]:
    """What a headline says that it does, and the headline without its label."""
    plain = comparable(headline)
    folded = fold_typed(plain)
    code = known_language(said, headline)
    # some capital letters are two small ones
    words = plain if len(plain) == len(folded) else folded
    for how, labels in _labels(code).items():
        for label in labels.finditer(folded):
            if _parts(words, label):
                return how, f"{words[: label.start()]} {words[label.end() :]}".strip()
    if _phrases(code).search(folded) is not None:
        return Mending.TAKEN_BACK, plain
    return None, plain


def _parts(headline: str, label: re.Match[str]) -> bool:
    """Whether a label stands apart from what follows, and is no part of a word or a sentence."""
    # "CORRECTED-Fire": in capitals alone
    stands_out = headline[: label.end()].isupper() and not headline[label.end() :].isupper()
    if label["joint"] is not None:
        return stands_out
    if label["dash"] is None or stands_out:
        return True
    first = _FIRST.search(headline, label.end())
    if first is None:
        return True
    # where all is in capitals they do not say whether a sentence goes on
    return not (headline.isupper() or first[0].islower())


@cache
def _labels(code: str) -> dict[Mending, re.Pattern[str]]:
    news = language(code).news
    found: dict[Mending, re.Pattern[str]] = {}
    joining = _any_of(",".join(news.clause.split()))
    at = _any_of(",".join(language(code).days.at.split()))
    hour = rf"(?:\s+(?:(?:{at})\s+)?{_HOUR})?"
    for how, labels, beside in (
        (Mending.TAKEN_BACK, news.taken_back, f"{news.updated}, {news.corrected}"),
        (Mending.CORRECTED, news.corrected, news.updated),
    ):
        word, also = _any_of(labels), _any_of(beside)
        first = _beside(word, also, apart=_COMMA)
        # between words of a headline a bare "and" makes a sentence
        inside = _beside(word, also, apart=rf"{_COMMA}|\s+(?:{joining})\s+")
        found[how] = re.compile(rf"^[\W_]*{first}(?:{_MARK})|[\[(]\s*{inside}{hour}\s*[\])]")
    return found


def _beside(word: str, also: str, *, apart: str) -> str:
    """The pattern of a label among others that only say that something was added."""
    return rf"(?:(?:{also})(?:{apart}))*(?:{word})(?:(?:{apart})(?:{also}|{word}))*"


@cache
def _phrases(code: str) -> re.Pattern[str]:
    phrases = _any_of(language(code).news.takes_back)
    # behind a quotation mark somebody else may say so
    return re.compile(rf"(?:^[^\w«»\"“”„]*|[:.;!?|(\[–—]\s*|\s-\s+)(?:{phrases})(?!\w)")


def _any_of(phrases: str) -> str:
    """The pattern of phrases apart by commas; that of nothing where there are none."""
    words = [fold_typed(one.strip()) for one in phrases.split(",") if one.strip()]
    # the longest first, of which a shorter one may be the beginning
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or r"(?!)"
