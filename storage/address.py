"""Where the database is: the operator's address of it, read and checked."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import ConfigError


def parse_url(text_url: str) -> URL:
    """`sqlite:///path` or `postgresql://…` with the driver we use.

    ConfigError for anything else, and where the path is there but is no file.
    """
    try:
        url = make_url(text_url)
    except (SQLAlchemyError, ValueError):
        raise ConfigError(
            "DATABASE_URL: not a database address; try sqlite:///data/jarchy.db"
        ) from None
    family = url.drivername.partition("+")[0]
    if family == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ConfigError("DATABASE_URL: name a file, as in sqlite:///data/jarchy.db")
        if (path := Path(url.database)).exists() and not path.is_file():
            what = "no file"  # a socket, a device
            if path.is_dir():
                what = "a folder"
            raise ConfigError(
                f"DATABASE_URL: {path} is {what}; name a file, as in sqlite:///data/jarchy.db"
            )
        return url.set(drivername="sqlite+aiosqlite")
    if family in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(f"DATABASE_URL: {family!r} is neither sqlite nor postgresql")


def is_file(url: URL) -> bool:
    """A SQLite database, of which one process may have the file."""
    return url.get_backend_name() == "sqlite"


def absent(url: URL) -> Path | None:
    """The file of a SQLite database that is not there yet."""
    path = Path(url.database or "")
    if not is_file(url) or path.is_file():
        return None
    return path
