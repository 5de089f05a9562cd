"""The tests on several processes: collected once, then forked.

Finding eight thousand tests and importing what they ask for takes a process ten seconds of
processor time, and the programs they start are imported once more. Here the first process does both
and forks its hands after that. Each asks for one test at a time and tells what came of it; the
first process shows it, as if it had run the test itself.

A file that starts programs, servers and browsers stays together, for its tests share some of them.
Two of three hands begin with those files, the longest first, and the third with what computes:
as long as both are left somebody waits while somebody computes.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import signal
import sys
import traceback
import warnings
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NoReturn, Self

import pytest

#: Folders of tests that start programs, servers and browsers, and wait for them; the longest first.
WAITING = ("faults", "e2e", "browser", "deliver", "telegram", "storage", "intake", "handlers")
PATIENCE = 10.0  # seconds for a hand to put away what its last test used
END, LEAVE = -1, -2  # in place of a test: there is none, or none that stays with the one before

Share = deque[int]  # tests that stay together, by their numbers


class Hooks:
    """What others may do about the forks."""

    @pytest.hookspec
    def pytest_before_forks(self, config: pytest.Config) -> None:
        """Make once what each of them would make for itself."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Tell of ours."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many processes."""
    parser.addoption("--processes", type=int, default=1, help="run the tests on so many processes")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """On one process pytest's own."""
    option = session.config.option
    if option.processes < 2 or option.collectonly or session.testsfailed:
        return None
    session.config.hook.pytest_before_forks(config=session.config)
    terminal: Any = session.config.pluginmanager.getplugin("terminalreporter")
    terminal.showfspath = False  # tests of several files are told in turn
    _folders(session.config).getbasetemp()  # theirs are in it, and stay as long as it does
    gc.freeze()  # or each hand copies what it looks through for garbage
    with Hands(session, option.processes) as hands:
        hands.run()
    return True


# --- in the first process -------------------------------------------------------------------------


