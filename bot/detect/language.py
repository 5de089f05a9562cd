"""The language of a short text: the closest of those we speak.

By its script first, then, where several of our languages share the script, by what tells them
apart: letters and short words of their own, and letter triples (`Reading` and `odds.tsv` in
`bot/languages/*`). The first language of a script is taken unless another one is likelier. So
Kazakh, Tatar and Uzbek in Cyrillic are closest to Kyrgyz, Ukrainian and Bulgarian to Russian, Latin
letters to English.

The closest is not the same: a text in Cyrillic letters that none of ours has `is_foreign`. It is in
no language that its publisher says, if that is one of ours, and our words judge nothing in it.

An own table of 28 kB rather than py3langid: that one needs numpy, which nothing else in the idle
bot does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache

from bot.languages import LANGUAGES, language, languages
from bot.languages.letters import fold_typed
from bot.languages.parts import LETTERS, Script
from bot.languages.tables import ODDS
from bot.model.news import Entry

WORDS = {script: re.compile(f"[{letters}]+") for script, letters in LETTERS.items()} | {
    Script.LATIN: re.compile(r"[^\W\d_]+(?:['ʻʼ’‘][^\W\d_]+)*")
}
WORD_LIMIT = 3.0  # one word must not outvote the others
NAME_LIMIT = 1.0  # a Russian headline may name Kyrgyz cities, persons and parties
# what a word with a letter of the language's own says, however little its triples do
OWN_LETTER = 4.0
OWN_WORD = 5.0  # what a short word that no other language of the script has says for its own
READ_CHARS = 600  # of a text, which are enough to tell
REMEMBERED = 2_000  # words met lately, some 200 bytes each: every text has many of them again
#: What a text of one script says for another language of it, beyond which it is not in the one that
#: its publisher says.
SURE = 12.0
FOREIGN = 4  # times as many letters of another script as of the language's own
OTHER = "und"  # as ISO 639 writes a language that is not determined
#: One word in so many with letters that none of our languages has makes a text foreign; names, with
#: a capital letter, are no words of it.
FOREIGN_WORDS = 10
NAMES = 40  # Latin letters of names and brands that a headline in any language may be made of


def known_language(code: str | None, text: str) -> str:
    """The code, when it is one of our languages; else what `text` reads as."""
    if code in LANGUAGES:
        return code
    return language_of(text)


def told_language(said: str, text: str) -> str:
    """The language that a publisher `said` a text to be in, if it can be that; else what it reads
    as: many feeds say what their program was shipped with, and some have two languages under one.
    One that none of ours can be is `OTHER`.
    """
    if said not in LANGUAGES:
        return said
    return OTHER if is_foreign(text) else _of_ours(said, text[:READ_CHARS])


def _of_ours(said: str, text: str) -> str:
    """Which of ours a text is in that is `said` to be in one of them."""
    script, counts = _script_in(text)
    own = language(said).reading.script
    if script is not own:
        foreign = counts[script] >= FOREIGN * counts.get(own, 0)
        if foreign and (script is not Script.LATIN or counts[script] >= NAMES):
            return language_of(text, default=said)
        return said
    others = [code for code in _written_in(own) if code != said]
    if not others or not _may_be_another(said, others, text):
        return said
    likeliest = max(others, key=lambda code: likeness(text, code))
    if likeness(text, likeliest) - likeness(text, said) > SURE:
        return likeliest
    return said


def is_foreign(text: str) -> bool:
    """Whether a text is in a language of Cyrillic letters that we do not speak: Kazakh, Uzbek or
    Tajik, by their ә, ў, ӣ.

    Of one without such letters nobody can tell, and a name in another language's letters is none.
    """
    text = text[:READ_CHARS]
    letters = _foreign_letters()
    if letters is None or not letters.search(text):
        return False
    words = [word for word in WORDS[Script.CYRILLIC].findall(text) if word[0].islower()]
    foreign = sum(letters.search(word) is not None for word in words)
    return 0 < len(words) <= FOREIGN_WORDS * foreign and _script_in(text)[0] is Script.CYRILLIC


@cache
def _foreign_letters() -> re.Pattern[str] | None:
    """The Cyrillic letters that no language here has; None where none says which it has."""
    ours: set[str] = set()
    for code in _written_in(Script.CYRILLIC):
        reading = language(code).reading
        ours.update(reading.letters, reading.sounds, reading.optional)
    block = (chr(number) for number in range(0x400, 0x500))
    foreign = "".join(one for one in block if one.isalpha() and one.lower() not in ours)
    return re.compile(f"[{foreign}]") if ours and foreign else None


def _may_be_another(said: str, others: Sequence[str], text: str) -> bool:
    """Whether a closer look at a text may find another language than was `said`, by the letters:
    nearly every text of a language that has letters of its own has some.
    """
    has = frozenset(text.lower())
    if mine := language(said).reading.letters:
        return has.isdisjoint(mine)
    return any(not has.isdisjoint(language(code).reading.letters) for code in others)


def in_told_languages(entries: Sequence[Entry], said: str | None) -> Sequence[Entry]:
    """The entries of a source that is `said` to be in a language, each in the one that it can be
    in, see `told_language`.
    """
    found: list[Entry] = []
    for one in entries:
        claim = one.language or said
        code = claim and told_language(claim, f"{one.title}\n{one.summary or one.content}")
        found.append(one if code == claim else replace(one, language=code))
    return found


def language_of(text: str, default: str | None = None) -> str:
    """The code of the language that `text` is closest to.

    Of a text without letters it is `default`, else the language that says so of itself
    (`Reading.letterless`). Meant for a headline or the beginning of an article; a name in another
    script does not change the answer.
    """
    text = text[:READ_CHARS]
    script, counts = _script_in(text)
    candidates = _written_in(script)
    if not counts[script] or not candidates:
        return default or _letterless()
    likeliest = max(candidates[1:], key=lambda code: likeness(text, code), default=candidates[0])
    # zero is undecided, and then the first of the script is right more often
    if likeness(text, likeliest) > 0:
        return likeliest
    return candidates[0]


def _script_in(text: str) -> tuple[Script, Mapping[Script, int]]:
    """The script that most letters of a text are of, and how many letters each has there."""
    lower = text.lower()
    counts = {script: sum(map(len, one.findall(lower))) for script, one in _letters().items()}
    return max(counts, key=counts.__getitem__), counts


def likeness(text: str, code: str) -> float:
    """The weight for a text being in a language rather than in the first one of its script.

    Zero is undecided; of the first language itself it is always zero.
    """
    spoken = language(code)
    first = _written_in(spoken.reading.script)[0]
    if code == first:
        return 0.0
    own, others = _short_words(code), _short_words(first)
    total = 0.0
    for written in WORDS[spoken.reading.script].findall(text):
        word = written.lower()
        if not set(spoken.reading.letters).isdisjoint(word):
            total += OWN_LETTER
        elif word in others:
            total -= OWN_WORD
        elif word in own:
            total += OWN_WORD
        else:
            limit = WORD_LIMIT
            if written != word:  # a capital letter: likely a name
                limit = NAME_LIMIT
            total += max(-limit, min(limit, _by_triples(word, code)))
    return total


@lru_cache(maxsize=REMEMBERED)
def _by_triples(word: str, code: str) -> float:
    odds = _odds(code)
    if not odds:
        return 0.0
    padded = f" {fold_typed(word)} "
    return sum(odds.get(padded[at : at + 3], 0.0) for at in range(len(padded) - 2))


def script_of(word: str) -> Script:
    """The script of a word in small letters; Latin where it is none of those that we speak."""
    for script, letters in _letters().items():
        if letters.search(word):
            return script
    return Script.LATIN


@cache
def _letters() -> Mapping[Script, re.Pattern[str]]:
    """The letters of each script that we tell apart, Latin last: a word of another may have a few
    of them.
    """
    spoken = {one.reading.script for one in languages()} | {Script.CYRILLIC, Script.LATIN}
    found: dict[Script, re.Pattern[str]] = {}
    for script in (*(one for one in Script if one is not Script.LATIN), Script.LATIN):
        if script in spoken:
            found[script] = re.compile(f"[{LETTERS[script]}]+")
    return found


@cache
def _written_in(script: Script) -> tuple[str, ...]:
    """The languages of a script, in the order of menus."""
    codes = []
    for spoken in languages():
        if spoken.reading.script is script:
            codes.append(spoken.code)
    return tuple(codes)


@cache
def _letterless() -> str:
    """The language of a text without letters; the first one where none claims it."""
    for spoken in languages():
        if spoken.reading.letterless:
            return spoken.code
    return LANGUAGES[0]


@cache
def _short_words(code: str) -> frozenset[str]:
    return frozenset(language(code).reading.words.split())


@cache
def _odds(code: str) -> Mapping[str, float]:
    """Log odds of letter triples against the script's first language; "_" is a word's edge."""
    return {triple.replace("_", " "): float(weight) for triple, weight in language(code).rows(ODDS)}
