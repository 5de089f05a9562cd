"""Does a text read like security news? By pieces of its words, as labelled news taught them.

A lexicon knows the words that somebody thought of. Pieces of four and five letters, whole words and
pairs of them know the others, and the endings: each falls into a bucket, and the language's table
(`bot.languages.wordings`) has a weight for it. A text's weights are added, divided by the root of
how many pieces it has, so that a headline and an article speak equally loud.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import sqrt
from operator import itemgetter
from typing import NamedTuple
from zlib import crc32

from bot.detect.lexicon import WORD
from bot.languages import FOLDER
from bot.languages.letters import fold
from bot.languages.wordings import BUCKETS, FILE, RAISED, Wording

READ_CHARS = 1000  # what a text is about is said by then
# words whose pieces are remembered, none of them longer: a text repeats them, and so do the next
REMEMBERED, LONGEST = 2_000, 30
SIZES = (4, 5)  # letters of a piece; the ends of a word count as letters
#: Two bytes a letter, whatever the script, so that a piece is a slice.
ENCODING = "utf-16-le"
_SPACE = " ".encode(ENCODING)


class _Word(NamedTuple):
    """A word's letters, where it falls with its pieces, and how the checksum of a pair that begins
    with it begins.
    """

    letters: bytes
    pieces: tuple[int, ...]
    begun: int


class _Words(dict[str, _Word]):
    """The words met lately with their pieces, made at the first use."""

    def __missing__(self, word: str) -> _Word:
        letters = word.encode(ENCODING)
        found = _Word(letters, _pieces(word), crc32(_SPACE, crc32(letters)))
        if len(word) <= LONGEST:
            if len(self) >= REMEMBERED:
                self.clear()
            self[word] = found
        return found


_words = _Words()


def buckets(title: str, text: str) -> set[int]:
    """The buckets of a text: of pieces of its words, of their pairs, and of whole words."""
    last = BUCKETS - 1
    said: list[str] = []
    for word in WORD.findall(fold(f"{title}\n{text}"[:READ_CHARS])):
        # that there is a number says something, which one it is nothing
        said.append("0" if word.isdecimal() else word)
    words = list(map(_words.__getitem__, said))
    pairs = {crc32(two.letters, one.begun) & last for one, two in pairwise(words)}
    return pairs.union(*[word.pieces for word in words])


def _pieces(word: str) -> tuple[int, ...]:
    """The buckets of a word and of its pieces."""
    letters, last = f"^{word}$".encode(ENCODING), BUCKETS - 1
    found = [crc32(letters) & last]
    for size in SIZES:
        wide = 2 * size
        ends = range(wide, len(letters) + 1, 2)
        found += [crc32(letters[end - wide : end]) & last for end in ends]
    return tuple(found)


def wording_odds(title: str, text: str, table: Wording) -> float:
    """The log-odds that a text is about security, by its wording."""
    found = buckets(title, text)
    size, total = len(found), 0
    if size > 1:  # of one bucket it is no tuple
        total = sum(itemgetter(*found)(table.raised)) - RAISED * size
    elif found:
        total = table.weights[found.pop()]
    return table.bias + table.scale * total / sqrt(size or 1)


@cache
def wording(code: str) -> Wording | None:
    """The wording table of one of our languages, read when first asked for."""
    path = FOLDER / code / FILE
    if not path.exists():
        return None
    return Wording.read(path.read_bytes())
