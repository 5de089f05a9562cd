"""Does a report say that its event is over? The road is open again, the fire is out.

By its headline alone: a text tells of much that ended before. What joins a story and says so is the
story's end; it is no event of its own, so however grave its text sounds, it makes nothing worse.
That is why a phrase beside "not", or beside a word of fighting that begins anew, is none, nor what
is asked: "put out: what is known?" asks for something else.

Most phrases are an end of certain things alone: a road that was opened is open again, a school was
built; power is restored, and so is a museum's picture. A language pairs them (`News.ended`), and
they stand in either order. A word right behind a thing may make another of it: a road café, the
market of a border; a name there says which it is: the checkpoint Kordai. What is opened in a
ceremony, by a president, for tourists or long ago was built. A headline that goes on to say that it
was closed, or began again, tells of no end.

What a headline says to have begun anew after its end is another event: its story's message says
that it is over, and nobody would hear of it. So is what is told hours after the end without a word
of what was before: the next avalanche is no "again" to who reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import takewhile

from bot.detect.headlines import REMEMBERED, Stretch, names_in, stretches, typed_words
from bot.detect.language import known_language
from bot.detect.severity import sounds_past
from bot.languages import language
from bot.model.news import Entry, StoredEntry, Story

DENIED_BEFORE = 2  # words before a phrase that may deny it
FIGHT_BEFORE, FIGHT_AFTER = 3, 2  # and that may say what begins anew
OTHER_BEFORE = 3  # and that may say of a thing that it is another one
NEAR = 8  # words between a thing and what is said of it, at most
LATE_REPORTS = timedelta(hours=3)  # after an end, of what has ended; later ones are of the next
ANY_END = "*"  # behind a word of a language's list that stands for all that begin so


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase's words, each whole or by its beginning.

    One that says an end says it of its `things`, or of anything where it has none; `again` is
    whether it says that something works as before.
    """

    words: tuple[str, ...]
    things: _Phrases | None = None
    again: bool = False

    def is_at(self, place: int, words: Sequence[str]) -> bool:
        """Whether it stands at a place among words."""
        there = words[place : place + len(self.words)]
        return len(there) == len(self.words) and all(map(_is_word, there, self.words))


def _is_word(word: str, listed: str) -> bool:
    if listed.endswith(ANY_END):
        return word.startswith(listed.removesuffix(ANY_END))
    return word == listed


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Phrases by their first words, of which few are in a headline; those that begin with the
    beginning of a word are asked everywhere.
    """

    whole: dict[str, list[_Phrase]] = field(default_factory=dict)
    begun: list[_Phrase] = field(default_factory=list)

    def add(self, phrases: str, *, things: _Phrases | None = None, again: bool = False) -> _Phrases:
        """Add those of a language's list, apart by commas."""
        for phrase in filter(None, map(str.split, phrases.split(","))):
            words: list[str] = []
            for word in phrase:
                (plain,) = typed_words(word)
                words.append(plain + ANY_END * word.endswith(ANY_END))
            same = self.begun
            if not words[0].endswith(ANY_END):
                same = self.whole.setdefault(words[0], [])
            same.append(_Phrase(tuple(words), things, again))
        return self

    def places(self, words: Sequence[str]) -> Iterator[tuple[range, _Phrase]]:
        """The places at which one stands, and which."""
        stems = tuple(phrase.words[0].removesuffix(ANY_END) for phrase in self.begun)
        for at, word in enumerate(words):
            begun = self.begun if word.startswith(stems) else ()
            for phrase in (*self.whole.get(word, ()), *begun):
                if phrase.is_at(at, words):
                    yield range(at, at + len(phrase.words)), phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a language says of ends and beside them, as `News` has it; tuples are of beginnings."""

    ends: _Phrases
    opening: tuple[str, ...]
    inaugural: _Phrases
    anew: _Phrases
    not_behind: _Phrases
    not_before: frozenset[str]
    right_before: frozenset[str]
    to_come: frozenset[str]
    before_it: frozenset[str]
    not_of: frozenset[str]
    not_at: frozenset[str]
    makes_another: re.Pattern[str]
    articles: frozenset[str]
    shut: tuple[str, ...]
    fighting: tuple[str, ...]
    denials: tuple[str, ...]


@cache
def _said_by(code: str) -> _Said:
    news = language(code).news
    ends = _Phrases().add(news.over).add(news.again, again=True)
    for things, said in news.ended.items():
        ends.add(said, things=_Phrases().add(things))
    return _Said(
        ends=ends,
        opening=typed_words(news.opening),
        inaugural=_Phrases().add(news.inaugural),
        anew=_Phrases().add(news.anew),
        not_behind=_Phrases().add(news.not_behind),
        not_before=frozenset(typed_words(f"{news.not_before} {news.else_before}")),
        right_before=frozenset(typed_words(news.infinitive)),
        to_come=frozenset(typed_words(news.to_come)),
        before_it=frozenset(typed_words(news.before_it)),
        not_of=frozenset(typed_words(news.not_of)),
        not_at=frozenset(typed_words(news.not_at)),
        makes_another=re.compile(news.makes_another),
        articles=frozenset(typed_words(language(code).questions.articles)),
        shut=typed_words(news.shut),
        fighting=typed_words(news.fighting),
        denials=typed_words(news.denials),
    )


def says_it_is_over(entry: Entry) -> bool:
    """Whether an entry's headline says that something has ended."""
    return _says_it(entry.title, known_language(entry.language, entry.title))


