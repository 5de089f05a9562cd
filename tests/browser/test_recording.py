"""The moving picture that opens the README: the demonstration on a phone, made as it is tried.

`make recording` makes it anew; without RECORDING, the path of a file, it is only tried.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from tests.browser.demo import HOST, PRIVATE, Visitor, press, start, write
from tests.browser.test_demo import seen

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

SIZE = (390, 700)
MOST = 1_500_000  # bytes: a page that is looked at on a phone
LOOK, READ = 1_200, 2_600  # milliseconds that a picture stands


class Recording:
    """Pictures of a page, one after the other, each for as long as it is to be looked at."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._pictures: list[Image.Image] = []
        self._spans: list[int] = []

    async def take(self, span: int, shown: Locator | None = None) -> None:
        """Take a picture of the page as it is, down to the end of what is `shown`."""
        if shown is not None:
            await shown.evaluate("it => it.scrollIntoView({block: 'end', behavior: 'instant'})")
        shot = Image.open(io.BytesIO(await self._page.screenshot(animations="disabled")))
        self._pictures.append(shot.convert("P", palette=Image.Palette.ADAPTIVE, colors=128))
        self._spans.append(span)

    def write(self, path: Path) -> None:
        """All of them, over and over."""
        first, *others = self._pictures
        first.save(
            path, save_all=True, append_images=others, duration=self._spans, loop=0, optimize=True
        )


async def test_the_demonstration_is_recorded(visitor: Visitor, tmp_path: Path) -> None:
    """From Start to an alert and its why, in less than half a minute and a file that loads."""
    page = await (await visitor(HOST)).open(SIZE)
    film = Recording(page)
    await page.locator(PRIVATE).click()
    await film.take(LOOK)
    menu = await start(page, HOST)
    await film.take(READ)
    for name in ("RUB", "Security"):
        await press(menu, name)
        await expect(menu.get_by_role("button", name=f"✓ {name}")).to_be_visible()
        await film.take(LOOK)
    card = await write(page, "/rates")
    await expect(card).to_contain_text("National Bank")
    await film.take(READ, card)
    sum_ = await write(page, "100$ в сомах")
    await expect(sum_).to_contain_text("KGS")
    await film.take(READ, sum_)
    chart = await write(page, "/chart RUB 90d")
    await seen(chart)
    await film.take(READ, chart)
    await page.locator("[data-offer=next-day]").filter(visible=True).first.click()
    move = page.locator("#main .msg", has_text="RUB/KGS +5.5").filter(has=page.locator(".key"))
    await expect(move).to_be_visible()
    await film.take(READ, move)
    await press(move, "Why?")
    why = page.locator("#main .msg", has_text="Why I wrote")
    await expect(why).to_be_visible()
    await film.take(READ, why)
    story = page.locator("#main .msg", has_text="5.6").filter(has=page.locator(".key"))
    await expect(story).to_contain_text("sources", timeout=60_000)
    await film.take(READ, story)

    path = Path(os.environ.get("RECORDING", tmp_path / "demo.gif"))
    film.write(path)
    with Image.open(path) as made:
        assert (made.size, getattr(made, "n_frames", 1)) == (SIZE, 10)
    assert path.stat().st_size <= MOST
