"""A plugin of pytest for `tests/mutants.py`: what functions remember is forgotten at the start.

mutmut forks each mutant from the process that ran all tests once: what a `cache` had by then would
answer in the place of a function that was broken since.
"""

from __future__ import annotations

import functools
import gc


def pytest_sessionstart() -> None:
    """Empty the caches of all functions there are."""
    gc.unfreeze()  # what `tests/conftest.py` froze is in no list
    for one in gc.get_objects():
        if isinstance(one, functools._lru_cache_wrapper):
            one.cache_clear()
