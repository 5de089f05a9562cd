"""Alerts and charts asked for in plain words, what follows a bare command, and names of currencies
as each language says them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import storage.filters
from bot.convert.commands import command_called
from bot.i18n import t
from bot.languages import LANGUAGES, language
from handlers import COMMANDS, follow_up
from storage.schema import chat as chat_table
from storage.schema import rule as rule_table
from tests.handlers.conftest import GROUP, NOW, READER, RUSSIAN, STRANGER, World, days

TOMORROW = NOW.date() + timedelta(days=1)
READERS = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}


def said(message: dict[str, Any]) -> str:
    """Its words, or its picture's."""
    return str(message.get("text", message.get("caption", "")))


@pytest.mark.cases(keep=5)
@pytest.mark.parametrize(
    ("language", "written", "read"),
    [
        ("en", "let me know when the dollar is above 90", "> 90"),
        ("en", "warn me if USD falls by 2 percent", "−2 %"),
        ("en", "alert me when the dollar reaches 90", "> 90"),
        ("en", "the euro rises or falls by 3 % in 7 days", "±3 %"),
        ("ru", "предупреди, когда доллар будет выше 90", "> 90"),
        ("ru", "сообщи, если доллар вырастет на 2 процента", "+2 %"),
        ("ru", "доллар ниже 80", "< 80"),
        ("ru", "дай знать, когда доллар дойдёт до 90", "> 90"),
        ("en", "when dollar 90", "> 90"),
        ("en", "when will the dollar be 90?", "> 90"),
        ("ru", "когда будет доллар 90", "> 90"),
        ("ru", "Когда доллар будет стоить 80?", "< 80"),
        ("ky", "доллар 90 болгондо", "> 90"),
        ("ky", "доллар качан 80 болот?", "< 80"),
        ("ky", "доллар 90дон жогору болсо айт", "> 90"),
        ("ky", "доллар 90дон ашса эскерт", "> 90"),
        ("ky", "эвро 2 пайызга түшсө кабарла", "−2 %"),
    ],
)
async def test_an_alert_in_plain_words_is_one(
    scene: World, language: str, written: str, read: str
) -> None:
    """Its preview, with Save; nothing is in force before that."""
    shown = said(await scene.ask(written, chat=READERS[language], fits="KGS"))
    assert read in shown.replace("\u00a0", " ").splitlines()[0], shown
    (stored,) = await scene.stored(rule_table)
    assert stored.standing == "pending"


@pytest.mark.parametrize(
    "written", ["100 доллар болсо", "если 100 долларов в сомах", "когда доллар был 70"]
)
async def test_an_amount_of_money_and_the_past_are_no_alert(scene: World, written: str) -> None:
    """Though words of a moment stand there: a level stands behind its currency."""
    await scene.ask(written, chat=RUSSIAN)
    assert await scene.stored(rule_table) == []


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("доллар вырос на 2 процента", "+2 %"),
        ("доллар подешевеет на 2%", "−2 %"),
        ("доллар 90дон ашса", "> 90"),
        ("USD falls 2%", "−2 %"),
        ("USD falls below 80", "< 80"),
        ("доллар вырастет или упадёт на 2%", "±2 %"),
    ],
)
async def test_alert_reads_the_words_of_a_move_and_of_its_direction(
    scene: World, written: str, read: str
) -> None:
    shown = said(await scene.ask(f"/alert {written}", fits="KGS"))
    assert read in shown.replace("\u00a0", " ").splitlines()[0], shown