class Work:
    """The tests that nobody has begun."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        files: dict[object, Share] = {}
        self.computing: deque[Share] = deque()
        for number, item in sorted(enumerate(items), key=lambda one: _rank(one[1])):
            if _rank(item) < len(WAITING):
                files.setdefault(item.path, deque()).append(number)
            elif self.computing and items[self.computing[-1][-1]].path == item.path:
                self.computing[-1].append(number)
            else:
                self.computing.append(deque([number]))
        self.waiting = deque(files.values())

    def share(self, *, waiting: bool) -> Share:
        """What a hand shall do next, of the kind it begins with while there is any; or nothing."""
        for kind in (self.waiting, self.computing)[:: 1 if waiting else -1]:
            if kind:
                return kind.popleft()
        return deque()


def _rank(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return WAITING.index(folder) if folder in WAITING else len(WAITING)


class Hand:
    """A forked process as the first one knows it."""

    def __init__(self, number: int, pid: int, pipe: Connection) -> None:
        self.number, self.pid, self.pipe = number, pid, pipe
        self.share: Share = deque()
        self.given: Share = deque()  # the test it runs, and the one after that


class Hands:
    """All of them, and what is left to do."""

    def __init__(self, session: pytest.Session, count: int) -> None:
        self.session, self.count = session, count
        self.work = Work(session.items)
        self.hands: dict[Connection, Hand] = {}

    def __enter__(self) -> Self:
        for number in range(self.count):
            self._fork(number)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """None is left, whatever ended the run; each may put away what its test used."""
        for hand in self.hands.values():
            if not isinstance(error, KeyboardInterrupt):  # which all of them have been told
                os.kill(hand.pid, signal.SIGINT)
        for hand in self.hands.values():
            end = os.pidfd_open(hand.pid)
            if not select.select([end], [], [], PATIENCE)[0]:
                os.kill(hand.pid, signal.SIGKILL)
            os.close(end)
            os.waitpid(hand.pid, 0)

    def run(self) -> None:
        """Until all is done, or pytest has seen enough failures."""
        while self.hands:
            for pipe in wait(list(self.hands)):
                assert isinstance(pipe, Connection)
                self._hear(self.hands[pipe])
            if self.session.shouldfail:
                raise self.session.Failed(self.session.shouldfail)
            if self.session.shouldstop:
                raise self.session.Interrupted(self.session.shouldstop)

    def _fork(self, number: int) -> None:
        ours, theirs = Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            ours.close()
            for pipe in self.hands:
                pipe.close()
            _live(self.session, number, theirs)
        theirs.close()
        self.hands[ours] = Hand(number, pid, ours)

    def _hear(self, hand: Hand) -> None:
        try:
            what, told = hand.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._ended(hand)
            return
        hook = self.session.config.hook
        match what:
            case "next":
                self._give(hand)
            case "report":
                report = hook.pytest_report_from_serializable(config=self.session.config, data=told)
                hook.pytest_runtest_logreport(report=report)
            case "warning":
                hook.pytest_warning_recorded.call_historic(kwargs=told)
            case "finish":
                hook.pytest_runtest_logfinish(**told)
                hand.given.popleft()
            case "broken":
                raise RuntimeError(told)

    def _give(self, hand: Hand) -> None:
        """The next test of its share, before it runs the one in hand; then another share."""
        if not hand.share and hand.given:
            hand.pipe.send(LEAVE)
            return
        if not hand.share:
            hand.share = self.work.share(waiting=hand.number % 3 < 2)
        if not hand.share:
            hand.pipe.send(END)
            return
        hand.given.append(hand.share.popleft())
        hand.pipe.send(hand.given[-1])

    def _ended(self, hand: Hand) -> None:
        """All is done; or a test has ended its process: that one failed, and the others go on."""
        del self.hands[hand.pipe]
        hand.pipe.close()
        _, status = os.waitpid(hand.pid, 0)
        if not hand.given:
            if status:
                raise RuntimeError(f"a process of the tests ended with {status}")
            return
        item = self.session.items[hand.given.popleft()]
        hook = self.session.config.hook
        hook.pytest_runtest_logreport(
            report=pytest.TestReport(
                nodeid=item.nodeid,
                location=item.location,
                keywords={},
                outcome="failed",
                longrepr=f"it ended its process, with {os.waitstatus_to_exitcode(status)}",
                when="call",
            )
        )
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        hand.share.extendleft(reversed(hand.given))
        self._fork(hand.number)
        next(one for one in self.hands.values() if one.number == hand.number).share = hand.share


# --- in a hand ------------------------------------------------------------------------------------


def _live(session: pytest.Session, number: int, pipe: Connection) -> NoReturn:
    """Run what is given until nothing is left."""
    code = 1
    try:
        atexit._clear()  # what the first process has to do at its end
        _begin(session.config, number)
        telling = Telling(session.config, pipe)
        session.config.pluginmanager.register(telling)
        telling.begun = True
        _run(session, pipe)
        code = 0
    except KeyboardInterrupt:
        code = 130  # the first process has been told too
    except BaseException:  # noqa: BLE001 - whatever it was, the first process ends the run with it
        pipe.send(("broken", traceback.format_exc()))
    finally:
        with suppress(BaseException):
            session._setupstate.teardown_exact(None)
        atexit._run_exitfuncs()
        os._exit(code)


def _begin(config: pytest.Config, number: int) -> None:
    """An output and a folder of its own."""
    plugins = config.pluginmanager
    plugins.unregister(name="terminalreporter")
    capture: Any = plugins.getplugin("capturemanager")
    capture.suspend_global_capture()
    capture.stop_global_capturing()
    capture.start_global_capturing()
    factory = _folders(config)
    factory._basetemp = factory.getbasetemp() / f"hand-{number}-{os.getpid()}"
    factory._basetemp.mkdir(mode=0o700)


def _folders(config: pytest.Config) -> pytest.TempPathFactory:
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    return factory


def _run(session: pytest.Session, pipe: Connection) -> None:
    """One after another; each knows the next of its share, to leave what both use, and after the
    last of a share only what lasts as long as the process is left.
    """
    item = _next(pipe)
    while item != END:
        following = _next(pipe)
        nextitem = session if following == LEAVE else session.items[following]
        session.config.hook.pytest_runtest_protocol(item=session.items[item], nextitem=nextitem)
        item = _next(pipe) if following == LEAVE else following
    session._setupstate.teardown_exact(None)


def _next(pipe: Connection) -> int:
    pipe.send(("next", None))
    number: int = pipe.recv()
    return number


class Telling:
    """What the first process is told."""

    def __init__(self, config: pytest.Config, pipe: Connection) -> None:
        self.config, self.pipe = config, pipe
        self.begun = False  # until then it hears of warnings that were before the fork

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """It is over."""
        self.pipe.send(("finish", {"nodeid": nodeid, "location": location}))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How one of its phases went."""
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        self.pipe.send(("report", data))

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        """A warning that is no error."""
        if not self.begun:
            return
        said = warnings.WarningMessage(
            str(warning_message.message),
            UserWarning,
            warning_message.filename,
            warning_message.lineno,
        )
        told = {"warning_message": said, "when": when, "nodeid": nodeid, "location": location}
        self.pipe.send(("warning", told))
