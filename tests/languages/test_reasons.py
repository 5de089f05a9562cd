"""Whatever the program gives as a reason has words in every language, and is kept as it is."""

from __future__ import annotations

import json
import re

import pytest

from bot.alerts.notices import Notice, notice
from bot.i18n import known, t
from bot.reasons import (
    Reason,
    read,
    reason,
    reasons_from_json,
    reasons_to_json,
    said,
    written,
)
from bot.render.reasons import because, in_english, told
from bot.render.text import placeholders
from storage.belonging import UNMET
from storage.chats import STOPPED
from tests.factories import NOW, a_notice, a_reason
from tests.languages.expected import WHOLE
from tests.reasons import all_given, all_told

OTHERS = sorted({*WHOLE} - {"en"})
#: Names of things, the same in every language, and what the system says.
NAMES = re.compile(
    r"postgresql-client|(?:Telegram|TLS|HTTPS?|XML|JSON|CSV|RSS|DOCTYPE|FeatureCollection|channel|"
    r"UTC|PATH|BACKUPS|PostgreSQL|pg_dump|pg_restore|psql|sslpassword)|`[^`]*`",
    re.IGNORECASE,
)


def test_the_reasons_of_the_program_are_found() -> None:
    """Those of sources, of Telegram, of the database and of decisions."""
    assert {
        "fetch.status",
        "gone.blocked",
        "database.full",
        "leap",
        "documents",
    } <= all_told().keys()
    assert len(all_told()) > 100


@pytest.mark.parametrize("language", WHOLE)
def test_every_reason_has_words_with_a_place_for_each_figure(language: str) -> None:
    """And for none that it does not have."""
    lacking: list[str] = []
    for one in all_given():
        msgid = f"reason.{one.code}"
        if one.code not in all_told():
            continue
        if not known(msgid, language) or placeholders(t(msgid, language)) != {*one.names}:
            lacking.append(f"{one.where}: {msgid} {one.names}")
    assert lacking == []


def test_the_english_of_a_reason_has_no_other_figures() -> None:
    """It is what a log line says."""
    for one in all_given():
        if one.words is not None and one.names:
            assert placeholders(one.words) == {*one.names}, one.where


@pytest.mark.parametrize("language", OTHERS)
def test_no_reason_is_left_in_english(language: str) -> None:
    """A text without a word of the language is figures and names alone."""
    for one in all_told().values():
        words = NAMES.sub("", re.sub(r"\{\w+\}", "", t(f"reason.{one.code}", language)))
        assert not re.search(r"[A-Za-z]{2,}", words), (one.code, words)


@pytest.mark.parametrize("language", WHOLE)
def test_every_reason_of_a_notice_reaches_the_operator_in_their_words(language: str) -> None:
    """Reasons behind it too, without the log's English in another language's notice."""
    for one in all_told().values():
        word = a_notice("notice.source", {"source": "bank"})
        shown = notice(word, language, reasons=(one.sample,), today=NOW.date()).text
        assert told(one.sample, language, today=NOW.date()).text in shown
        if language != "en" and one.words:
            assert str(one.sample) not in shown or not re.search(
                r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", str(one.sample)
            )


def test_every_reason_is_read_as_it_was_written() -> None:
    """By a column of many, and by one of one."""
    for one in all_told().values():
        made = one.sample
        assert read(written(made)) == made
        assert reasons_from_json(json.loads(json.dumps(reasons_to_json([made, made])))) == (
            made,
            made,
        )


def test_a_figure_is_written_as_the_language_writes_it() -> None:
    """Also in a reason behind another, out of the store."""
    slow = reason("fetch.no_answer", host="bank.example", seconds=8.5)
    part = reason("document", name="daily.xml", why=slow)
    whole = read(written(reason("documents", failed=1, all=2, which=(part,))))
    assert told(whole, "ru").text == (
        "документов с ошибкой: 1 из 2 (daily.xml: bank.example: полного ответа нет за 8,5\u00a0с)"
    ).replace("\u00a0", " ")


def test_what_somebody_else_said_is_a_quotation() -> None:
    """As it came, whatever braces stand in it."""
    assert told(said("{oops}"), "ru").text == "«{oops}»"
    assert str(read("a sentence of an earlier version")) == "a sentence of an earlier version"
    assert in_english(read('["gone.blocked"]')) == "blocked"
    assert in_english(None) is None


@pytest.mark.parametrize("standing", [STOPPED, UNMET])
def test_how_a_chat_stands_is_a_reason_as_it_is_stored(standing: str) -> None:
    """A message that ended so says why in the operator's language."""
    shown = {told(read(standing), language).text for language in WHOLE}
    assert len(shown) == len(WHOLE)
    assert not re.search(r"[a-z]", told(read(standing), "ky").text)
    assert in_english(read(standing)) in shown


def test_a_reason_without_words_here_is_its_code_and_figures() -> None:
    """Of another version of the program: nobody is left without an answer."""
    unknown = read('["of.tomorrow", {"n": {"number": "3"}}]')
    assert told(unknown, "ru").text == "of.tomorrow n=3"
    assert because([reason("grave"), unknown], "ru").text == "of.tomorrow n=3"
    other = read('["fetch.status", {"number": {"number": "3"}}]')
    assert told(other, "ky").text == "fetch.status number=3"


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("leap", ("+31.00", "2021-10-19", "15")),
        ("shift", ("0.01002", "2021-10-19")),
        ("found", ("border", "border guard*")),
        ("grave", ()),
        ("said", ("as an earlier version said it",)),
    ],
)
def test_the_first_version_of_the_stored_form_is_read(code: str, values: tuple[str, ...]) -> None:
    """Values in the order of their code: the same reason as one that is given now."""
    (found,) = reasons_from_json({"v": 1, "reasons": [[code, *values]]})
    assert found == Reason(code, found.figures)
    assert len(found.figures) == len(values)
    assert reasons_from_json(reasons_to_json([found])) == (found,)


def test_a_doubt_of_the_first_version_is_told_like_one_of_today() -> None:
    leap = a_reason("leap", "+31.00", "2021-10-19", 15)
    assert because([leap], "ru", today=NOW.date()).text == told(leap, "ru", today=NOW.date()).text
    assert "+31,00" in told(leap, "ru").text


def test_a_notice_of_an_earlier_version_keeps_its_sentence() -> None:
    """It stands among its values, where the reason now stands beside it."""
    old = Notice.from_json(
        {"v": 1, "msgid": "notice.source", "values": [["source", "x"], ["why", "gone"]]}
    )
    assert "gone" in notice(old, "ru").text
    assert "–" in notice(a_notice("notice.source", {"source": "x"}), "ru").text