@pytest.mark.cases(keep=4)
@pytest.mark.parametrize(
    ("language", "written", "read"),
    [
        ("en", "the dollar falls to 80", "< 80"),
        ("en", "the dollar rises by 60", "+60"),
        ("en", "the dollar falls 2", "−2"),
        ("ru", "доллар упадёт до 80", "< 80"),
        ("ru", "доллар вырастет на 60", "+60"),
        ("ru", "доллар подешевеет больше чем на 2", "−2"),
        ("ky", "доллар 80ге чейин түшсө", "< 80"),
        ("ky", "доллар 80ге түшсө", "< 80"),
        ("ky", "доллар 2 сомго көтөрүлсө", "+2"),
    ],
)
async def test_an_alert_goes_where_its_words_go(
    scene: World, language: str, written: str, read: str
) -> None:
    """To a level or by so much, and never the other way."""
    await scene.keep(days("USD/KGS", ["84.1", "84.2"]))
    shown = said(await scene.ask(f"/alert {written}", chat=READERS[language], fits="KGS"))
    assert read in shown.replace("\u00a0", " ").splitlines()[0], shown


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "the dollar rises below 80"),
        ("en", "the dollar rises 80"),
        ("ru", "доллар вырастет ниже 80"),
        ("ru", "доллар упадёт 90"),
        ("ky", "доллар 80ге көтөрүлсө"),
        ("ky", "доллар 90го түшсө"),
    ],
)
async def test_an_alert_that_goes_two_ways_is_asked_about(
    scene: World, language: str, written: str
) -> None:
    """A level on the wrong side of the rate would be one that its reader did not mean."""
    await scene.keep(days("USD/KGS", ["84.1", "84.2"]))
    shown = said(await scene.ask(f"/alert {written}", chat=READERS[language]))
    assert shown == t("error.rule.two_sides", language).replace("`", "")
    assert await scene.stored(rule_table) == []


async def test_an_amount_of_money_is_no_alert(scene: World) -> None:
    """Nor is a wish for more a level."""
    for written in ("100 долларов в сомах", "доллар 90", "больше новостей", "100 usd"):
        await scene.ask(written)
    assert await scene.stored(rule_table) == []


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "show me a chart of the dollar for a month"),
        ("ru", "график доллара за месяц"),
        ("ru", "покажи, пожалуйста, график доллара за 30 дней"),
        ("ky", "доллардын графиги бир ай"),
        ("ky", "доллардын графиги бир жылга"),
        ("ky", "доллар графиги 30 күн"),
    ],
)
async def test_a_chart_in_plain_words_is_drawn(scene: World, language: str, written: str) -> None:
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)]))
    answer = await scene.ask(written, chat=READERS[language], fits="USD/KGS")
    assert answer["photo"]


@pytest.mark.parametrize("language", READERS)
async def test_what_is_not_understood_names_what_it_speaks_of(scene: World, language: str) -> None:
    """A chart, an alert, else an amount; and each example works as it stands."""
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)]))
    words = {
        "en": ("warn me about the dollar somehow", "a chart of my mood", "abracadabra"),
        "ru": ("предупреди про доллар как-нибудь", "график моих настроений", "абракадабра"),
        "ky": ("доллар тууралуу эскерт деле", "көңүлүмдүн графиги", "абракадабра"),
    }[language]
    for written, about, example in zip(
        words,
        ("unknown.alert", "unknown.chart", "unknown.text"),
        ("/alert USD > 90", "/chart USD 30d", "100 usd"),
        strict=True,
    ):
        chat = READERS[language]
        answer = await scene.ask(written, chat=chat)
        assert said(answer) == t(about, language).replace("{example}", example)
        assert "USD" in said(await scene.ask(example, chat=chat, fits="USD"))


