"""A language's wording table (`wording.bin`): how security news is worded, as it was learnt.

One signed byte for each of 131,072 buckets that pieces of words fall into (`bot.detect.wording`),
behind a header: a mark, the scale of a byte, the bias, the threshold, and the bytes' checksum.
128 kB in a file and in memory, where the strongest 12,000 pieces as a dict are 1.6 MB and tell
less; and no text can be read out of it. `python -m bench.learn` writes it. A language without the
file has its lexicon alone.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

FILE = "wording.bin"
BUCKETS = 1 << 17  # a byte each: 128 KB a language
MARK = b"JWT1"
HEADER = struct.Struct("<4sfffI")
RAISED = 128  # a weight of -128 to 127 as a byte of 0 to 255
_RAISE = bytes((number + RAISED) % 256 for number in range(256))


@dataclass(frozen=True)
class Wording:
    """The weights of all buckets, what one unit of them is worth, and a blank text's log-odds.

    `threshold` is what lexicon and wording must have together for a text to be about security.
    """

    weights: memoryview
    scale: float
    bias: float
    threshold: float

    @classmethod
    def of(cls, weights: Iterable[int], scale: float, bias: float, threshold: float) -> Self:
        """A table of weights from -127 to 127, one a bucket."""
        body = struct.pack(f"{BUCKETS}b", *weights)
        return cls(memoryview(body).cast("b"), scale, bias, threshold)

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The table of a file; ValueError says what is wrong with it."""
        if len(data) != HEADER.size + BUCKETS:
            raise ValueError(f"should have {HEADER.size + BUCKETS} bytes, and has {len(data)}")
        mark, scale, bias, threshold, checksum = HEADER.unpack_from(data)
        body = data[HEADER.size :]
        if mark != MARK:
            raise ValueError("is no wording table of this version")
        if zlib.crc32(body) != checksum:
            raise ValueError("is damaged: its checksum is another")
        return cls(memoryview(body).cast("b"), scale, bias, threshold)

    @cached_property
    def raised(self) -> bytes:
        """The weights, each raised by `RAISED`: bytes are the fastest numbers to look up."""
        return self.weights.tobytes().translate(_RAISE)

    def written(self) -> bytes:
        """The file of the table."""
        body = self.weights.tobytes()
        return HEADER.pack(MARK, self.scale, self.bias, self.threshold, zlib.crc32(body)) + body
