"""A database's address as an operator writes it: a file of SQLite, or a server of PostgreSQL.

A ValueError says what would be right, to be put after "should be", and repeats nothing of the
address: a password may be in it.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import unquote

from pydantic import PlainValidator

from bot.grammar import LARGEST_PORT, parse_text

# bytes; Linux opens up to 4095, and files beside the database have longer names
LONGEST_PATH = 4000
LONGEST_FILE_NAME = 230  # bytes; file systems have up to 255, likewise
#: A server's address as SQLAlchemy reads it: a password may have any letter but @.
_SERVER = re.compile(
    r"[a-z+]+://(?:[^:/@]*(?::(?P<password>[^@]*))?@)?"
    r"(?:\[[^\[\]/?]+\]|[^\[\]:/?]*)(?::(?P<port>[^/?]*))?(?:[/?].*)?",
    re.DOTALL,
)


def parse_database_address(value: object) -> str:
    """`sqlite:///` and a file, or a postgresql address; opening it comes later."""
    text = parse_text(value, "sqlite:///data/jarchy.db or postgresql://user:password@host/name")
    family, _, rest = text.partition("://")
    family = family.partition("+")[0]
    if not rest or family not in {"sqlite", "postgresql", "postgres"}:
        raise ValueError("sqlite:///data/jarchy.db or postgresql://user:password@host/name")
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("an address without line breaks or other control characters")
    if family == "sqlite":
        _check_file(rest)
    else:
        _check_server(text)
    return text


def _check_file(rest: str) -> None:
    """ValueError when the rest of `sqlite://` is no file: has a host, a folder, an odd name."""
    host, _, path = rest.partition("/")
    path = unquote(path.partition("?")[0])
    # A database in memory would be another one in each connection.
    no_file = path in {"", ":memory:"} or path.endswith("/")
    if host or no_file or re.search(r"[\x00-\x1f\x7f]", path):
        raise ValueError("the name of a file, as in sqlite:///data/jarchy.db")
    names = [len(name.encode()) for name in path.split("/")]
    if len(path.encode()) > LONGEST_PATH or max(names) > LONGEST_FILE_NAME:
        raise ValueError(
            f"a file whose path has at most {LONGEST_PATH} letters, {LONGEST_FILE_NAME} a name"
        )


def _check_server(text: str) -> None:
    """ValueError when a server's address has no possible host or port."""
    if len(text) > LONGEST_PATH:
        raise ValueError(f"an address of at most {LONGEST_PATH} letters")
    # libpq would read what stands before a zero, and leave out the rest of the address
    if "%00" in text:
        raise ValueError("an address without line breaks or other control characters")
    found = _SERVER.fullmatch(text)
    if found is None:
        raise ValueError(
            "postgresql://user:password@host/name, with @ / : ? of a password as %40 %2F %3A %3F"
        )
    port = found["port"]
    if port is None:
        return
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) <= LARGEST_PORT:
        raise ValueError("postgresql://user:password@host:port/name with a port up to 65535")


def password_in(address: str) -> str | None:
    """The password in a database's address, as it was typed there; None when there is none."""
    found = _SERVER.fullmatch(address)
    if found is None:
        return None
    return found["password"] or None


DatabaseAddress = Annotated[str, PlainValidator(parse_database_address)]
