"""The operator's page in a real browser, of the real program after a driven day: on a phone and on
a desk, in the dark, in three languages, live, and with nothing that its policy forbids.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.emulator import TEST_TOKEN, Emulator
from tests.e2e.driven import OPERATOR, TODAY, Day, driven_day
from tests.e2e.program import CHANNEL, READER, Program
from tests.ports import free_port
from tests.publishers import bank_at, daily

PHONE, DESK = (390, 844), (1280, 900)

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def opened(
    browser: Browser, day: Day, size: tuple[int, int], problems: list[str], **options: str
) -> Page:
    """The page, looked at by somebody; what goes wrong in it is noted."""
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale=options.get("locale", "en"),
        color_scheme="dark" if options.get("scheme") == "dark" else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    page.on("console", lambda said: problems.append(said.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if day.address in request.url else problems.append(f"asked {request.url}")
        ),
    )
    await page.goto(f"http://{day.address}/status")
    return page


async def test_the_page_shows_the_whole_and_follows_it_live(
    browser: Browser, tmp_path: Path
) -> None:
    """Each section has what it is for; a new rate appears by itself; nothing is wider than a
    phone.
    """
    problems: list[str] = []
    async with driven_day(tmp_path, f"sqlite:///{tmp_path / 'jarchy.db'}") as day:
        desk = await opened(browser, day, DESK, problems)
        await expect(desk.locator("#sources li.good")).to_have_count(2)
        await expect(desk.locator("#sources li.bad")).to_contain_text("Broken agency")
        await expect(desk.locator("#sources li.bad")).to_contain_text("404")
        await expect(desk.locator("#sources li").first).to_contain_text("Broken agency")
        await expect(desk.locator("#alerts li", has_text="border post")).to_contain_text(
            "delivered 2"
        )
        await expect(desk.locator("#rates")).to_contain_text("89.9000")
        await expect(desk.locator("#telegram")).to_contain_text("It answers")
        await expect(desk.locator("#outbox tr")).to_have_count(4)
        await expect(desk.locator("#processes")).to_contain_text("Polls of sources")
        await expect(desk.locator("#database")).to_contain_text("SQLite")
        day.publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "91,5000", "98,8600", "1,1950"))
        await expect(desk.locator("#rates")).to_contain_text("91.5000")
        phone = await opened(browser, day, PHONE, problems, locale="ky-KG", scheme="dark")
        await expect(phone.locator("#sources h2")).to_contain_text("Булактар")
        await phone.get_by_role("link", name="Русский").click()
        await expect(phone.locator("#sources h2")).to_contain_text("Источники")
        assert await phone.evaluate("document.documentElement.lang") == "ru"
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        for page in (desk, phone):
            assert await page.evaluate(wide) == 0
        below = "id => document.getElementById(id).getBoundingClientRect().top"
        tops = [await phone.evaluate(below, one) for one in ("verdict", "alerts", "sources")]
        assert tops == sorted(tops), "what was told is not under a hundred sources"
        share = "names => Math.min(...names.map(b => b.offsetWidth / b.parentNode.offsetWidth))"
        assert await phone.locator("#sources li b").evaluate_all(share) > 0.5, "words beside a name"
        dark = "getComputedStyle(document.body).backgroundColor"
        assert await phone.evaluate(dark) != await desk.evaluate(dark)
        shown = await desk.content() + await phone.content()
        for number in (READER, OPERATOR, CHANNEL):  # by itself: figures may have such digits
            assert not re.search(rf"(?<![\d.,:]){number}(?![\d.,:%])", shown)
        assert [one for one in ("Aigul", "/rates USD") if one in shown] == []
        for page in (desk, phone):
            await page.context.close()
    assert problems == []


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
async def test_the_page_comes_back_by_itself_after_a_restart_of_the_bot(
    browser: Browser, tmp_path: Path, end: signal.Signals
) -> None:
    """And shows what happened since, without being asked for anew."""
    page = await browser.new_page()
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        listen = f"127.0.0.1:{free_port()}"
        program = Program(tmp_path, telegram, bank_at("http://127.0.0.1:9"), OPS_LISTEN=listen)
        try:
            await program.start()
            await page.goto(f"http://{listen}/status?lang=en")
            await page.evaluate("window.same = true")
            for number in (1, 2):
                await expect(page.locator("#outbox")).to_contain_text(f"Chats{number - 1}")
                await program.end(end)
                telegram.add_private(telegram.add_user(READER + number, "Aigul", "en"))
                await telegram.send_text(READER + number, "/start")
                await program.start()
            await expect(page.locator("#outbox")).to_contain_text("Chats2")
            assert await page.evaluate("window.same")
        finally:
            await program.kill()
            await page.close()
