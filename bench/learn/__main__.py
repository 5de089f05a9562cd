"""Learn how security news is worded, and say how well it is told: `python -m bench.learn [--write]`

For each language: the lexicon alone, the wording alone and both, judged by folds and by date, on
clean and on hard texts; with vectors too where the extra `meaning` is installed, and with vectors
as the program asks for them: of what the two others leave undecided. `--write` learns from all and
writes the tables of the program. Needs the labelled news of `--data`, which is not part of the
project. Three minutes on one core, and twenty before that to make the vectors, once.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is read

import numpy as np

from bench.learn.fit import Bools, Floats
from bench.learn.learning import (
    BESIDE_VECTORS,
    Odds,
    best_threshold,
    judged_after,
    judged_apart,
    learnt_vectors,
    learnt_wording,
    meaning_table,
    score,
    table,
)
from bench.learn.texts import Read, by_date, parts, read_texts, see
from bench.learn.vectors import vectors_of
from bot.detect.lexicon import zones
from bot.detect.meaning import installed
from bot.detect.security import UNDECIDED, lexicon, weighed
from bot.languages import FOLDER, LANGUAGES, meanings, wordings

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "../shared/data/security"
VECTORS = ROOT / "data/vectors"  # not in git: they are of the texts
TIERS = ("core", "hard")


def main() -> int:
    """Report on every language, and write its table where that is wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.learn", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of labelled news")
    parser.add_argument("--only", choices=LANGUAGES, help="one language")
    parser.add_argument(
        "--vectors", type=Path, default=VECTORS, help="the folder where vectors are kept"
    )
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="how long a language's vectors are made"
    )
    parser.add_argument("--write", action="store_true", help="write the tables of the program")
    asked = parser.parse_args()
    folder = asked.data.resolve()
    if not folder.is_dir():
        print(
            f"no labelled news in {folder}: nothing is learnt and nothing measured", file=sys.stderr
        )
        return 2
    print("Precision / recall / F1 of security, by what taught and what was judged")
    for code in [asked.only] if asked.only else LANGUAGES:
        if not (folder / f"{code}.dev.jsonl").exists():
            print(f"\n{code}: no labelled news of this language")
            continue
        read = see(read_texts(folder, code), code)
        vectors = None
        if installed():
            kept = asked.vectors.resolve() / f"{code}.vectors"
            vectors = vectors_of(read.texts, kept, seconds=asked.minutes * 60)
        limits = report(code, read, vectors)
        if asked.write:
            write(code, read, limits.both)
            if vectors is not None:
                write_vectors(code, read, vectors, limits.all_three)
    return 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The log-odds from which a text is security: of lexicon and wording, and with vectors."""

    both: float
    all_three: float


def report(code: str, read: Read, vectors: Floats | None) -> Limits:
    """Print how well a language's texts are told apart, with thresholds that those judged had no
    part in; the thresholds that all folds find.
    """
    apart = judged_apart(read, vectors)
    everywhere = np.ones(len(read.texts), dtype=bool)
    beside = BESIDE_VECTORS.get(code, 1.0)

    def found(of: Bools) -> Limits:
        made = of if vectors is None else of & vectors.any(axis=1)
        all_three = best_threshold(apart.all_three(beside), read, made)
        return Limits(best_threshold(apart.together, read, of), all_three)

    both, all_three = np.zeros(len(read.texts)), np.zeros(len(read.texts))
    for known, asked in parts(read.texts):
        others = found(known)
        both[asked], all_three[asked] = others.both, others.all_three
    shown = _shown(apart, both, all_three, beside, vectors)
    _print(f"{code}, by folds", shown, read, everywhere)
    dated = by_date(read.texts)
    if dated is not None:
        before, after = dated
        earlier = found(before)
        odds = judged_after(read, before, vectors)
        shown = _shown(odds, earlier.both, earlier.all_three, beside, vectors)
        _print(f"{code}, later texts", shown, read, after)
    return found(everywhere)


def _shown(
    odds: Odds,
    both_from: Floats | float,
    all_from: Floats | float,
    beside: float,
    vectors: Floats | None,
) -> dict[str, tuple[Floats, Bools]]:
    """Ways to decide, each with its log-odds beside its threshold and the texts it is asked of."""
    both = odds.together - both_from
    everywhere = np.ones(len(both), dtype=bool)
    shown = {
        "lexicon": (odds.words, everywhere),
        "wording": (odds.wording, everywhere),
        "both": (both, everywhere),
    }
    if vectors is not None:
        # a text whose vector nobody made is decided by the two others, as in the program
        made = vectors.any(axis=1)
        all_three = np.where(made, odds.all_three(beside) - all_from, both)
        shown["vectors"] = np.where(made, odds.vectors, both), everywhere
        shown["all three"] = all_three, everywhere
        for within in (UNDECIDED / 2, UNDECIDED, UNDECIDED * 2):
            near = made & (np.abs(both) < within)
            shown[f"within {within:g}"] = np.where(near, all_three, both), near
    return shown


def _print(name: str, shown: Mapping[str, tuple[Floats, Bools]], read: Read, of: Bools) -> None:
    counts = [int((of & read.tier(tier)).sum()) for tier in TIERS]
    print(f"\n{name}: {counts[0]} clean and {counts[1]} hard texts")
    for what, (odds, asked) in shown.items():
        scores = [str(score(odds, read.labels, of & read.tier(tier), 0.0)) for tier in TIERS]
        part = ""
        if not asked.all():
            part = f"   asked of {asked[of & read.labelled].mean():.0%}"
        print(f"  {what:<9} clean {scores[0]}   hard {scores[1]}{part}", flush=True)


def write_vectors(code: str, read: Read, vectors: Floats, threshold: float) -> None:
    """Learn from all vectors, and write the language's table of them."""
    everything = np.ones(len(read.texts), dtype=bool)
    learnt = learnt_vectors(read, everything, vectors)
    path = FOLDER / code / meanings.FILE
    made = meaning_table(learnt, threshold, BESIDE_VECTORS.get(code, 1.0))
    path.write_bytes(made.written())
    print(f"  written: {path.name} of {code}, threshold {threshold:+.2f}", flush=True)


def write(code: str, read: Read, threshold: float) -> None:
    """Learn from all texts, with the lexicon as it is, and write the language's table."""
    by_words = np.array(
        [
            lexicon(code).bias + sum(weighed(zones(text.title, text.text), code).values())
            for text in read.texts
        ]
    )
    everything = np.ones(len(read.texts), dtype=bool)
    _, learnt = learnt_wording(read, everything, by_words)
    path = FOLDER / code / wordings.FILE
    path.write_bytes(table(learnt, threshold).written())
    print(f"  written: {path.name} of {code}, threshold {threshold:+.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
