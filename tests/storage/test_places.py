"""Places that chats chose, on every database."""

from __future__ import annotations

import storage.chats
import storage.places
import storage.privacy
import storage.supergroups
from storage.db import Store
from tests.factories import NOW, chat


async def test_a_place_is_chosen_once_and_given_up(store: Store) -> None:
    """Each chat's are its own; who is at one of several is found."""
    async with store.writing() as db:
        for number in (1, 2):
            await storage.chats.add(db, chat(number), now=NOW)
        for place in ("osh", "naryn", "talas", "talas"):
            await storage.places.toggle(db, 1, place)
        await storage.places.toggle(db, 2, "osh")
        assert await storage.places.of_chat(db, 1) == ["naryn", "osh"]
        assert await storage.places.count(db, 1) == 2
        assert await storage.places.anybody_at(db, {"talas", "naryn"})
        assert not await storage.places.anybody_at(db, {"talas", "kg"})
        await storage.privacy.erase(db, 1)
        assert await storage.places.of_chat(db, 1) == []
        assert await storage.places.of_chat(db, 2) == ["osh"]


async def test_a_groups_places_move_with_it(store: Store) -> None:
    """Also where the new group has some already; none is there twice."""
    async with store.writing() as db:
        for number, places in ((-1, ("osh", "naryn")), (-1001, ("osh", "talas"))):
            await storage.chats.add(db, chat(number), now=NOW)
            for place in places:
                await storage.places.toggle(db, number, place)
        await storage.supergroups.migrate(db, -1, -1001)
        assert await storage.places.of_chat(db, -1001) == ["naryn", "osh", "talas"]
        assert await storage.places.of_chat(db, -1) == []
