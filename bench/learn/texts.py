"""Labelled news: read from where it lies, and parted so that nothing is judged by what taught it.

The texts are other people's and stay where they are; `docs/detection.md` says what they are and
which terms they have. Nothing of them but weights comes into the program.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.learn.fit import Bools, Floats, Rows
from bot.detect.lexicon import Pattern, zones
from bot.detect.security import outranking, weighed
from bot.detect.wording import buckets
from bot.languages.wordings import BUCKETS
from bot.model.text import comparable

FOLDS = 5
#: What a text counts by how surely it is labelled; the hard ones are few and wanted.
WORTH = {"core": 1.0, "extended": 0.5, "hard": 3.0, "ambiguous": 0.5}
LABELS = {"security": 1, "other": 0}
LATER = 0.7  # by date: what is learnt from, and what is judged comes after it


@dataclass(frozen=True, slots=True)
class Text:
    """One news text; `label` is 1 for security, 0 for other, None where nobody said."""

    title: str
    text: str
    label: int | None
    tier: str
    group: str
    date: str

    @property
    def fold(self) -> int:
        """The part it is judged in: texts of one day (week, document) are in one part."""
        return int(hashlib.sha1(self.group.encode(), usedforsecurity=False).hexdigest(), 16) % FOLDS


def read_texts(folder: Path, code: str) -> list[Text]:
    """A language's labelled texts, and those that nobody labelled; not those nobody was sure of."""
    texts: list[Text] = []
    seen: set[str] = set()
    for part in ("dev", "hard.dev", "ambiguous_unlabelled.dev"):
        for row in _rows(folder / f"{code}.{part}.jsonl"):
            # a text may be both clean and hard: its source said one thing, a second look another
            if row["label"] == "unsure" or (row["label"] is None and row["id"] in seen):
                continue
            seen.add(row["id"])
            labelled = LABELS.get(row["label"])
            tier = row["tier"] if labelled is not None else "ambiguous"
            text = Text(
                title=comparable(row["title"] or ""),
                text=comparable(row["text"] or ""),
                label=labelled,
                tier=tier,
                group=row["group"],
                date=row["date"] or "",
            )
            texts.append(text)
    return texts


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


@dataclass(frozen=True, slots=True)
class Read:
    """Texts as the detector sees them: words of its lexicon, pieces, and what it believes."""

    texts: Sequence[Text]
    words: Rows
    patterns: Sequence[Pattern]
    pieces: Rows
    outranking: Floats

    @property
    def labels(self) -> Floats:
        """1 for security, 0 for other and for what nobody labelled."""
        return np.array([float(text.label or 0) for text in self.texts])

    @property
    def worth(self) -> Floats:
        return np.array([WORTH[text.tier] for text in self.texts])

    @property
    def labelled(self) -> Bools:
        return np.array([text.label is not None for text in self.texts])

    def tier(self, name: str) -> Bools:
        """A mask of the texts that are of a tier."""
        return np.array([text.tier == name for text in self.texts])


def see(texts: Sequence[Text], code: str) -> Read:
    """Look at texts as the program does when it judges them."""
    numbered: dict[Pattern, int] = {}
    words: list[dict[int, float]] = []
    pieces: list[dict[int, float]] = []
    loud: list[float] = []
    for text in texts:
        weights = weighed(zones(text.title, text.text), code)
        row: dict[int, float] = {}
        for pattern, weight in weights.items():
            row[numbered.setdefault(pattern, len(numbered))] = weight / pattern.weight
        words.append(row)
        pieces.append(dict.fromkeys(buckets(text.title, text.text), 1.0))
        loud.append(outranking(weights))
    return Read(
        texts=texts,
        words=Rows.of(words, len(numbered)),
        patterns=list(numbered),
        pieces=Rows.of(pieces, BUCKETS),
        outranking=np.array(loud),
    )


def parts(texts: Sequence[Text]) -> Iterator[tuple[Bools, Bools]]:
    """For each fold: what is learnt from, what is judged."""
    folds = np.array([text.fold for text in texts])
    for fold in range(FOLDS):
        yield folds != fold, folds == fold


def by_date(texts: Sequence[Text]) -> tuple[Bools, Bools] | None:
    """Masks of the texts to learn from and of the later ones to judge by; None without dates."""
    dates = sorted(text.date for text in texts if text.date and text.label is not None)
    if not dates:
        return None
    day = dates[int(LATER * len(dates))]
    before = np.array([bool(text.date) and text.date < day for text in texts])
    after = np.array([text.date >= day for text in texts])
    return before, after
