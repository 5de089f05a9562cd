"""Every word that the chat page says or names, in a real browser: in the chosen language and in no
other, also where the page was open before the language was chosen.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, expect

from bot.demo.words import OURS, tongues, words
from bot.emulator import Control, Emulator, Reading
from bot.i18n import demo_texts
from tests.browser.test_chat_page_alone import pending

AIGUL, BORIS, BEKA, GROUP, CHANNEL = 1001, 1002, 1003, -1001000000001, -1001000000002
WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
KEPT = "Only the page changed: the bot keeps its language"
CODES = {"ru": "Русский", "ky": "Кыргызча"}

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

#: What the page says: its texts, and what it calls its parts to those who do not see them.
SAID = """() => {
  const found = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (!node.parentElement.closest('script, style')) found.add(node.data.trim());
  }
  for (const el of document.body.querySelectorAll('*'))
    for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
      if (el.hasAttribute(name)) found.add(el.getAttribute(name).trim());
  found.delete('');
  return [...found];
}"""

#: Alike in all languages: languages by their codes and names, commands, what Telegram is called.
ALIKE = re.compile(r"^(EN|RU|KY|English|OK)$|[@/]\w+|Telegram|429")


def patterns(texts: Iterator[str]) -> list[re.Pattern[str]]:
    """Patterns of all that these texts may become, whatever is filled into them."""
    found: list[re.Pattern[str]] = []
    for text in texts:
        whole = "(.+)".join(re.escape(part) for part in re.split(r"\{\w+\}", text))
        found.append(re.compile(whole))
    return found


def foreign(said: set[str], code: str) -> list[str]:
    """The texts in another language than this: with a Latin word, or of the other's catalog."""
    other = next(one for one in CODES if one != code)
    mine, theirs = (
        patterns(text for key, text in demo_texts(one).items() if not key.startswith(OURS))
        for one in (code, other)
    )
    wrong: list[str] = []
    for text in sorted(said):
        theirs_only = any(one.fullmatch(text) for one in theirs) and not any(
            one.fullmatch(text) for one in mine
        )
        if theirs_only or re.search(r"[A-Za-z]{2,}", ALIKE.sub("", text)):
            wrong.append(text)
    return wrong


async def refused() -> str:
    """A control that fails, in the program's own English."""
    raise ValueError("the clock stands still")


@pytest_asyncio.fixture(loop_scope="session")
async def emulator() -> AsyncIterator[Emulator]:
    """A town whose people and chats have no Latin letter, and the demonstration's languages."""
    time = words("demo.time")
    emulator = Emulator(
        name="Жарчы",
        title="Жарчы",
        controls=[Control(id="next", label=words("demo.next"), run=refused, group=time)],
        readings=lambda: [Reading(id="queue", label=words("demo.queue"), value=0)],
        tongues={code: tongue for code, tongue in tongues().items() if code in {"en", *CODES}},
    )
    async with emulator as town:
        town.add_user(AIGUL, "Айгүл", "en")
        town.add_user(BORIS, "Борис", "ru")
        town.add_private(AIGUL)
        town.add_group(GROUP, "Кошуна", members=[AIGUL, BORIS])
        town.add_channel(CHANNEL, "Шаар")
        yield town


class Town:
    """The page before one who reads it, and the bot that writes there."""

    def __init__(self, emulator: Emulator, page: Page) -> None:
        self.emulator, self.page, self.code = emulator, page, "en"
        self.said: set[str] = set()

    def word(self, english: str) -> str:
        """A word of the page, in the chosen language."""
        return demo_texts(self.code)[english]

    async def read(self, *english: str) -> None:
        """Note what the page says now; these are among it."""
        now = set(await self.page.evaluate(SAID))
        self.said |= now
        assert [one for one in english if self.word(one) not in now] == []

    async def call(self, method: str, **parameters: Any) -> int:
        """Speak as the bot; the number of its message."""
        url = f"{self.emulator.api_url}/bot{self.emulator.token}/{method}"
        files = {"photo", "document"} & parameters.keys()
        how: dict[str, Any] = {"multipart" if files else "data": parameters}
        body: dict[str, Any] = await (await self.page.request.post(url, **how)).json()
        assert body["ok"], body
        return body["result"]["message_id"] if isinstance(body["result"], dict) else 0

    async def open(self, chat: int) -> None:
        """Go to a chat."""
        await self.page.locator(f"[data-chat='{chat}']").click()

    async def choose(self, code: str) -> None:
        """Another language, on the page."""
        self.code = code
        await self.page.get_by_role("radio", name=CODES[code]).click()
        await expect(self.page.locator("html")).to_have_attribute("lang", code)


