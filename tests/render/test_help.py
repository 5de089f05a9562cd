"""Every answer of the conversation is short, in the reader's language, and leads on."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.errors import UserError
from bot.languages import LANGUAGES
from bot.model.chats import Style
from bot.model.rates import Pair, RateKind
from bot.render import help as talk
from bot.render import rules
from bot.render.text import LIMIT, Message, bold, units
from tests.render.world import TODAY, ZONE, bot_status, data, labels, marked

MENU = """start help rates news security digest subscribe unsubscribe settings status stop privacy
convert chart alert alerts mydata delete"""
COMMANDS = tuple(MENU.split())
DAY = timedelta(days=1)
STATUS = {
    "en": (
        "Sources\n"
        "🟢 National Bank – 5 minutes ago\n"
        "⚪ ECB – no answer yet\n"
        "🟠 24.kg – 3 hours ago · 3 failed attempts\n"
        "\n"
        "5 messages waiting, the oldest for 2 minutes\n"
        "Last sent just now"
    ),
    "ru": (
        "Источники\n"
        "🟢 Национальный банк – 5 минут назад\n"
        "⚪ ECB – ответа ещё не было\n"
        "🟠 24.kg – 3 часа назад · 3 неудачные попытки\n"
        "\n"
        "В очереди 5 сообщений, самое давнее ждёт 2 минуты\n"
        "Последнее отправлено только что"
    ),
    "ky": (
        "Булактар\n"
        "🟢 Улуттук банк – 5 мүнөт мурун\n"
        "⚪ ECB – азырынча жооп жок\n"
        "🟠 24.kg – 3 саат мурун · 3 ийгиликсиз аракет\n"
        "\n"
        "Кезекте 5 билдирүү, эң эскиси 2 мүнөт күтүүдө\n"
        "Акыркысы азыр эле жөнөтүлдү"
    ),
}
SETTINGS = {
    "en": ("Settings\nLanguage: English\nTime zone: Asia/Bishkek\nNews: in brief"),
    "ru": ("Настройки\nЯзык: Русский\nЧасовой пояс: Asia/Bishkek\nНовости: кратко"),
    "ky": ("Жөндөөлөр\nТили: Кыргызча\nУбакыт алкагы: Asia/Bishkek\nЖаңылыктар: кыскача"),
}
PREVIEW = {
    "en": ("RUB < 1 would have fired 2 times in the past year.\nLast: 3 Mar, 1 Dec 2020"),
    "ru": ("RUB < 1 за последний год: 2 срабатывания.\nПоследние: 3 марта, 1 декабря 2020"),
    "ky": (
        "RUB < 1 акыркы бир жылда 2 жолу иштеген болор эле.\nАкыркылары: 3‑март, 2020‑жылдын "
        "1‑декабры"
    ),
}
GREETING = {
    "en": "Hello, Айгүл!\nI am Jarchy, the herald. ",
    "ru": "Здравствуйте, Айгүл!\nЯ Жарчы, вестник. ",
    "ky": "Саламатсызбы, Айгүл!\nМен Жарчымын. ",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_greeting_calls_the_reader_by_name_and_offers_what_to_follow(language: str) -> None:
    shown = talk.start(
        language,
        currencies=("USD", "EUR", "RUB", "KZT", "CNY"),
        topics=("security", "economy"),
        chosen={"cur:USD", "top:economy"},
        name="Айгүл\u202e",
    )
    assert shown.text.startswith(GREETING[language])
    others = [f"lang:{one}" for one in LANGUAGES if one != language]
    assert data(shown) == [
        ["cur:USD", "cur:EUR", "cur:RUB"],
        ["cur:KZT", "cur:CNY"],
        ["top:security", "top:economy"],
        others,
        ["done"],
    ]
    assert [label for row in labels(shown) for label in row if label.startswith("✓")] == [
        "✓ USD",
        f"✓ {'Economy' if language == 'en' else 'Экономика'}",
    ]


def test_a_reader_without_a_name_is_greeted_too() -> None:
    assert talk.start("ky", currencies=(), topics=()).text.startswith("Саламатсызбы!\n")


def test_the_menu_of_subscriptions_marks_what_is_on() -> None:
    shown = talk.subscribe("ru", currencies=("USD",), topics=("security",), chosen={"top:security"})
    assert labels(shown) == [["USD"], ["✓ Безопасность"], ["Готово"]]


def test_choosing_ends_with_what_the_chat_will_get() -> None:
    assert (
        talk.subscribed("ky", ("USD",), ("security",)).text
        == "Даяр. Жазылганыңыз: USD, Коопсуздук."
    )
    assert "/subscribe" in talk.subscribed("en", (), ()).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_lists_the_commands_that_exist_and_no_others(language: str) -> None:
    shown = talk.help(("rates", "convert"), language).text
    assert [line.split()[0] for line in shown.split("\n") if line.startswith("/")] == [
        "/rates",
        "/convert",
    ]
    assert units(talk.help(COMMANDS, language).text) < LIMIT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_has_a_description_telegram_accepts(language: str) -> None:
    described = talk.command_descriptions(COMMANDS, language)
    assert tuple(name for name, _ in described) == COMMANDS
    assert all(1 <= len(text) <= 256 for _, text in described)


def test_the_language_menu_names_each_language_in_itself() -> None:
    shown = talk.language_menu("ru")
    assert labels(shown) == [["English"], ["✓ Русский"], ["Кыргызча"], ["← Назад"]]
    assert data(shown) == [["lang:en"], ["lang:ru"], ["lang:ky"], ["set:back"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_status_says_how_fresh_each_source_is_and_how_the_queue_stands(language: str) -> None:
    assert talk.status(bot_status(), language).text == STATUS[language]


def test_a_status_of_a_hundred_sources_still_fits() -> None:
    shown = talk.status(bot_status(sources=bot_status().sources * 40), "ru").text
    assert units(shown) < LIMIT
    assert "и ещё 80" in shown


def test_a_new_bots_status_is_honest() -> None:
    shown = talk.status(
        bot_status(sources=(), waiting=0, oldest=None, last_sent_at=None), "en"
    ).text
    assert shown == "Sources\nNo sources are set up.\n\n0 messages waiting\nNothing sent yet"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_settings_show_what_is_chosen(language: str) -> None:
    shown = talk.settings(language, zone=ZONE, style=Style.BRIEF)
    assert shown.text == SETTINGS[language]
    rows = [
        ["style:full", "style:brief", "style:headline"],
        ["set:language", "set:zone"],
        ["set:topics"],
    ]
    assert data(shown) == rows
    assert labels(shown)[0][1].startswith("✓ ")


@pytest.mark.parametrize(
    ("error", "language", "shown"),
    [
        (
            UserError("error.arguments", example="/rates USD EUR"),
            "en",
            "I did not understand that. Try /rates USD EUR",
        ),
        (
            UserError("error.currency", code="XQX", known=("USD", "EUR")),
            "ru",
            "Не знаю валюту XQX. Знаю такие: USD, EUR.",
        ),
        (
            UserError("error.no_rates_on", day=date(2010, 1, 3), nearest=date(2021, 10, 20)),
            "ky",
            "2010‑жылдын 3‑январы күнүнө курс жок. Эң жакын күн: 20‑октябрь.",
        ),
        (
            UserError("error.date_future", day=date(2022, 3, 3)),
            "ru",
            "3 марта 2022 ещё впереди: курс на этот день пока неизвестен. Последний: /rates",
        ),
        (
            UserError("error.throttled", wait=timedelta(seconds=5)),
            "ru",
            "Слишком быстро. Подождите: 5 секунд.",
        ),
        (
            UserError("error.too_many", limit=20),
            "en",
            "No more than 20 are possible. Delete one first: /alerts",
        ),
        (
            UserError("error.time", text="25:99", example="/digest 09:00"),
            "ky",
            "25:99 деген убакытты окуй албадым. Мындай жазып көрүңүз: /digest 09:00",
        ),
    ],
)
def test_an_error_says_what_is_wrong_and_what_works(
    error: UserError, language: str, shown: str
) -> None:
    assert talk.error(error, language, today=TODAY).text == shown


def test_without_todays_date_an_error_writes_the_year() -> None:
    shown = talk.error(UserError("error.date_future", day=date(2030, 1, 1)), "en").text
    assert shown.startswith("1 Jan 2030 is still ahead")


def test_an_example_can_be_tapped_to_copy() -> None:
    shown = talk.error(UserError("error.arguments", example="/rates USD"), "en")
    assert marked(shown, "code") == ["/rates USD"]
    assert marked(talk.unknown("ky"), "code") == ["100 usd"]


def test_an_error_nobody_wrote_words_for_never_shows_its_id() -> None:
    shown = talk.error(UserError("error.of_tomorrow", x=1), "en").text
    assert shown == "Something went wrong on my side. Please try again in a minute."


def test_a_value_the_words_have_no_place_for_does_not_silence_an_error() -> None:
    assert (
        talk.error(UserError("error.stale", alert=7), "en").text
        == "This button is out of date. Please ask again."
    )


def test_values_become_words_by_their_type() -> None:
    assert (
        talk.say("digest.time_set", "ru", time=time(9, 5)).text
        == "Сводка будет приходить каждый день в 09:05."
    )
    assert (
        talk.say("mute.done", "en", what=bold("RUB")).text
        == "Muted: RUB. To hear it again: /subscribe"
    )
    assert talk.say("mute.done", "ru", what=Decimal("1.5")).text.startswith("Отключено: 1,5.")
    assert talk.say("mute.done", "en", what=None).text.startswith("Muted: None")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rest_of_the_conversation_speaks_every_language_and_fits(language: str) -> None:
    shown = [
        talk.privacy(language, written=DAY, sent=30 * DAY, away=90 * DAY, copies=30 * DAY),
        talk.channel_welcome("Новости <b>", ("USD", "EUR", "RUB"), language),
        talk.unknown(language),
        talk.delete_question(language),
    ]
    assert all(0 < units(one.text) < LIMIT for one in shown)
    assert marked(shown[1], "bold") == ["Новости <b>"]
    assert data(shown[3]) == [["delete:yes", "delete:no"]]


def rule_words(**changes: Any) -> rules.RuleWords:
    fields: dict[str, Any] = {
        "pair": Pair("RUB", "KGS"),
        "kind": RateKind.OFFICIAL,
        "sign": "<",
        "amount": Decimal(1),
    }
    return rules.RuleWords(**{**fields, **changes})


BUTTONS = rules.PreviewButtons(
    save="save", cancel="drop", once="once", less=("less", Decimal("0.99"))
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rules_preview_says_how_often_it_would_have_fired(language: str) -> None:
    fired = [date(2020, 12, 1), date(2021, 3, 3)]
    since = TODAY - timedelta(days=365)
    shown = rules.preview(rule_words(), fired, language, since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text.replace("RUB/KGS", "RUB") == PREVIEW[language]
    assert data(shown) == [["less"], ["once"], ["save", "drop"]]


def test_a_rule_that_never_fired_has_no_last_days() -> None:
    since = TODAY - timedelta(days=365)
    shown = rules.preview(rule_words(), [], "en", since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text == "RUB/KGS < 1 would have fired 0 times in the past year."


def test_a_short_history_is_not_called_a_year() -> None:
    since = date(2021, 10, 1)
    shown = rules.preview(rule_words(), [], "en", since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text.endswith("\nMy history of it begins on 1 Oct.")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "RUB/KGS (selling rate) ±1.5 % in 7 days, once, until 31 Dec 2026"),
        ("ru", "RUB/KGS (курс продажи) ±1,5 % за 7 дней, один раз, до 31 декабря 2026"),
        (
            "ky",
            "RUB/KGS (сатуу курсу) ±1,5 % 7 күн ичинде, бир жолу, 2026‑жылдын 31‑декабрына чейин",
        ),
    ],
)
def test_a_rule_is_said_in_the_readers_words_with_its_kind_and_its_end(
    language: str, said: str
) -> None:
    rule = rule_words(
        kind=RateKind.SELL,
        sign="±",
        amount=Decimal("1.5"),
        percent=True,
        window=7,
        once=True,
        until=date(2026, 12, 31),
    )
    assert rules.words(rule, language) == said


def test_rules_are_listed_and_each_opens() -> None:
    lines = [
        rules.RuleLine(number=7, words="RUB < 1"),
        rules.RuleLine(number=9, words="USD 1%", standing=rules.Standing.PAUSED),
    ]
    shown: Message = rules.rules(lines, "en", make="new:-")
    assert shown.text == "Your alerts\n1. RUB < 1\n2. USD 1% ⏸"
    assert data(shown) == [["rule:open:7"], ["rule:open:9"], ["new:-"]]
    assert marked(rules.rules([], "ru", make="new:-"), "code") == ["/alert RUB < 1"]


@pytest.mark.parametrize(
    ("language", "city"), [("en", "New York"), ("ru", "Нью-Йорк"), ("ky", "Нью-Йорк")]
)
def test_time_zones_are_cities_as_the_reader_calls_them(language: str, city: str) -> None:
    shown = talk.zone_menu(
        language, ("Asia/Bishkek", "America/New_York"), chosen="America/New_York", example="x"
    )
    assert labels(shown)[0][1] == f"✓ {city}"
    assert data(shown)[0] == ["zone:Asia/Bishkek", "zone:America/New_York"]
