"""The process's memory as the C library gives it out."""

from __future__ import annotations

import contextlib
import ctypes

_M_ARENA_MAX = -8  # of glibc's malloc.h


def share_one_heap() -> None:
    """Let all threads of this process take memory from one heap: called before there are others.

    glibc gives each thread a heap of its own, and what one lets go no other may take: with a thread
    for each connection to the database's file that was 10 MB of a busy bot's memory, and grew for
    hours. Threads would wait for each other at one heap only if many took memory all the time: all
    but SQLite's work is done under one lock anyway. Other C libraries have one heap, or no such
    thing to say.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
