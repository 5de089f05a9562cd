"""The operator's address of the database, read and checked."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from bot.errors import ConfigError
from bot.found import nearest

#: PostgreSQL's codes for what an address names (user, database, rights), and its words where there
#: is no code: to whom it does not let in.
WRONG_STATES = ("28", "3D", "42")
WRONG_WORDS = ("authentication failed", "no password", "no pg_hba.conf entry", "does not exist")

#: Options of PostgreSQL's that are numbers, which its library reads when it is connected.
NUMBERS = frozenset(
    {"connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval"}
    | {"keepalives_count", "tcp_user_timeout"}
)
#: The driver's own options that a store sets itself; PgBouncer's guides tell people to write them.
SET_BY_US = frozenset({"autocommit", "prepare_threshold"})


def parse_url(text_url: str) -> URL:
    """`sqlite:///path` or `postgresql://…` with the driver we use.

    ConfigError for anything else, for options that no connection could have, and where the path is
    there but is no file.
    """
    try:
        url = make_url(text_url)
    except (SQLAlchemyError, ValueError):
        raise ConfigError(
            "DATABASE_URL: not a database address; try sqlite:///data/jarchy.db"
        ) from None
    family = url.drivername.partition("+")[0]
    if family == "sqlite":
        # in memory each connection would have a database of its own
        if not url.database or url.database == ":memory:":
            raise ConfigError("DATABASE_URL: name a file, as in sqlite:///data/jarchy.db")
        if (path := Path(url.database)).exists() and not path.is_file():
            what = "no file"  # a socket, a device
            if path.is_dir():
                what = "a folder"
            raise ConfigError(
                f"DATABASE_URL: {path} is {what}; name a file, as in sqlite:///data/jarchy.db"
            )
        return _with_possible_options(url.set(drivername="sqlite+aiosqlite"))
    if family in {"postgresql", "postgres"}:
        _check_names(url.query)
        return _with_possible_options(url.set(drivername="postgresql+psycopg"))
    raise ConfigError(f"DATABASE_URL: {family!r} is neither sqlite nor postgresql")


def _check_names(options: Iterable[str]) -> None:
    """ConfigError for an option that PostgreSQL does not know: the driver has others, of Python."""
    from psycopg import pq  # whose library a program with a file has no need of

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} | SET_BY_US
    for name in options:
        if name not in known:
            raise ConfigError(
                f"DATABASE_URL: PostgreSQL has no option {name[:40]!r}{nearest(name, known)}"
            )


def _check_values(arguments: Mapping[str, object]) -> None:
    """ConfigError for what PostgreSQL's own library would refuse before it asks any server: it is
    asked to connect to sockets that no server can have.
    """
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    given = {name: str(value) for name, value in arguments.items() if name not in SET_BY_US}
    for name in sorted(NUMBERS & given.keys()):
        if not re.fullmatch(r"-?\d{1,9}", given[name].strip()):
            raise ConfigError(f"DATABASE_URL: {name} should be a number")
    given["host"] = ",".join(["/dev/null"] * len(given.get("host", "").split(",")))
    given.pop("hostaddr", None)
    tried = pq.PGconn.connect_start(make_conninfo("", **given).encode())
    refused = re.match(r'invalid "?([a-z_ ]+?)"? (?:value|number)', tried.get_error_message())
    tried.finish()
    if refused is not None:
        name = refused[1]
        raise ConfigError(f"DATABASE_URL: {name} has no such value for PostgreSQL")


def _with_possible_options(url: URL) -> URL:
    """The address, if its driver can make sense of hosts, ports and options; else ConfigError.

    Not in the driver's words: they repeat values.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SAWarning)  # an option that SQLite does not know
            _, arguments = url.get_dialect()().create_connect_args(url)
        for host in str(arguments.get("host", "")).split(","):
            if not host.startswith(("/", "@")):  # the folder of a socket, or its name
                host.encode("idna")  # as it is looked up: an empty or endless label raises
    except (SAWarning, SQLAlchemyError, ValueError, TypeError):
        right = "no options but SQLite's, each once, with a value of its kind"
        if not is_file(url):
            right = "hosts that can be names, each with a port that is a number"
        raise ConfigError(f"DATABASE_URL: should have {right}") from None
    if not is_file(url):
        _check_values(arguments)
    return url


def is_file(url: URL) -> bool:
    """A SQLite database, of which one process may have the file."""
    return url.get_backend_name() == "sqlite"


def absent(url: URL) -> Path | None:
    """The file of a SQLite database that is not there yet."""
    path = Path(url.database or "")
    if not is_file(url) or path.is_file():
        return None
    return path


def is_to_blame(words: str, state: str = "") -> bool:
    """Whether a server refuses what the address says, in its words or by its code; otherwise it is
    away, or has another trouble.
    """
    return state.startswith(WRONG_STATES) or any(one in words for one in WRONG_WORDS)
