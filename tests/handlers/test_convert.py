"""Conversions in the chat, in groups and inline."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import GROUP, READER, STRANGER, World, days


async def test_a_command_is_answered_with_the_sum_and_whose_rate_it_was(scene: World) -> None:
    answer = await scene.ask("/convert 100 usd kgs")
    assert answer["text"].splitlines() == [
        "100 USD = 8,479.35 KGS",
        "1 USD = 84.7935 KGS",
        "National Bank ·\u00a0official rate ·\u00a020\u00a0Oct",
    ]


@pytest.mark.parametrize(
    "question", ["100$ в сомах", "100usdkgs", "сто долларов в сомах", "2*50 usd to kgs"]
)
async def test_free_text_in_a_private_chat_is_a_question_too(scene: World, question: str) -> None:
    assert "100 USD = 8,479.35 KGS" in (await scene.ask(question))["text"]


@pytest.mark.parametrize(
    ("question", "figure"),
    [
        ("100000 usd kgs", "8479350"),
        ("250 usd", "21198.38"),
        ("15 usd eur", "12.87"),
        ("1 usd kgs", "84.79"),
    ],
)
async def test_the_figure_is_copied_as_a_form_takes_it(
    scene: World, question: str, figure: str
) -> None:
    """Without the commas that the answer has between thousands."""
    answer = await scene.ask(question)
    first = answer["reply_markup"]["inline_keyboard"][0][0]
    assert first["copy_text"] == {"text": figure}
    assert first["text"].replace(",", "") == f"Copy {figure}"


@pytest.mark.parametrize("question", ["100 usd, 50 eur", "100 usd eur rub"])
async def test_of_several_figures_none_is_copied(scene: World, question: str) -> None:
    answer = await scene.ask(question)
    assert "copy_text" not in str(answer.get("reply_markup"))


async def test_one_currency_is_converted_in_both_directions(scene: World) -> None:
    said = (await scene.ask("100 usd"))["text"].splitlines()
    assert said[:2] == ["100 USD = 8,479.35 KGS", "100 KGS = 1.18 USD"]
    assert said.count("1 USD = 84.7935 KGS") == 1


async def test_the_home_currency_alone_is_told_in_dollars(scene: World) -> None:
    assert "100 KGS = 1.18 USD" in (await scene.ask("100 сом"))["text"]


async def test_both_readings_of_an_ambiguous_amount_are_shown(scene: World) -> None:
    said = (await scene.ask("1,500 usd kgs"))["text"]
    assert "1,500 USD = 127,190.25 KGS" in said
    assert "1.50 USD = 127.19 KGS" in said


async def test_a_cross_rate_says_that_it_is_ours(scene: World) -> None:
    said = (await scene.ask("/convert 100 usd rub"))["text"]
    assert "100 USD = 7,096.88 RUB" in said
    assert "our own" in said or "cross" in said


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("/convert", "100 usd kgs"),
        ("/convert abracadabra", "100 usd kgs"),
        ("/convert 100 usd jpy", "jpy"),
        ("100 usd usd", "stays the same"),
        ("good morning all of you", "/help"),
        ("dollar store opened", "/help"),
    ],
)
async def test_no_question_is_met_with_silence(scene: World, question: str, answer: str) -> None:
    assert answer in (await scene.ask(question))["text"]


async def test_in_a_group_only_a_mention_or_a_command_is_for_us(scene: World) -> None:
    """Whatever else is written there, even an amount, stays unanswered and costs the group
    nothing.
    """
    for _ in range(12):
        await scene.emulator.send_text(GROUP, "100 usd kgs", user_id=STRANGER)
        await scene.emulator.send_text(GROUP, "@somebody 100 usd kgs", user_id=STRANGER)
    asked = await scene.emulator.send_text(GROUP, "@JARCHY_bot 100 usd kgs", user_id=STRANGER)
    answer = await scene.emulator.wait_message(
        GROUP, lambda m: "479,35 KGS" in m.get("text", ""), after=asked
    )
    assert answer["message_id"] > asked
    assert sum("=" in m.get("text", "") for m in scene.emulator.messages(GROUP)) == 1


async def test_round_amounts_say_what_a_week_changed(scene: World) -> None:
    """By a word, and by the button under a conversion and under the currency's card."""
    await scene.keep(days("RUB/KGS", ["1.2000", *["1.1900"] * 7]))
    said = (await scene.ask("/convert RUB"))["text"].splitlines()
    assert said[0] == "RUB → KGS"
    assert said[1].split() == ["RUB", "KGS", "past", "week"]
    assert said[2].split() == ["1,000", "1,195", "−5"]
    assert said[6].split() == ["100,000", "119,480", "−520"]
    assert said[7] == "past week ▼ −0.43\u00a0%"
    for question in ("5000 rub", "/rates RUB"):
        answer = await scene.ask(question)
        buttons = [button for row in answer["reply_markup"]["inline_keyboard"] for button in row]
        assert "amounts:RUB" in [button.get("callback_data") for button in buttons]
    await scene.emulator.press(READER, answer["message_id"], "amounts:RUB")
    await scene.emulator.wait_message(
        READER, lambda m: "RUB →" in m.get("text", ""), after=answer["message_id"]
    )
    assert (
        "out of date"
        in (await scene.emulator.press(READER, answer["message_id"], "amounts:rub"))["text"]
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "100 usd, 50 eur и 3000 руб",
            ["100 USD = 8,479.35 KGS", "50 EUR = 4,942.62 KGS", "3,000 RUB = 3,584.40 KGS"],
        ),
        ("/convert 100 usd eur rub", ["100 USD = 85.78 EUR", "100 USD = 7,096.88 RUB"]),
        ("100 usd в сомах и рублях", ["100 USD = 8,479.35 KGS", "100 USD = 7,096.88 RUB"]),
        ("100 доллар сомго жана рублга", ["100 USD = 8,479.35 KGS", "100 USD = 7,096.88 RUB"]),
    ],
)
async def test_a_list_is_one_answer_a_line_each(
    scene: World, question: str, answer: list[str]
) -> None:
    said = (await scene.ask(question))["text"].splitlines()
    assert said[: len(answer)] == answer
    assert sum(" = " in line and "1 " not in line[:2] for line in said) == len(answer)
    assert sum("National Bank" in line for line in said) <= 2


