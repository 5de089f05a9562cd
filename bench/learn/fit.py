"""Logistic regression over sparse rows, in numpy alone: what the project has anyway.

Accelerated proximal gradient steps of their own size for each weight, so that a rare piece of a
word is learnt as fast as a frequent one; they begin anew where they overshoot. Weights are drawn
towards a value that is believed beforehand, and may be kept on one side of zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEWTON_STEPS, CLOSE_ENOUGH = 30, 1e-3

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix: which columns each row has, and with what value."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Floats
    height: int
    width: int

    @classmethod
    def of(cls, rows: Sequence[Mapping[int, float]], width: int) -> Rows:
        """The matrix of rows given as column → value."""
        counts = [len(row) for row in rows]
        columns = [column for row in rows for column in row]
        values = [value for row in rows for value in row.values()]
        return cls(
            row=np.repeat(np.arange(len(rows)), counts),
            column=np.array(columns, dtype=np.int64),
            value=np.array(values, dtype=np.float64),
            height=len(rows),
            width=width,
        )

    def times(self, weights: Floats) -> Floats:
        """A number a row: its values by the weights of their columns."""
        return self._sums(self.row, self.value * weights[self.column], self.height)

    def turned(self, numbers: Floats) -> Floats:
        """A number a column: its values by the numbers of their rows."""
        return self._sums(self.column, self.value * numbers[self.row], self.width)

    def scaled(self, by_row: Floats, by_column: Floats) -> Rows:
        """The same columns, each value times its row's and its column's factor."""
        value = self.value * by_row[self.row] * by_column[self.column]
        return Rows(self.row, self.column, value, self.height, self.width)

    def only(self, rows: Bools) -> Rows:
        """Some of the rows, in their order."""
        places = np.cumsum(rows) - 1
        kept = rows[self.row]
        return Rows(
            row=places[self.row[kept]],
            column=self.column[kept],
            value=self.value[kept],
            height=int(rows.sum()),
            width=self.width,
        )

    def frequency(self) -> Floats:
        """In how many rows each column is."""
        return np.bincount(self.column, minlength=self.width).astype(np.float64)

    @staticmethod
    def _sums(places: NDArray[np.int64], numbers: Floats, length: int) -> Floats:
        return np.bincount(places, weights=numbers, minlength=length).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Learnt:
    """The weights of columns and what a blank row has."""

    weights: Floats
    bias: float

    def odds(self, rows: Rows) -> Floats:
        """The log-odds of each row."""
        return rows.times(self.weights) + self.bias


def sigmoid(odds: Floats) -> Floats:
    """Log-odds as probabilities."""
    result: Floats = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return result


def fit_dense(rows: Floats, truth: Floats, worth: Floats, *, drawn: float) -> Learnt:
    """Weights as `fit` finds them, of rows of few columns without gaps: by Newton's steps."""
    middle = worth @ rows / worth.sum()
    whole = np.column_stack([np.ones(len(rows)), rows - middle])
    pull = np.full(whole.shape[1], drawn)
    pull[0] = 1e-6  # nothing draws the bias
    weights = np.zeros(whole.shape[1])
    for _ in range(NEWTON_STEPS):
        said = sigmoid(whole @ weights)
        slope = whole.T @ (worth * (said - truth)) + pull * weights
        curve = (whole.T * (worth * said * (1 - said))) @ whole + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < CLOSE_ENOUGH:
            break
    return Learnt(weights[1:], float(weights[0] - weights[1:] @ middle))


def fit(
    rows: Rows,
    truth: Floats,
    worth: Floats,
    *,
    drawn: float,
    believed: Floats | None = None,
    side: Floats | None = None,
    steps: int = 150,
) -> Learnt:
    """Weights that give each row's `truth` (0 to 1), a row counting `worth`.

    `drawn` says how strongly a weight is drawn to what is `believed` of it (0 where not said);
    `side` keeps it above (1) or below (-1) zero.
    """
    believed = np.zeros(rows.width) if believed is None else believed
    # No step longer than the curve allows: a bound of the second derivative, each weight its own.
    sums = np.bincount(rows.row, weights=np.abs(rows.value), minlength=rows.height) + 1
    curve = 0.25 * np.bincount(
        rows.column, weights=np.abs(rows.value) * (worth * sums)[rows.row], minlength=rows.width
    )
    curve += drawn
    curve_of_bias = 0.25 * float((worth * sums).sum())
    at, bias_at = believed.copy(), 0.0
    ahead, bias_ahead, pace = at, bias_at, 1.0
    for _ in range(steps):
        error = worth * (sigmoid(rows.times(ahead) + bias_ahead) - truth)
        slope = rows.turned(error) + drawn * (ahead - believed)
        new, bias_new = ahead - slope / curve, bias_ahead - float(error.sum()) / curve_of_bias
        if side is not None:
            new = np.where(side * new < 0, 0.0, new)
        overshot = float(((ahead - new) * (new - at) * curve).sum())
        overshot += (bias_ahead - bias_new) * (bias_new - bias_at) * curve_of_bias
        faster = (1 + math.sqrt(1 + 4 * pace * pace)) / 2
        ahead, bias_ahead = new, bias_new
        if overshot > 0:
            faster = 1.0
        else:
            push = (pace - 1) / faster
            ahead, bias_ahead = new + push * (new - at), bias_new + push * (bias_new - bias_at)
        at, bias_at, pace = new, bias_new, faster
    return Learnt(at, bias_at)
