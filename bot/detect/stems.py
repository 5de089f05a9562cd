"""The stems of words as stories are compared by them: beginnings, and no dictionary to carry."""

from __future__ import annotations

from functools import cache
from sys import intern

REMEMBERED, LONGEST = 4_000, 30  # words whose stems are remembered, none of them longer


class Stems(dict[str, str]):
    """The stems of words met lately, enough to join their forms."""

    def __init__(self, *, by_endings: bool) -> None:
        super().__init__()
        self._by_endings = by_endings

    def __missing__(self, word: str) -> str:
        # interned: thousands of sketches have the same few thousand stems
        stem = intern(_stem(word, by_endings=self._by_endings))
        if len(word) <= LONGEST:
            if len(self) >= REMEMBERED:
                self.clear()
            self[word] = stem
        return stem


@cache
def stems_of(*, by_endings: bool) -> Stems:
    """The stems of a language whose words have endings, or of one whose words hardly do."""
    return Stems(by_endings=by_endings)


def _stem(word: str, *, by_endings: bool) -> str:
    if word.isdecimal() or len(word) <= 4:
        return word
    if by_endings:  # two letters shorter a stem is the same in nearly every case
        return word[: max(4, min(6, len(word) - 2))]
    return word[:6]