async def test_a_question_about_another_day_is_answered_by_its_rates(scene: World) -> None:
    await scene.keep(days("USD/KGS", ["80.1", "80.2", "80.3", "80.4", "80.5", "84.7935"]))
    for question, worth, day in (
        ("100 usd вчера", "8,050 KGS", "19\u00a0Oct"),
        ("доллар в прошлую пятницу", "80.1 KGS", "15\u00a0Oct"),
        ("доллар өткөн жума", "80.1 KGS", "15\u00a0Oct"),
        ("/convert 100 usd 16 октября", "8,020 KGS", "16\u00a0Oct"),
        ("100 usd yesterday", "8,050 KGS", "19\u00a0Oct"),
    ):
        said = (await scene.ask(question))["text"]
        assert worth in said, question
        assert day in said, question


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("100 usd 31 февраля", "31 февраля"),
        ("доллар завтра", "still ahead"),
        ("доллар 1 августа 2019", "nearest day"),
        ("/rates 1 августа 2019", "nearest day"),
        ("/rates завтра", "still ahead"),
    ],
)
async def test_a_day_without_rates_is_one_helpful_answer(
    scene: World, question: str, answer: str
) -> None:
    said = await scene.ask(question)
    assert answer in said["text"]
    assert scene.emulator.messages(READER)[-1] == said


async def test_a_card_of_a_day_in_words_is_of_that_day_where_the_chat_is(scene: World) -> None:
    await scene.keep(days("USD/KGS", ["80.1", "80.2", "80.3", "80.4", "80.5", "84.7935"]))
    for words in ("вчера", "кечээ", "yesterday", "1 day ago", "во вторник", "last Tuesday"):
        assert "80.5" in (await scene.ask(f"/rates usd {words}"))["text"], words


async def test_yesterday_is_the_chats(scene: World) -> None:
    """At 10 in Bishkek it is still the day before in Honolulu."""
    await scene.keep(days("USD/KGS", ["80.1", "80.2", "80.3", "80.4", "80.5", "84.7935"]))
    await scene.ask("/settings Pacific/Honolulu")
    assert "80.4" in (await scene.ask("/rates usd вчера"))["text"]
    assert "8,040 KGS" in (await scene.ask("100 usd вчера"))["text"]
