"""The process's memory as the C library gives it out."""

from __future__ import annotations

import contextlib
import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of glibc's malloc.h
LARGE = 128 * 1024  # bytes: a block of so many is the system's own, and goes back when it is let go


def share_one_heap() -> None:
    """Let all threads of this process take memory from one heap: called before there are others.

    glibc gives each thread a heap of its own, and what one lets go no other may take: with a thread
    for each connection to the database's file that was 10 MB of a busy bot's memory, and grew for
    hours. Threads would wait for each other at one heap only if many took memory all the time: all
    but SQLite's work is done under one lock anyway.

    What is large stays out of it. glibc takes larger and larger blocks from the heap, too, where
    they leave holes: a broadcast left 4 MB of them. Other C libraries have one heap, or no such
    thing to say.
    """
    with contextlib.suppress(AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_MMAP_THRESHOLD, LARGE)
