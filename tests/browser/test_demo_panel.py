"""The time machine beside the chats: what it lets happen, breaks, mends and counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Locator, Page, expect
from yarl import URL

from bot.demo.people import GROUPS
from bot.demo.words import filled
from bot.emulator import TEST_TOKEN
from tests.browser.demo import HERALD, HOST, LONGEST, PHONE, PRIVATE, WIDE, Visitor, named, start

SLOWLY = 60_000  # milliseconds: a bot that starts anew beside other tests
REFUSED_FOR_GOOD = (400, 403)  # codes of Telegram's that no second try changes

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(LONGEST),
]


class Record:
    """The emulator's own record."""

    def __init__(self, address: str) -> None:
        self._root = URL(address) / "emulator"

    async def read(self, what: str, **query: str) -> Any:
        """The JSON of one of the demonstration's pages."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(self._root / what, params=query) as answer,
        ):
            return await answer.json()

    async def sends(self) -> list[dict[str, Any]]:
        """The calls that leave a message."""
        calls: list[dict[str, Any]] = (await self.read("calls"))["calls"]
        sends = [call for call in calls if call["method"].startswith("send")]
        return [call for call in sends if call["method"] != "sendChatAction"]

    async def until(self, **told: object) -> None:
        """Wait until a call was so: while Telegram is away the bot only asks whether it is back."""
        async with asyncio.timeout(SLOWLY / 1000):
            while True:
                calls = (await self.read("calls"))["calls"]
                if any(told.items() <= call.items() for call in calls):
                    return
                await asyncio.sleep(0.1)

    async def counts(self) -> dict[str, int]:
        """Counted again, another way: copies by what stands in the chats, late and lost by the
        tries, once nothing waits.

        A chat is sent one message at a time, so what fails there is one message until it arrives,
        or is refused for good.
        """
        copies = late = arrived = lost = 0
        chats = {call["chat_id"] for call in await self.sends()}
        for chat in chats:
            said = Counter[str]()
            for message in await self.read("messages", chat_id=str(chat)):
                if message.get("from", {}).get("is_bot") or "sender_chat" in message:
                    said[str(message.get("text", message["message_id"]))] += 1
            copies += sum(said.values()) - len(said)
            failed = False
            for call in await self.sends():
                if call["chat_id"] == chat:
                    arrived += call["accepted"]
                    late += call["accepted"] and failed
                    failed = not call["accepted"] and call["code"] not in REFUSED_FOR_GOOD
            lost += failed
        return {"sent": arrived - copies, "lost": lost, "twice": copies, "late": late}

    async def agrees(self, page: Page) -> dict[str, int]:
        """The counts, once the page shows the same."""
        async with asyncio.timeout(SLOWLY / 1000):
            while (counted := await self.counts()) != await shown(page):  # noqa: ASYNC110 - a page
                await asyncio.sleep(0.5)
        return counted

    async def lose(self, chat: str) -> None:
        """Try a message in a chat once, in vain, as a bot that then forgets it."""
        fault = {"kind": "html", "code": 502, "times": 1, "method": "sendMessage"}
        async with aiohttp.ClientSession() as session:
            await session.post(self._root / "do" / "add_fault", json=fault)
            url = self._root.parent / f"bot{TEST_TOKEN}" / "sendMessage"
            await session.post(url, json={"chat_id": chat, "text": "USD 88.27"})


def hand(page: Page, name: str) -> Locator:
    """A button of the panel."""
    return page.locator(f"[data-control={name}]")


async def switch(page: Page, name: str, *, on: bool) -> None:
    """Press a switch of the panel."""
    await hand(page, name).click()
    await expect(hand(page, name)).to_have_attribute("aria-pressed", str(on).lower())


async def shown(page: Page) -> dict[str, int]:
    """The counts as they stand beside the chats."""
    found = {}
    for name in ("sent", "lost", "twice", "late"):
        found[name] = int(await page.locator(f"[data-count={name}] b").inner_text())
    return found


async def say(page: Page, text: str, answer: str = "") -> Locator:
    """Write without waiting for the answer with these words, of which the place is returned: copies
    of earlier ones may come between.
    """
    await (await named(page, "Message")).fill(text)
    await page.keyboard.press("Enter")
    said = page.locator("#main .msg.mine", has_text=text).last
    await expect(said).to_be_visible()
    after = said.locator("xpath=following-sibling::article[not(contains(@class, 'mine'))]")
    return after.filter(has_text=answer).first


async def test_the_counts_agree_with_the_record_under_all_faults(
    visitor: Visitor, address: str
) -> None:
    """Each thing that can be broken is broken, mended again, and what waited comes."""
    page = await (await visitor(HOST)).open(WIDE)
    record = Record(address)
    await start(page, HOST, "RUB", "Security")
    # four agencies, one message; a measured earthquake
    await hand(page, "story").click()
    story = page.locator("#main .msg", has_text="Tokmok")
    await expect(story).to_contain_text("4 sources", timeout=SLOWLY)
    await expect(page.locator("#side .msg", has_text="Tokmok")).to_have_count(1)
    await hand(page, "quake").click()
    await expect(page.locator("#main .msg", has_text="Kadji-Sai")).to_be_visible(timeout=SLOWLY)

    await switch(page, "flood", on=True)
    answer = await say(page, "/rates USD", "National Bank")
    await record.until(code=429)
    await expect(answer).to_have_count(0)
    await switch(page, "flood", on=False)
    assert (await shown(page))["lost"] == 0, "a question that waits for its answer"
    await expect(answer).to_be_visible(timeout=SLOWLY)

    await switch(page, "unheard", on=True)
    answer = await say(page, "/help", "/rates")
    await record.until(outcome="reset", accepted=True)
    await switch(page, "unheard", on=False)
    await expect(answer).to_be_visible(timeout=SLOWLY)
    # and once more, before the next fault: a copy that meets one is not late, which its calls alone
    # do not say
    helped = page.locator("#main .msg:not(.mine)", has_text="/mydata")
    await expect(helped).to_have_count(2, timeout=SLOWLY)

    await switch(page, "away", on=True)
    await hand(page, "story").click()
    await record.until(code=502)
    await expect(page.locator("[data-count=queue] b")).not_to_have_text("0")
    await switch(page, "away", on=False)
    await expect(page.locator("#side .msg", has_text="Batken")).to_be_visible(timeout=SLOWLY)
    await expect(page.locator("#main .msg", has_text="Armed clash").first).to_be_visible(
        timeout=SLOWLY
    )

    await switch(page, "lock", on=True)
    answer = await say(page, "/convert 7 USD KGS", "7 USD")
    await switch(page, "lock", on=False)
    await expect(answer).to_be_visible(timeout=SLOWLY)

    await switch(page, "freeze", on=True)
    answer = await say(page, "/convert 8 USD KGS", "8 USD")
    await expect(page.locator("[data-count=queue] b")).to_have_text("–")
    await expect(answer).to_have_count(0)
    await switch(page, "freeze", on=False)
    await expect(answer).to_be_visible(timeout=SLOWLY)

    await hand(page, "kill").click()
    await expect(hand(page, "kill")).to_have_attribute("aria-disabled", "true")
    answer = await say(page, "/convert 9 USD KGS", "9 USD")
    await hand(page, "start").click()
    await expect(answer).to_be_visible(timeout=SLOWLY)

    await switch(page, "blocked", on=True)
    await hand(page, "story").click()
    await expect(page.locator("#side .msg", has_text="Talas")).to_be_visible(timeout=SLOWLY)
    await expect(page.locator("#main .msg", has_text="Dam bursts")).to_have_count(0)
    await switch(page, "blocked", on=False)

    await expect(page.locator("[data-count=queue] b")).to_have_text("0", timeout=SLOWLY)
    counted = await record.agrees(page)
    assert counted["late"] > 0
    assert counted["lost"] == 0
    await record.lose(str(GROUPS["en"]))
    assert (await record.agrees(page))["lost"] == 1


async def test_the_panel_on_a_phone_by_keys(visitor: Visitor) -> None:
    """It comes up over a chat in the reader's language, every key of 44 pixels, and goes by Esc."""
    page = await (await visitor(HOST)).open(PHONE)
    for language, name, following in (
        ("English", "Time machine", "Next"),
        ("Русский", "Машина времени", "Дальше"),
        ("Кыргызча", "Убакыт машинасы", "Улантуу"),
    ):
        await page.get_by_role("radio", name=language).click()
        await page.locator(PRIVATE).click()
        await page.get_by_role("button", name=name).press("Enter")
        sheet = page.get_by_role("dialog", name=name)
        await expect(sheet.get_by_role("button", name=following).first).to_be_visible()
        small = "keys => keys.filter(key => key.offsetHeight < 44).map(key => key.textContent)"
        assert await sheet.locator(".hand, input").evaluate_all(small) == []
        await hand(page, "begin-first").fill("2020-01-01")
        await hand(page, "begin").click()
        refusal = filled("demo.no_day", first="03.07.2021", last="30.12.2023")
        code = await page.locator("html").get_attribute("lang") or ""
        await expect(page.locator(".toast")).to_have_text(refusal[code])
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        await page.keyboard.press("Escape")
        await expect(sheet).to_be_hidden()
        await (await named(page, "Back to the chats")).click()
    await write_and_travel(page)


