"""WebSub: which hub tells of a source's changes, and until when it said it would.

A note each, because few sources have a hub, and nothing but its key asks for one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import storage.notes
from storage.db import Db

AT_ONCE = 1_000  # names that one statement has
_TIMES = ("asked_at", "until_at", "spent_until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A source's hub; `token` is a part of our address for it, `secret` signs what it sends.

    `asked_at` is when we subscribed last, `until_at` the end of what the hub confirmed. Until
    `spent_until` the polls that it rang for take up its share; with `rung` one more is to come.
    """

    hub: str
    topic: str
    token: str
    secret: str
    asked_at: datetime | None = None
    until_at: datetime | None = None
    spent_until: datetime | None = None
    rung: bool = False


def _name(key: str) -> str:
    return f"hub:{key}"


async def note(db: Db, key: str, hub: str, topic: str) -> None:
    """Remember the hub that a source names; another one than before is a stranger to us."""
    known = await get(db, key)
    if known is not None and (known.hub, known.topic) == (hub, topic):
        return
    token, secret = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    await put(db, key, Hub(hub=hub, topic=topic, token=token, secret=secret))


async def get(db: Db, key: str) -> Hub | None:
    """A source's hub, if it has one."""
    value = await storage.notes.get(db, _name(key))
    return None if value is None else _read(value)


async def among(db: Db, keys: Collection[str]) -> dict[str, Hub]:
    """The hubs of these sources, by key."""
    names = {_name(key): key for key in keys}
    found: dict[str, Hub] = {}
    every = list(names)
    for start in range(0, len(every), AT_ONCE):
        noted = await storage.notes.among(db, every[start : start + AT_ONCE])
        found |= {names[name]: _read(value) for name, value in noted.items()}
    return found


async def put(db: Db, key: str, hub: Hub) -> None:
    """Store what is known of a source's hub."""
    values: dict[str, Any] = asdict(hub)
    for name in _TIMES:
        values[name] = values[name] and values[name].isoformat()
    await storage.notes.put(db, _name(key), json.dumps(values))


async def drop(db: Db, key: str) -> None:
    """Forget a source's hub."""
    await storage.notes.drop(db, _name(key))


def _read(value: str) -> Hub:
    values: dict[str, Any] = json.loads(value)
    for name in _TIMES:
        values[name] = values[name] and datetime.fromisoformat(values[name])
    return Hub(**values)