@pytest.mark.parametrize("language", READERS)
async def test_what_a_bare_command_asks_for_may_be_written_next(
    scene: World, language: str
) -> None:
    """Once: the words after that stand for themselves again."""
    chat = READERS[language]
    await scene.ask("/mute", chat=chat)
    await scene.ask("футбол", chat=chat, fits="футбол")
    async with scene.bot.store.reading() as db:
        (kept,) = await storage.filters.of_chat(db, chat)
    assert kept.said == "футбол"
    unknown = t("unknown.text", language).replace("{example}", "100 usd")
    assert said(await scene.ask("футбол", chat=chat)) == unknown

    for command, words, fits in (
        ("quiet", "23-7", "23:00"),
        ("digest", "20:00", "20:00"),
        ("alert", "доллар 90", "> 90"),
        ("settings", "Москва", ":"),
    ):
        await scene.ask(f"/{command}", chat=chat)
        assert fits in said(await scene.ask(words, chat=chat)), command
    await scene.ask("/search", chat=chat)
    nothing = t("search.none", language)
    assert nothing in said(await scene.ask("граница", chat=chat))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Quiet hours from 11 pm to 7 am", "digest at 20:00", "time zone: Almaty")),
        ("ru", ("Тихие часы с 23 до 7", "дайджест в 20:00", "часовой пояс Алматы")),
        ("ky", ("Тынч саат 23төн 7ге", "жыйынтык 20:00", "убакыт алкагы Алматы")),
    ],
)
async def test_a_command_in_words_takes_what_stands_behind_it(
    scene: World, language: str, words: tuple[str, str, str]
) -> None:
    """All in one message; what it cannot read is no command's."""
    chat = READERS[language]
    for written, fits in zip(words, ("23:00", "20:00", "10:00"), strict=True):
        answer = said(await scene.ask(written, chat=chat))
        assert fits in answer, answer
    unknown = t("unknown.text", language).replace("{example}", "100 usd")
    odd = f"{words[0].split()[0]} {words[0].split()[1]} abrakadabra"
    assert said(await scene.ask(odd, chat=chat)) == unknown


@pytest.mark.parametrize("written", ["do not disturb never", "language Kyrgyz"])
async def test_what_may_mean_something_else_opens_what_it_names(scene: World, written: str) -> None:
    """Nothing is switched off, and no clock is set by a language."""
    await scene.ask("quiet hours from 11 pm to 7 am", fits="23:00")
    await scene.ask("time zone Tokyo", fits="13:00")
    before = await scene.stored(chat_table)
    assert "/help" not in said(await scene.ask(written))
    assert await scene.stored(chat_table) == before


async def test_S9_what_is_handed_on_sets_nothing(scene: World) -> None:
    """A post that begins like a command: its sender may have meant its link."""
    await scene.ask("quiet hours from 10 pm to 8 am", fits="22:00")
    before = await scene.stored(chat_table)
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}
    for words in ("Quiet hours from 11 pm to 7 am", "time zone: Almaty"):
        await scene.emulator.send_text(READER, words, extra={"forward_origin": origin})
    await scene.ask("100 usd", fits="USD")
    assert await scene.stored(chat_table) == before


async def test_a_currency_after_a_bare_chart_is_drawn(scene: World) -> None:
    """And what is no chart is answered for itself."""
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)]))
    await scene.ask("/chart")
    assert (await scene.ask("usd", fits="USD/KGS"))["photo"]
    await scene.ask("/chart")
    assert "photo" not in await scene.ask("100 usd")


async def test_what_is_no_answer_to_the_command_stands_for_itself(scene: World) -> None:
    """An amount after /mute, and whatever comes after another command, a while later, or in a
    group.
    """
    await scene.ask("/mute")
    assert "KGS" in said(await scene.ask("100 usd"))
    await scene.ask("/mute")
    await scene.ask("/help")
    assert "100 usd" in said(await scene.ask("футбол"))
    await scene.ask("/mute")
    later = scene.bot.services.clock() + follow_up.LASTS * 2
    scene.bot.services.clock = lambda: later
    assert "100 usd" in said(await scene.ask("футбол"))
    await scene.emulator.send_text(GROUP, "/mute", user_id=READER)
    await scene.tells(GROUP, "/mute")
    await scene.emulator.send_text(GROUP, "футбол", user_id=READER)
    async with scene.bot.store.reading() as db:
        for chat in (READER, GROUP):
            assert await storage.filters.of_chat(db, chat) == []


