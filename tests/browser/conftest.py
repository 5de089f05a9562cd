"""A real Chromium. Without one these tests are skipped, except in CI, where that is a failure."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.demo import address, visitor

__all__ = ["address", "browser", "visitor"]

#: Milliseconds that an expectation waits for what a machine busy with other tests does slowly.
PATIENCE = 60_000
CHROMIUM = Path("/usr/bin/chromium")
#: The same without the windows, which nobody sees here and which are a third of what pages cost;
#: Debian's package of that name has it.
SHELL = Path("/usr/bin/chromium-headless-shell")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--in-process-gpu",
    # or each page has a process started that waits for the next one
    "--disable-site-isolation-trials",
    # each page had two hidden ones beside it for what is typed in the address bar: half a second
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
]


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    program = SHELL if SHELL.exists() else CHROMIUM
    if not program.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(
                "CI must try the pages in a real browser, and there is no /usr/bin/chromium"
            )
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()
