"""Dates on the chat page, in a real browser: as their language writes them, whether or not the
browser knows it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect

from bot.demo.words import tongues
from bot.emulator import Emulator

NOON = datetime(2023, 8, 14, 12, tzinfo=UTC).timestamp()
DAY = 86_400
READER = 1001
#: Today, a day of this year and one of another.
WRITTEN = {
    "en": ("Monday, 14 August 2023, 12:00", "3 August", "31 December 2022"),
    "ru": ("понедельник, 14 августа 2023 г., 12:00", "3 августа", "31 декабря 2022 г."),
    "ky": ("2023-ж., 14-август, дүйшөмбү, 12:00", "3-август", "2022-ж., 31-декабрь"),
}

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("language", WRITTEN)
async def test_a_date_is_written_as_its_language_does(browser: Browser, language: str) -> None:
    now = NOON - 226 * DAY
    said = tongues()
    async with Emulator(clock=lambda: now, zone="UTC", tongues=said) as emulator:
        emulator.add_private(emulator.add_user(READER, "Aigul", language))
        await emulator.send_text(READER, "long ago")
        now = NOON - 11 * DAY
        await emulator.send_text(READER, "lately")
        now = NOON
        page = await browser.new_page(
            viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce"
        )
        await page.goto(emulator.page_url)
        today, this_year, last_year = WRITTEN[language]
        await expect(page.locator("#today")).to_have_text(today)
        for date in (this_year, last_year):
            await expect(page.locator("#main").get_by_text(date, exact=True)).to_be_visible()
        await page.close()