@pytest.mark.cases(keep=4)
@pytest.mark.parametrize(
    ("language", "others"),
    [
        ("en", ("thanks", "usd", "the euro rate", "dollar yesterday", "a chart of the dollar",
                "warn me when the dollar is above 90", "ok", "no", "what can you do?",
                "warn me about floods", "the dollar falls by two percent", "100 foo",
                "chart of the dollar someday")),
        ("ru", ("спасибо большое", "usd", "курс доллара", "доллар вчера", "покажи график",
                "график доллара за месяц", "доллар выше 90", "хорошо", "нет",
                "предупреди о паводке", "евро растёт на процент", "сколько стоит 5 яблок",
                "график доллара когда-нибудь")),
        ("ky", ("чоң рахмат", "сом", "доллардын курсу", "эвро канча", "доллардын графиги бир ай",
                "доллар 90дон ашса айт", "жакшы", "жок", "салам",
                "сел болсо эскерт", "доллар түшсө айт", "100 foo",
                "доллардын графиги качандыр бир")),
    ],
)  # fmt: skip
async def test_what_asks_for_something_else_becomes_no_filter(
    scene: World, language: str, others: tuple[str, ...]
) -> None:
    """After a bare /mute or /only it is answered as if neither stood before."""
    chat = READERS[language]
    for command in ("mute", "only"):
        for written in others:
            await scene.ask(f"/{command}", chat=chat)
            await scene.ask(written, chat=chat)
            async with scene.bot.store.reading() as db:
                assert await storage.filters.of_chat(db, chat) == [], written


@pytest.mark.parametrize("words", ["реал мадрид", "график отключений", "больше спорта"])
async def test_a_word_of_ours_among_others_may_be_filtered_by(scene: World, words: str) -> None:
    await scene.ask("/mute")
    await scene.ask(words)
    async with scene.bot.store.reading() as db:
        assert [one.said for one in await storage.filters.of_chat(db, READER)] == [words]


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    ("language", "word"),
    [("en", "cancel"), ("ru", "отмена"), ("ky", "керек эмес"), ("ru", "/cancel")],
)
async def test_a_word_that_cancels_ends_what_a_bare_command_asks_for(
    scene: World, language: str, word: str
) -> None:
    """And says so; it is no filter and no question."""
    chat = READERS[language]
    for command in ("mute", "search", "alert"):
        await scene.ask(f"/{command}", chat=chat)
        assert said(await scene.ask(word, chat=chat)) == t("cancel.done", language)
        await scene.ask("футбол", chat=chat)
    async with scene.bot.store.reading() as db:
        assert await storage.filters.of_chat(db, chat) == []
    if word.startswith("/"):
        assert said(await scene.ask(word, chat=chat)) == t("cancel.nothing", language)


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize("name", ["эвро", "эвронун", "эврого", "эврону", "эвродон"])
async def test_a_currency_has_the_names_that_kyrgyz_readers_write(scene: World, name: str) -> None:
    assert "EUR" in said(await scene.ask(f"/rates {name}", chat=STRANGER))
    assert "EUR" in said(await scene.ask(f"100 {name}", chat=STRANGER))


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    ("language", "written", "named"),
    [
        ("en", "/rates yuan", "Chinese yuan (CNY)"),
        ("ru", "/rates юань", "Китайский юань (CNY)"),
        ("ky", "/chart юань", "Кытай юаны (CNY)"),
    ],
)
async def test_a_currency_without_a_rate_is_called_as_it_was(
    scene: World, language: str, written: str, named: str
) -> None:
    """By its name beside the code, where the code was not written."""
    answer = said(await scene.ask(written, chat=READERS[language]))
    assert answer.startswith(f"{named}: "), answer
    assert "USD" in answer


