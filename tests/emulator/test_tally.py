"""Messages that count as late in a demonstration."""

from __future__ import annotations

import aiohttp
import pytest

from bot.demo.words import late
from bot.emulator import Emulator
from bot.i18n import t
from bot.languages import LANGUAGES
from tests.emulator.conftest import AIGUL


@pytest.mark.parametrize("code", LANGUAGES)
async def test_a_message_that_says_it_is_late_is_counted_so(code: str) -> None:
    """As a digest does that was caught up: at its first try, in every language."""
    said_late = late()
    words = t("digest.late", code).format(day="15 August")
    async with Emulator(
        readings=tuple, is_late=lambda text: said_late.search(text) is not None
    ) as town:
        town.add_private(town.add_user(AIGUL, "Aigul"))
        for text in ("USD 88.27", f"USD 88.27\n\n{words}"):
            await call(town, text)
        assert town.tally is not None
        assert (town.tally.sent, town.tally.late) == (2, 1)
        town.begin_anew()
        town.world.chat(AIGUL).started = True
        await call(town, words)
        assert (town.tally.sent, town.tally.late) == (1, 1)


async def call(town: Emulator, text: str) -> None:
    """The bot says something to the one person."""
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        url = f"{town.api_url}/bot{town.token}/sendMessage"
        await session.post(url, json={"chat_id": AIGUL, "text": text})
