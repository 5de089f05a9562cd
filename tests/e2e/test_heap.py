"""The memory of a running bot: one heap for all its threads, and few pages of its file."""

from __future__ import annotations

import platform
import subprocess
import sys
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.emulator import Emulator
from storage.opening import open_store
from tests.e2e.program import READER, Program
from tests.e2e.test_whole import catalog, emulator, publishers
from tests.forkserver import ROOT
from tests.publishers import Publishers

__all__ = ["emulator", "publishers"]  # fixtures

#: What glibc sets aside for a heap beside the first, and a multiple of which it begins at.
HEAP = 64 * 1024 * 1024
READERS = 8  # who reads a file at once; the others wait
MOST_KIB = 4096  # of the file's pages, in all connections together


def heaps_beside(maps: str) -> int:
    """The number of heaps of a process beside its first: each is a used part and one set aside."""
    spans = []
    for line in maps.splitlines():
        place, rights, *_ = line.split()
        begin, end = (int(number, 16) for number in place.split("-"))
        spans.append((begin, end, rights))
    return sum(
        begin % HEAP == 0 and (rights, later) == ("rw-p", "---p") and last == begin + HEAP
        for (begin, _, rights), (_, last, later) in pairwise(spans)
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have one heap by themselves")
async def test_all_threads_of_the_bot_share_one_heap(
    tmp_path: Path, emulator: Emulator, publishers: Publishers
) -> None:
    """Each connection to the file has a thread; what one of them lets go, all others may take."""
    program = Program(tmp_path, emulator, catalog(publishers.url))
    await program.start()
    emulator.add_private(emulator.add_user(READER, "Aigul", "en"))
    asked = await emulator.send_text(READER, "/rates")
    await emulator.wait_message(READER, lambda m: "text" in m, after=asked, timeout=30)
    assert program.process is not None
    of_it = Path(f"/proc/{program.process.pid}")
    assert len(list((of_it / "task").iterdir())) > 1
    assert heaps_beside((of_it / "maps").read_text()) == 0
    assert await program.end() == 0


#: Says the size of the heap while a block of 20 MiB is held, after a larger one was let go.
HELD = """
from pathlib import Path
from bot.heap import share_one_heap
share_one_heap()
first = bytearray(30 << 20)
del first
held = bytearray(20 << 20)
for line in Path("/proc/self/maps").read_text().splitlines():
    if line.endswith("[heap]"):
        begin, end = (int(one, 16) for one in line.split()[0].split("-"))
        print(end - begin)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have no such threshold")
def test_what_is_large_lies_beside_the_heap() -> None:
    """Also once such a block was let go, after which glibc takes the next from the heap."""
    done = subprocess.run(
        [sys.executable, "-c", HELD], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20 << 20


async def test_connections_to_a_file_keep_few_of_its_pages(tmp_path: Path) -> None:
    """However large the file, and whoever reads beside whoever writes."""
    store = await open_store(f"sqlite:///{tmp_path / 'jarchy.db'}")
    kept = []
    async with AsyncExitStack() as stack:
        every = [store.writing(), *(store.reading() for _ in range(READERS))]
        for one in every:
            db = await stack.enter_async_context(one)
            # SQLite's own way to say KiB and not pages
            kept.append(-(await db.execute(text("PRAGMA cache_size"))).scalar_one())
    assert min(kept) > 0
    assert sum(kept) <= MOST_KIB
    await store.close()