@pytest.mark.parametrize("language", READERS)
async def test_an_alert_that_was_begun_stays_while_another_is(scene: World, language: str) -> None:
    """Whoever goes back to the first finds its Save alive."""
    chat = READERS[language]
    await scene.keep(days("USD/KGS", ["84.1", "84.2"]))
    first = await scene.ask("/alert USD > 90", chat=chat)
    await scene.ask("/alert EUR > 99", chat=chat)
    keys = str(first["reply_markup"])
    number = int(keys.partition("rule:save:")[2].partition("'")[0])
    await scene.press(chat, first["message_id"], f"rule:save:{number}")
    await scene.tells(chat, t("rule.saved", language))
    standing = {one.id: one.standing for one in await scene.stored(rule_table)}
    assert standing[number] == "on"


CALLED = sorted(
    (code, phrase, command)
    for code in LANGUAGES
    for command, phrases in language(code).commands.called.items()
    for phrase in phrases.split(",")
)


def test_a_command_that_is_called_in_words_is_one_and_is_asked_for_by_nothing_else() -> None:
    assert {command for *_, command in CALLED} <= set(COMMANDS)
    for code, phrase, command in CALLED:
        assert command_called(f"  {phrase.upper()}? ") == command, (code, phrase)


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    ("written", "command"),
    [
        ("курс", "/rates"),
        ("Курсы валют", "/rates"),
        ("курс валют?", "/rates"),
        ("Новости", "/news"),
        ("настройки", "/settings"),
        ("жөндөөлөр", "/settings"),
        ("жардам", "/help"),
        ("what can you do?", "/help"),
        ("тихие часы", "/quiet"),
    ],
)
async def test_a_word_for_a_command_is_the_command(
    scene: World, written: str, command: str
) -> None:
    """In a private chat; a word that says more, or is said in a group, is not."""
    told = said(await scene.ask(command))
    assert said(await scene.ask(written)) == told
    assert said(await scene.ask(f"{written} ау")) != told
    await scene.emulator.send_text(GROUP, written, user_id=READER)
    answer = await scene.ask("/privacy", chat=GROUP)
    mine = [m for m in scene.emulator.messages(GROUP) if m.get("from", {}).get("is_bot")]
    assert mine == [answer]


async def test_what_a_command_called_in_words_asks_for_may_follow(scene: World) -> None:
    await scene.ask("тихие часы")
    assert "23:00" in said(await scene.ask("23-7", fits="23:00"))


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("курс на завтра", "/rates завтра"),
        ("какой курс доллара был вчера", "/rates usd вчера"),
        ("курсы валют на завтра", "/rates завтра"),
        ("эртеңки курс", "/rates эртең"),
        ("кечээки курс канча", "/rates кечээ"),
        ("rates tomorrow", "/rates tomorrow"),
        ("Вчера?", "/rates вчера"),
        ("кечээ", "/rates кечээ"),
        ("last friday", "/rates last friday"),
        ("18 октября", "/rates 18.10"),
        ("сегодня", "/rates"),
    ],
)
async def test_the_rates_of_a_day_are_asked_for_in_words(
    scene: World, written: str, asked: str
) -> None:
    await scene.keep(days("USD/KGS", ["84.0000", "84.7935", "85.0000"], last=TOMORROW))
    assert said(await scene.ask(written)) == said(await scene.ask(asked))


async def test_a_day_that_there_is_not_is_said_to_be_none(scene: World) -> None:
    """By itself as behind the command; in figures alone it may be an amount."""
    for written in ("31 февраля", "30-февраль", "Feb 31"):
        wrong = t("error.date", "en").format(text=written, example="/rates 2021-10-20")
        assert said(await scene.ask(written)) == wrong


@pytest.mark.parametrize("written", ["спасибо", "Рахмат!", "thanks, bot", "Кош бол!"])
async def test_thanks_are_answered_as_such(scene: World, written: str) -> None:
    answer = said(await scene.ask(written))
    assert answer == t("courtesy.back", "en")
    assert "/help" in answer
