"""Roles and who holds them: written one way, and read back."""

from __future__ import annotations

from datetime import timedelta

import pytest

import storage.leases
from bot.model.roles import Holder, Role
from storage.db import Store


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Role("updates"), "updates"),
        (Role("reach", "123456789"), "reach:123456789"),
        (Holder("host", "4711", "9f3ac01e"), "host:4711:9f3ac01e"),
        (Holder("a"), "a"),
        (Holder(""), ""),
    ],
)
def test_each_has_one_written_form(value: Role | Holder, written: str) -> None:
    """The stored form means the same when it is read."""
    assert str(value) == written
    assert type(value).parse(written) == value


async def test_who_has_a_role_is_told_apart(store: Store) -> None:
    """The name of a role and the machine come out of the store without anybody's slicing."""
    holder = Holder("host", "4711", "9f3ac01e")
    async with store.writing() as db:
        for role in (Role("updates"), Role("reach", "77")):
            await storage.leases.acquire(
                db, str(role), holder=str(holder), span=timedelta(minutes=1)
            )
        found = await storage.leases.roles(db)
    assert [(one.role.name, one.role.token, one.holder.host) for one in found] == [
        ("reach", "77", "host"),
        ("updates", "", "host"),
    ]
