"""A demonstration, the people who visit it with a browser, and what they do there."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, expect
from yarl import URL

from bot.i18n import demo_texts
from tests import forkserver
from tests.conftest import ROOT

WIDE, PHONE = (1280, 800), (390, 844)
PATIENCE = 20_000  # milliseconds; a machine busy with other tests

# in the list: a person's chat with the bot, and the demonstration's channel in their language
PRIVATE, HERALD = "#chats [data-kind=private]", '#chats [data-chat^="-100202110200"]'
HOST = "Aigul"  # whom the demonstration itself has
# seconds for all of them, beside two busy processes a core
LONGEST = 300


@pytest_asyncio.fixture(loop_scope="session")
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """A demonstration's address, once its bot is ready; SIGTERM must end it with 0 and nothing to
    complain of.
    """
    complaints = tmp_path / "stderr"
    with complaints.open("wb") as stderr:
        demo = await forkserver.start(
            *("bot", "demo", "--port", "0", "--exit-after", str(LONGEST)),
            cwd=ROOT,
            env=forkserver.PLAIN,
            stdout=PIPE,
            stderr=stderr.fileno(),
        )
    assert demo.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = (await demo.stdout.readline()).decode().strip()
            assert said.startswith("http://127.0.0.1:"), said + complaints.read_text()
            assert b"ready" in await demo.stdout.readline(), complaints.read_text()
        yield said
    finally:
        if demo.returncode is None:
            demo.terminate()
        try:
            code = await asyncio.wait_for(demo.wait(), 30)
        except TimeoutError:
            demo.kill()
            await demo.wait()
            raise
    assert code == 0, complaints.read_text()
    assert "Traceback" not in complaints.read_text()


class Visit:
    """A person's pages; what goes wrong in them is noted."""

    def __init__(self, browser: Browser, address: str, name: str, problems: list[str]) -> None:
        self.name = name
        self._browser = browser
        self._address = address
        self._problems = problems
        self._pages: list[Page] = []

    async def open(self, size: tuple[int, int]) -> Page:
        """The page at a size, as this person sees it."""
        page = await self._browser.new_page(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
        )
        self._pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.context.on("request", self._overhear)
        page.on("pageerror", lambda error: self._problems.append(str(error)))
        page.on("console", self._read)
        await page.goto(self._address)
        await expect(page.locator("#chats button").first).to_be_visible()
        if self.name != HOST:
            await page.get_by_label("You are").select_option(self.name)
        return page

    async def close(self) -> None:
        """Close the pages."""
        for page in self._pages:
            await page.close()

    def _overhear(self, request: Request) -> None:
        if not request.url.startswith("data:") and URL(request.url).host != "127.0.0.1":
            self._problems.append(f"asked for {request.url}")

    def _read(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self._problems.append(said.text)


Visitor = Callable[[str], Awaitable[Visit]]


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, address: str) -> AsyncIterator[Visitor]:
    """Lets a person in; in the end nothing was asked of another machine and the console is
    silent.
    """
    visits: list[Visit] = []
    problems: list[str] = []

    async def let_in(name: str) -> Visit:
        if name != HOST:
            await introduce(address, 2001 + len(visits), name)
        visits.append(Visit(browser, address, name, problems))
        return visits[-1]

    yield let_in
    for visit in visits:
        await visit.close()
    assert problems == []


async def introduce(address: str, number: int, name: str) -> None:
    """Another person of the demonstration, who has not pressed Start yet."""
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        for action, body in (
            ("add_user", {"id": number, "first_name": name, "language_code": "en"}),
            ("add_private", {"user_id": number, "started": False}),
        ):
            await session.post(URL(address) / "emulator/do" / action, json=body)


def last(page: Page, *, pane: str = "#main") -> Locator:
    """The newest message of a chat, with its buttons."""
    return page.locator(f"{pane} .msg").last


async def named(page: Page, english: str) -> Locator:
    """A part of the page by its name, which is in the language that the page speaks now."""
    language = await page.locator("html").get_attribute("lang")
    assert language is not None
    return page.get_by_label(demo_texts(language).get(english, english), exact=True)


async def write(page: Page, text: str) -> Locator:
    """Write to the bot; returns the place of its answer."""
    written = page.locator("#main .msg.mine")
    count = await written.count()
    await (await named(page, "Message")).fill(text)
    await page.keyboard.press("Enter")
    await expect(written).to_have_count(count + 1)
    answer = page.locator("#main .msg.mine", has_text=text).last.locator(
        "xpath=following-sibling::article[1]"
    )
    await expect(answer).to_be_visible()
    return answer


async def press(message: Locator, name: str) -> None:
    """Press a button and see it answered: it stops spinning."""
    key = message.get_by_role("button", name=name)
    await key.click()
    await expect(message.locator(".key[aria-busy=true]")).to_have_count(0)


async def start(page: Page, name: str, *follow: str) -> Locator:
    """Press Start, and what there is to follow; returns the menu, which greets by name."""
    await page.locator("#main").get_by_role("button", name="Start").click()
    menu = page.locator("#main .msg:not(.mine)").first
    await expect(menu).to_contain_text(name)
    for subject in follow:
        await press(menu, subject)
        await expect(menu.get_by_role("button", name=f"✓ {subject}")).to_be_visible()
    return menu
