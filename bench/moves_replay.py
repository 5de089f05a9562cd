"""How long a replay of a table of rates takes: `python bench/moves_replay.py FILE.csv`.

The promise is two seconds for the recorded two and a half years of four pairs. The baseline of the same run only
reads the table.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

from bot.detect.replay import read_table, replay_csv


def main(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    started = perf_counter()
    series = read_table(lines, "KGS")
    read = perf_counter() - started
    started = perf_counter()
    moves = replay_csv(lines, "KGS")
    replayed = perf_counter() - started
    assert series
    assert moves
    print(f"rates {sum(map(len, series))}  moves {len(moves)}  read {read:.3f} s  replay {replayed:.3f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
