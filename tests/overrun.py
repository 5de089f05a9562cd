"""What ends a test at its timeout, and says where it hangs.

pytest-timeout raises from the alarm's handler. While a loop waits, the handler runs in a callback
of that loop, which takes any exception but SystemExit and KeyboardInterrupt for the callback's own
trouble, logs it and waits on: no async test would ever end. A task beside the test that computes
for ever would fail alone, and the test wait for it. So what ends a test here is a SystemExit too.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

import pytest
from pytest_timeout import Settings, is_debugging

INNERMOST = 8  # frames of a stack that are told: what called a test is the same for all
#: Where a coroutine, a generator and an asynchronous one have their frame and what they wait for.
AWAITING = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))


class Overrun(pytest.fail.Exception, SystemExit):
    """A test that has hung for its timeout; every event loop lets it through."""


SETTINGS = pytest.StashKey[Settings]()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: Any, settings: Settings) -> bool | None:
    """End the test after its timeout, and again after as long what hangs all the same."""
    if settings.method != "signal" or threading.current_thread() is not threading.main_thread():
        return None
    item.stash[SETTINGS] = settings

    def end(_signal: int, frame: FrameType | None) -> None:
        if settings.disable_debugger_detection or not is_debugging():
            raise Overrun("\n".join(_told(settings.timeout, frame)), pytrace=False)

    def cancel() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    item.cancel_timeout = cancel  # where pytest-timeout looks for it
    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, settings.timeout, settings.timeout)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """The end of a test has its timeout too where the test failed, which stops pytest-timeout's: a
    fixture may hang, or a task that does not let itself be cancelled.
    """
    if (settings := item.stash.get(SETTINGS, None)) is not None:
        pytest_timeout_set_timer(item, settings)


def _told(seconds: float, frame: FrameType | None) -> Iterator[str]:
    """The failure's words: what is under way, what each task waits for, and each thread."""
    yield f"Timeout (>{seconds}s)"
    yield _stack("interrupted", traceback.format_stack(frame, INNERMOST))
    for task in sorted(_tasks(), key=asyncio.Task.get_name):
        yield _stack(f"task {task.get_name()}", map(_line, _frames(task.get_coro())))
    here = threading.get_ident()
    names = {one.ident: one.name for one in threading.enumerate()}
    for number, its_frame in sys._current_frames().items():
        if number != here:
            lines = traceback.format_stack(its_frame, INNERMOST)
            yield _stack(f"thread {names.get(number, number)}", lines)


def _stack(whose: str, lines: Iterable[str]) -> str:
    return f"--- {whose}\n" + "".join(lines)


def _tasks() -> set[asyncio.Task[Any]]:
    try:
        return asyncio.all_tasks()
    except RuntimeError:  # no loop runs
        return set()


def _frames(waiting: object) -> Iterator[FrameType]:
    """The frames of a coroutine, down to what it waits for; of a task asyncio tells the first."""
    while waiting is not None:
        named = next((both for both in AWAITING if hasattr(waiting, both[0])), None)
        if named is None:
            return
        frame = getattr(waiting, named[0])
        if frame is not None:
            yield frame
        waiting = getattr(waiting, named[1])


def _line(frame: FrameType) -> str:
    summary = traceback.FrameSummary(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
    return "".join(traceback.format_list([summary]))
