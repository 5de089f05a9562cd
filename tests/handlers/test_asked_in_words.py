"""Commands asked for in a sentence, with what they are given; and what looks like one."""

from __future__ import annotations

from typing import Any

import pytest

import storage.filters
from bot.convert.commands import command_begun, command_called
from bot.i18n import t
from handlers.services import Services
from storage.schema import chat as chat_table
from tests.handlers.conftest import READER, RUSSIAN, STRANGER, World, days

READERS = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told to slow down: these readers ask a lot."""
    monkeypatch.setattr(Services, "allow", lambda *_: True)


def said(message: dict[str, Any]) -> str:
    """Its words, or its picture's."""
    return str(message.get("text", message.get("caption", "")))


async def _filters(scene: World, chat: int) -> list[str]:
    async with scene.bot.store.reading() as db:
        return [one.said for one in await storage.filters.of_chat(db, chat)]


@pytest.mark.parametrize(
    ("written", "command"),
    [
        ("show me my alerts", "alerts"),
        ("Please, open the settings!", "settings"),
        ("send me the rates please", "rates"),
        ("who are you?", "help"),
        ("stop notifications", "subscribe"),
        ("покажи, пожалуйста, новости", "news"),
        ("отключи уведомления", "subscribe"),
        ("отпиши меня", "subscribe"),
        ("лучший курс", "rates"),
        ("ты кто", "help"),
        ("курстарды көрсөт", "rates"),
        ("жаңылык барбы?", "news"),
        ("сен кимсиң", "help"),
        ("стоп", "stop"),
        ("my data", "mydata"),
        ("удали мои данные", "delete"),
        ("купуялык", "privacy"),
        ("не беспокой ночью", "quiet"),
        ("все валюты", "subscribe"),
        ("жаңы эскертүү", "alert"),
        ("the", None),
        ("show me", None),
        ("покажи мне кино", None),
    ],
)
def test_a_command_is_called_among_words_that_mean_nothing(
    written: str, command: str | None
) -> None:
    assert command_called(written) == command


@pytest.mark.parametrize(
    ("written", "command", "behind"),
    [
        ("news about earthquakes", "news", "earthquakes"),
        ("Osh news", "news", "Osh"),
        ("what's new in Osh?", "news", "Osh"),
        ("новости про границу", "news", "границу"),
        ("Оштогу жаңылыктар", "news", "Оштогу"),
        ("жер титирөө тууралуу жаңылыктар", "news", "жер титирөө"),
        ("mute football for a week", "mute", "football for a week"),
        ("не присылай мне новости про футбол", "mute", "футбол"),
        ("футболду жашыр", "mute", "футболду"),
        ("найди чек ара", "search", "чек ара"),
        ("эртең менен саат 8де дайджест", "digest", "эртең менен саат 8де"),
        ("my timezone is Berlin", "settings", "Berlin"),
    ],
)
def test_what_a_command_is_given_stands_on_either_side_of_its_name(
    written: str, command: str, behind: str
) -> None:
    """Without the words that only tie it to the name."""
    begun = command_begun(written)
    assert begun is not None
    assert (begun.command, begun.behind) == (command, behind)


@pytest.mark.parametrize("written", ["убери это", "hide it", "don't show this", "I can't hide you"])
def test_what_is_only_pointed_at_is_given_to_no_command(written: str) -> None:
    """A pronoun would be a filter that keeps back half of the news."""
    assert command_begun(written) is None


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("written", "asks"),
    [
        ("find the rate of the dollar", "1 usd"),
        ("найди 100 долларов в сомах", "100 usd kgs"),
        ("покажи курс доллара", "1 usd"),
        ("долларды таап бер", "1 usd"),
        ("найди курс", "/rates"),
        ("find news", "/news"),
    ],
)
async def test_what_has_an_answer_of_its_own_is_not_looked_for_in_the_news(
    scene: World, written: str, asks: str
) -> None:
    assert said(await scene.ask(written)) == said(await scene.ask(asks))


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "news about floods"),
        ("en", "find news about floods"),
        ("ru", "новости о паводках"),
        ("ru", "найди новости про паводок"),
        ("ky", "сел тууралуу жаңылыктар"),
        ("ky", "селди изде"),
    ],
)
async def test_news_of_something_are_looked_for(scene: World, language: str, written: str) -> None:
    answer = said(await scene.ask(written, chat=READERS[language]))
    assert answer.startswith("🔎")
    assert t("search.none", language) in answer


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "news today"), ("ru", "новости за вчера"), ("en", "economy news")],
)
async def test_news_of_a_day_or_a_topic_are_the_list(
    scene: World, language: str, written: str
) -> None:
    """And none that has those words in it."""
    assert not said(await scene.ask(written, chat=READERS[language])).startswith("🔎")


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "written", "word"),
    [
        ("en", "don't send me football", "football"),
        ("ru", "не присылай мне новости про футбол", "футбол"),
        ("ky", "футбол тууралуу жазба", "футбол"),
    ],
)
async def test_what_a_chat_will_not_hear_of_is_said_in_a_sentence(
    scene: World, language: str, written: str, word: str
) -> None:
    """And done by a tap: "hide your phone" is built like "hide football"."""
    chat = READERS[language]
    asked = await scene.ask(written, chat=chat)
    assert word in said(asked)
    assert await _filters(scene, chat) == []
    ((button,),) = asked["reply_markup"]["inline_keyboard"]
    await scene.press(chat, asked["message_id"], button["callback_data"])
    await scene.tells(chat, t("settings.saved", language))
    assert await _filters(scene, chat) == [word]


