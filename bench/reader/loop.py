"""The package `reader` on the same feeds, run by an interpreter that has it.

`python loop.py URL SOURCES` reads a line a round from stdin and prints the seconds of each. URL has
a place for the source's host.
"""

import sys
import tempfile
import time
from pathlib import Path

from reader import make_reader


def main(url: str, sources: int) -> None:
    """Add the feeds, then update them as often as asked."""
    with tempfile.TemporaryDirectory() as folder:
        reader = make_reader(str(Path(folder) / "reader.db"))
        for number in range(sources):
            reader.add_feed(url.format(host=f"127.1.{number // 250}.{number % 250 + 1}"))
        for _ in sys.stdin:
            began = time.perf_counter()
            reader.update_feeds(scheduled=False)
            print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
