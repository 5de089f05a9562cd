"""WebSub: which hub tells of a source's changes, and until when it said it would.

A note each, because few sources have a hub, and nothing but its key asks for one. What was rung
for is in a second one: programs from before there was such a share read the first, and take no
field in it that they do not know.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import storage.notes
from storage.db import Db

AT_ONCE = 1_000  # names that one statement has
#: The note of the public address that hubs were told last.
ADDRESS = "hubs told of"
_TIMES = ("asked_at", "until_at", "spent_until")
_OF_RINGS = ("spent_until", "rung")


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


def _name_of_rings(key: str) -> str:
    return f"hub rung:{key}"


async def note(db: Db, key: str, hub: str, topic: str) -> None:
    """Remember the hub that a source names; another one than before is a stranger to us.

    When we asked last is kept: some feeds call themselves otherwise each time, and each
    subscription would end the one before.
    """
    known = await get(db, key)
    if known is not None and (known.hub, known.topic) == (hub, topic):
        return
    token, secret = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    asked_at = None if known is None else known.asked_at
    await put(db, key, Hub(hub=hub, topic=topic, token=token, secret=secret, asked_at=asked_at))


async def get(db: Db, key: str) -> Hub | None:
    """A source's hub, if it has one."""
    return (await among(db, [key])).get(key)


async def among(db: Db, keys: Collection[str]) -> dict[str, Hub]:
    """The hubs of these sources, by key."""
    hubs = await _noted(db, {_name(key): key for key in keys})
    rings = await _noted(db, {_name_of_rings(key): key for key in hubs})
    return {key: _read(values | rings.get(key, {})) for key, values in hubs.items()}


async def _noted(db: Db, names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What is noted under these names, by the keys that they are of."""
    found: dict[str, dict[str, Any]] = {}
    every = list(names)
    for start in range(0, len(every), AT_ONCE):
        noted = await storage.notes.among(db, every[start : start + AT_ONCE])
        found |= {names[name]: json.loads(value) for name, value in noted.items()}
    return found


async def put(db: Db, key: str, hub: Hub) -> None:
    """Store what is known of a source's hub."""
    values: dict[str, Any] = asdict(hub)
    for name in _TIMES:
        values[name] = values[name] and values[name].isoformat()
    rings = {name: values.pop(name) for name in _OF_RINGS}
    await storage.notes.put(db, _name(key), json.dumps(values))
    await storage.notes.put(db, _name_of_rings(key), json.dumps(rings))


async def forget_asking(db: Db, keys: Collection[str]) -> dict[str, Hub]:
    """The hubs of these sources, by key, of which none has been asked by now."""
    known = await among(db, keys)
    for key, hub in known.items():
        known[key] = replace(hub, asked_at=None)
        await put(db, key, known[key])
    return known


async def drop(db: Db, key: str) -> None:
    """Forget a source's hub."""
    await storage.notes.drop(db, _name(key))
    await storage.notes.drop(db, _name_of_rings(key))


def _read(values: Mapping[str, Any]) -> Hub:
    """The hub of its notes, of which one that never rang has but the first."""
    times = {name: datetime.fromisoformat(values[name]) for name in _TIMES if values.get(name)}
    return Hub(**{**values, **times})
