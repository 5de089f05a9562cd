"""The test files of a fresh clone, made ready by two processes: the one that finds the tests begins
with the first file, a fork of it with the last.

What pytest makes of a file, for its assertions to say what they compared, it keeps beside the file
and reads from then on; on a fresh clone it makes that of three hundred files, for four seconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from _pytest.assertion import rewrite


def rewrite_from_the_end(config: pytest.Config, folder: Path) -> Callable[[], None]:
    """Begin; it ends at the first file that is ready. Returns what waits for its end."""
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):  # whoever finds the tests meets the same, and says it
            for path in sorted(folder.rglob("test_*.py"), reverse=True):
                if not _made_ready(config, path):
                    break
        os._exit(0)

    def ended() -> None:
        os.waitpid(pid, 0)

    return ended


def _made_ready(config: pytest.Config, path: Path) -> bool:
    """Whether a file was not ready, and is."""
    folder = rewrite.get_cache_dir(path)
    kept = folder / f"{path.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(path, kept) is not None:
        return False
    digest, code = rewrite._rewrite_test(path, config)
    state = config.stash[rewrite.assertstate_key]
    return rewrite.try_makedirs(folder) and rewrite._write_pyc(state, code, digest, kept)
