"""Roles that one process has at a time, and who has them, each a value with one written form.

    updates   reach:123456789   host:4711:9f3ac01e

`str` writes it, `parse` reads it back; nobody else takes it apart. The store keeps the written
forms as the name and the holder of a lease. Another version's word without colons is a name alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Role:
    """A role that exactly one process has; `token` is whose, where each bot has one of its own."""

    name: str
    token: str = ""

    @classmethod
    def parse(cls, written: str) -> Self:
        """The role that is written so."""
        name, _, token = written.partition(":")
        return cls(name, token)

    def __str__(self) -> str:
        """The stored form."""
        if not self.token:
            return self.name
        return f"{self.name}:{self.token}"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process among the replicas: its machine, its number there, and what no other start has."""

    host: str
    pid: str = ""
    start: str = ""

    @classmethod
    def parse(cls, written: str) -> Self:
        """The process that is written so."""
        host, _, rest = written.partition(":")
        pid, _, start = rest.partition(":")
        return cls(host, pid, start)

    def __str__(self) -> str:
        """The stored form."""
        return ":".join(part for part in (self.host, self.pid, self.start) if part)
