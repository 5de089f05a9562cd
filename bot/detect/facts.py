"""The facts of an entry that survive translation: events, places, organisations, names, numbers.

No dictionary joins a Russian and an English sentence about one attack, but both name the village,
the dead and the minister. Those facts are read with three small tables a language, written by hand
(`events.tsv`, `places.tsv` and `units.tsv` in `bot/languages/*`), names by a key that is the same
in Cyrillic and Latin. `bot/detect/weighing.py` says how those of two entries compare.

Facts of the outside world:

* Kyrgyz is typed without ө, ү and ң as often as with them; case endings hang on names in both
  Cyrillic languages.
* A headline is about the event; its text also tells of earlier ones. So the headline's facts have
  to be found on the other side, and not only some facts anywhere.
* Capitals, presidents and countries are in every second text: they say little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from bot.detect.lexicon import (
    Lexicon,
    Pattern,
    build_lexicon,
    clause_break,
    read_pattern,
    with_headline,
)
from bot.languages import language as speech
from bot.languages import languages, words_of
from bot.languages.letters import fold_typed

LEAD = 700  # characters of a text that still tell the event
THOUSANDS = re.compile(r"\d{1,3}(?:[ \u00a0\u202f,]\d{3})+(?!\d)")
TOKEN = re.compile(rf"{THOUSANDS.pattern}|\d+(?:[.,]\d+)?|[^\W\d_]+")
NAME = re.compile(r"(?<![\w-])[^\W\d_]{3,}")
STARTS = re.compile(r"(?:^|[.!?…:\n])[\s«\"“(—–-]*$")
CLOCK = re.compile(r"(?<![\d:])([012]?\d):([0-5]\d)(?![\d:])")

PEOPLE = frozenset({"people", "troops"})
COUNTED = range(2, 100)  # "one" is an article too, and a hundred in words is none exactly

#: The sounds of Latin letters, by those that languages' letters are given (`Reading.sounds`).
DIGRAPHS = (
    "dzh J dj J zh J kh h shch S sch S sh S tch C ch C ts c tz c ph f gh g th t ck k q k w v x ks "
    "j J ng n"
)


@dataclass(frozen=True, slots=True)
class Part:
    """The facts of a headline, or of all of an entry's beginning."""

    kinds: frozenset[str]
    scenes: frozenset[str]
    goods: frozenset[str]
    later: frozenset[str]
    places: frozenset[str]
    countries: frozenset[str]
    bodies: frozenset[str]
    heads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of an entry that are compared across languages."""

    head: Part
    whole: Part
    names: frozenset[str]
    numbers: frozenset[tuple[str, float]]

    def of(self, unit: str) -> frozenset[float]:
        """The numbers that a text has of a unit."""
        return frozenset(value for name, value in self.numbers if name == unit)


# asked by several detectors, and once for each pair that is compared
@lru_cache(maxsize=256)
def facts_of(title: str, text: str, language: str) -> Facts:
    """Read the facts of an entry; the first sentence stands for a missing headline."""
    title, text = with_headline(title, text)
    text = text[:LEAD]
    head, used = _part(title, language)
    whole, more = _part(f"{title}\n{text}", language)
    # only beside an earthquake is a bare 5.4 a magnitude
    quake = "quake" in whole.kinds
    numbers = frozenset(_numbers(f"{title}\n{text}", language, quake=quake))
    names = frozenset((*_names(title, used | more, language), *_names(text, used | more, language)))
    return Facts(head=head, whole=whole, names=names, numbers=numbers)


def kinds_of(title: str, language: str) -> frozenset[str]:
    """The kinds of events that a headline tells of."""
    told = (pattern for _, pattern in events(language).find(TOKEN.findall(fold_typed(title))))
    return _of_kind(_told_by(told, language), "")


def _part(text: str, language: str) -> tuple[Part, frozenset[str]]:
    """The facts of a stretch, and the words that told them."""
    tokens = TOKEN.findall(fold_typed(text))
    used: set[str] = set()
    told: list[Pattern] = []
    for at, pattern in events(language).find(tokens):
        used.update(tokens[at : at + len(pattern.words)])
        told.append(pattern)
    kinds = _told_by(told, language)
    names: set[str] = set()
    for at, pattern in places(language).find(tokens):
        used.update(tokens[at : at + len(pattern.words)])
        names.add(pattern.kind)
    spots, countries = _spots(names)
    part = Part(
        kinds=_of_kind(kinds, ""),
        scenes=_of_kind(kinds, "at"),
        goods=_of_kind(kinds, "of"),
        later=_of_kind(kinds, "after"),
        places=spots,
        countries=countries,
        bodies=_inside(names, ("org",)),
        heads=_inside(names, ("head",)),
    )
    return part, frozenset(used)


def _inside(names: set[str], chain: tuple[str, ...]) -> frozenset[str]:
    """The names that are part of exactly this, such as the organisations."""
    around = surroundings()
    found: set[str] = set()
    for name in names:
        if around[name] == chain:
            found.add(name)
    return frozenset(found)


def _spots(names: set[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The narrowest places among the names, and the countries that they are in."""
    around = surroundings()
    countries: set[str] = set()
    spots: set[str] = set()
    wider: set[str] = set()
    for name in names - _inside(names, ("org",)) - _inside(names, ("head",)):
        chain = around[name]
        if not chain:
            countries.add(name)
            continue
        countries.add(chain[-1])
        spots.add(name)
        wider.update(chain)  # a region around a place that is named too adds nothing
    return frozenset(spots - wider), frozenset(countries)


