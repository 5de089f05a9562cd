"""The tables that are learnt of a language, and log-odds of texts that taught nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bench.learn.fit import Bools, Floats, Learnt, Rows, fit, fit_dense, sigmoid
from bench.learn.texts import Read, parts
from bot.detect.security import MOST_AGAINST, OUTRANKS
from bot.languages.meanings import Meaning
from bot.languages.wordings import Wording

PIECES_DRAWN = 0.1  # how strongly a piece's weight is drawn to nothing
PIECES_STEPS = 100
VECTORS_DRAWN = 0.3  # how strongly a weight of vectors is
WORDS_DRAWN = 1.0  # how strongly a word's weight is drawn to what a hand would give it
BY_HAND = 1.2
RARE = 2  # a bucket of fewer texts teaches nothing
HIGHEST = 127  # of a signed byte
#: Of the weights: what lies beyond is cut off, so that the others have finer steps.
CUT = 0.999
#: What the lexicon counts beside vectors, where that is not 1.
BESIDE_VECTORS = {"ru": 0.7}
# The threshold: the hard texts count a fifth of the clean ones, and no single text moves it.
HARD_COUNTS = 0.2
SMOOTH = 0.25


@dataclass(frozen=True, slots=True)
class Odds:
    """Log-odds of each text: by the lexicon, by its wording, what outranks the wording, and by its
    vector, where vectors were learnt from.
    """

    words: Floats
    wording: Floats
    outranking: Floats
    vectors: Floats

    @property
    def together(self) -> Floats:
        """By the lexicon and the wording."""
        return self.words + self._outranked(self.wording)

    def all_three(self, lexicon: float) -> Floats:
        """By the vector too, where the lexicon counts so much."""
        return lexicon * self.words + self._outranked(self.wording + self.vectors)

    def _outranked(self, worded: Floats) -> Floats:
        held = np.where(self.outranking == 1, np.maximum(worded, MOST_AGAINST), worded)
        added: Floats = held + OUTRANKS * self.outranking
        return added


def judged_apart(read: Read, vectors: Floats | None = None) -> Odds:
    """Each text judged by what the other folds taught."""
    count = len(read.texts)
    odds = Odds(np.zeros(count), np.zeros(count), read.outranking, np.zeros(count))
    for known, asked in parts(read.texts):
        part = judged_after(read, known, vectors)
        odds.words[asked] = part.words[asked]
        odds.wording[asked] = part.wording[asked]
        odds.vectors[asked] = part.vectors[asked]
    return odds


def judged_after(read: Read, known: Bools, vectors: Floats | None = None) -> Odds:
    """All texts judged by what the `known` ones teach; only the others' odds mean anything.

    A word of the lexicon that none of them has is left out. The hand that wrote it had seen the
    others, so that with it the lexicon looks .02 to .04 better than it is.
    """
    words = relearnt_lexicon(read, known)
    by_words = words.odds(read.words)
    scaled, table = learnt_wording(read, known, by_words)
    by_vectors = np.zeros(len(read.texts))
    if vectors is not None:
        learnt = learnt_vectors(read, known, vectors)
        by_vectors = vectors @ learnt.weights + learnt.bias
    return Odds(by_words, quantised(table).odds(scaled), read.outranking, by_vectors)


def learnt_vectors(read: Read, known: Bools, vectors: Floats) -> Learnt:
    """The weights of a vector's numbers, as the labelled ones of `known` texts teach them."""
    taught = known & read.labelled & vectors.any(axis=1)
    return fit_dense(vectors[taught], read.labels[taught], read.worth[taught], drawn=VECTORS_DRAWN)


def relearnt_lexicon(read: Read, known: Bools) -> Learnt:
    """The lexicon's weights as `known` texts would have them, each on its own side of zero."""
    taught = known & read.labelled
    rows = read.words.only(taught)
    side = np.sign(np.array([pattern.weight for pattern in read.patterns]))
    side = np.where(rows.frequency() > 0, side, 0.0)
    learnt = fit(
        rows,
        read.labels[taught],
        read.worth[taught],
        drawn=WORDS_DRAWN,
        believed=BY_HAND * side,
        side=side,
    )
    return replace(learnt, weights=np.where(side == 0, 0.0, learnt.weights))


def learnt_wording(read: Read, known: Bools, by_words: Floats) -> tuple[Rows, Learnt]:
    """The pieces as they are added up, and their weights.

    Texts that nobody labelled are wars and foreign policy, of which labelled news has little: they
    teach what the lexicon thinks of them.
    """
    pieces = read.pieces
    alike = np.bincount(pieces.row, minlength=pieces.height)
    by_row = 1 / np.sqrt(np.maximum(alike, 1))
    frequency = pieces.only(known).frequency()
    # frequent pieces are drawn to nothing more strongly than rare ones
    telling = np.log((1 + known.sum()) / (1 + frequency)) + 1
    telling = np.where(frequency < RARE, 0.0, telling)
    truth = np.where(read.labelled, read.labels, sigmoid(by_words))
    learnt = fit(
        pieces.scaled(by_row, telling).only(known),
        truth[known],
        read.worth[known],
        drawn=PIECES_DRAWN,
        steps=PIECES_STEPS,
    )
    plain = pieces.scaled(by_row, np.ones(pieces.width))
    return plain, replace(learnt, weights=learnt.weights * telling)


def quantised(learnt: Learnt) -> Learnt:
    """The weights as a signed byte has them."""
    scale = _scale(learnt)
    return replace(learnt, weights=_bytes(learnt, scale) * scale)


def table(learnt: Learnt, threshold: float) -> Wording:
    """The table that the program reads."""
    scale = _scale(learnt)
    return Wording.of(_bytes(learnt, scale).astype(int).tolist(), scale, learnt.bias, threshold)


def meaning_table(learnt: Learnt, threshold: float, lexicon: float) -> Meaning:
    """The table of vectors that the program reads."""
    return Meaning(learnt.weights.tolist(), learnt.bias, threshold, lexicon)


def _scale(learnt: Learnt) -> float:
    sizes = np.abs(learnt.weights[learnt.weights != 0])
    return float(np.quantile(sizes, CUT)) / HIGHEST


def _bytes(learnt: Learnt, scale: float) -> Floats:
    return np.clip(np.round(learnt.weights / scale), -HIGHEST, HIGHEST)


@dataclass(frozen=True, slots=True)
class Score:
    """Precision (security among the found), recall (found among security), and their mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        if not self.precision + self.recall:
            return 0.0
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    def __str__(self) -> str:
        return f"{self.precision:.3f} / {self.recall:.3f} / {self.f1:.3f}"


def score(odds: Floats, labels: Floats, of: Bools, threshold: float) -> Score:
    """The score of some texts."""
    said, true = odds[of] > threshold, labels[of] > 0
    hits = int((said & true).sum())
    return Score(hits / max(1, int(said.sum())), hits / max(1, int(true.sum())))


def best_threshold(odds: Floats, read: Read, of: Bools) -> float:
    """The log-odds from which a text is best called security."""
    steps = np.arange(-4, 4, 0.05)
    sums = []
    for step in steps:
        clean = score(odds, read.labels, of & read.tier("core"), step).f1
        hard = score(odds, read.labels, of & read.tier("hard"), step).f1
        sums.append(clean + HARD_COUNTS * hard)
    width = round(SMOOTH / 0.05)
    window = np.ones(2 * width + 1) / (2 * width + 1)
    return float(steps[width:-width][np.convolve(sums, window, mode="valid").argmax()])