async def every_kind_of_message(town: Town) -> None:
    """All that a chat can hold: marks, buttons, a picture, a file, keys below the field."""
    await town.emulator.send_text(AIGUL, "1")
    marks = [
        {"type": "spoiler", "offset": 0, "length": 1},
        {"type": "pre", "offset": 2, "length": 1},
        {"type": "expandable_blockquote", "offset": 4, "length": 1},
        {"type": "date_time", "offset": 6, "length": 1, "unix_time": 1692014400},
    ]
    keys = {"inline_keyboard": [[{"text": "7", "callback_data": "7"}]]}
    number = await town.call(
        "sendMessage",
        chat_id=AIGUL,
        text="1 2 3 4",
        entities=marks,
        reply_markup=keys,
        disable_notification=True,
    )
    await town.call("pinChatMessage", chat_id=AIGUL, message_id=number)
    keys["inline_keyboard"][0].append({"text": "9", "callback_data": "9"})
    await town.call("editMessageReplyMarkup", chat_id=AIGUL, message_id=number, reply_markup=keys)
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "PNG")
    for method, kind in (("sendPhoto", "photo"), ("sendDocument", "document")):
        file = {"name": "1", "mimeType": "image/png", "buffer": picture.getvalue()}
        await town.call(method, chat_id=str(AIGUL), **{kind: file})
    await town.emulator.share_location(AIGUL, 42.87, 74.57)
    below = {"keyboard": [["8"]]}
    await town.call("sendMessage", chat_id=AIGUL, text="4", reply_markup=below)


async def the_chat(town: Town) -> None:
    """A chat with all kinds of message, its menu, its picture and the trouble with it."""
    page = town.page
    await expect(page.locator("#main .photo")).to_be_visible()
    await town.read(
        *("Chats", "Demonstration", "Channel", "Switch between light and dark"),
        *("Back to the chats", "More", "Conversation", "Messages", "To the latest message"),
        *("Message", "Send", "Commands", "Reply buttons", "Open the picture", "Copy"),
        *("Hidden text, press to show", "Sent without sound", "Show all", "Pinned message"),
        *("Time machine", "Close", "Language", "You are", "Sent", "bot"),
    )
    await page.locator("#main .photo").click()
    await town.read("Picture")
    await page.keyboard.press("Escape")
    await page.locator("#main .bar [aria-haspopup]").click()
    await town.read("Share a location", "What if Telegram…")
    await page.keyboard.press("Escape")
    await page.locator("[data-control=next]").click()
    await expect(page.locator(".toast")).to_have_text(town.word("That did not work"))
    await page.locator("[data-control=away]").click()
    await expect(page.locator("#faulty")).to_contain_text(town.word("is away"))
    await town.read("End it")
    await page.locator("[data-control=away]").click()
    await expect(page.locator("#faulty")).to_be_hidden()
    town.emulator.block(AIGUL)
    await expect(page.locator("#main .foot .act")).to_have_text(town.word("Unblock and restart"))
    await town.read("bot · blocked by you")
    town.emulator.unblock(AIGUL)
    await expect(page.locator("#main .foot .act")).to_have_count(0)


async def an_answer_in_a_box(town: Town) -> None:
    """The answer to a pressed button, over everything."""
    town.emulator.updates.pending.clear()
    await town.page.locator("#main .key", has_text="7").click()
    asked = await pending(town.emulator, "callback_query")
    await town.call("answerCallbackQuery", callback_query_id=asked["id"], text="5", show_alert=True)
    await expect(town.page.get_by_role("dialog")).to_be_visible()
    await town.read("The bot says", "OK")
    await town.page.keyboard.press("Escape")


