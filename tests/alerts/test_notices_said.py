"""The words of notices: sources and chats by their names, figures and days as people of a language
write them, and each reason with the word that gave it away.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import storage.alerts
import storage.chats
from bot.alerts import KINDS
from bot.alerts.kind import Kit, Reader
from bot.alerts.notices import Notice, alert, decided, notice
from bot.i18n import t
from bot.model.alerts import NOTHING, About, Alert, Audience, Lane, Severity
from bot.model.chats import ChatKind, Style
from bot.reasons import Figure, Quote, Reason, SourceKey
from bot.render.reasons import Names
from bot.render.text import placeholders
from bot.sources.catalog import parse_catalog
from storage.db import Store
from tests.factories import NOW, a_notice, a_reason, chat

NAMES: Names = {
    "nbkr": "National Bank",
    "second": "Second Bank",
    "one": "The One",
    -1004: "Talk",
}
OPERATOR = Reader(chat=5, language="en", style=Style.BRIEF, home="KGS", time_zone="UTC")
CATALOG = parse_catalog("""
[rates.nbkr]
name = { en = "National Bank", ru = "Нацбанк" }
urls = ["https://bank.example/rates.xml"]
poll = { every = "30m" }
rank = 1
[feeds.one]
name = { en = "The One" }
url = "https://one.example/rss.xml"
language = "en"
""")


def said(msgid: str, values: dict[str, str], language: str = "en", *why: Reason) -> str:
    """The text that an operator reads on the day of it."""
    made = a_notice(msgid, values)
    return notice(made, language, names=NAMES, reasons=why, today=NOW.date()).text


@pytest.mark.parametrize(
    ("language", "figures"),
    [
        ("en", "National Bank says USD/KGS 89.9000, Second Bank says 1,084.9000."),
        ("ru", "USD/KGS: National Bank – 89,9000, Second Bank – 1\u202f084,9000."),
    ],
)
def test_R8_a_dispute_names_both_banks_and_their_figures(language: str, figures: str) -> None:
    """With all digits that were printed."""
    values = {"bank": "nbkr", "pair": "USD/KGS", "rate": "89.9000"}
    shown = said("notice.dispute", {**values, "other": "second", "theirs": "1084.9000"}, language)
    assert figures in shown.replace("\u00a0", "\u202f")


@pytest.mark.parametrize("figure", ["USD/KGS 847.9350", "1.2.3", "1..2", "-1", "x"])
def test_what_is_no_figure_is_said_as_it_came(figure: str) -> None:
    assert figure in said("notice.held", {"source": "nbkr", "rate": figure, "why": "x"}, "ru")


def test_a_number_of_things_is_no_figure_of_a_bank() -> None:
    assert "3000" in said("notice.flood", {"source": "one", "n": "3000"}, "ru")


def test_S22_a_notice_calls_a_chat_by_its_name_and_by_its_number_where_it_has_none() -> None:
    assert "In chat Talk " in said("notice.topic", {"chat": "-1004"})
    assert "In chat -1005 " in said("notice.topic", {"chat": "-1005"})


def test_a_notice_names_kinds_of_posts_as_the_settings_do() -> None:
    assert "The topic for Rates, My feeds is closed" in said(
        "notice.thread_gone", {"posts": "rates feeds"}
    )
    assert "«Курсы, Мои ленты»" in said("notice.thread_gone", {"posts": "rates feeds"}, "ru")


def test_R3_the_day_since_when_a_source_is_silent_is_said_in_full() -> None:
    """In the words of its language; the day of a rate is said as a rate's."""
    assert "since 18\u00a0October." in said("notice.silent", {"source": "one", "day": "2021-10-18"})
    assert "for 18\u00a0Oct." in said("notice.stale", {"bank": "nbkr", "day": "2021-10-18"})


def test_a_reason_is_said_with_the_word_of_the_headline_or_of_the_text() -> None:
    why = (a_reason("found", "border", "guard*"), a_reason("found", "crime", "smuggl*"))
    story = {"title": "Guards shot", "text": "They were smugglers", "feeds": "one", "link": "l"}
    assert "border: guards; " in said("notice.story", story, "en", *why)
    assert ": smugglers" in said("notice.story", story, "en", *why)


def test_a_question_about_a_story_says_how_grave_it_is_before_why() -> None:
    """Whoever approves it decides how loud it will be."""
    story: dict[str, Figure] = dict.fromkeys(sorted(placeholders(t("notice.story", "en"))), "x")
    del story["why"]
    made = Notice.of("notice.story", story, severity=Severity.URGENT)
    why = (a_reason("found", "border", "guard*"),)
    assert f"{t('severity.urgent', 'en')}: border" in notice(made, "en", reasons=why).text


