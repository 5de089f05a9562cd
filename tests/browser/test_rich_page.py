"""The chat page shows rich messages: tables that fit a phone, light and dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.emulator import Emulator

AIGUL = 1001
FIGURES = ("84.7935", "84.8100", "▲ +0.02 %")

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def emulator() -> AsyncIterator[Emulator]:
    """One person, in whose chat the test speaks for the bot."""
    async with Emulator() as town:
        town.add_private(town.add_user(AIGUL, "Aigul", "en"))
        yield town


async def say(town: Emulator, method: str, **parameters: Any) -> dict[str, Any]:
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        url = f"{town.api_url}/bot{town.token}/{method}"
        async with session.post(url, json={"chat_id": AIGUL, **parameters}) as answer:
            found: dict[str, Any] = (await answer.json())["result"]
            return found


def cells(*texts: str, head: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for place, text in enumerate(texts):
        one = {"text": text, "align": "right" if place else "left", "valign": "middle"}
        found.append(one | ({"is_header": True} if head else {}))
    return found


def table(columns: int = 1) -> dict[str, Any]:
    rows = [cells("", *("today", "tomorrow", "") * columns, head=True)]
    rows += [cells(code, *FIGURES * columns) for code in ("USD", "EUR", "RUB")]
    return {"type": "table", "is_striped": True, "is_compact": True, "cells": rows}


TITLE = {"type": "paragraph", "text": [{"type": "bold", "text": "National Bank"}, " · som"]}
FOOT = {"type": "paragraph", "text": "published 20 Oct"}


async def page_of(browser: Browser, town: Emulator, *, width: int, theme: str) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": 844}, reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    await page.goto(f"{town.page_url}#{AIGUL}")
    return page


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1280, "light")])
async def test_a_table_is_shown_as_one_and_fits(
    browser: Browser, emulator: Emulator, width: int, theme: str
) -> None:
    """Figures at the right, titles as headers; a wide one scrolls by itself and not the page."""
    await say(emulator, "sendRichMessage", rich_message={"blocks": [TITLE, table(), FOOT]})
    await say(emulator, "sendRichMessage", rich_message={"blocks": [table(4)]})
    page = await page_of(browser, emulator, width=width, theme=theme)
    usual, wide = page.locator(".blocks table").nth(0), page.locator(".blocks table").nth(1)
    await expect(usual.locator("th").nth(1)).to_have_text("today")
    assert await usual.locator("td").nth(1).evaluate("el => getComputedStyle(el).textAlign") == (
        "right"
    )
    fits = "el => el.parentElement.scrollWidth <= el.parentElement.clientWidth"
    assert await usual.evaluate(fits)
    assert not await wide.evaluate(fits) or width > 390
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate(
        "[...document.querySelectorAll('.scroll')].every(el => el.scrollWidth <= el.clientWidth)"
    )
    await page.context.close()


async def test_an_edit_turns_words_into_a_table_before_the_readers_eyes(
    browser: Browser, emulator: Emulator
) -> None:
    """And back; the list of chats says what it says."""
    sent = await say(emulator, "sendMessage", text="words")
    page = await page_of(browser, emulator, width=1280, theme="light")
    await expect(page.locator(".text")).to_contain_text("words")
    number = sent["message_id"]
    rich = {"blocks": [TITLE, table()]}
    await say(emulator, "editMessageText", message_id=number, rich_message=rich)
    await expect(page.locator(".blocks td").first).to_have_text("USD")
    await expect(page.locator("#chats .last")).to_contain_text("National Bank")
    await say(emulator, "editMessageText", message_id=number, text="words again")
    await expect(page.locator(".text")).to_contain_text("words again")
    await expect(page.locator(".blocks")).to_have_count(0)
    await page.context.close()