async def a_group(town: Town) -> None:
    """With something unread, somebody who types, and what becomes of the bot there."""
    page, emulator = town.page, town.emulator
    await town.call("sendMessage", chat_id=GROUP, text="6")
    await town.call("sendChatAction", chat_id=GROUP, action="typing")
    await expect(page.locator(".list .typing")).to_be_visible()
    await town.read("typing…")
    unread = town.word("unread: {count}").format(count=1)
    await expect(page.locator(f"[data-chat='{GROUP}']")).to_have_accessible_name(re.compile(unread))
    await town.open(GROUP)
    await town.call("sendChatAction", chat_id=GROUP, action="typing")
    above = town.word("typing…").removesuffix("…")
    await expect(page.locator("#main .sub.typing")).to_have_text(above)
    await town.call("sendMessage", chat_id=GROUP, text="7")  # it has been written
    for status, words_ in (
        ("administrator", "{bot} is an administrator"),
        ("kicked", "without {bot}"),
        ("member", "{bot} is here"),
    ):
        emulator.set_bot_status(GROUP, status)
        now = f"{town.word('members: {count}')} · {town.word(words_)}".format(count=2, bot="Жарчы")
        await expect(page.locator("#main .sub")).to_have_text(now)
        await town.read()


async def a_phone(town: Town) -> None:
    """The panel over a chat, and the way back."""
    page = town.page
    await page.set_viewport_size(PHONE)
    await page.locator(".panelkey").click()
    sheet = page.get_by_role("dialog", name=town.word("Time machine"))
    await expect(sheet.get_by_role("button", name=town.word("Close"), exact=True)).to_be_visible()
    await town.read()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=town.word("Back to the chats")).click()
    await town.read("No messages yet")
    await page.set_viewport_size(WIDE)


async def test_a_language_chosen_after_start_is_the_pages_until_the_bot_is_told(
    browser: Browser, emulator: Emulator
) -> None:
    """The page says so at the choice, and offers to say /settings to the bot, where it knows that;
    what is chosen before Start the bot takes, and nothing is said.
    """
    emulator.add_private(emulator.add_user(BEKA, "Бека", "en"), started=False)
    page = await browser.new_page(viewport=PHONE, reduced_motion="reduce")
    await page.goto(emulator.page_url)
    town = Town(emulator, page)
    await page.get_by_label("You are").select_option("Бека")
    note = page.locator("#kept")
    settings = [{"command": "settings", "description": "-"}]
    await town.call("setMyCommands", commands=settings)

    await town.choose("ru")
    await town.open(BEKA)
    await page.get_by_role("button", name=town.word("Start"), exact=True).click()
    assert (await emulator.wait_message(BEKA))["from"]["language_code"] == "ru"
    await page.get_by_role("button", name=town.word("Time machine")).click()
    await expect(page.locator("#sheet")).to_be_visible()
    await expect(note).to_be_hidden()
    await town.choose("ky")
    await expect(note).to_contain_text(town.word(KEPT))
    await note.get_by_role("button", name="/settings").click()
    await expect(page.locator("#sheet")).to_be_hidden()
    await expect(page.locator("#main .msg.mine").last).to_contain_text("/settings")
    assert (await emulator.wait_message(BEKA, after=1))["text"] == "/settings"

    await page.get_by_role("button", name=town.word("Back to the chats")).click()
    await expect(page.locator("#langs")).to_be_visible()
    await expect(note).to_be_hidden()
    await town.call("deleteMyCommands")
    await town.choose("ru")
    await expect(note).to_have_text(town.word(KEPT), use_inner_text=True)
    await page.close()


@pytest.mark.parametrize("code", CODES)
async def test_the_page_says_nothing_in_another_language(
    browser: Browser, emulator: Emulator, code: str
) -> None:
    """The language is chosen when all that there can be is on the page, in English."""
    page = await browser.new_page(viewport=WIDE, reduced_motion="reduce")
    await page.goto(emulator.page_url)
    town = Town(emulator, page)
    await town.open(AIGUL)
    await every_kind_of_message(town)
    await expect(page.locator("#main .key", has_text="9")).to_be_visible()
    await town.choose(code)
    await the_chat(town)
    await an_answer_in_a_box(town)
    await a_group(town)
    await a_phone(town)
    assert foreign(town.said, code) == []
    await page.close()
