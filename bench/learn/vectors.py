"""Vectors of the labelled news, each made once: a tenth of a second of a processor a text.

They are kept in a file a language beside the labelled news, or where one says: a digest of what was
read and the vector, one behind the other, so that whoever was interrupted goes on where they were.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.learn.fit import Floats
from bench.learn.texts import Text
from bot.detect import meaning
from bot.languages.meanings import SIZE

DIGEST = 20  # bytes of what tells one text from another
RECORD = DIGEST + SIZE
AT_ONCE = 20  # vectors made before they are written


def vectors_of(texts: Sequence[Text], path: Path, *, seconds: float = math.inf) -> Floats:
    """The vector of each labelled text, the hard ones' first; nothing but zeros of one that nobody
    labelled, or for which there was no time.
    """
    kept = _kept(path)
    asked: dict[bytes, str] = {}
    for text in sorted(texts, key=lambda text: text.tier != "hard"):
        if text.label is not None:
            cut = meaning.as_cut(text.title, text.text)
            asked[_digest(cut)] = cut
    missing = {digest: cut for digest, cut in asked.items() if digest not in kept}
    if missing:
        kept |= _make(missing, path, seconds)
    found = np.zeros((len(texts), SIZE))
    for index, text in enumerate(texts):
        vector = kept.get(_digest(meaning.as_cut(text.title, text.text)))
        if vector is not None and text.label is not None:
            found[index] = np.frombuffer(vector, dtype=np.int8)
    sizes: Floats = np.linalg.norm(found, axis=1, keepdims=True)
    unit: Floats = found / np.maximum(sizes, 1)
    return unit


def _kept(path: Path) -> dict[bytes, bytes]:
    """The vectors made so far, by digest; half a record at the end is none."""
    data = path.read_bytes() if path.exists() else b""
    kept: dict[bytes, bytes] = {}
    for start in range(0, len(data) - RECORD + 1, RECORD):
        kept[data[start : start + DIGEST]] = data[start + DIGEST : start + RECORD]
    return kept


def _make(missing: dict[bytes, str], path: Path, seconds: float) -> dict[bytes, bytes]:
    """Make the vectors of texts, for so long at most, and keep them."""
    until = time.monotonic() + seconds
    print(f"  {len(missing)} vectors are made and kept in {path}", flush=True)
    made: dict[bytes, bytes] = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.truncate(file.tell() // RECORD * RECORD)
        digests = list(missing)
        for start in range(0, len(digests), AT_ONCE):
            if time.monotonic() > until:
                break
            some = digests[start : start + AT_ONCE]
            vectors = meaning.vectors([missing[digest] for digest in some])
            for digest, vector in zip(some, vectors, strict=True):
                file.write(digest + vector)
                made[digest] = vector
            file.flush()
    return made


def _digest(cut: str) -> bytes:
    return hashlib.sha1(cut.encode(), usedforsecurity=False).digest()