def _of_kind(kinds: set[str], mark: str) -> frozenset[str]:
    """The kinds of events with that mark, "at" of "at:border"; without one, what happened."""
    found: set[str] = set()
    for kind in kinds:
        marked, colon, _ = kind.rpartition(":")
        if marked.partition(":")[0] == mark and (colon or kind != "-"):
            found.add(kind)
    return frozenset(found)


def _told_by(patterns: Iterable[Pattern], language: str) -> set[str]:
    """All kinds that patterns stand for, one often for several: a "shootout" is a shooting and a
    clash.
    """
    found: set[str] = set()
    for pattern in patterns:
        found |= _kinds(language)[pattern.text]
    return found


def _names(text: str, used: frozenset[str], language: str) -> Iterator[str]:
    """Keys of words capitalised inside a sentence; none where all are, as in English headlines."""
    words = 0
    large: list[re.Match[str]] = []
    for item in NAME.finditer(text):
        if fold_typed(item.group()) in used:
            continue
        words += 1
        if item.group()[0].isupper():
            large.append(item)
    # of three words or fewer all may be names indeed
    if speech(language).news.capital_headlines and words > 3 and len(large) > 0.7 * words:
        return
    for item in large:
        word = item.group()
        # a few characters back: a quotation mark or a dash may stand behind the full stop
        if word.isupper() or STARTS.search(text[max(0, item.start() - 4) : item.start()]):
            continue
        key = name_key(word)
        # two consonants begin too many names
        if len(key) > 2 and key not in _common():
            yield key


def name_key(word: str) -> str:
    """The consonants of a name, alike in both alphabets: transliterations disagree on vowels."""
    word = fold_typed(word).translate(_spelt())
    for digraph, letter in _digraphs():
        word = word.replace(digraph, letter)
    word = re.sub(r"(?!^)c(?=[ei])", "s", word).translate(_sounds()).replace("dJ", "J")
    word = re.sub(r"(.)\1+", r"\1", word)
    return word[:1].strip("aeiouy") + re.sub(r"[aeiouy]", "", word[1:])


def _numbers(text: str, language: str, *, quake: bool) -> Iterator[tuple[str, float]]:
    """(what it counts, how many); "" where the words around do not say."""
    text = fold_typed(text).replace("$", " usd ")
    for hour, minute in CLOCK.findall(text):
        yield "clock", float(hour) * 60 + float(minute)
    # by clauses: "two died, 15 houses burnt" does not tell of two houses
    for clause in clause_break().split(CLOCK.sub(" ", text)):
        tokens = TOKEN.findall(clause)
        kinds: dict[int, str] = {}
        marks: list[tuple[int, str]] = []
        for at, pattern in units(language).find(tokens):
            kinds[at] = pattern.kind
            if pattern.kind[:2] not in ("= ", "* "):
                marks.append((at, pattern.kind))
        for at, value in _values(tokens, kinds):
            unit = _unit(at, marks)
            if (at - 1, "magnitude") in marks:  # whatever is counted behind it
                unit = "magnitude"
            if quake and unit in ("", "magnitude") and 2 <= value < 10 and value != int(value):
                unit = "magnitude"
            if not (unit == "" and 1900 <= value < 2100):  # a year, which counts nothing
                yield unit, value


def _values(tokens: list[str], kinds: Mapping[int, str]) -> Iterator[tuple[int, float]]:
    """The numbers of a clause with their places; "twenty three" is one, and so is "3 million"."""
    written: dict[int, float] = {}
    for at, kind in kinds.items():
        if kind.startswith("= "):
            written[at] = float(kind[2:])
    for at, token in enumerate(tokens):
        if token[0].isdecimal():
            value = _figure(token)
        elif at in written:
            before, after = written.get(at - 1, 0.0), written.get(at + 1, 10.0)
            value = written[at]
            if value < 10 <= before:  # the "three" that "twenty" has taken already
                continue
            if value >= 10 > after:
                value += after
        else:
            continue
        times = kinds.get(at + 1, "")
        if times.startswith("* "):
            value *= float(times[2:])
        yield at, value


