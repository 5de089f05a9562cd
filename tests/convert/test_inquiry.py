"""Messages that ask for more than one question does: lists, and another day."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bot.convert import parse_inquiry, parse_question
from bot.errors import UserError
from tests.convert.test_questions import ASKED, STATEMENTS

TODAY = date(2021, 10, 20)  # a Wednesday
#: What is no question by itself, and is one of a list or of a day.
NOW_ASKED = {"100 usd and 50 eur", "доллар сегодня"}


def said(text: str) -> tuple[str, ...]:
    """Each question in short."""
    asked = parse_inquiry(text, today=TODAY)
    return tuple(f"{one.amount} {one.source} {one.target or '-'}" for one in asked.questions)


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("100 usd, 50 eur и 3000 руб", ("100 USD -", "50 EUR -", "3000 RUB -")),
        ("100 usd, 50 eur, and 3000 rub", ("100 USD -", "50 EUR -", "3000 RUB -")),
        ("100 доллар, 50 евро жана 3000 рубль", ("100 USD -", "50 EUR -", "3000 RUB -")),
        ("100usd,50eur", ("100 USD -", "50 EUR -")),
        ("100$; 50€", ("100 USD -", "50 EUR -")),
        ("100 usd\n50 eur", ("100 USD -", "50 EUR -")),
        ("сколько будет 100 usd и 50 евро", ("100 USD -", "50 EUR -")),
        ("two hundred and five usd, 50 eur", ("205 USD -", "50 EUR -")),
        ("1,5 млн сум, 200 usd в сомах", ("1500000 UZS KGS", "200 USD KGS")),
        ("100 usd, 50 eur to rub", ("100 USD RUB", "50 EUR RUB")),
        ("100 usd eur rub", ("100 USD EUR", "100 USD RUB")),
        ("100 usd в сомах и тенге", ("100 USD KGS", "100 USD KZT")),
        ("100 usd в сомах и в тенге", ("100 USD KGS", "100 USD KZT")),
        ("100$ to eur, rub and kzt", ("100 USD EUR", "100 USD RUB", "100 USD KZT")),
        ("100 доллар сомго жана теңгеге", ("100 USD KGS", "100 USD KZT")),
        ("100 usd eur rub eur", ("100 USD EUR", "100 USD RUB")),
    ],
)
def test_a_list_is_a_question_each(text: str, questions: tuple[str, ...]) -> None:
    assert said(text) == questions


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("доллар вчера", "2021-10-19"),
        ("вчера доллар", "2021-10-19"),
        ("какой был курс доллара позавчера", "2021-10-18"),
        ("100 usd 1 августа", "2021-08-01"),
        ("курс доллара на 1 августа 2020 года", "2020-08-01"),
        ("100 usd 3 days ago", "2021-10-17"),
        ("what was the dollar yesterday", "2021-10-19"),
        ("100 usd last friday", "2021-10-15"),
        ("100 usd on Wednesday", "2021-10-13"),
        ("доллар в прошлую пятницу", "2021-10-15"),
        ("доллар во вторник", "2021-10-19"),
        ("100 доллар кечээ", "2021-10-19"),
        ("кечээ доллар канча болгон", "2021-10-19"),
        ("доллар өткөн жума", "2021-10-15"),
        ("доллар өткөн дүйшөмбүдө", "2021-10-18"),
        ("доллар завтра", "2021-10-21"),
        ("100 usd, 50 eur вчера", "2021-10-19"),
        ("доллар сегодня", None),
        ("доллар", None),
    ],
)
def test_a_day_in_words_is_the_day_whose_rates_are_meant(text: str, on: str | None) -> None:
    found = parse_inquiry(text, today=TODAY)
    assert found.on == (on and date.fromisoformat(on))
    assert found.questions[0].source == "USD"


@pytest.mark.parametrize("text", ["100 usd 31 февраля", "доллар 31 июня"])
def test_a_day_that_there_is_not_is_named(text: str) -> None:
    with pytest.raises(UserError, match=r"^error\.date$"):
        parse_inquiry(text, today=TODAY)


def test_one_question_is_never_cut() -> None:
    for text in (line.split(" | ")[0] for line in ASKED.splitlines() if line.strip()):
        asked = parse_inquiry(text, today=TODAY)
        assert (asked.questions, asked.on) == ((parse_question(text),), None), text


@pytest.mark.parametrize(
    "text",
    [
        "у меня 100 долларов и 50 евро",
        "куплю 100 долларов, 50 евро",
        "100 usd и евро",
        "usd eur rub",
        "10 usd, 20",
        "100 usd вчера и сегодня",
        "вчера",
        "1 августа",
        "доллар растёт вчера",
        "top 10, 100 usd",
        "100 usd, 50 eur штраф",
        ", ".join(["1 usd"] * 11),
    ],
)
def test_a_statement_is_no_list(text: str) -> None:
    with pytest.raises(UserError, match=r"^error\.convert\."):
        parse_inquiry(text, today=TODAY)


def test_what_is_no_question_is_no_list() -> None:
    """Of the statements that are none to the parser of questions either."""
    taken: list[str] = []
    for text in STATEMENTS.splitlines():
        if text.strip() and text not in NOW_ASKED:
            try:
                parse_inquiry(text, today=TODAY)
            except UserError as error:
                if error.msgid.startswith("error.convert."):
                    continue
            taken.append(text)
    assert taken == []


@pytest.mark.parametrize("name", ["ru.dev.jsonl", "ky.dev.jsonl", "en.dev.jsonl"])
def test_headlines_ask_nothing(shared: Path, name: str) -> None:
    lines = (shared / "data" / "security" / name).read_text(encoding="utf-8").splitlines()[:400]
    for title in (json.loads(line)["title"] for line in lines):
        with pytest.raises(UserError):
            parse_inquiry(title, today=TODAY)
