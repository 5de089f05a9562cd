"""A language's meaning table (`meaning.bin`): which vectors of texts are of security news.

A weight for each of the 384 numbers of a vector (`bot.detect.meaning`), behind a header: a mark,
the bias, the threshold of all that is added up, what the lexicon counts beside a vector, and the
weights' checksum; 1.5 kB. `python -m bench.learn --write` makes it, where the extra `meaning` is
installed. A language without the file is decided without vectors.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

FILE = "meaning.bin"
SIZE = 384  # numbers of a vector
MARK = b"JMT1"
HEADER = struct.Struct("<4sfffI")
BODY = struct.Struct(f"<{SIZE}f")


@dataclass(frozen=True, slots=True)
class Meaning:
    """The weights of a vector's numbers, and the log-odds of a vector of nothing.

    `threshold` is what lexicon, wording and vector must have together for a text to be about
    security; `lexicon` is what the lexicon's log-odds are multiplied by there.
    """

    weights: Sequence[float]
    bias: float
    threshold: float
    lexicon: float

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The table of a file; ValueError says what is wrong with it."""
        if len(data) != HEADER.size + BODY.size:
            raise ValueError(f"should have {HEADER.size + BODY.size} bytes, and has {len(data)}")
        mark, bias, threshold, lexicon, checksum = HEADER.unpack_from(data)
        body = data[HEADER.size :]
        if mark != MARK:
            raise ValueError("is no meaning table of this version")
        if zlib.crc32(body) != checksum:
            raise ValueError("is damaged: its checksum is another")
        return cls(BODY.unpack(body), bias, threshold, lexicon)

    def written(self) -> bytes:
        """The file of the table."""
        body = BODY.pack(*self.weights)
        checksum = zlib.crc32(body)
        return HEADER.pack(MARK, self.bias, self.threshold, self.lexicon, checksum) + body

    def odds(self, vector: Sequence[int]) -> float:
        """The log-odds that a text is about security, by its vector, however long that is."""
        length = math.sqrt(sum(value * value for value in vector)) or 1.0
        total = sum(map(float.__mul__, self.weights, map(float, vector)))
        return self.bias + total / length
