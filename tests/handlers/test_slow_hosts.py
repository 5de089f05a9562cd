"""Waiting for a stranger's server is the asker's own affair."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Never

import pytest

from bot.errors import SourceError
from bot.intake.inbox import AT_ONCE
from bot.own_feeds import OwnFeeds
from bot.reasons import said
from bot.sources.own import OwnAddress
from tests.handlers.conftest import World


async def test_G24_feeds_that_many_chats_try_at_a_slow_host_hold_up_no_question(
    patient: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One host is asked once at a time; more chats wait for it than are served at a time."""
    tried, over = Counter[str](), asyncio.Event()

    async def slowly(_self: OwnFeeds, address: OwnAddress) -> Never:
        tried["begun"] += 1
        await over.wait()
        raise SourceError(said(address.url))

    monkeypatch.setattr(OwnFeeds, "tried", slowly)
    for chat in range(5001, 5001 + AT_ONCE + 1):
        patient.emulator.add_private(patient.emulator.add_user(chat, "Curious", "en"))
        await patient.emulator.send_text(chat, "/feed add https://slow.example.org/rss.xml")
    try:
        async with asyncio.timeout(30):
            while tried["begun"] < AT_ONCE:  # noqa: ASYNC110 - it makes no event
                await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            await patient.ask("/help")
    finally:
        over.set()