@pytest.mark.parametrize("data", ["omit:football", "seek:border"])
async def test_words_that_a_button_brings_count_under_the_message_that_shows_it(
    scene: World, data: str
) -> None:
    """Whoever forges a press would have the bot say or keep anything."""
    asked = await scene.ask("hide hockey")
    answer = await scene.emulator.press(READER, asked["message_id"], data, user_id=READER)
    assert answer["text"] == t("error.stale", "en")
    assert await _filters(scene, READER) == []


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "no more news"),
        ("en", "mute all"),
        ("ru", "не присылай мне новости"),
        ("ru", "убери всё"),
    ],
)
async def test_who_wants_less_of_all_chooses_what_comes(
    scene: World, language: str, written: str
) -> None:
    """By taps; there is no filter called "news"."""
    chat = READERS[language]
    shown = await scene.ask("/subscribe", chat=chat)
    assert said(await scene.ask(written, chat=chat)) == said(shown)
    assert await _filters(scene, chat) == []


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    ("language", "written", "fits"),
    [
        ("en", "digest at 8", "08:00"),
        ("en", "news every day at 8", "08:00"),
        ("ru", "в 8 утра дайджест", "08:00"),
        ("ru", "дайджест каждый день в 20", "20:00"),
        ("ky", "саат 8де жыйынтык", "08:00"),
    ],
)
async def test_the_hour_of_a_digest_stands_where_its_language_has_it(
    scene: World, language: str, written: str, fits: str
) -> None:
    assert fits in said(await scene.ask(written, chat=READERS[language]))


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "send me rates every morning"),
        ("ru", "присылай курсы каждое утро"),
        ("ky", "ар күнү эртең менен курс жибер"),
    ],
)
async def test_who_asks_for_rates_each_morning_gets_the_digest_and_its_hours(
    scene: World, language: str, written: str
) -> None:
    await scene.keep(days("USD/KGS", ["84.1", "84.2"]))
    chat = READERS[language]
    shown = await scene.ask("/digest", chat=chat)
    asked = await scene.ask(written, chat=chat)
    assert (said(asked), asked["reply_markup"]) == (said(shown), shown["reply_markup"])


@pytest.mark.cases(keep=1)
@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "change language to russian"), ("ru", "язык кыргызский"), ("ky", "тил орусча")],
)
async def test_a_language_that_is_named_opens_the_settings(
    scene: World, language: str, written: str
) -> None:
    """And changes nothing by itself."""
    chat = READERS[language]
    await scene.ask("/settings", chat=chat)
    before = await scene.stored(chat_table)
    assert said(await scene.ask(written, chat=chat)).startswith(t("settings.title", language))
    assert await scene.stored(chat_table) == before


@pytest.mark.cases(keep=8)
@pytest.mark.parametrize(
    ("language", "written", "shown"),
    [
        ("en", "don't send me the digest", "digest.off"),
        ("ru", "выключи сводку", "digest.off"),
        ("ky", "дайджестти өчүр", "digest.off"),
        ("en", "don't write to me at night", "quiet.title"),
        ("ru", "не пиши мне по ночам", "quiet.title"),
        ("ky", "түнкүсүн жазба", "quiet.title"),
        ("ru", "убери фильтр футбол", "filters.title"),
        ("ru", "спасибо за новости", "courtesy.back"),
    ],
)
async def test_what_somebody_wants_less_of_is_what_they_name(
    scene: World, language: str, written: str, shown: str
) -> None:
    """Of all that a chat gets only that; and who thanks asks for nothing."""
    chat = READERS[language]
    answer = said(await scene.ask(written, chat=chat))
    assert answer.startswith(t(shown, language).partition("{")[0].strip("* ")), answer
    assert await _filters(scene, chat) == []


@pytest.mark.parametrize("written", ["по-русски Токио", "Tokyo settings", "settings: Tokyo"])
async def test_a_town_sets_the_time_zone_behind_its_name_alone(scene: World, written: str) -> None:
    await scene.ask(written)
    assert [one.time_zone for one in await scene.stored(chat_table)] == ["Asia/Bishkek"]


