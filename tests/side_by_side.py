"""A run's tests in several processes, forked from the one that has found them all.

To find nine thousand tests, with all that they import, takes four seconds of a processor: here once
and not in each process, and what was imported they share. Each has a stretch of the tests in their
order; one that is through with it takes the second half of the longest that is left.
"""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from collections import deque
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, Any
from warnings import WarningMessage

import pytest

if TYPE_CHECKING:
    from _pytest.capture import CaptureManager
    from _pytest.tmpdir import TempPathFactory

#: Where a process finds which one of its run it is, from 0 on.
NUMBER = "JARCHY_TEST_PROCESS"
LEAST_TAKEN = 2  # of another's tests: of one alone its fixtures would be made once more


def pytest_addoption(parser: pytest.Parser) -> None:
    """The number of processes."""
    parser.addoption("--processes", type=int, default=1, help="run the tests in N forks")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """The tests run in forks; pytest's own loop where one process is asked for, or none shall run.

    pytest.Session.Failed or Interrupted where pytest's own loop raises them.
    """
    option = session.config.option
    many = min(option.processes, len(session.items))
    unfound = session.testsfailed and not option.continue_on_collection_errors
    if many < 2 or option.collectonly or unfound:
        return None
    Run(session, many).all()
    return True


class Fork:
    """One of the processes, as the one that forked it knows it."""

    def __init__(self, number: int, share: range) -> None:
        self.number = number
        self.share = deque(share)  # what it has before it, of the session's tests
        self.running: int | None = None
        self.last = 0  # of those that ran
        self.next: int | None = None  # told together with `running`, whose fixtures it may share
        self.pid = 0
        self.line: Connection | None = None  # None: it has ended, and its end was heard

    def ended(self) -> int:
        """Its exit code, negative for a signal, once it has ended."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


class Run:
    """A session's tests in so many processes."""

    def __init__(self, session: pytest.Session, many: int) -> None:
        self._session, self._hook = session, session.config.hook
        count = len(session.items)
        self._forks = [
            Fork(number, range(number * count // many, (number + 1) * count // many))
            for number in range(many)
        ]

    def all(self) -> None:
        """Return when all have run and were reported."""
        _folders(self._session.config).getbasetemp()  # made once; a fork's own is within
        reporter = self._session.config.pluginmanager.getplugin("terminalreporter")
        reporter.showfspath = False  # or nearly each test would have a line: they come from all
        session = self._session
        try:
            for fork in self._forks:
                self._start(fork)
            while lines := {fork.line: fork for fork in self._forks if fork.line is not None}:
                for line in wait(list(lines)):
                    self._hear(lines[line])  # type: ignore[index] # of those it was given
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)
                if session.shouldstop:
                    raise session.Interrupted(session.shouldstop)
        finally:  # the others end with the test that they are at
            left = [fork for fork in self._forks if fork.line is not None]
            for fork in left:
                self._hang_up(fork)
            for fork in left:
                fork.ended()

    def _start(self, fork: Fork) -> None:
        fork.line, theirs = Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        fork.pid = os.fork()
        if fork.pid == 0:
            for one in self._forks:
                self._hang_up(one)
            _be(fork.number, self._session, theirs)
        theirs.close()
        self._give(fork)

    @staticmethod
    def _hang_up(fork: Fork) -> None:
        if fork.line is not None:
            fork.line.close()
            fork.line = None

    def _hear(self, fork: Fork) -> None:
        assert fork.line is not None
        try:
            heard, done = fork.line.recv()
        except (EOFError, OSError):
            self._lose(fork)
            return
        if done is not None:
            fork.last = done
        for what, told in heard:
            if what == "report":
                config = self._session.config
                report = self._hook.pytest_report_from_serializable(config=config, data=told)
                self._hook.pytest_runtest_logreport(report=report)
            else:
                self._hook.pytest_warning_recorded.call_historic(kwargs=told)
        if done is not None:
            self._say("pytest_runtest_logfinish", done)
            self._give(fork)

    def _give(self, fork: Fork) -> None:
        """Tell it its next test, or that there is none."""
        fork.running = self._next(fork) if fork.next is None else fork.next
        fork.next = None if fork.running is None else self._next(fork)
        assert fork.line is not None
        if fork.running is None:
            fork.line.send(None)
        else:
            self._say("pytest_runtest_logstart", fork.running)
            fork.line.send((fork.running, fork.next))

    def _next(self, fork: Fork) -> int | None:
        if not fork.share:
            longest = max((one.share for one in self._forks), key=len)
            if len(longest) < LEAST_TAKEN:
                return None
            for _ in range(len(longest) // 2):
                fork.share.appendleft(longest.pop())
        return fork.share.popleft()

    def _lose(self, fork: Fork) -> None:
        """Report the test in which a process ended, or behind which it failed, and have another one
        go on with what is left.
        """
        self._hang_up(fork)
        code = fork.ended()
        if fork.running is None and not code:
            return
        at, words = fork.running, f"the process of this test ended in the midst, with {code}"
        if at is None:
            at, words = fork.last, f"behind its last test its process ended with {code}"
        item = self._session.items[at]
        lost = pytest.TestReport(item.nodeid, item.location, {}, "failed", words, "call")
        self._hook.pytest_runtest_logreport(report=lost)
        if fork.running is None:
            return
        if fork.next is not None:
            fork.share.appendleft(fork.next)
            fork.next = None
        self._start(fork)

    def _say(self, hook: str, index: int) -> None:
        item = self._session.items[index]
        getattr(self._hook, hook)(nodeid=item.nodeid, location=item.location)


# --- in a fork ------------------------------------------------------------------------------------


class Teller:
    """What becomes of the tests, told to whoever forked us."""

    def __init__(self, config: pytest.Config, line: Connection) -> None:
        self._config, self._line = config, line
        self._timed = config.option.durations is not None
        self._heard: list[tuple[str, Any]] = []
        self._known = True
        config.pluginmanager.register(self)  # it is told the warnings of before the fork
        self._known = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A report as it is; that a test's fixtures came and went is worth a word where they were
        timed, or said something.
        """
        if report.when != "call" and report.passed and not (self._timed or report.sections):
            return
        hook = self._config.hook
        told = hook.pytest_report_to_serializable(config=self._config, report=report)
        self._heard.append(("report", told))

    def pytest_warning_recorded(
        self, warning_message: WarningMessage, when: str, nodeid: str, location: object
    ) -> None:
        """A warning in its own words."""
        if self._known:
            return
        one = warning_message
        plain = WarningMessage(str(one.message), one.category, one.filename, one.lineno)
        told = {"warning_message": plain, "when": when, "nodeid": nodeid, "location": location}
        self._heard.append(("warning", told))

    def done(self, index: int) -> None:
        """Tell all that became of a test, and that it is done; at once, for it wakes others."""
        self._line.send((self._heard, index))
        self._heard = []

    def rest(self) -> None:
        """Tell what was heard behind the last test."""
        if self._heard:
            self._line.send((self._heard, None))


def _be(number: int, session: pytest.Session, line: Connection) -> None:
    """Run what we are given until there is no more, and end."""
    atexit._clear()  # what is to be done at the end of whoever forked us
    code = 1
    try:
        teller = Teller(session.config, line)
        try:
            _work(number, session, line, teller)
        finally:  # nothing is left of a run that is broken off, either
            session._setupstate.teardown_exact(None)
            atexit._run_exitfuncs()
            teller.rest()
        code = 0
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        pass
    except BaseException:  # noqa: BLE001 - nothing above us tells of it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # nobody takes the modules apart, for seconds in all of them together


def _work(number: int, session: pytest.Session, line: Connection, teller: Teller) -> None:
    config, items = session.config, session.items
    os.environ[NUMBER] = str(number)
    plugins = config.pluginmanager
    plugins.unregister(name="terminalreporter")
    capture: CaptureManager = plugins.getplugin("capturemanager")
    capture.stop_global_capturing()  # whose files all would share
    capture.start_global_capturing()
    capture.suspend_global_capture()
    folders = _folders(config)
    folders._basetemp = folders.mktemp(f"process-{number}-")
    while (told := line.recv()) is not None:
        index, following = told
        item, nextitem = items[index], None if following is None else items[following]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        teller.done(index)


def _folders(config: pytest.Config) -> TempPathFactory:
    found: Any = config
    return found._tmp_path_factory  # type: ignore[no-any-return]