def test_a_reasons_day_has_its_year_where_that_is_another_one() -> None:
    held = {"source": "nbkr", "rate": "USD/KGS 1"}
    for day, words in (
        ("2021-10-19", "rate of 19\u00a0Oct."),
        ("2020-10-19", "rate of 19\u00a0Oct 2020."),
    ):
        shown = said("notice.held", held, "en", a_reason("shift", "10", day))
        assert words in shown.replace(". I hold", ".")


@pytest.mark.parametrize(
    ("values", "about"),
    [
        ((("chat", "-1004"),), About(chat=-1004)),
        ((("chat", "7"),), About(chat=7)),
        ((("chat", "a chat"),), NOTHING),
        ((("chat", "--7"),), NOTHING),
        ((("source", "7"),), NOTHING),
        ((), NOTHING),
    ],
)
def test_S12_a_notice_is_about_the_chat_that_it_names(
    values: tuple[tuple[str, str], ...], about: About
) -> None:
    """With that it is forgotten."""
    assert a_notice("notice.topic", dict(values)).about == about


def test_a_word_on_what_another_operator_decided_is_silent_and_comes_once() -> None:
    word = Notice.of("notice.approved", title=Quote("A story"), who="Aigul")
    made = decided(5, 31, word, now=NOW)
    assert made == Alert(
        dedup_key="decided:31:5",
        payload=word,
        severity=Severity.INFO,
        lane=Lane.ALERT,
        audience=Audience(chat=5),
        created_at=NOW,
        expires_at=NOW + timedelta(days=2),
    )


@pytest.mark.parametrize(
    ("msgid", "kind"),
    [("notice.held", "held"), ("notice.story", "story"), ("notice.correction", "story")],
)
def test_each_question_is_answered_by_the_number_of_what_is_held(msgid: str, kind: str) -> None:
    """Nothing else has a button: a stored number alone makes no question."""
    figures: dict[str, Figure] = dict.fromkeys(sorted(placeholders(t(msgid, "en"))), "7")
    rows = notice(Notice.of(msgid, figures, held=7), "en").buttons
    asked = [str(button.data).split(":") for row in rows for button in row]
    assert asked
    assert {(data[0], data[-1]) for data in asked} == {(kind, "7")}
    assert notice(Notice.of(msgid, figures), "en").buttons == ()
    well = Notice.of("notice.well", {"source": SourceKey("nbkr")}, held=7)
    assert notice(well, "en").buttons == ()


async def words(
    store: Store, msgid: str, values: dict[str, str], language: str, *why: Reason
) -> str:
    """The words of a stored notice, as a sender asks for them."""
    async with store.writing() as db:
        pk = await storage.alerts.enqueue(
            db, alert(5, a_notice(msgid, values), now=NOW, reasons=why)
        )
        assert pk is not None
        told = await storage.alerts.get(db, pk)
        assert told is not None
        kit = Kit(db=db, catalog=CATALOG, kinds=KINDS)
        shown = await KINDS[Notice.KIND].words(kit, told, replace(OPERATOR, language=language))
    assert shown is not None
    return shown.text


async def test_a_stored_notice_is_put_into_the_operators_words(store: Store) -> None:
    """With its sources' names in the catalog, and the title of the chat in one line."""
    async with store.writing() as db:
        talk = chat(-1004, kind=ChatKind.GROUP, title="Small\ntalk")
        await storage.chats.add(db, talk, now=NOW)
        await storage.chats.add(db, chat(-1005, kind=ChatKind.GROUP), now=NOW)
    fresh = {"bank": "nbkr", "day": "2021-10-21"}
    assert (await words(store, "notice.fresh", fresh, "en")).startswith("National Bank publishes")
    russian = await words(store, "notice.fresh", fresh | {"day": "2021-10-22"}, "ru")
    assert russian.startswith("Нацбанк: курсы снова обновляются")
    assert "The One" in await words(store, "notice.flood", {"source": "one", "n": "3"}, "en")
    assert " Small talk " in await words(store, "notice.topic", {"chat": "-1004"}, "en")
    assert " -1005 " in await words(store, "notice.topic", {"chat": "-1005"}, "en")
    assert " -1006 " in await words(store, "notice.topic", {"chat": "-1006"}, "en")
    held = {"source": "nbkr", "rate": "USD/KGS 1"}
    # whose days are of the year in which it was told, where no other is named
    for day, shown in (("2021-10-19", "of 19\u00a0Oct. "), ("2020-10-19", "of 19\u00a0Oct 2020. ")):
        why = a_reason("shift", "10", day)
        assert shown in await words(store, "notice.held", held, "en", why)
