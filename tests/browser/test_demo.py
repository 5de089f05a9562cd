"""The demonstration as its user meets it: started from the command line, used in a real browser,
ended by SIGTERM.

A demonstration, a browser and each page take longer to start than most of what is done in them. So
one of each serves all journeys side by side, each a person with a chat and one page of their own;
they share the calendar, which is turned when the last of them is ready, and once more when all but
one are home. The long run has more, one by one.
"""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page, expect
from yarl import URL

from bot.demo.world import FIRST_DAY, World, read_rates, read_stories
from tests.browser.demo import (
    HERALD,
    HOST,
    LONGEST,
    PHONE,
    PRIVATE,
    WIDE,
    Visit,
    Visitor,
    last,
    named,
    press,
    start,
    write,
)

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


class Calendar:
    """The turns of the calendar, when so many people are ready for them."""

    def __init__(self, people: int) -> None:
        self._all = asyncio.Barrier(people)
        self._turned = False
        self._under_way = people
        self._nearly_over = asyncio.Event()

    async def tomorrow(self, page: Page | None = None) -> None:
        """Wait for it; the first who brings a page presses *Next day* there."""
        await self._all.wait()
        if page is None or self._turned:
            return
        self._turned = True
        # as the chat itself offers it, or the panel above the list where no chat is open
        keys = page.locator("[data-offer=next-day], [data-control=next-day]")
        await keys.filter(visible=True).first.click()
        following = (FIRST_DAY + timedelta(days=1)).isoformat()
        await expect(page.locator("#today")).to_have_attribute("data-day", following)

    async def evening(self, page: Page) -> None:
        """Wait until everybody else is home, and press *Next* in the chat."""
        await self._nearly_over.wait()
        await page.locator("#main [data-offer=next]").click()

    def one_is_home(self) -> None:
        """A journey is over."""
        self._under_way -= 1
        if self._under_way <= 1:
            self._nearly_over.set()


def bank_rates() -> dict[str, tuple[str, str]]:
    """Today's and tomorrow's rate by code, as the bank prints them on the first afternoon."""
    past = World().history()
    following = read_rates()[len(past)]
    return {code: (str(value), str(following[1][code])) for code, value in past[-1][1].items()}


async def the_first_minutes(visit: Visit, calendar: Calendar) -> None:
    """Start greets by name, a tap follows, /rates has the bank's figures, /news the day's stories,
    paged in place; then an own rule.
    """
    page = await visit.open(WIDE)
    menu = await start(page, visit.name, "USD", "Security")
    steps = page.locator("#main .guide li")
    await expect(steps.locator("xpath=self::*[contains(@class, 'done')]")).to_have_count(1)
    await press(menu, "Done")
    await expect(page.locator("[data-offer=next-day]")).to_be_visible()
    await expect(menu).to_contain_text("USD")
    await expect(menu).to_contain_text("security")
    await expect(menu.locator(".key")).to_have_count(0)

    card = await write(page, "/rates")
    await expect(card).to_contain_text("National Bank")
    for code, (today, following) in bank_rates().items():
        await expect(card).to_contain_text(re.compile(rf"{code}\s+{today}\s+{following}"))

    news = await write(page, "/news")
    headlines = [
        story.headline for story in read_stories() if story.day == 0 and story.at.hour < 16
    ]
    for headline in headlines:
        link = news.get_by_role("link", name=headline)
        assert URL(str(await link.get_attribute("href"))).host == "127.0.0.1"
    await press(news, "Security")
    await expect(news).not_to_contain_text(headlines[0])
    await press(news, "All")
    await expect(news).to_contain_text(headlines[0])
    await an_own_rule_in_three_taps(page, calendar)