async def test_S9_a_word_that_is_handed_on_stops_nothing(scene: World) -> None:
    """Its sender meant somebody else."""
    await scene.ask("/subscribe")
    before = await scene.stored(chat_table)
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}
    for words in ("стоп", "stop", "digest at 8"):
        await scene.emulator.send_text(READER, words, extra={"forward_origin": origin})
    await scene.ask("100 usd", fits="USD")
    assert await scene.stored(chat_table) == before


async def test_stop_ends_what_was_begun_and_alone_all_messages(scene: World) -> None:
    """As /cancel and /stop do."""
    await scene.ask("/alert", chat=RUSSIAN)
    assert said(await scene.ask("стоп", chat=RUSSIAN)) == t("cancel.done", "ru")
    assert said(await scene.ask("стоп", chat=RUSSIAN)) == t("stop.done", "ru")


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "written", "read"),
    [
        ("en", "tell me if usd drops by 2% in a day", "−2 % within 1 day"),
        ("ru", "предупреди, если доллар вырастет на 2% за неделю", "+2 % за 7 дней"),
        ("ky", "доллар бир күндө 2% өссө кабар бер", "1 күн ичинде +2 %"),
    ],
)
async def test_an_alert_may_have_a_span_without_a_number(
    scene: World, language: str, written: str, read: str
) -> None:
    shown = said(await scene.ask(written, chat=READERS[language], fits="KGS"))
    assert read in shown.replace("\u00a0", " ").splitlines()[0], shown


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "a chart of the dollar for half a year"),
        ("ru", "покажи график доллара за полгода"),
        ("ky", "доллардын графиги жарым жылга"),
    ],
)
async def test_a_chart_of_half_a_year_is_one(scene: World, language: str, written: str) -> None:
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)] * 3))
    chat = READERS[language]
    asked = await scene.ask(written, chat=chat, fits="USD/KGS")
    assert said(asked) == said(await scene.ask("/chart USD 6m", chat=chat, fits="USD/KGS"))
    assert said(asked) != said(await scene.ask("/chart USD 1y", chat=chat, fits="USD/KGS"))


@pytest.mark.cases(keep=4)
@pytest.mark.parametrize(
    ("language", "written", "span"),
    [
        ("en", "how has the dollar changed this week", "7d"),
        ("en", "is the dollar going up?", "90d"),
        ("ru", "доллар за неделю", "7d"),
        ("ru", "доллар подорожал?", "90d"),
        ("ky", "доллар бир айга", "30d"),
        ("ky", "доллар кымбаттадыбы", "90d"),
    ],
)
async def test_how_a_currency_moved_is_answered_by_its_chart(
    scene: World, language: str, written: str, span: str
) -> None:
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)] * 2))
    chat = READERS[language]
    shown = said(await scene.ask(f"/chart USD {span}", chat=chat, fits="USD/KGS"))
    assert said(await scene.ask(written, chat=chat, fits="USD/KGS")) == shown


@pytest.mark.parametrize("written", ["1m usd", "доллар жума күнү", "100 usd a week", "a week"])
async def test_what_only_has_a_word_of_time_is_no_chart(scene: World, written: str) -> None:
    """A million, a Friday, money, and nothing about money."""
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)]))
    assert "photo" not in await scene.ask(written)


async def test_a_command_that_there_is_not_is_read_without_its_slash(scene: World) -> None:
    await scene.keep(days("USD/KGS", ["84.1", "84.2"]))
    for slashed, plain in (("/usd", "usd"), ("/100 usd", "100 usd"), ("/курс", "курс")):
        assert said(await scene.ask(slashed)) == said(await scene.ask(plain))


@pytest.mark.cases(keep=1)
@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "follow the dollar"), ("ru", "подпиши на доллар"), ("ky", "долларга жазыл")],
)
async def test_what_is_to_be_followed_is_a_tap_away(
    scene: World, language: str, written: str
) -> None:
    chat = READERS[language]
    shown = said(await scene.ask("/subscribe", chat=chat))
    assert said(await scene.ask(written, chat=chat)) == shown
    assert (
        said(await scene.ask(written.replace("доллар", "жол").replace("dollar", "road"), chat=chat))
        != shown
    )


@pytest.mark.cases(keep=1)
@pytest.mark.parametrize("language", READERS)
async def test_words_that_are_not_understood_may_be_looked_for(scene: World, language: str) -> None:
    """By a tap; of a question of figures, or of a whole sentence, nothing is offered."""
    chat = READERS[language]
    answer = await scene.ask("граница закрыта", chat=chat)
    ((button,),) = answer["reply_markup"]["inline_keyboard"]
    assert button["text"] == t("button.search_news", language)
    await scene.press(chat, answer["message_id"], button["callback_data"])
    assert "граница закрыта" in said(await scene.tells(chat, "🔎"))
    for other in ("да", "12 foo", "это слова, которых никто не станет искать", "график настроений"):
        assert "reply_markup" not in await scene.ask(other, chat=chat)
