"""The running bot's own care for its database: it forgets what is old, and copies it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

import storage.keeping
import storage.old_copies
from bot.recurring import back_up, forget_copies, tidy
from bot.running import Running
from storage.schema import inbox
from tests.handlers.conftest import READER, World


async def test_what_was_written_to_the_bot_yesterday_is_forgotten(world: World) -> None:
    """All of it, and nothing of today."""
    for text in ("/help", "/rates", "/privacy"):
        await world.ask(text)
    await world.bot.inbox._write()
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    async with world.bot.store.writing() as db:
        first = (
            (await db.execute(select(inbox.c.update_id).order_by(inbox.c.update_id).limit(2)))
            .scalars()
            .all()
        )
        await db.execute(
            update(inbox).where(inbox.c.update_id.in_(first)).values(finished_at=yesterday)
        )
    await tidy(world.bot)
    async with world.bot.store.reading() as db:
        kept = (await db.execute(select(inbox.c.body).order_by(inbox.c.update_id))).scalars().all()
    assert [body is None for body in kept] == [True, True, False]


LATE = datetime(2026, 10, 15, 12, tzinfo=UTC)
OLD, YOUNG = "20260915", "20260916"  # a month before that, and a little less


def fail(*_unused: Any, **_all: Any) -> Path:
    """Fail as a folder's odd names may make anything fail."""
    raise UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")


def copies(bot: Running) -> list[Path]:
    """The nightly copies that are there."""
    places = storage.keeping.nights_of(bot.store.url, None)
    assert places is not None
    return places.made


async def test_whatever_fails_a_nights_copy_the_program_goes_on_and_tells(
    desk: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what nobody foresaw: a folder's oddities are no reason to be silent about news."""
    await desk.ask("/start")
    desk.now = LATE
    with monkeypatch.context() as patch:
        patch.setattr(storage.keeping, "copy", fail)
        await back_up(desk.bot)
    await desk.emulator.wait_message(READER, lambda m: "UnicodeEncodeError" in m.get("text", ""))
    assert f"{LATE.date()}" not in str(copies(desk.bot))
    await back_up(desk.bot)
    assert f"{LATE.date()}" in str(copies(desk.bot))


async def test_old_copies_are_forgotten_by_the_hour_and_what_fails_that_ends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not copies are made."""
    path = Path(world.bot.store.url.database or "")
    old, young = (path.with_name(f"{path.name}.backup-{at}T000000000") for at in (OLD, YOUNG))
    for one in (old, young):
        one.touch()
    world.now = LATE
    with monkeypatch.context() as patch:
        patch.setattr(storage.old_copies, "forget_old", fail)
        await forget_copies(world.bot)
    assert old.exists()
    await forget_copies(world.bot)
    assert (old.exists(), young.exists()) == (False, True)


async def test_folders_that_are_called_like_copies_are_nobodys_to_forget(world: World) -> None:
    """An operator's own beside them; they are not counted as copies either."""
    path = Path(world.bot.store.url.database or "")
    for day in range(1, 10):
        (path.parent / "backups" / f"{path.stem}-2020-01-{day:02}.db").mkdir(parents=True)
    aside = path.with_name(f"{path.name}.before-restore-{OLD}T000000000")
    aside.mkdir()
    world.now = LATE
    await back_up(world.bot)
    await forget_copies(world.bot)
    assert all(copy.is_file() for copy in copies(world.bot))
    assert f"{LATE.date()}" in str(copies(world.bot))
    assert aside.exists()
