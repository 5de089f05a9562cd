"""The chat page leaves alone what shows already how things are: a demonstration tells it twice a
second, and a phone would lay out and paint all the while.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.emulator import Control, Emulator, Tongue

AIGUL, BORIS, CHANNEL = 1001, 1002, -1001000000001
PARTS = "#chats li, .day, .stage :is(option, [role=radio], section), .guide > *, [data-count]"

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def nothing() -> str:
    """A control that is not used."""
    return ""


@pytest_asyncio.fixture(loop_scope="session")
async def emulator() -> AsyncIterator[Emulator]:
    """Two people, of whom one reads, a channel, and all that a demonstration has around them."""
    controls = [Control(id="next", label="Next day", run=nothing, group="Time")]
    tongues = {code: Tongue(name=code) for code in ("en", "ru")}
    async with Emulator(controls=controls, tongues=tongues, readings=list) as town:
        for number, name in ((AIGUL, "Aigul"), (BORIS, "Boris")):
            town.add_private(town.add_user(number, name, "en"))
        town.add_channel(CHANNEL, "City news", "city_news")
        await town.send_text(AIGUL, "/start")
        step = {"label": {"en": "Begin"}, "done": False}
        town.guide = lambda _chat: {"steps": [step], "offer": "next", "say": {}}
        yield town


async def told(page: Page, emulator: Emulator) -> None:
    """Have the page hear how things are."""
    await page.evaluate(
        """() => {
          window.heard = new Promise(done => events.addEventListener("message", done));
        }"""
    )
    emulator.refresh()
    await page.evaluate("() => window.heard")


async def test_what_is_as_it_was_is_left_alone(browser: Browser, emulator: Emulator) -> None:
    """Also when somebody else is written to."""
    page = await browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    await page.goto(emulator.page_url)
    await page.locator(f"[data-chat='{AIGUL}']").click()
    await expect(page.locator("#main .guide li")).to_have_count(1)
    parts = page.locator(PARTS)
    kinds = "all => [...new Set(all.map(it => it.tagName))].sort()"
    assert await parts.evaluate_all(kinds) == sorted(
        ["LI", "DIV", "OPTION", "BUTTON", "SECTION", "OL"]
    )
    await parts.evaluate_all("all => all.forEach(it => { it.wasThere = true; })")
    await emulator.send_text(BORIS, "/start")
    await told(page, emulator)
    new = "all => all.filter(it => !it.wasThere).map(it => it.outerHTML)"
    assert await parts.evaluate_all(new) == []
    await page.close()
