"""The chat page in a real browser, with a person in front of it and no bot behind: the test answers
itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from bot.emulator import Control, Emulator, Tongue

AIGUL, GROUP, CHANNEL = (
    9007199254740993,
    -1001000000001,
    -1001000000002,
)  # the first is beyond JavaScript's integers

TONGUES = {
    "en": Tongue(name="English"),
    "ru": Tongue(name="Русский"),
    "ky": Tongue(name="Кыргызча", words={"Language": "Тил"}),
}

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def next_day() -> str:
    """A control of the demonstration."""
    return "It is tomorrow"


@pytest_asyncio.fixture(loop_scope="session")
async def emulator() -> AsyncIterator[Emulator]:
    """One person, a group, a channel, a control."""
    controls = [Control(id="next", label="Next day", run=next_day)]
    async with Emulator(controls=controls, tongues=TONGUES) as town:
        town.add_user(AIGUL, "Aigul", "en")
        town.add_user(2, "Boris", "ru")
        town.add_private(AIGUL)
        town.add_group(GROUP, "Neighbours", members=[AIGUL, 2])
        town.add_channel(CHANNEL, "City news", "city_news")
        yield town


async def opened(
    browser: Browser, emulator: Emulator, width: int, height: int
) -> tuple[Page, list[str]]:
    """The page at a size, and what its console complains of."""
    page = await browser.new_page(
        viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    problems: list[str] = []
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    await page.goto(emulator.page_url)
    await expect(page.locator("#chats button").first).to_be_visible()
    return page, problems


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def no_page_left(browser: Browser) -> AsyncIterator[None]:
    """A page that is open draws beside the next test's."""
    yield
    for context in browser.contexts:
        await context.close()


async def call(emulator: Emulator, page: Page, method: str, **parameters: Any) -> dict[str, Any]:
    """Speak as the bot."""
    answer = await page.request.post(
        f"{emulator.api_url}/bot{emulator.token}/{method}", data=parameters
    )
    body: dict[str, Any] = await answer.json()
    assert body["ok"], body
    return body


async def pending(emulator: Emulator, kind: str) -> dict[str, Any]:
    """The last update of a kind for the bot: the page shows a press before it is sent."""
    async with asyncio.timeout(10):
        while True:
            for update in reversed(emulator.updates.pending):
                if kind in update:
                    content: dict[str, Any] = update[kind]
                    return content
            await emulator.updates.arrived()


async def test_a_conversation_on_a_wide_screen(browser: Browser, emulator: Emulator) -> None:
    """Start, an answer with every kind of text, a button with its toast, and a post in the channel
    beside it.
    """
    page, problems = await opened(browser, emulator, 1280, 800)
    main, side = page.locator("#main"), page.locator("#side")
    await expect(side.locator("h2")).to_have_text("City news")

    await page.locator(f"[data-chat='{AIGUL}']").click()
    await main.get_by_role("button", name="Start").click()
    assert (await emulator.wait_message(AIGUL))["text"] == "/start"

    text = "<img src=x onerror=alert(1)> bold secret 24.kg"
    entities = [
        {"type": "bold", "offset": 29, "length": 4},
        {"type": "spoiler", "offset": 34, "length": 6},
    ]
    keys = {"inline_keyboard": [[{"text": "Why?", "callback_data": "why"}]]}
    await call(
        emulator,
        page,
        "sendMessage",
        chat_id=AIGUL,
        text=text,
        entities=entities,
        reply_markup=keys,
    )
    bubble = main.locator(".msg:not(.mine) .bubble")
    await expect(bubble).to_contain_text(text)
    await expect(bubble.locator("b")).to_have_text("bold")
    assert await bubble.locator("img").count() == 0
    await expect(bubble.locator("a")).to_have_attribute("href", "https://24.kg/")
    await bubble.locator(".spoiler").press("Enter")
    await expect(bubble.locator(".spoiler.shown")).to_have_text("secret")

    await main.get_by_role("button", name="Why?").click()
    await expect(main.locator(".key[aria-busy=true]")).to_be_visible()
    query = await pending(emulator, "callback_query")
    assert (query["data"], query["from"]["id"]) == ("why", AIGUL)
    await call(
        emulator, page, "answerCallbackQuery", callback_query_id=query["id"], text="Because of oil"
    )
    await expect(page.locator(".toast")).to_have_text("Because of oil")
    await expect(main.locator(".key[aria-busy=true]")).to_have_count(0)

    posted = await call(
        emulator,
        page,
        "sendMessage",
        chat_id=CHANNEL,
        text="Border reopens",
        disable_notification=True,
    )
    await expect(side.locator(".bubble")).to_contain_text("Border reopens")
    await expect(side.get_by_label("without sound")).to_be_visible()
    message_id = posted["result"]["message_id"]
    await call(
        emulator,
        page,
        "editMessageText",
        chat_id=CHANNEL,
        message_id=message_id,
        text="Border stays shut",
    )
    await expect(side.locator(".bubble")).to_contain_text("edited")
    await call(emulator, page, "pinChatMessage", chat_id=CHANNEL, message_id=message_id)
    await expect(side.locator(".pinned")).to_contain_text("Border stays shut")
    assert problems == []


