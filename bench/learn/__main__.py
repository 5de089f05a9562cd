"""Learn how security news is worded, and say how well it is told: `python -m bench.learn [--write]`

For each language: the lexicon alone, the wording alone and both, judged by folds and by date, on
clean and on hard texts. `--write` learns from all and writes the tables of the program. Needs the
labelled news of `--data`, which is not part of the project. Three minutes on one core.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is read

import numpy as np

from bench.learn.fit import Bools, Floats
from bench.learn.learning import (
    Odds,
    best_threshold,
    judged_after,
    judged_apart,
    learnt_wording,
    score,
    table,
)
from bench.learn.texts import Read, by_date, read_texts, see
from bot.detect.lexicon import zones
from bot.detect.security import lexicon, weighed
from bot.languages import FOLDER, LANGUAGES
from bot.languages.wordings import FILE

DATA = Path(__file__).resolve().parents[2] / "../shared/data/security"
TIERS = ("core", "hard")


def main() -> int:
    """Report on every language, and write its table where that is wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.learn", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of labelled news")
    parser.add_argument("--only", choices=LANGUAGES, help="one language")
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
        threshold = report(code, read)
        if asked.write:
            write(code, read, threshold)
    return 0


def report(code: str, read: Read) -> float:
    """Print how well a language's texts are told apart; the threshold that the folds found."""
    apart = judged_apart(read)
    everywhere = np.ones(len(read.texts), dtype=bool)
    threshold = best_threshold(apart.together, read, everywhere)
    _print(f"{code}, by folds", apart, read, everywhere, threshold)
    dated = by_date(read.texts)
    if dated is not None:
        before, after = dated
        earlier = judged_after(read, before)
        _print(f"{code}, later texts", earlier, read, after, threshold)
    return threshold


def _print(name: str, odds: Odds, read: Read, of: Bools, threshold: float) -> None:
    counts = [int((of & read.tier(tier)).sum()) for tier in TIERS]
    print(f"\n{name}: {counts[0]} clean and {counts[1]} hard texts")
    shown: list[tuple[str, Floats, float]] = [
        ("lexicon", odds.words, 0.0),
        ("wording", odds.wording, 0.0),
        ("both", odds.together, threshold),
    ]
    for what, by, limit in shown:
        scores = [str(score(by, read.labels, of & read.tier(tier), limit)) for tier in TIERS]
        print(f"  {what:<8} clean {scores[0]}   hard {scores[1]}", flush=True)


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
    path = FOLDER / code / FILE
    path.write_bytes(table(learnt, threshold).written())
    print(f"  written: {path.name} of {code}, threshold {threshold:+.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
