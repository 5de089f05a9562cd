"""Numbers written in each language's notation come back, and no text does harm."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from babel.numbers import format_decimal
from hypothesis import example, given
from hypothesis import strategies as st
from num2words import num2words

from bot.convert import Question, looks_like_question, parse_question
from bot.convert.currencies import codes, signs
from bot.convert.numbers import MAX_AMOUNT, MAX_DIGITS
from bot.errors import UserError

LANGUAGES = st.sampled_from(["en", "ru", "ky"])
AMOUNTS = st.decimals(min_value=Decimal("0.001"), max_value=10**12, places=3, allow_nan=False).map(
    lambda value: value.quantize(Decimal("0.001"))
)
SUFFIXES = {"en": "dollars", "ru": "долларов", "ky": "доллар"}
KYRGYZ_ONES = "бир эки үч төрт беш алты жети сегиз тогуз".split()  # noqa: SIM905 - reads as it is counted
KYRGYZ_TENS = "он жыйырма отуз кырк элүү алтымыш жетимиш сексен токсон".split()  # noqa: SIM905 - likewise
PIECES = st.sampled_from(
    [
        *(
            "100",
            "1,500",
            "1.500",
            "0",
            "007",
            "1 000",
            "5к",
            "½",
            "сто",
            "миң",
            "half",
            "million",
            "тыс",
            "жарым",
            "and",
        ),
        *(
            "usd",
            "kgs",
            "доллар",
            "сомго",
            "$",
            "€",
            "рублей",
            "try",
            "top",
            "usdkgs",
            "сом",
            "с",
            "р",
            "АКШ",
        ),
        *(
            "в",
            "to",
            "к",
            "in",
            "сколько",
            "канча",
            "how much",
            "курс",
            "это",
            "?",
            "менен",
            "из",
            "за",
            "please",
        ),
        *("+", "-", "*", "/", "(", ")", "=", "->", ",", ".", "%", "'", " ", "x", "х"),
    ]
)


@given(amount=AMOUNTS, language=LANGUAGES)
def test_an_amount_in_the_languages_own_notation_is_read_back(
    amount: Decimal, language: str
) -> None:
    """A number as Babel writes it for en, ru and ky is read so first there."""
    written = format_decimal(amount, locale=language)
    question = parse_question(f"{written} {SUFFIXES[language]}", language=language)
    assert question.amount == amount


@given(
    amount=AMOUNTS,
    grouping=st.sampled_from(["", " ", "\u00a0", "\u202f", "\u2009", "'", "’", ",", "."]),
)
def test_any_grouping_is_read_back_or_kept_as_the_other_reading(
    amount: Decimal, grouping: str
) -> None:
    """Whoever groups thousands by any mark finds the amount among the readings."""
    decimal = "." if grouping == "," else ","
    written = f"{amount:,}".replace(",", "_").replace(".", decimal).replace("_", grouping)
    question = parse_question(f"{written} usd")
    assert amount in {question.amount, question.other}


@given(number=st.integers(1, 999_999_999), language=st.sampled_from(["en", "ru"]))
@example(number=1_000_001, language="ru")
def test_number_words_are_read_back(number: int, language: str) -> None:
    """The library's own words mean the number they were made from."""
    words = num2words(number, lang=language)
    assert parse_question(f"{words} {SUFFIXES[language]}").amount == number


@pytest.mark.parametrize("number", [*range(1, 20), *range(20, 100, 10), *range(100, 1000, 100)])
def test_a_russian_number_is_understood_in_every_case_and_gender(number: int) -> None:
    """With and without the dots of ё, as the library declines it."""
    for case, gender in product("ngdaip", "mfn"):
        word = num2words(number, lang="ru", case=case, gender=gender)
        for spelt in (word, word.replace("ё", "е")):
            assert parse_question(f"{spelt} долларов").amount == number


