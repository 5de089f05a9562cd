"""What is stored about one chat: all of it, to give it away or to forget it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, cast, delete, or_, select, update
from sqlalchemy import Text as AnyText

from bot.model.alerts import Notice
from storage.db import Db
from storage.schema import alert, chat, delivery, inbox, rule, subscription

#: Each table that knows a chat, and the column that says which.
BY_CHAT = ((chat, "id"), (subscription, "chat_id"), (rule, "chat_id"), (delivery, "chat_id"), (inbox, "chat_id"))


async def export(db: Db, chat_id: int) -> dict[str, list[dict[str, Any]]]:
    """Every row about a chat, by table, as it is stored; alerts are those meant for it alone."""
    found = {str(table.name): await _rows(db, table, table.c[column] == chat_id) for table, column in BY_CHAT}
    return {**found, "alert": await _rows(db, alert, alert.c.audience_chat == chat_id)}


async def erase(db: Db, chat_id: int) -> int:
    """Forget a chat, also where operators were told of it. Returns how many rows are gone."""
    mine = await _alerts_naming(db, chat_id)
    gone = (await db.execute(delete(delivery).where(delivery.c.alert_id.in_(mine)))).rowcount
    for table, column in reversed(BY_CHAT):
        gone += (await db.execute(delete(table).where(table.c[column] == chat_id))).rowcount
    gone += (await db.execute(delete(alert).where(alert.c.id.in_(mine)))).rowcount
    # a fan-out that stood at this chat goes on from there
    await db.execute(update(alert).where(alert.c.fanned_to == chat_id).values(fanned_to=chat_id - 1))
    return int(gone)


async def _alerts_naming(db: Db, chat_id: int) -> Sequence[int]:
    notices = (alert.c.kind == Notice.KIND) & cast(alert.c.payload, AnyText).like(f'%"{chat_id}"%')
    query = select(alert.c.id).where(or_(alert.c.audience_chat == chat_id, notices))
    return (await db.execute(query)).scalars().all()


async def _rows(db: Db, table: Table, which: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a condition
    rows = await db.execute(select(table).where(which))
    # plain keys: SQLAlchemy's own kind of string is none to a JSON library
    return [{str(name): value for name, value in row._mapping.items()} for row in rows]  # noqa: SLF001 - a public name
