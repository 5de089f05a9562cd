"""The agreement of "the same story?" with human judgements: `python -m bench.pairs [FILE]`.

The file (`../shared/data/clusters/pairs_gold.dev.jsonl`) is other people's texts and stays where it
is; without it this says so. Only pairs with texts are fitted on: the weights in
`bot/detect/stories.py` (`BY_TEXT`) are ridge regression over what `likeness` says of a pair. Folds
share no pair, and "by date" asks of one month with weights fitted on the others, as tomorrow's news
will be asked; no text was judged by weights it was fitted for but in the line that says so.

Where the extra `meaning` is installed, the same is said with vectors (`BY_MEANING`, over the cosine
and whether facts contradict), which takes a minute.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.detect import meaning, stories
from bot.detect.weighing import other_event
from bot.model.news import Entry

PAIRS = Path(__file__).parents[2] / "shared" / "data" / "clusters" / "pairs_gold.dev.jsonl"
FOLDS, TIMES, RIDGE = 10, 20, 1.0
DAYS = (  # as texts say it and as addresses have it: day, month or month, day
    re.compile(r"(?P<day>[0-3]?\d)(?:-?го)?[ -]?(?P<month>ноя|nov|мая|may)", re.IGNORECASE),
    re.compile(r"(?P<month>nov|may)\w* (?P<day>[0-3]?\d)\b", re.IGNORECASE),
    re.compile(r"20(?:19|20)[-/]?(?P<month>11|05)[-/]?(?P<day>[0-3]\d)"),
)
NOVEMBER = ("ноя", "nov", "11")

Numbers = NDArray[np.float64]
Answers = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two entries and what people said of them."""

    language: str
    a: Entry
    b: Entry
    same: bool
    period: str


def main(path: Path) -> int:
    """Print the report."""
    if not path.is_file():
        print(f"no judged pairs at {path}: nothing to measure")
        return 1
    pairs = read(path)
    known = np.array([one.same for one in pairs])
    print(f"{len(pairs)} pairs with texts, {int(known.sum())} of them one event")
    features = np.array([weighed(one) for one in pairs])
    report("words", pairs, features, [None] * len(pairs))
    if meaning.installed():
        alike = cosines(pairs)
        report("vectors", pairs, np.c_[alike, features[:, -1]], alike.tolist())
    else:
        print("vectors: the extra `meaning` is not installed")
    return 0


def report(
    what: str, pairs: Sequence[Pair], features: Numbers, alike: Sequence[float | None]
) -> None:
    """Print how well these features tell pairs apart, and the program with these cosines."""
    known = np.array([one.same for one in pairs])
    asis = f"{what}, as the program is (its weights were fitted on these)"
    _print(asis, pairs, as_it_is(pairs, alike))
    odds = folded(features, known)
    for language in sorted({one.language for one in pairs}):
        mine = np.array([one.language == language for one in pairs])
        found = [f1(known[mine], said[mine] >= 0) for said in odds]
        loss = np.mean([log_loss(known[mine], said[mine]) for said in odds])
        spread = f"{np.mean(found):.3f} ± {np.std(found):.3f}, log-loss {loss:.3f}"
        print(f"{what}, {FOLDS} folds, {TIMES} times: {language} F1 {spread}")
    later = by_period(features, known, [one.period for one in pairs])
    _print(f"{what}, by date", pairs, later >= 0, later)
    print(f"{what}, weights on all:", np.round(_raw(features, known), 2))


def cosines(pairs: Sequence[Pair]) -> Numbers:
    """The cosine between the vectors of each pair."""
    found: list[float] = []
    for one in pairs:
        a, b = meaning.vectors([meaning.as_read(one.a), meaning.as_read(one.b)])
        found.append(meaning.cosine(a, b))
    return np.array(found)


def read(path: Path) -> list[Pair]:
    """The judged pairs of a file that have a text on both sides."""
    pairs: list[Pair] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["a"]["text"] and row["b"]["text"]:
            pairs.append(
                Pair(
                    language=row["lang"],
                    a=_entry(row, "a"),
                    b=_entry(row, "b"),
                    same=bool(row["same"]),
                    period=_period(row),
                )
            )
    return pairs