async def a_day_with_news(visit: Visit, calendar: Calendar) -> None:
    """The next day's jump and earthquake reach the follower and the channel; Why? explains, Mute
    mutes.
    """
    page = await visit.open(WIDE)
    await start(page, visit.name, "RUB", "Security")
    await calendar.tomorrow(page)

    old, new = bank_rates()["RUB"][1], str(dict(read_rates())[FIRST_DAY.replace(day=16)]["RUB"])
    quake = next(story.headline for story in read_stories() if story.id == "earthquake-en")
    for pane in ("#main", "#side"):
        move = page.locator(f"{pane} .msg", has_text="RUB/KGS")
        await expect(move).to_contain_text(f"RUB/KGS +5.5\u00a0% {old} → {new}")
        await expect(
            page.locator(f"{pane} .msg", has_text=quake).filter(has=page.locator(".key"))
        ).to_have_count(1)

    for hour in ("18:00", "09:00"):  # the evening's digest and the morning's
        digest = page.locator("#side .msg", has_text=re.compile(r"USD \d+\.\d\d"))
        await expect(digest.filter(has=page.locator("time", has_text=hour))).to_be_attached()
    move = page.locator("#main .msg", has_text="RUB/KGS")
    await press(move, "Why?")
    why = page.locator("#main .msg", has_text="Why I wrote")
    await expect(why).to_contain_text("+5.46\u00a0%")
    await move.get_by_role("button", name="Mute RUB").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("RUB")
    await dialog.get_by_role("button", name="OK").click()
    await expect(move.get_by_role("button", name="Unmute RUB")).to_be_visible()
    menu = await write(page, "/subscribe")
    await expect(menu.get_by_role("button", name="✓ Security")).to_be_visible()
    await expect(menu.get_by_role("button", name="RUB")).to_have_text("RUB")
    await press(move, "Unmute RUB")
    await expect(move.get_by_role("button", name="Mute RUB", exact=True)).to_be_visible()
    await press(move, "Snooze")
    await expect(move.get_by_role("button", name="Off until")).to_be_visible()
    await expect(page.locator("#main .guide ol")).to_have_count(0)  # all three steps are taken
    await expect(page.locator("[data-offer=next]")).to_be_visible()


async def a_story_grows_in_place_and_everybody_reads_their_own_language(
    visit: Visit, calendar: Calendar
) -> None:
    """Three agencies, one earthquake: one message, edited; a Russian and their channel are told in
    Russian.
    """
    page = await visit.open(WIDE)
    await page.get_by_role("radio", name="Русский").click()
    await expect(page.get_by_role("radio", name="Русский")).to_be_checked()
    await page.locator("#main").get_by_role("button", name="Начать").click()
    menu = page.locator("#main .msg:not(.mine)").first
    await press(menu, "Безопасность")
    await expect(menu.get_by_role("button", name="✓ Безопасность")).to_be_visible()
    await calendar.tomorrow(page)
    headline = next(story.headline for story in read_stories() if story.id == "earthquake-ru")
    for pane in ("#side", "#main"):
        await expect(
            page.locator(f"{pane} .msg", has_text=re.compile("Нарын|Naryn"))
        ).to_have_count(1)
    await calendar.evening(page)
    for pane in ("#side", "#main"):
        told_here = page.locator(f"{pane} .msg", has_text=headline).filter(has=page.locator(".key"))
        await expect(told_here).to_contain_text("3 источника")
        await expect(told_here.locator(".meta")).to_contain_text("изменено")
        alerts = page.locator(f"{pane} .msg", has_text=re.compile("Нарын|Naryn")).filter(
            has=page.locator(".key")
        )
        await expect(alerts).to_have_count(1)  # the digest, without buttons, may tell it too


async def read_on_a_phone(page: Page) -> None:
    """390 pixels: the list with what is unread, one chat at a time and back; nothing is wider than
    the screen.
    """
    await expect(page.locator("#main")).to_be_hidden()
    for chat in (page.locator(HERALD), page.locator(PRIVATE)):
        await expect(chat.locator(".badge")).to_be_visible()
        await chat.click()
        await expect(page.locator(".list")).to_be_hidden()
        await expect(page.locator("#main .msg", has_text="+5.5\u00a0%").first).to_be_attached()
        for what in ("document.documentElement", "document.querySelector('#main .scroll')"):
            assert await page.evaluate(f"{what}.scrollWidth") <= PHONE[0]
        # while it is open: what comes once we are back is unread anew
        await expect(chat.locator(".badge")).to_have_count(0)
        await (await named(page, "Back to the chats")).click()
    await page.locator(PRIVATE).click()
    card = await write(page, "/rates")
    await expect(card.locator("pre")).to_contain_text("USD")
    assert await card.locator("pre").evaluate("it => it.scrollWidth <= it.clientWidth"), (
        "the card scrolls sideways"
    )