async def test_a_readers_own_hours_are_stops(visitor: Visitor) -> None:
    """A digest at an hour of one's own comes at that hour, and says nothing of being late."""
    page = await (await visitor(HOST)).open(WIDE)
    await start(page, HOST, "USD")
    for text in ("/digest 8:30", "/quiet 22-6"):
        await expect(await say(page, text)).to_be_visible(timeout=SLOWLY)
    for hint in ("18:00 · evening digest", "06:00 · quiet hours end", "08:30 · digest"):
        await expect(hand(page, "next")).to_contain_text(hint, timeout=SLOWLY)
        await hand(page, "next").click()
    digest = page.locator("#main .msg", has=page.locator("time", has_text="08:30"))
    await expect(digest).to_contain_text("USD", timeout=SLOWLY)
    await expect(digest).not_to_contain_text("late")
    assert (await shown(page))["late"] == 0
    await expect(page.locator("#main .guide ol")).to_have_count(0)  # a digest is news too


async def test_the_storm_of_2022_is_replayed_on_a_fresh_database(visitor: Visitor) -> None:
    """Nothing is left of what was; four days later the dollar jumps as it did then, and the replay
    stops with its last day.
    """
    page = await (await visitor(HOST)).open(WIDE)
    await start(page, HOST, "RUB")
    await hand(page, "begin-first").fill("2022-02-21")
    await hand(page, "begin-last").fill("2022-02-25")
    await hand(page, "begin").click()
    await expect(page.locator("#today")).to_contain_text("21 February 2022", timeout=SLOWLY)
    await expect(page.locator("#main").get_by_role("button", name="Start")).to_be_visible()
    await expect(hand(page, "kill")).not_to_have_attribute("aria-disabled", "true", timeout=SLOWLY)
    await start(page, HOST, "USD")
    for day in (22, 23, 24, 25):
        await hand(page, "next-day").click()
        await expect(page.locator("#today")).to_contain_text(
            f"{day} February 2022, 16:", timeout=SLOWLY
        )
    move = page.locator("#main .msg", has_text="USD/KGS +11.7")
    await expect(move).to_contain_text("84.8000 → 94.7626", timeout=SLOWLY)
    choosing = await hand(page, "begin-first").element_handle()
    assert choosing is not None
    await switch(page, "play-fastest", on=True)
    await expect(hand(page, "play-fastest")).to_contain_text("until 25.02.2022")
    await expect(page.locator("#today")).to_contain_text("25 February 2022, 23:59", timeout=SLOWLY)
    await expect(hand(page, "play-fastest")).to_have_attribute("aria-pressed", "false")
    assert await choosing.evaluate("field => field.isConnected"), "a calendar would have closed"


async def write_and_travel(page: Page) -> None:
    """Time is moved from within a chat, and the morning's digest is there."""
    await page.locator(HERALD).click()
    for until in ("18:00", "09:00"):
        await page.locator(".panelkey").click()
        await hand(page, "next").click()
        await page.keyboard.press("Escape")
        digest = page.locator("#main .msg", has=page.locator("time", has_text=until))
        await expect(digest).to_contain_text("USD", timeout=SLOWLY)