@lru_cache(maxsize=REMEMBERED)  # those of a story are asked for with each of its reports
def _says_it(title: str, code: str) -> bool:
    by = _said_by(code)
    # nearly always; a poll that brings a thousand headlines asks for all of them at one time
    if next(by.ends.places(typed_words(title)), None) is None:
        return False
    ended, names, past = False, names_in(title), sounds_past(title, code)
    behind: list[str] = []  # what the headline says behind an end
    for stretch in stretches(title, code):
        end = max(_ends(stretch, by, names, past=past), default=0)
        if end:
            ended, behind = True, stretch.told_from(end)
        elif _begin(stretch.words, by.denials):
            return False
        else:
            behind += ["", *stretch.told_from(0)]  # what follows a comma does not follow the phrase
    return ended and not _goes_on(behind, by)


def _ends(stretch: Stretch, by: _Said, names: frozenset[str], *, past: bool) -> Iterator[int]:
    """The places behind what says that something has ended, and is not denied, in a headline with
    these names; `past` is whether that tells of what was long ago.
    """
    for at, phrase in by.ends.places(stretch.words):
        if not stretch.told.issuperset(at) or _denied(stretch.words, at, by):
            continue
        if phrase.things is None:
            ends = not (phrase.again and _fought(stretch.words, at, by))
        elif phrase.words[0].startswith(by.opening) and (
            past or _inaugurated(stretch.words, at, by)
        ):
            ends = False
        else:
            ends = _is_said_of(phrase.things, stretch.words, at, by, names)
        if ends:
            yield at.stop


def _inaugurated(words: Sequence[str], at: range, by: _Said) -> bool:
    """Whether a stretch tells how what was opened there is shown, as something that was built; not
    what was before: "opened after the president's visit".
    """
    beside = (*words[: at.start], "", *_then(words[at.stop :], by))
    return any(True for _ in by.inaugural.places(beside))


def _denied(words: Sequence[str], at: range, by: _Said) -> bool:
    """Whether what stands at a place is denied, is to come, or says something else by what its
    stretch has beside it.
    """
    before, behind = words[: at.start], words[at.stop :]
    others = {*before, *behind}
    return (
        not by.not_before.isdisjoint(before[-DENIED_BEFORE:])
        or not by.right_before.isdisjoint(before[-1:])
        or any(place.start == 0 for place, _ in by.not_behind.places(behind))
        or not by.to_come.isdisjoint(others)
        or _begin(others, by.denials)
    )