async def test_a_phone_goes_between_the_list_and_a_chat(
    browser: Browser, emulator: Emulator
) -> None:
    """390 pixels: an unread badge, the chat, nothing wider than the screen, and back."""
    page, problems = await opened(browser, emulator, 390, 844)
    await expect(page.locator("#main")).to_be_hidden()
    await call(emulator, page, "sendMessage", chat_id=GROUP, text="w" * 300)
    row = page.locator(f"[data-chat='{GROUP}']")
    await expect(row.locator(".badge")).to_have_text("1")
    await row.click()
    await expect(page.locator("#main .bubble")).to_be_visible()
    await expect(page.locator(".list")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    assert await page.evaluate("document.querySelector('#main .scroll').scrollWidth") <= 390
    await page.get_by_label("Back to the chats").click()
    await expect(row).to_be_visible()
    await expect(row.locator(".badge")).to_have_count(0)
    assert problems == []


async def test_the_keyboard_alone_is_enough(browser: Browser, emulator: Emulator) -> None:
    """A slash offers the commands, arrows choose, Enter sends, Escape closes."""
    commands = [
        {"command": "rates", "description": "Rates"},
        {"command": "news", "description": "News"},
    ]
    page, problems = await opened(browser, emulator, 1000, 700)
    await call(emulator, page, "setMyCommands", commands=commands)
    await emulator.send_text(AIGUL, "/start")
    await page.locator(f"[data-chat='{AIGUL}']").press("Enter")
    message = page.get_by_label("Message", exact=True)
    await expect(message).to_be_focused()
    await expect(page.get_by_label("Commands")).to_be_visible()
    await page.keyboard.type("/")
    await expect(page.locator("#popup-main").get_by_role("option")).to_have_count(2)
    await page.keyboard.press("Escape")
    await expect(page.locator("#popup-main").get_by_role("option")).to_have_count(0)
    await page.keyboard.press("Backspace")
    await page.keyboard.type("/")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert (await emulator.wait_message(AIGUL, after=1))["text"] == "/news"
    assert problems == []


async def test_language_controls_and_faults(browser: Browser, emulator: Emulator) -> None:
    """The reader's language, the demonstration's button, blocking, and a flood on order."""
    page, problems = await opened(browser, emulator, 1280, 800)
    await page.get_by_role("radio", name="Кыргызча").click()
    await expect(page.get_by_role("radio", name="Кыргызча")).to_be_checked()
    await expect(page.get_by_role("radio", name="Кыргызча")).to_be_focused()
    assert emulator.world.user(AIGUL).language_code == "ky"
    await expect(page.locator("#langlabel")).to_have_text("Тил")
    assert await page.evaluate("document.documentElement.lang") == "ky"
    await page.get_by_role("radio", name="English").click()
    await expect(page.locator("#langlabel")).to_have_text("Language")
    await page.get_by_role("button", name="Next day").click()
    await expect(page.locator(".toast")).to_have_text("It is tomorrow")
    await page.locator(f"[data-chat='{AIGUL}']").click()
    more = page.locator("#main").get_by_label("More")
    await more.click()
    await page.get_by_role("menuitem", name="says “slow down” for 30 s").click()
    await expect(page.locator("#faulty")).to_contain_text("429")
    assert emulator.faults.active()[0].retry_after == 30
    await page.get_by_role("button", name="End it").click()
    await expect(page.locator("#faulty")).to_be_hidden()
    await more.click()
    await page.get_by_role("menuitem", name="Block the bot").click()
    await expect(page.get_by_role("button", name="Unblock and restart")).to_be_visible()
    assert emulator.world.chat(AIGUL).blocked
    assert problems == []


async def test_inline_results_and_reply_keys(browser: Browser, emulator: Emulator) -> None:
    """Typing @bot shows its results and posts the chosen one; reply buttons say what they read."""
    page, problems = await opened(browser, emulator, 1000, 700)
    await emulator.send_text(AIGUL, "/start")
    keyboard = {"keyboard": [["USD", "EUR"]], "resize_keyboard": True}
    await call(emulator, page, "sendMessage", chat_id=AIGUL, text="Which?", reply_markup=keyboard)
    await page.locator(f"[data-chat='{AIGUL}']").click()
    await page.locator(".replykeys").get_by_role("button", name="EUR").click()
    assert (await emulator.wait_message(AIGUL, after=2))["text"] == "EUR"

    await page.get_by_label("Message", exact=True).fill("@jarchy_bot 100 usd")
    query = await pending(emulator, "inline_query")
    content = {"message_text": "100 USD = 8,745 KGS"}
    result = {"type": "article", "id": "1", "title": "8,745 som", "input_message_content": content}
    await call(emulator, page, "answerInlineQuery", inline_query_id=query["id"], results=[result])
    await page.get_by_role("option", name="8,745 som").click()
    await expect(page.locator(".msg.mine .bubble").last).to_contain_text("100 USD = 8,745 KGS")
    await expect(page.locator(".msg.mine .bubble").last).to_contain_text("via @jarchy_bot")
    assert problems == []


async def test_what_comes_while_a_state_is_on_its_way_stays(
    browser: Browser, emulator: Emulator
) -> None:
    """On a busy machine the state is older than what was shown since it was asked for."""
    page, problems = await opened(browser, emulator, 1000, 700)
    await page.locator(f"[data-chat='{AIGUL}']").click()
    read, told = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        state = await route.fetch()
        read.set()
        await told.wait()
        await route.fulfill(response=state)

    await page.route("**/emulator/state", hold)
    emulator.set_language(AIGUL, "ru")
    await read.wait()
    await call(emulator, page, "sendMessage", chat_id=AIGUL, text="Meanwhile")
    mine = page.locator("#main .bubble", has_text="Meanwhile")
    await expect(mine).to_have_count(1)
    told.set()
    await expect(page.get_by_role("radio", name="Русский")).to_be_checked()
    await expect(mine).to_have_count(1)
    await page.unroute("**/emulator/state")
    emulator.set_language(AIGUL, "en")
    assert problems == []


async def test_the_focus_stays_where_a_message_changes(
    browser: Browser, emulator: Emulator
) -> None:
    """A pressed button keeps the focus when its message is edited; when the buttons go, one writes
    on.
    """
    page, problems = await opened(browser, emulator, 1280, 800)
    await page.locator(f"[data-chat='{AIGUL}']").click()

    def keys(*labels: str) -> dict[str, Any]:
        return {
            "inline_keyboard": [
                [{"text": label, "callback_data": label.strip("✓ ")}] for label in labels
            ]
        }

    sent = await call(
        emulator, page, "sendMessage", chat_id=AIGUL, text="Which?", reply_markup=keys("USD", "EUR")
    )
    number = sent["result"]["message_id"]
    await page.get_by_role("button", name="EUR").press("Enter")
    change = {"chat_id": AIGUL, "message_id": number}
    await call(
        emulator, page, "editMessageReplyMarkup", **change, reply_markup=keys("USD", "✓ EUR")
    )
    await expect(page.get_by_role("button", name="✓ EUR")).to_be_focused()
    await call(emulator, page, "editMessageReplyMarkup", **change, reply_markup=keys("All"))
    await expect(page.get_by_role("button", name="All")).to_be_focused()
    await call(emulator, page, "editMessageText", **change, text="Done")
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    assert problems == []


# Words whose contrast with what is behind them is below WCAG's 4.5; pictures and what cannot be
# used are exempt.
FAINT_WORDS = """() => {
  const style = getComputedStyle;
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const parts = colour => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) =>
    [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const shares = [.2126, .7152, .0722];
  const light = rgb => shares.reduce((sum, share, i) => sum + share * linear(rgb[i] / 255), 0);
  const wall = parts(style(document.querySelector('.pane')).backgroundColor);
  const behind = el => {
    const own = parts(style(el).backgroundColor);
    return own[3] === 1 ? own : over(own, el.parentElement ? behind(el.parentElement) : wall);
  };
  const said = el => [...el.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  const exempt = 'script, style, [aria-hidden=true], :disabled';
  const words = [...document.querySelectorAll('body *')];
  return words.filter(el => said(el) && el.checkVisibility() && !el.closest(exempt)).flatMap(el => {
    const back = behind(el), [a, b] = [light(over(parts(style(el).color), back)), light(back)];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const name = `${el.className || el.tagName} “${el.textContent.slice(0, 30)}”`;
    return ratio < 4.5 ? [`${name} ${ratio.toFixed(2)}`] : [];
  });
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.cases(keep=1)
async def test_every_word_can_be_read_in_both_themes(
    browser: Browser, emulator: Emulator, theme: str
) -> None:
    """Chats chosen and not, unread ones, messages both ways, quotes, code, buttons, hints: 4.5 to 1
    at least.
    """
    page, problems = await opened(browser, emulator, 1280, 800)
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    await page.locator(f"[data-chat='{AIGUL}']").click()
    await emulator.send_text(AIGUL, "/start")
    entities = [
        {"type": "code", "offset": 0, "length": 4},
        {"type": "url", "offset": 5, "length": 5},
        {"type": "pre", "offset": 11, "length": 3, "language": "text"},
        {"type": "expandable_blockquote", "offset": 15, "length": 5},
    ]
    keys = {
        "inline_keyboard": [
            [{"text": "Why?", "callback_data": "why"}, {"text": "Open", "url": "https://24.kg"}]
        ]
    }
    text = "code 24.kg pre quote"
    await call(
        emulator,
        page,
        "sendMessage",
        chat_id=AIGUL,
        text=text,
        entities=entities,
        reply_markup=keys,
        reply_parameters={"message_id": 1},
    )
    for words in ("Posted", "Posted again"):
        await call(emulator, page, "sendMessage", chat_id=GROUP, text=words)
    sent = await call(emulator, page, "sendMessage", chat_id=CHANNEL, text="Pinned")
    await call(
        emulator, page, "pinChatMessage", chat_id=CHANNEL, message_id=sent["result"]["message_id"]
    )
    await expect(page.locator("#side .pinned")).to_be_visible()
    await expect(page.locator("#chats .badge")).to_have_text("2")
    await expect(page.locator("html")).to_have_attribute("data-theme", theme)
    assert await page.evaluate(FAINT_WORDS) == []
    assert problems == []