def kyrgyz(number: int) -> str:
    """The number in Kyrgyz words, below a million."""
    if number >= 1000:
        return f"{kyrgyz(number // 1000)} миң {kyrgyz(number % 1000)}".strip()
    words = [KYRGYZ_ONES[number // 100 - 1], "жүз"] if number >= 100 else []
    words += [KYRGYZ_TENS[number % 100 // 10 - 1]] if number % 100 >= 10 else []
    return " ".join([*words, *([KYRGYZ_ONES[number % 10 - 1]] if number % 10 else [])])


@given(number=st.integers(1, 999_999))
def test_kyrgyz_number_words_are_read_back(number: int) -> None:
    """Kyrgyz counts without exceptions."""
    assert parse_question(f"{kyrgyz(number)} сом") == Question(amount=Decimal(number), source="KGS")


@given(
    first=st.sampled_from(sorted(codes())),
    second=st.sampled_from(sorted(codes())),
    amount=st.integers(1, 10**9),
)
def test_every_code_converts_to_every_other(first: str, second: str, amount: int) -> None:
    """Behind an amount every code in current use is a currency, also in small letters and without
    spaces.
    """
    if first == second:
        return
    asked = Question(amount=Decimal(amount), source=first, target=second)
    assert parse_question(f"{amount} {first} {second}") == asked
    assert parse_question(f"{amount} {first.lower()} to {second.lower()}") == asked


@given(text=st.text(max_size=200))
@example(text="(" * 199 + "1")
@example(text="((((((((((((1)))))))))))) usd")
@example(text="1" + "*9999999" * 20)
@example(text="миллиард*" * 20 + "1 usd")
@example(text="сто " * 50)
@example(text="½" * 200)
@example(text="İ 100 usd")
@example(text="е\u0301вро 100")
@example(text="١٠٠ usd")
@example(text="10² usd")
def test_any_text_is_a_question_or_a_user_error(text: str) -> None:
    """Nothing anybody types raises anything else, and what is read keeps within the limits."""
    _is_answered(text)


@given(pieces=st.lists(PIECES, max_size=14), glue=st.sampled_from(["", " "]))
def test_any_jumble_of_our_own_words_is_a_question_or_a_user_error(
    pieces: list[str], glue: str
) -> None:
    """The same for texts made of words and marks that mean something to us."""
    _is_answered(glue.join(pieces))


def _is_answered(text: str) -> None:
    try:
        question = parse_question(text)
    except UserError as error:
        if not error.msgid.startswith("error.convert."):
            raise
        return
    assert looks_like_question(text)
    assert {question.source, question.target} <= codes() | {None}
    assert question.source != question.target
    assert 0 < question.amount <= MAX_AMOUNT
    assert question.other is None or 0 < question.other <= MAX_AMOUNT


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200,
        "(" * 13 + "1" + ")" * 13 + " usd",
        "1+" * 100,
        "сколько " * 25,
        "usd " * 50,
        "1 000 " * 33,
        "доллар сша " * 18,
    ],
)
def test_the_longest_texts_cost_no_more_than_their_length(text: str) -> None:
    """Deep brackets and long repetitions are refused, not explored."""
    with pytest.raises(UserError):
        parse_question(text[:200])


def test_digits_are_bounded() -> None:
    """Thirty digits are read, one more is refused before any arithmetic."""
    assert parse_question("0." + "1" * (MAX_DIGITS - 1) + " usd").amount == Decimal(
        "0." + "1" * (MAX_DIGITS - 1)
    )
    with pytest.raises(UserError):
        parse_question("0." + "1" * MAX_DIGITS + " usd")


@pytest.mark.parametrize("sign", sorted(signs()))
def test_every_sign_stands_before_and_behind_an_amount(sign: str) -> None:
    """Signs work on both sides."""
    assert (
        parse_question(f"{sign}100").source == parse_question(f"100{sign}").source == signs()[sign]
    )


@pytest.mark.parametrize(
    "text", ["", "hello", "привет всем", "a" * 201, "5% годовых", "https://example.org/1", "@bot 1"]
)
def test_the_first_filter_spares_the_parser(text: str) -> None:
    """Plain chatter never reaches the parser."""
    assert not looks_like_question(text)
