"""An emulator with a small town in it, and a bare client for its API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.emulator import Backoff, Emulator

AIGUL, BORIS, CLARA = 1001, 1002, 1003
GROUP, CHANNEL, FORUM, SMALL_GROUP = -1001000000001, -1001000000002, -1001000000003, -555


class Client:
    """Calls methods as plain HTTP and hands back status and body."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = session

    async def raw(self, method: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the decoded body."""
        url = f"{self.emulator.api_url}/bot{self.emulator.token}/{method}"
        async with self.session.post(url, json=parameters) as answer:
            return answer.status, await answer.json()

    async def ok(self, method: str, **parameters: Any) -> Any:
        """The result of a call that must succeed."""
        status, body = await self.raw(method, **parameters)
        assert (status, body["ok"]) == (200, True), body
        return body["result"]

    async def refused(self, method: str, **parameters: Any) -> tuple[int, str]:
        """Code and description of a call that must be refused."""
        status, body = await self.raw(method, **parameters)
        assert body["ok"] is False, body
        assert body["error_code"] == status
        return status, body["description"]

    async def do(self, action: str, **parameters: Any) -> tuple[int, Any]:
        """An action of the scenario over HTTP."""
        async with self.session.post(
            f"{self.emulator.api_url}/emulator/do/{action}", json=parameters
        ) as answer:
            return answer.status, await answer.json()

    async def get(self, what: str, **parameters: Any) -> tuple[int, Any]:
        """A reading of the scenario over HTTP."""
        async with self.session.get(
            f"{self.emulator.api_url}/emulator/{what}", params=parameters
        ) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Three people, two groups, a forum and a channel."""
    async with Emulator(webhook_backoff=Backoff(first=0.01, most=0.02)) as town:
        town.add_user(AIGUL, "Aigul", "ky", username="aigul")
        town.add_user(BORIS, "Boris", "ru")
        town.add_user(CLARA, "Clara", "en")
        for person in (AIGUL, BORIS, CLARA):
            town.add_private(person)
        town.add_group(GROUP, "Neighbours", members=[AIGUL, BORIS], owner=CLARA)
        town.add_group(SMALL_GROUP, "Chess", type="group", members=[BORIS])
        town.add_group(FORUM, "Market", members=[AIGUL], is_forum=True)
        town.add_topic(FORUM, 5, "Rates")
        town.add_channel(CHANNEL, "City news", "city_news", owner=CLARA)
        yield town


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Client]:
    """A bare client of that emulator."""
    async with aiohttp.ClientSession() as session:
        yield Client(emulator, session)
