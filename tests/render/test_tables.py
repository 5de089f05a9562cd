"""Figures in columns: the words and Telegram's tables of one value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.emulator.rich import checked_rich, words_of
from bot.languages import LANGUAGES
from bot.model.chats import Style
from bot.render.blocks import rich_message
from bot.render.cutting import cut
from bot.render.digest import digest
from bot.render.layout import as_lines, block
from bot.render.rates import amounts, card
from bot.render.tables import Align, Column, Table
from bot.render.text import Message, bold, instant, join, lines, link, message, pre, rich
from tests.factories import rate
from tests.render.world import TODAY, rate_card, row

RATES = Table(
    columns=(
        Column(align=Align.LEFT),
        Column(title="today", align=Align.MARK),
        Column(title="tomorrow", before=" → ", named=True),
        Column(align=Align.LAST, before=" "),
    ),
    rows=(("USD", "84.79", "84.8", "▲ +0.02 %"), ("RUB", "1.1948", "", "   0.00 %")),
)


def said(message: Message) -> list[Any]:
    """A rich message in short: a paragraph's words, a table's rows of cells."""
    found: list[Any] = []

    def words(one: dict[str, Any]) -> str:
        return words_of({"blocks": [one]}).replace("\xa0", " ")

    kept = checked_rich(rich_message(message))
    for one in kept["blocks"]:
        if one["type"] == "table":
            found.append([[words(cell) for cell in row] for row in one["cells"]])
        else:
            found.append(words(one))
    return found


def test_words_of_a_table_as_a_block_and_as_lines() -> None:
    """In a block columns align, decimal marks too; in lines there is no cell that says nothing."""
    assert block(RATES).text == (
        "       today → tomorrow\n"
        "USD  84.79   →     84.8 ▲ +0.02 %\n"
        "RUB   1.1948 →             0.00 %"
    )
    assert block(RATES, headed=False).text.startswith("USD")
    assert as_lines(RATES).text == "USD  84.79 → 84.8 tomorrow ▲ +0.02 %\nRUB  1.1948    0.00 %"
    assert [e.type for e in as_lines(RATES).entities] == ["bold", "bold"]
    assert as_lines(RATES, plain=True).entities == ()


def test_a_table_stands_between_paragraphs_with_their_marks() -> None:
    """A line is a paragraph; what is marked there is marked here, and counted in UTF-16 units."""
    at = datetime(2021, 10, 20, 10, tzinfo=UTC)
    title = join(" · ", [link(bold("🏦 Bank"), "https://bank.example/"), "som"])
    foot = lines("one", "", join(" ", ["at", instant("16:00", at)]), rich("🏦 last"))
    found = checked_rich(rich_message(message(lines(title, block(RATES), foot))))["blocks"]
    assert [one["type"] for one in found] == ["paragraph", "table", *["paragraph"] * 3]
    marked = {"type": "bold", "text": "🏦 Bank"}
    assert found[0]["text"] == [
        {"type": "url", "text": marked, "url": "https://bank.example/"},
        " · som",
    ]
    moment = {"type": "date_time", "unix_time": int(at.timestamp()), "date_time_format": ""}
    assert found[3]["text"] == ["at ", {**moment, "text": "16:00"}]
    assert found[4]["text"] == "🏦 last"


def test_figures_stand_at_the_right_below_their_titles() -> None:
    """A row's first cell stands at the left and in bold; a block's spaces are none of a table's."""
    (table,) = checked_rich(rich_message(message(block(RATES))))["blocks"]
    head, first, second = table["cells"]
    assert [cell["align"] for cell in first] == ["left", "right", "right", "right"]
    assert [cell.get("is_header", False) for cell in head + first] == [True] * 4 + [False] * 4
    assert [cell["text"] for cell in head] == ["", "today", "tomorrow", ""]
    assert first[0]["text"] == {"type": "bold", "text": "USD"}
    assert [cell["text"] for cell in second[1:]] == ["1.1948", "", "0.00 %"]


def test_a_table_that_was_cut_is_told_in_words() -> None:
    """Half of one would be read as a whole."""
    long = message(lines("title", block(RATES), "foot " * 30))
    assert len(cut(long, 100).tables) == 1
    short = cut(long, 40)
    assert short.tables == ()
    assert all(isinstance(one, str) for one in said(short))


def test_a_block_that_is_no_table_stays_words() -> None:
    """Its lines are paragraphs."""
    assert said(message(lines("a", pre("b  c\nd  e")))) == ["a", "b  c", "d  e"]


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_nothing_that_is_said_is_lost(before: str, after: str) -> None:
    """Whatever stands around a table, each of its words is in a paragraph, in its order."""
    around = lines(bold(before), block(RATES), link(after, "https://a.example/"))
    paragraphs = [one for one in said(message(around)) if isinstance(one, str)]
    assert " ".join(paragraphs).split() == lines(before, after).text.split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_of_rates_is_one_table(language: str) -> None:
    """Titles of the days, and all digits that the source printed."""
    title, table, foot = said(card(rate_card(), language, today=TODAY))
    days = {"en": "today tomorrow", "ru": "сегодня завтра", "ky": "бүгүн эртең"}
    assert table[0][1:3] == days[language].split()
    mark = "." if language == "en" else ","
    assert table[1][:3] == ["USD", f"84{mark}7935", f"84{mark}8100"]
    assert [row[0] for row in table[1:]] == ["USD", "EUR", "RUB"]
    assert title
    assert foot


def test_amounts_and_digests_are_tables_too() -> None:
    """The digest's title of tomorrow stands above its figures, and not behind each."""
    shown = said(
        amounts(
            [Decimal(100), Decimal(1000)],
            rate(),
            rate(value="84", on="2021-10-13"),
            "en",
            source_names={},
            today=TODAY,
        )
    )
    assert shown[1][0] == ["USD", "KGS", "past week"]
    assert shown[1][1] == ["100", "8,479", "+79"]
    rates = [rate(), rate("EUR/KGS", "98.8523")]
    told = digest(
        rates,
        None,
        Style.BRIEF,
        "en",
        TODAY,
        source_name="Bank",
        following={"USD": rate(value="86", on="2021-10-21")},
    )
    assert told.text.replace("\xa0", " ").startswith(
        "USD 84.79 → 86.00 tomorrow ▲ +1.4 %\nEUR 98.85\n"
    )
    table, foot = said(told)
    assert table == [
        ["", "rate", "tomorrow", ""],
        ["USD", "84.79", "86.00", "▲ +1.4 %"],
        ["EUR", "98.85", "", ""],
    ]
    assert foot.startswith("Bank")
    (alone, _) = said(digest(rates, None, Style.BRIEF, "en", TODAY))
    assert alone[0] == ["", "rate"]


def test_a_rate_that_is_not_there_is_a_cell_too() -> None:
    """As in the words."""
    (_, table, *_) = said(card(rate_card(row("USD", "84.7935"), row("KZT", None)), "en"))
    assert table[2][:2] == ["KZT", "no rate"]
