"""The language of a short text: English, Russian or Kyrgyz.

A quarter of Kyrgyz sentences contain none of ө, ү, ң, and people type о, у, н for them: so Russian and Kyrgyz are
told apart by letter triples counted with those letters folded (`data/language.tsv`: triple, weight; positive is
Kyrgyz), and the letters themselves only add to that. Kazakh, Tatar and Uzbek in Cyrillic read as Kyrgyz, Ukrainian and
Bulgarian as Russian, Latin letters as English: the closest of the three we speak.

An own table of 28 kB rather than py3langid: that one needs numpy, which nothing else in the idle bot does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

WORD = re.compile(r"[а-яёөүңқғұәіһҳӣӯў]+", re.IGNORECASE)
LATIN = re.compile(r"[a-z]")
CYRILLIC = re.compile(r"[а-яёөүңқғұәіһ]")
TURKIC_LETTERS = re.compile(r"[өүңқғұәһ]")
FOLDED = str.maketrans("өүңқғұәһіё", "оункгуахие")

WORD_LIMIT = 3.0  # one word must not outvote the others
NAME_LIMIT = 1.0  # a Russian headline may name Kyrgyz cities, persons and parties
TURKIC_LETTER = 4.0  # what a word with such a letter says, however Russian its triples
# Kyrgyz has no prepositions: one of these outweighs a president's name.
RUSSIAN_WORD = 5.0
RUSSIAN_WORDS = frozenset(
    (
        "в",
        "во",
        "на",
        "с",
        "со",
        "к",
        "по",
        "о",
        "об",
        "от",
        "из",
        "за",
        "для",
        "не",
        "что",
        "при",
        "под",
        "до",
        "без",
        "как",
    )
)
READ = 600  # characters that are enough to tell


@cache
def _triples() -> Mapping[str, float]:
    lines = (files("bot.detect") / "data" / "language.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {triple.replace("_", " "): float(weight) for triple, weight in pairs}


def language_of(text: str, default: str = "ru") -> str:
    """`en`, `ru` or `ky`, whichever of the three `text` is closest to; `default` when it has no letters to tell by.

    Meant for a headline or the beginning of an article; a name in another script does not change the answer.
    """
    text = text[:READ]
    folded = text.lower()
    latin, cyrillic = len(LATIN.findall(folded)), len(CYRILLIC.findall(folded))
    if latin > cyrillic:
        return "en"
    if not cyrillic:
        return default
    return "ky" if kyrgyz_score(text) > 0 else "ru"


def kyrgyz_score(text: str) -> float:
    """How much a Cyrillic text looks Kyrgyz rather than Russian; zero is undecided."""
    triples = _triples()
    total = 0.0
    for written in WORD.findall(text):
        word = written.lower()
        limit = WORD_LIMIT if written == word else NAME_LIMIT
        padded = f" {word.translate(FOLDED)} "
        score = sum(triples.get(padded[at : at + 3], 0.0) for at in range(len(padded) - 2))
        if TURKIC_LETTERS.search(word):
            total += TURKIC_LETTER
        elif word in RUSSIAN_WORDS:
            total -= RUSSIAN_WORD
        else:
            total += max(-limit, min(limit, score))
    return total
