"""Places on the chat page where a reader can put the bot: a channel, a group and its topics."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.emulator import Emulator, Tongue
from bot.i18n import demo_texts

AIGUL, HERALD, OWN, GROUP = 1001, -1001000000001, -1001000000002, -1001000000003
RATES = 5

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def emulator() -> AsyncIterator[Emulator]:
    """A person without a language, a herald in two, and what is theirs."""
    tongues = {
        "en": Tongue(name="English"),
        "ru": Tongue(name="Русский", words=demo_texts("ru")),
        "ky": Tongue(name="Кыргызча", words=demo_texts("ky")),
    }
    async with Emulator(tongues=tongues) as town:
        town.add_private(town.add_user(AIGUL, "Aigul"), started=False)
        town.add_channel(HERALD, "Вестник", "herald_ru", language="ru")
        town.add_channel(HERALD - 100, "Жарчы", "herald_ky", language="ky")
        town.add_channel(OWN, "Канал Айгуль", owner=AIGUL, bot_status="left", language="ru")
        town.add_group(GROUP, "Двор", owner=AIGUL, bot_status="left", is_forum=True, language="ru")
        town.add_topic(GROUP, RATES, "Курсы")
        yield town


async def opened(browser: Browser, emulator: Emulator, locale: str) -> Page:
    """The page in a browser that speaks that."""
    page = await browser.new_page(
        viewport={"width": 390, "height": 844}, reduced_motion="reduce", locale=locale
    )
    page.set_default_timeout(10_000)
    await page.goto(emulator.page_url)
    await expect(page.locator("#chats button").first).to_be_visible()
    return page


@pytest.mark.parametrize(
    ("locale", "code", "start"),
    [("ru-KG", "ru", "Начать"), ("ky-KG", "ky", "Баштоо"), ("de-DE", "en", "Start")],
)
async def test_the_first_screen_speaks_as_the_browser_does(
    browser: Browser, emulator: Emulator, locale: str, code: str, start: str
) -> None:
    """So does the person whom the bot meets; a language of none of ours is English."""
    page = await opened(browser, emulator, locale)
    await page.locator(f"[data-chat='{AIGUL}']").click()
    await page.get_by_role("button", name=start, exact=True).click()
    said = await emulator.wait_message(AIGUL)
    assert said["from"]["language_code"] == code
    await page.close()


async def test_a_language_once_chosen_is_kept_in_the_browser(
    browser: Browser, emulator: Emulator
) -> None:
    page = await opened(browser, emulator, "ru-RU")
    await page.get_by_role("radio", name="Кыргызча").click()
    await expect(page.locator("#chats")).to_contain_text("Жарчы")
    emulator.set_language(AIGUL, None)  # as in a demonstration that is started again
    await page.reload()
    await expect(page.get_by_role("radio", name="Кыргызча")).to_be_checked()
    await page.close()


async def test_only_chats_of_the_readers_language_are_shown(
    browser: Browser, emulator: Emulator
) -> None:
    """But what is in use already stays."""
    page = await opened(browser, emulator, "ru-RU")
    chats = page.locator("#chats")
    await expect(chats).to_contain_text("Вестник")
    await expect(chats).not_to_contain_text("Жарчы")
    await emulator.send_text(GROUP, "Салам", user_id=AIGUL)
    await page.get_by_role("radio", name="Кыргызча").click()
    await expect(chats).to_contain_text("Жарчы")
    await expect(chats).to_contain_text("Двор")
    await expect(chats).not_to_contain_text("Вестник")
    await expect(chats).not_to_contain_text("Канал Айгуль")
    await page.close()


async def test_the_bot_is_added_where_one_runs_things_and_nowhere_else(
    browser: Browser, emulator: Emulator
) -> None:
    """By a button in the chat itself; a channel takes it as an administrator. In a channel of
    somebody else's nothing is offered.
    """
    page = await opened(browser, emulator, "ru-RU")
    for chat, status in ((OWN, "administrator"), (GROUP, "member")):
        await page.locator(f"[data-chat='{chat}']").click()
        await page.get_by_role("button", name="Добавить бота").click()
        await expect(page.get_by_role("button", name="Добавить бота")).to_have_count(0)
        assert emulator.world.chat(chat).bot.status == status
        await page.get_by_role("button", name="Назад к чатам").click()
    emulator.set_bot_status(HERALD, "left", by=AIGUL)
    await page.locator(f"[data-chat='{HERALD}']").click()
    await expect(page.get_by_role("button", name="Добавить бота")).to_have_count(0)
    await page.get_by_label("Ещё").click()
    await expect(page.get_by_role("menuitem", name="снова работает")).to_have_count(0)
    await expect(page.get_by_role("menuitem", name="пропал на 30 секунд")).to_be_visible()
    for name in ("Удалить бота", "Сделать бота администратором"):
        await expect(page.get_by_role("menuitem", name=name)).to_have_count(0)
    await page.close()


async def test_a_topic_is_a_conversation_of_its_own(browser: Browser, emulator: Emulator) -> None:
    """Messages stay in the topic they were written in; a dot tells of a new one in another."""
    emulator.set_bot_status(GROUP, "administrator", by=AIGUL)
    page = await opened(browser, emulator, "ru-RU")
    await page.locator(f"[data-chat='{GROUP}']").click()
    general, rates = page.locator("[data-topic=general]"), page.locator(f"[data-topic='{RATES}']")
    await expect(general).to_have_attribute("aria-selected", "true")
    await general.press("ArrowRight")
    await expect(rates).to_be_focused()
    await expect(rates).to_have_attribute("aria-selected", "true")
    await page.get_by_label("Сообщение", exact=True).fill("/here")
    await page.keyboard.press("Enter")
    await expect(page.locator("#main .msg")).to_have_count(1)
    written = await emulator.wait_message(GROUP, lambda said: said.get("text") == "/here")
    assert written["message_thread_id"] == RATES
    await general.click()
    await expect(page.locator("#main .msg", has_text="/here")).to_have_count(0)
    await emulator.send_text(GROUP, "91", user_id=AIGUL, thread_id=RATES)
    await expect(general).to_have_attribute("aria-selected", "true")
    emulator.world.add_message(
        emulator.world.chat(GROUP),
        {"from": emulator.world.bot_json, "text": "92", "message_thread_id": RATES},
    )
    await expect(rates).to_have_class("fresh")
    await rates.click()
    await expect(page.locator("#main .msg")).to_have_count(3)
    await expect(rates).not_to_have_class("fresh")
    await page.close()


async def test_what_a_guide_says_to_write_is_written_in_its_topic(
    browser: Browser, emulator: Emulator
) -> None:
    """By whoever runs the group; a guide of another topic is not shown in this."""
    emulator.set_bot_status(GROUP, "member", by=AIGUL)
    says = {"text": "/here", "hint": {"en": "what comes here", "ru": "что сюда приходит"}}
    emulator.guide = lambda _chat: {"steps": [], "offer": None, "say": {str(RATES): [says]}}
    page = await opened(browser, emulator, "ru-RU")
    await page.locator(f"[data-chat='{GROUP}']").click()
    await expect(page.locator("#main .guide")).to_be_hidden()
    await page.locator(f"[data-topic='{RATES}']").click()
    await page.locator("#main .guide").get_by_role("button", name="что сюда приходит").click()
    written = await emulator.wait_message(GROUP, lambda said: said.get("text") == "/here")
    assert (written["from"]["id"], written["message_thread_id"]) == (AIGUL, RATES)
    await page.close()


async def test_a_days_label_over_messages_goes_when_they_stand_still(
    browser: Browser, emulator: Emulator
) -> None:
    """And is back as soon as they move; the one at its own place stays."""
    page = await opened(browser, emulator, "ru-RU")
    for _ in range(40):
        await emulator.send_text(AIGUL, "100 usd")
    await page.locator(f"[data-chat='{AIGUL}']").click()
    day = page.locator("#main .day").first
    await expect(day).to_have_css("opacity", "0")
    await page.locator("#main .scroll").evaluate("it => { it.scrollTop = 400; }")
    await expect(day).to_have_css("opacity", "1")
    await page.locator("#main .scroll").evaluate("it => { it.scrollTop = 0; }")
    await expect(page.locator("#main .log.still")).to_be_attached()
    await expect(day).to_have_css("opacity", "1")
    # and whoever wants nothing to move is at the latest message at once
    below = """it => {
      it.click();
      const all = document.querySelector("#main .scroll");
      return all.scrollHeight - all.clientHeight - all.scrollTop;
    }"""
    assert await page.locator("#main .down").evaluate(below) < 1
    await page.close()