def _is_said_of(
    things: _Phrases, words: Sequence[str], said: range, by: _Said, names: frozenset[str]
) -> bool:
    """Whether what stands at a place is said of one of these things, which is not another one by
    what stands before it ("a new road", "on the road").
    """
    for at, _ in things.places(words):
        before = [one for one in words[: at.start] if one not in by.articles]
        if not by.not_of.isdisjoint(before[-OTHER_BEFORE:]):
            continue
        if _makes_another(words, at, said, by, names):
            continue
        if at.start >= said.stop:
            between, behind = words[said.stop : at.start], words[at.stop :]
            # "opened on the road": in the other order a place says where the thing is
            another = not by.not_at.isdisjoint((*before[-1:], *between))
            behind = (*between, *behind)
        else:
            between, behind = words[at.stop : said.start], words[said.stop :]
            another = not by.not_at.isdisjoint(before[-1:]) or not by.not_before.isdisjoint(
                before[-DENIED_BEFORE:]
            )
        # a thing that was closed is none of which the rest is said, nor one whose attack is probed
        another = another or len(between) > NEAR or _begin(between, by.shut)
        another = another or _begin(_then(between, by), by.fighting)
        if not another and not _begins_fighting(behind, by):
            return True
    return False


def _makes_another(
    words: Sequence[str], thing: range, said: range, by: _Said, names: frozenset[str]
) -> bool:
    """Whether the word right behind a thing, if it is none of what is `said`, makes another of it:
    "a road museum"; not the name of a place, "the road Osh-Batken".
    """
    behind = words[thing.stop : thing.stop + 1]
    if not behind or thing.stop == said.start:
        return False
    # where what is said has a capital too, all words have, and none is known for a name
    if behind[0] in names and names.isdisjoint(words[said.start : said.stop]):
        # what it did to something else is said of neither: "Airport Manas opened a tender"
        done_to = words[said.stop : said.stop + 1] if said.start > thing.start else ()
        return any(one in by.articles or by.makes_another.fullmatch(one) for one in done_to)
    return by.makes_another.fullmatch(behind[0]) is not None


def _goes_on(behind: Sequence[str], by: _Said) -> bool:
    """Whether what a headline says behind an end is that it began again, or is closed; not what
    was so before.
    """
    if any(at.start > 0 for at, _ in by.anew.places(behind)):
        return True
    return _begin(_then(behind, by), by.shut)


def _fought(words: Sequence[str], at: range, by: _Said) -> bool:
    """Whether what stands beside a place says that it is fighting that begins."""
    before = words[max(at.start - FIGHT_BEFORE, 0) : at.start]
    return _begin(before, by.fighting) or _begins_fighting(words[at.stop :], by)


def _begins_fighting(behind: Sequence[str], by: _Said) -> bool:
    return _begin(_then(behind[:FIGHT_AFTER], by), by.fighting)


def _then(behind: Sequence[str], by: _Said) -> Iterator[str]:
    """The words behind a place that do not tell of the time before."""
    return takewhile(lambda one: one not in by.before_it, behind)


def _begin(words: Iterable[str], beginnings: tuple[str, ...]) -> bool:
    return any(one.startswith(beginnings) for one in words)


def ending(story: Story) -> StoredEntry | None:
    """The latest report of a story that says it is over, where another one came before."""
    for one in reversed(sorted(story.entries, key=lambda item: item.pk)[1:]):
        if says_it_is_over(one.entry):
            return one
    return None


def before_its_end(story: Story, over: StoredEntry | None) -> Story:
    """The story without the report by which it is `over`, or behind it where it is the only one."""
    entries = tuple(one for one in story.entries if over is None or one.pk != over.pk)
    if over is None or not entries:
        return story
    return replace(story, entries=(*entries, over))


def begins_anew(entry: Entry, story: Story, at: datetime) -> bool:
    """Whether an entry of a time tells that what a story told of has begun again since its end:
    by its words, or by the hours since then.
    """
    end = ending(story)
    if end is None or at < end.at or says_it_is_over(entry):
        return False
    code = known_language(entry.language, entry.title)
    if any(_said_by(code).anew.places(typed_words(entry.title))):
        return True
    return at - end.at >= LATE_REPORTS and not sounds_past(entry.title, code)
