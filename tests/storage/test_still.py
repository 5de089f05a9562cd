"""Looks that are spared: what found nothing is not looked for again until something is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

import storage.notes
from bot.errors import StorageError
from storage.db import Store
from storage.still import Still
from tests.factories import NOW


def looked(still: Still, *, until: datetime | None = None, now: datetime = NOW) -> bool:
    """Whether a look that finds nothing was made."""
    if still.holds(now):
        return False
    still.found(nothing=True, until=until)
    return True


async def written(store: Store, value: str) -> None:
    """A note of that value."""
    async with store.writing() as db:
        await storage.notes.put(db, "a test", value)


@pytest.fixture
async def still(store: Store) -> Still:
    """A look that found nothing, in a store whose clock is known."""
    await store.try_to_write()
    still = Still(store)
    assert looked(still)
    return still


async def test_a_file_is_looked_at_again_once_anything_was_written(
    store: Store, still: Still
) -> None:
    """By this process or another one. On a server each look is made: nobody tells who wrote."""
    if not store.alone:
        assert (looked(still), store.version()) == (True, None)
        return
    await store.try_to_write()
    with pytest.raises(StorageError):
        async with store.writing() as db:
            await storage.notes.put(db, "a test", "taken back")
            raise StorageError.__new__(StorageError)
    assert not looked(still)
    await written(store, "a value")
    assert [looked(still), looked(still)] == [True, False]
    with closing(sqlite3.connect(store.database_file)) as another, another:
        another.execute("INSERT INTO mark VALUES ('another test', '')")
    assert [looked(still), looked(still)] == [True, False]


async def test_what_was_found_is_looked_for_again(store: Store, still: Still) -> None:
    """Whether somebody writes or not."""
    await written(store, "a value")
    assert not still.holds(NOW)
    still.found(nothing=False)
    assert not still.holds(NOW)


async def test_a_moment_ends_the_rest_though_nobody_writes(store: Store, still: Still) -> None:
    """Such as that at which a source is due."""
    await written(store, "a value")
    assert looked(still, until=NOW + timedelta(hours=1))
    assert looked(still, until=NOW + timedelta(hours=1)) is not store.alone
    assert looked(still, now=NOW + timedelta(hours=1))


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(hours=-1)])
async def test_after_a_clock_was_set_each_look_is_made_until_it_is_followed(
    store: Store, still: Still, by: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moments that were waited for are others then."""
    monkeypatch.setattr("storage.db._machine_now", lambda: datetime.now(UTC) + by)
    assert [looked(still), looked(still)] == [True, True]
    await store.try_to_write()
    assert looked(still)
    assert looked(still) is not store.alone


async def test_a_look_repeats_the_one_before_it_where_nothing_was_written_between(
    store: Store, still: Still
) -> None:
    """Never on a server: it may have been, by others."""
    for _ in range(2):
        still.holds(NOW)
        assert still.repeats is store.alone
    await written(store, "anything")
    still.holds(NOW)
    assert still.repeats is False