def _figure(token: str) -> float:
    """The value of digits as newsrooms write them: "2 000", "5.4", "5,4"."""
    if THOUSANDS.fullmatch(token):
        return float(re.sub(r"\D", "", token))
    return float(token.replace(",", "."))


def _unit(at: int, marks: list[tuple[int, str]]) -> str:
    """The thing a number counts: the nearest word after it, else before it; people come last."""
    near: list[tuple[bool, bool, int, str]] = []
    for where, kind in marks:
        away = where - at
        # a month is a date's only right beside its day
        if abs(away) == 1 or (-4 <= away <= 5 and not kind.startswith("month")):
            near.append((kind in PEOPLE, away < 0, abs(away), kind))
    if not near:
        return ""
    return min(near)[3]


# ── the tables ──────────────────────────────────────────────────────────────


@cache
def events(language: str) -> Lexicon:
    """The kinds of events that the words of one language tell of."""
    rows = speech(language).rows("events")
    return build_lexicon([_read(pattern, kind) for kind, pattern in rows], 0.0)


@cache
def _kinds(language: str) -> Mapping[str, set[str]]:
    """The kinds that each pattern stands for; a lexicon finds a pattern once, with one of them."""
    kinds: dict[str, set[str]] = {}
    for kind, pattern in speech(language).rows("events"):
        kinds.setdefault(pattern, set()).add(kind)
    return kinds


@cache
def units(language: str) -> Lexicon:
    """The counted units by one language's words; "= 2" is a number in words, "* 1000" a scale."""
    patterns = [_read(pattern, unit) for unit, pattern in speech(language).rows("units")]
    numbers = speech(language).numbers
    for number, words in (*numbers.words.items(), *numbers.people.items()):
        if number in COUNTED:
            patterns += _counting(words, f"= {number}", numbers.also_else)
    for scale, words in numbers.scales.items():
        patterns += _counting(words, f"* {scale}", numbers.also_else)
    return build_lexicon(patterns, 0.0)


def _counting(words: str, kind: str, also_else: str) -> Iterator[Pattern]:
    """The patterns of number words, without those that in news more often mean something else."""
    unsure = also_else.split()
    for word in words.split():
        if word not in unsure:
            yield _read(word, kind)


@cache
def places(language: str) -> Lexicon:
    """Places, organisations and heads of state as one language writes them."""
    found: list[Pattern] = []
    for name, patterns in speech(language).rows("places"):
        found += [_read(one.strip(), name) for one in patterns.split(",")]
    return build_lexicon(found, 0.0)


def _read(pattern: str, kind: str) -> Pattern:
    # matched folded, but known by its text as written: `_kinds` looks it up by that
    read = read_pattern(fold_typed(pattern), kind, 0.0)
    return Pattern(pattern, kind, 0.0, read.words, read.stems)


@cache
def surroundings() -> Mapping[str, tuple[str, ...]]:
    """The larger places around each, the nearest first; ("org",), ("head",) for who is none."""
    text = (files("bot.detect") / "data" / "places.tsv").read_text(encoding="utf-8")
    within: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, inside, *_ = line.split("\t")
            within[name] = inside
    chains = {}
    for name, inside in within.items():
        chain: list[str] = []
        outer = inside
        while outer != "-":
            chain.append(outer)
            outer = within.get(outer, "-")
        chains[name] = tuple(chain)
    return chains


@cache
def _digraphs() -> tuple[tuple[str, str], ...]:
    pairs = DIGRAPHS.split()
    return tuple(zip(pairs[::2], pairs[1::2], strict=True))


@cache
def _spelt() -> dict[int, str]:
    """Letters of other scripts, as each language says that they are spelt abroad."""
    found: dict[str, str] = {}
    for spoken in reversed(languages()):
        found |= spoken.reading.latin
    return str.maketrans(found)


@cache
def _sounds() -> dict[int, str]:
    """Letters by their sound in a name's key, as each language says; an apostrophe has none."""
    found = {"'": "", "’": ""}
    for spoken in reversed(languages()):
        found |= spoken.reading.sounds
    return str.maketrans(found)


@cache
def _common() -> frozenset[str]:
    """Keys of the words that every newsroom capitalises; languages share them."""
    return frozenset(map(name_key, words_of(lambda spoken: spoken.news.common_names)))