@pytest.mark.slow
async def test_without_a_mouse(visitor: Visitor) -> None:
    """Start, a command from the menu and a button are reached and pressed by keys alone; Russian
    greets in Russian.
    """
    page = await (await visitor(HOST)).open(WIDE)
    await page.get_by_role("radio", name="English").press("ArrowRight")
    await expect(page.get_by_role("radio", name="Русский")).to_be_checked()
    await page.locator("#main").get_by_role("button", name="Начать").press("Enter")
    await expect(page.locator("#main .msg:not(.mine)").first).to_contain_text("Здравствуйте, Aigul")
    message = await named(page, "Message")
    await expect(message).to_be_focused()

    await page.keyboard.type("/rat")
    await expect(page.locator("#popup-main").get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(last(page)).to_contain_text(bank_rates()["USD"][0].replace(".", ","))
    await expect(message).to_be_focused()

    first = page.locator("#main .msg:not(.mine)").first.get_by_role("button", name="USD")
    for _ in range(40):
        await page.keyboard.press("Shift+Tab")
        # the card below has a button of this name too
        if await first.evaluate("it => it === document.activeElement"):
            break
    await page.keyboard.press("Space")
    await expect(page.locator("#main").get_by_role("button", name="✓ USD")).to_be_visible()


@pytest.mark.slow
async def test_the_time_zone_from_a_location(visitor: Visitor) -> None:
    """The zone screen offers it, a key below the field sends the place, and the key is gone with
    the answer.
    """
    page = await (await visitor(HOST)).open(PHONE)
    await page.locator(PRIVATE).click()
    await start(page, HOST)
    shown = await write(page, "/settings")
    await press(shown, "Time zone")
    await press(shown, "Moscow")
    await press(shown, "Time zone")
    await press(shown, "Use my location")
    key = page.get_by_role("button", name="Send location")
    await key.click()
    await expect(last(page)).to_contain_text("Time zone: Bishkek")
    await expect(key).to_have_count(0)


async def seen(message: Locator) -> str:
    """The address of a message's picture, once it is there in its full size."""
    picture = message.locator("img")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("naturalWidth", 1080)
    return str(await picture.get_attribute("src"))


async def an_own_rule_in_three_taps(page: Page, calendar: Calendar) -> None:
    """Currency, condition, Save, with the year's picture before saving; the next day's jump brings
    it, by its name.
    """
    asked = await write(page, "/alert")
    await press(asked, "RUB")
    today = float(bank_rates()["RUB"][1])
    await expect(asked).to_contain_text(f"RUB/KGS {today}")
    levels = [
        text
        for text in await asked.locator(".key").all_text_contents()
        if text.startswith("above ")
    ]
    level = levels[-1].removeprefix("above ")
    assert today < float(level) < today * 1.05
    await press(asked, levels[-1])
    chosen = f"> {level}"
    await expect(asked).to_contain_text(f"RUB/KGS {chosen}")
    await expect(asked.get_by_role("button", name="Only once")).to_be_visible()
    await seen(asked)
    await press(asked, "Save")
    await expect(asked).to_contain_text("Saved. All your alerts")
    await expect(asked).to_contain_text(f"RUB/KGS {chosen}")
    await expect(asked.locator(".key")).to_have_count(0)
    await expect(await write(page, "/alerts")).to_contain_text(f"1. RUB/KGS {chosen}")

    await calendar.tomorrow(page)
    told = page.locator("#main .msg", has_text=f"Your alert: RUB/KGS {chosen}")
    await expect(told).to_contain_text("RUB/KGS +5.5\u00a0%")


async def questions_and_pictures_on_a_phone(visit: Visit, calendar: Calendar) -> None:
    """Free text is converted; a chart's range and colours change in place; a typed rule is
    previewed; all fits, also what the next day brings.
    """
    page = await visit.open(PHONE)
    await page.locator(PRIVATE).click()
    await start(page, visit.name, "RUB")
    sum_ = await write(page, "100$ в сомах")
    await expect(sum_).to_contain_text("100 USD = 8,802 KGS")
    await expect(await write(page, "5к руб")).to_contain_text("5,000 RUB =")

    chart = await write(page, "/chart RUB 90d")
    shown = [await seen(chart)]
    for name, then in (("1 year", "90 days"), ("Dark", "Light")):
        await press(chart, name)
        await expect(chart.get_by_role("button", name=then)).to_be_visible()
        await expect(chart.locator("img")).not_to_have_attribute("src", shown[-1])
        shown.append(await seen(chart))

    preview = await write(page, "/alert USD 0.5")
    await expect(preview).to_contain_text("USD/KGS ±0.5 som")
    await seen(preview)
    for what in ("document.documentElement", "document.querySelector('#main .scroll')"):
        assert await page.evaluate(f"{what}.scrollWidth") <= PHONE[0]
    await (await named(page, "Back to the chats")).click()
    await calendar.tomorrow(page)
    await read_on_a_phone(page)


#: A language: the page's first button, how the bot greets in it, and what three of its are called.
BUTTONS = {
    "English": ("Start", "Hello", "Security", "headlines", "News length"),
    "Русский": ("Начать", "Здравствуйте", "Безопасность", "заголовки", "Длина новостей"),
    "Кыргызча": ("Баштоо", "Саламатсызбы", "Коопсуздук", "аталыш", "Кабар көлөмү"),
}


async def buttons_on_a_phone_break_no_word(
    visit: Visit, calendar: Calendar, language: str = "Кыргызча"
) -> None:
    """No label of greeting, card, news, settings or alert takes a second line, snoozed and muted
    ones neither.
    """
    begin, hello, security, headlines, length = BUTTONS[language]
    page = await visit.open(PHONE)
    await page.get_by_role("radio", name=language).click()
    chat = page.locator(PRIVATE)
    await chat.click()
    await page.locator("#main").get_by_role("button", name=begin).click()
    await expect(last(page)).to_contain_text(hello)
    for name in (security, "RUB"):
        await press(last(page), name)
    await write(page, "/rates USD")
    await write(page, "/news")
    settings = await write(page, "/settings")
    await press(settings, length)
    await press(settings, headlines)
    await expect(settings).to_contain_text(f": {headlines}")
    await (await named(page, "Back to the chats")).click()
    await calendar.tomorrow(page)
    await expect(chat.locator(".badge")).to_be_visible()
    await chat.click()
    for alert, buttons in (("RUB/KGS", 4), (re.compile("5[.,]6"), 6)):
        told = page.locator("#main .msg", has_text=alert).filter(has=page.locator(".key"))
        await expect(told.locator(".key")).to_have_count(buttons)
        await told.locator(".key").nth(2).click()
        await expect(told.locator(".key").nth(2)).to_contain_text(":")
        mute = await told.locator(".key").last.text_content()
        await told.locator(".key").last.click()
        await page.get_by_role("dialog").get_by_role("button", name="OK").click()
        await expect(told.locator(".key").last).not_to_have_text(str(mute))
    tall = "keys => keys.filter(key => key.offsetHeight > 40).map(key => key.textContent)"
    assert await page.locator("#main .key").evaluate_all(tall) == []


JOURNEYS = {
    HOST: a_day_with_news,
    "Bermet": the_first_minutes,
    "Daniyar": a_story_grows_in_place_and_everybody_reads_their_own_language,
    "Olga": questions_and_pictures_on_a_phone,
    "Zarina": buttons_on_a_phone_break_no_word,
}


@pytest.mark.timeout(LONGEST)
async def test_five_people_find_what_the_demonstration_promises(visitor: Visitor) -> None:
    """Each a promise of its own, which stands in their journey, and nobody disturbs another."""
    visits = [await visitor(name) for name in JOURNEYS]
    calendar = Calendar(len(visits))

    async def travel(visit: Visit) -> None:
        await JOURNEYS[visit.name](visit, calendar)
        calendar.one_is_home()

    async with asyncio.TaskGroup() as under_way:
        for visit in visits:
            under_way.create_task(travel(visit))


@pytest.mark.slow
@pytest.mark.parametrize("language", ["English", "Русский"])
async def test_buttons_on_a_phone_break_no_word(visitor: Visitor, language: str) -> None:
    """Nor in the other two languages."""
    await buttons_on_a_phone_break_no_word(await visitor(HOST), Calendar(1), language)
