"""The driver of the one file (`storage.driver`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage.connecting import connect_for_writing
from storage.driver import FileConnection


async def test_a_statement_is_one_way_to_the_files_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[str] = []
    go = FileConnection._execute

    async def counted(self: FileConnection, function: Any, *words: Any, **named: Any) -> Any:
        went.append(function.__name__)
        return await go(self, function, *words, **named)

    monkeypatch.setattr(FileConnection, "_execute", counted)
    store = connect_for_writing(f"sqlite:///{tmp_path / 'a.db'}")
    async with store.writing() as db:
        await db.execute(text("CREATE TABLE number (value INTEGER)"))
        went.clear()
        added = text("INSERT INTO number VALUES (1), (2) RETURNING value")
        assert (await db.execute(added)).scalars().all() == [1, 2]
        assert len(went) == 1
        every = await db.execute(
            text("SELECT value FROM number WHERE value > :least"), {"least": 0}
        )
        assert every.keys() == ["value"]
        assert every.scalars().all() == [1, 2]
        assert len(went) == 2
        changed = await db.execute(
            text("UPDATE number SET value = 3"), execution_options={"preserve_rowcount": True}
        )
        assert changed.rowcount == 2
        assert len(went) == 3
    await store.close()
