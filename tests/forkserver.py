"""The programs under test, started in milliseconds: a process that has imported everything, and
forks.

An interpreter that imports the bot's libraries works for one to three seconds before the first line
of ours runs, and the tests start some hundred programs and verbs. Here one server for all processes
of a run imports them once; each program is a fork of it, a whole process with its own id, signals,
folder, environment and pipes, from `python -m bot` on. What an interpreter reads before that
(`LD_PRELOAD`, `PYTHON…`, a locale) asks for a real start: `told_at_start`.

A copy of the program that a test changed is forked from another one, which has imported the
libraries and nothing of ours.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import fcntl
import functools
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import types
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LARGEST_REQUEST = 1 << 20
_STATUS = struct.Struct("i")
OURS, COPIES = "forks", "forks-of-copies"  # sockets
PR_SET_PDEATHSIG = 1  # of prctl(2)
#: What every bot imports that is not ours.
LIBRARIES = (
    *("aiohttp.web", "aiosqlite", "babel.dates", "babel.messages.mofile"),
    *("babel.messages.pofile", "babel.numbers", "cachetools"),
    *("encodings.idna", "orjson", "prometheus_client", "pydantic_settings", "sqlalchemy"),
    *("sqlalchemy.dialects.sqlite.aiosqlite", "sqlalchemy.ext.asyncio", "structlog"),
    *("telegram.ext", "typer", "uvloop", "yarl"),
)
#: What a running bot has imported, besides what it imports itself when it is imported.
PRELOADED = (
    *("bot.cli", "bot.app", "uvloop", "aiosqlite", "psycopg", "alembic.command", "alembic.config"),
    *("babel.dates", "babel.numbers", "babel.messages.pofile", "babel.messages.mofile"),
    *("bot.sources.selectors", "encodings.idna"),  # nearly every verb reads a catalog
    "bot.cluster",  # with what replicas share, where there is a server
)
#: Whose `problems` a start or a verb asks for: what the program lacks.
LOOKED_THROUGH = (
    *("storage.versions", "storage.migrate", "bot.i18n", "bot.sources.banks"),
    *("bot.sources.kinds", "handlers", "bot.detect.named", "bot.convert.named", "bot.cli.given"),
)
#: An environment that says nothing to the interpreter.
PLAIN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def told_at_start(environment: Mapping[str, str]) -> bool:
    """Whether an environment says something to the interpreter itself."""
    return any(
        name.startswith(("LD_", "LC_", "FAKETIME"))
        or (name.startswith("PYTHON") and name not in {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"})
        for name in environment
    )


def copied(source: Path, target: Path) -> None:
    """A folder of the program once more, with what is compiled of it: what starts there would
    compile it for seconds. What another process is just writing stays behind.
    """
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.pyc.*"))


# --- in the tests ---------------------------------------------------------------------------------


def share(folder: Path) -> None:
    """Have this process's forks find their one server in a folder: it starts now, beside us, and
    lasts until we `close`.
    """
    _server_in.append(folder)
    server = _server()
    os.register_at_fork(after_in_child=server.hang_up)


def close() -> None:
    """End the server that is shared; nobody may need it any more."""
    _server().close()
    _server_in.clear()
    _connected.cache_clear()


_server_in: list[Path] = []


@functools.cache
def _folder() -> Path:
    """The run's, or one of this process's own."""
    return _server_in[-1] if _server_in else Path(mkdtemp(prefix="jarchy-forks-"))


class Process:
    """A forked program, as `asyncio.subprocess.Process` shows one."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._status = status
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(status, self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._status)
        self.returncode = _status_of(self._status)
        self._ended.set()

    async def wait(self) -> int:
        """The exit code, negative for a signal."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """Its standard output and errors, until its end."""
        out = await self.stdout.read() if self.stdout is not None else b""
        error = await self.stderr.read() if self.stderr is not None else b""
        await self.wait()
        return out, error

    def send_signal(self, number: int) -> None:
        """Send it a signal; ProcessLookupError after its end."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def _command(module: str, words: Sequence[str]) -> list[str]:
    return [sys.executable, *((module,) if module == "-c" else ("-m", module)), *words]


async def start(
    module: str,
    *words: str,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes | int = b"",
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
    copy: bool = False,
) -> Process | asyncio.subprocess.Process:
    """`python -m module words…`, or `python -c words…` where the module is "-c"; `stdin` is
    all it can read, or a pipe; `stdout` and `stderr` are pipes, nothing, or an open file's number.

    With `copy` it is not our program but the one whose folder is `cwd`.
    """
    if told_at_start(env):
        assert not stdin
        return await asyncio.create_subprocess_exec(
            *_command(module, words),
            cwd=cwd,
            env=dict(env),
            stdout=stdout,
            stderr=stderr,
        )
    outs: list[int] = []
    readers: list[asyncio.StreamReader | None] = []
    writer = None
    if stdin == subprocess.PIPE:
        ins, way_in = os.pipe()
        writer = await _writer(way_in)
    else:
        ins = _read_from(stdin)
    try:
        for way in (stdout, stderr):
            if way == subprocess.PIPE:
                ours, theirs = os.pipe()
                readers.append(await _reader(ours))
            else:
                theirs = os.dup(way) if way >= 0 else os.open(os.devnull, os.O_WRONLY)
                readers.append(None)
            outs.append(theirs)
        process = Process(*_server(copy=copy).fork(module, words, cwd, env, ins, *outs))
    finally:
        for one in (ins, *outs):
            os.close(one)
    process.stdin = writer
    process.stdout, process.stderr = readers
    return process


