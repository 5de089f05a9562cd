"""Operators' decisions, each with a copy of the words it was about: these outlive the archive."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from bot.model.decisions import Decision, Question, Words
from storage.db import Db
from storage.schema import decision


async def keep(db: Db, made: Decision) -> None:
    """Store one decision."""
    second = None if made.second is None else made.second.form
    await db.execute(
        insert(decision).values(
            at=made.at,
            question=made.question.value,
            answer=made.answer,
            first=made.first.form,
            second=second,
        )
    )


async def every(db: Db) -> list[tuple[int, Decision]]:
    """All decisions with their numbers, in their order."""
    rows = await db.execute(select(decision).order_by(decision.c.id))
    return [(row.id, _read(row)) for row in rows]


def _read(row: Any) -> Decision:  # noqa: ANN401 - a result row
    second = None if row.second is None else Words.read(row.second)
    return Decision(
        question=Question(row.question),
        answer=row.answer,
        first=Words.read(row.first),
        second=second,
        at=row.at,
    )