def _entry(row: dict[str, Any], side: str) -> Entry:
    return Entry(id=side, title=row[side]["title"], summary=row[side]["text"], language=row["lang"])


def _period(row: dict[str, Any]) -> str:
    """The half of a month that a pair's addresses name, or its texts do first."""
    for text in (row["a"]["url"], row["b"]["url"], row["a"]["text"], row["b"]["text"]):
        for pattern in DAYS:
            found = pattern.search(text[:1500])
            if found:
                half = "early" if int(found["day"]) <= 15 else "late"
                return f"{'november' if found['month'].lower() in NOVEMBER else 'may'} {half}"
    return "unknown"


def weighed(pair: Pair) -> tuple[float, ...]:
    """The likenesses of a pair that the program weighs, and 1 where facts contradict."""
    a, b = stories.sketch(pair.a), stories.sketch(pair.b)
    return (*stories.likeness(a, b), float(other_event(a.facts(), b.facts())))


def as_it_is(pairs: Sequence[Pair], alike: Sequence[float | None]) -> Answers:
    """The program's own answers."""
    answers: list[bool] = []
    for one, cosine in zip(pairs, alike, strict=True):
        answers.append(stories.same_story(one.a, one.b, alike=cosine).same)
    return np.array(answers)


def folded(features: Numbers, known: Answers) -> list[Numbers]:
    """Log-odds by weights fitted on other folds, several times with other folds."""
    random = np.random.default_rng(0)
    answers: list[Numbers] = []
    for _ in range(TIMES):
        order = random.permutation(len(known))
        said = np.zeros(len(known))
        for fold in range(FOLDS):
            asked = order[fold::FOLDS]
            said[asked] = _asked(features, known, asked)
        answers.append(said)
    return answers


def by_period(features: Numbers, known: Answers, periods: Sequence[str]) -> Numbers:
    """Log-odds by weights fitted on all other periods."""
    said = np.zeros(len(known))
    for period in set(periods):
        asked = np.flatnonzero([one == period for one in periods])
        said[asked] = _asked(features, known, asked)
    return said


def _asked(features: Numbers, known: Answers, asked: NDArray[np.intp]) -> Numbers:
    rest = np.setdiff1d(np.arange(len(known)), asked)
    weights = _raw(features[rest], known[rest])
    odds: Numbers = weights[0] + features[asked] @ weights[1:]
    return odds


def _raw(features: Numbers, known: Answers) -> Numbers:
    """Logistic regression by Newton's method: the constant, then a weight a feature."""
    middle, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    x = np.c_[np.ones(len(features)), (features - middle) / spread]
    penalty = np.eye(x.shape[1]) * RIDGE
    penalty[0, 0] = 1e-6
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (likely - known) + penalty @ weights
        weights -= np.linalg.solve((x.T * (likely * (1 - likely))) @ x + penalty, slope)
    plain = weights[1:] / spread
    return np.array([weights[0] - plain @ middle, *plain])


def f1(known: Answers, said: Answers) -> float:
    """The harmonic mean of precision and recall."""
    return float(2 * (known & said).sum() / max(1, known.sum() + said.sum()))


def log_loss(known: Answers, odds: Numbers) -> float:
    """The mean log loss: 0 is right and sure, 0.69 says nothing."""
    return float(np.log1p(np.exp(-np.where(known, odds, -odds))).mean())


def _print(what: str, pairs: Sequence[Pair], said: Answers, odds: Numbers | None = None) -> None:
    known = np.array([one.same for one in pairs])
    for language in sorted({one.language for one in pairs}):
        mine = np.array([one.language == language for one in pairs])
        right, yes, true = (
            int(some.sum()) for some in (known[mine] & said[mine], said[mine], known[mine])
        )
        precise, found = right / max(1, yes), right / max(1, true)
        score = f1(known[mine], said[mine])
        loss = ""
        if odds is not None:
            loss = f", log-loss {log_loss(known[mine], odds[mine]):.3f}"
        line = f"{language} F1 {score:.3f}, precision {precise:.2f}, recall {found:.2f}{loss}"
        print(f"{what}: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