def run(
    module: str,
    *words: str,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes | int = b"",
    stdout: int | None = None,
    timeout: float = 60,
    copy: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    """The program that `start` starts, run to its end; TimeoutExpired after `timeout` seconds. It
    reads and writes open files where `stdin` or `stdout` is the number of one.
    """
    command = _command(module, words)
    if told_at_start(env):
        assert isinstance(stdin, bytes)
        assert stdout is None
        return subprocess.run(
            command,
            cwd=cwd,
            env=dict(env),
            input=stdin,
            check=False,
            capture_output=True,
            timeout=timeout,
        )
    ins = _read_from(stdin)
    with os.fdopen(ins, "rb"), TemporaryFile() as out, TemporaryFile() as error:
        to = out.fileno() if stdout is None else stdout
        pid, status = _server(copy=copy).fork(module, words, cwd, env, ins, to, error.fileno())
        ready, _, _ = select.select([status], [], [], timeout)
        if not ready:
            os.kill(pid, signal.SIGKILL)
        code = _status_of(status)
        out.seek(0)
        error.seek(0)
        done = subprocess.CompletedProcess(command, code, out.read(), error.read())
    if not ready:
        raise subprocess.TimeoutExpired(command, timeout, done.stdout, done.stderr)
    return done


def _read_from(given: bytes | int) -> int:
    if isinstance(given, int):
        return os.dup(given)
    with TemporaryFile() as file:
        file.write(given)
        file.seek(0)
        return os.dup(file.fileno())


class _ClosedAtItsEnd(asyncio.StreamReaderProtocol):
    """A pipe's reader; uvloop would keep the pipe open, as of a socket that may still be written
    to.
    """

    def eof_received(self) -> bool:
        super().eof_received()
        return False


async def _reader(pipe: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = _ClosedAtItsEnd(reader)
    file = os.fdopen(pipe, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
    return reader


async def _writer(pipe: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    file = os.fdopen(pipe, "wb", buffering=0)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, file)
    return asyncio.StreamWriter(transport, protocol, None, loop)


def _status_of(pipe: int) -> int:
    """The exit code the server tells when a program has ended; waits for it."""
    told = os.read(pipe, _STATUS.size)
    os.close(pipe)
    assert told, "the fork server has ended"
    return int(_STATUS.unpack(told)[0])


class _Server:
    """A connection to the run's fork server, which ends when nobody has one any more."""

    def __init__(self, name: str) -> None:
        folder = _folder()
        self._control = _socket()
        self._started: subprocess.Popen[bytes] | None = None
        # whoever comes first starts it
        with (folder / "forks.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                self._control.connect(str(folder / name))
            except OSError:
                self._started = _start_servers(folder)
                self._control.connect(str(folder / name))

    def fork(
        self, module: str, words: Sequence[str], cwd: Path, env: Mapping[str, str], *files: int
    ) -> tuple[int, int]:
        """A new program's id, and the pipe that will tell its exit code."""
        ours, theirs = os.pipe()
        try:
            request = json.dumps([module, words, str(cwd), dict(env)]).encode()
            socket.send_fds(self._control, [request], [*files, theirs])
        finally:
            os.close(theirs)
        (pid,) = _STATUS.unpack(self._control.recv(_STATUS.size))
        return pid, ours

    def close(self) -> None:
        self._control.close()
        if self._started is not None:
            self._started.wait()

    def hang_up(self) -> None:
        """In a fork of whoever has this connection, which gets its own."""
        self._control.close()
        _connected.cache_clear()


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST_REQUEST)
    return made


def _start_servers(folder: Path) -> subprocess.Popen[bytes]:
    """Start both that listen there from now on, and answer when they have imported all."""
    listeners: list[socket.socket] = []
    with ExitStack() as opened:
        for name in (OURS, COPIES):
            (folder / name).unlink(missing_ok=True)
            listeners.append(opened.enter_context(_socket()))
            listeners[-1].bind(str(folder / name))
            listeners[-1].listen()
        files = [one.fileno() for one in listeners]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.forkserver", *map(str, files)],
            cwd=ROOT,
            # what it compiles is kept for the next one
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
            pass_fds=files,
            stdin=subprocess.DEVNULL,
        )


def _server(*, copy: bool = False) -> _Server:
    ours = _connected(OURS)  # first: the other one ends with it
    return _connected(COPIES) if copy else ours


@functools.cache
def _connected(name: str) -> _Server:
    server = _Server(name)
    atexit.register(server.close)
    return server


# --- in the server --------------------------------------------------------------------------------


def serve(ours: socket.socket, copies: socket.socket) -> tuple[str, list[str]] | None:
    """Fork a program for each request until the tests end: then None; in each fork, its module and
    its words.
    """
    from bot.__main__ import leave_out

    for name in ("bot.__main__", "bot"):  # each fork runs it, and must find it not imported yet
        del sys.modules[name]
    leave_out()
    for name in LIBRARIES:
        importlib.import_module(name)
    server = os.getpid()
    if os.fork() == 0:
        ours.close()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        return _forks(copies) if os.getppid() == server else None
    copies.close()
    for name in PRELOADED:
        importlib.import_module(name)
    _build_commands_once()
    _look_through_once()
    _read_once()
    return _forks(ours)


def _forks(listener: socket.socket) -> tuple[str, list[str]] | None:
    gc.collect()
    gc.freeze()  # or the first collection of each fork copies every page
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    statuses: dict[int, int] = {}
    asking = [listener.accept()[0]]  # whoever started it
    while asking:
        watched: list[Any] = [listener, woken, *asking]
        ready, _, _ = select.select(watched, [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_ends(statuses)
        if listener in ready:
            asking.append(listener.accept()[0])
        for control in [one for one in asking if one in ready]:
            request, files, _, _ = socket.recv_fds(control, LARGEST_REQUEST, 4)
            if not request:
                asking.remove(control)
                control.close()
                continue
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for one in (listener, *asking):
                    one.close()
                for file in (woken, wake, *statuses.values(), files.pop()):
                    os.close(file)
                return _become(json.loads(request), files)
            statuses[pid] = files.pop()
            for file in files:
                os.close(file)
            control.send(_STATUS.pack(pid))
    return None


def _build_commands_once() -> None:
    """Let the forks share the commands of all verbs, which typer builds anew at each start: a third
    of what a short verb costs.
    """
    import typer.main

    from bot.cli.program import cli

    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(cli)


def _look_through_once() -> None:
    """Let the forks share what starts and verbs find in the program itself, which is the same for
    all: which parts are missing, and the packaged catalog.
    """
    from bot.cli import given, whole
    from bot.config import load_settings
    from bot.errors import ConfigError
    from bot.sources import catalog

    for name in LOOKED_THROUGH:
        module = importlib.import_module(name)
        module.problems = functools.cache(module.problems)  # type: ignore[attr-defined]
    given.unshown = functools.cache(given.unshown)
    whole.undecided = functools.cache(whole.undecided)
    catalog.parse_catalog = functools.cache(catalog.parse_catalog)
    with contextlib.suppress(ConfigError):  # each fork says it itself
        load_settings()  # what pydantic makes of them when they are read first
        whole.must_be_whole(catalog.load_catalog(), given.problems())


def _read_once() -> None:
    """Let the forks share the languages, which nothing that reads them changes."""
    from bot import i18n, languages

    for code in languages.LANGUAGES:
        i18n._catalog(code)


def _tell_ends(statuses: dict[int, int]) -> None:
    """Write each ended program's exit code to its pipe."""
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        pipe = statuses.pop(pid, None)
        if pipe is None:  # the server of copies
            continue
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it
            os.write(pipe, _STATUS.pack(os.waitstatus_to_exitcode(status)))
        os.close(pipe)


def _become(request: list[Any], files: list[int]) -> tuple[str, list[str]]:
    """Give a fork its pipes, folder, environment and words."""
    module, words, cwd, environment = request
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # in the background of a shell it would be deaf to it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    if "bot" not in sys.modules:  # a copy's, which stands where it runs
        others = [path for path in sys.path if path not in {"", str(ROOT)}]
        sys.path[:] = [cwd, *environment.get("PYTHONPATH", "").split(os.pathsep), *others]
    time.tzset()
    os.chdir(cwd)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        errors = "backslashreplace" if name == "stderr" else "surrogateescape"
        lines = 1 if name == "stderr" else -1
        stream = open(number, mode, lines, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115 - its whole life
        setattr(sys, name, stream)
    return module, words


def _run(module: str, words: list[str]) -> None:
    """Be `python -m module words…`, and end."""
    try:
        if module == "-c":
            sys.argv = ["-c", *words[1:]]
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(compile(words[0], "<string>", "exec"), main.__dict__)  # noqa: S102 - as `python -c`
        else:
            sys.argv = [module, *words]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, int | None):  # the interpreter writes it
            raise
        _end(end.code or 0)
    _end(0)


def _end(code: int) -> None:
    """End as an interpreter does, up to where it takes its modules apart: for that a fork would
    copy all pages of the server, and work three times as long as a short verb.

    An output that cannot be written is left to the interpreter.
    """
    threading._shutdown()  # type: ignore[attr-defined] # waits for those that are no daemons
    atexit._run_exitfuncs()
    gc.collect()  # what lies there may have something to say
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code & 0xFF)


if __name__ == "__main__":
    program = serve(*(socket.socket(fileno=int(word)) for word in sys.argv[1:]))
    if program is not None:
        _run(*program)
