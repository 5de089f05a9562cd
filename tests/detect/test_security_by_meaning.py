"""Security told by vectors, where lexicon and wording leave it undecided."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.judging import judged_as_polled
from bot.detect import meaning, security
from bot.detect.security import by_meaning, detect, undecided
from bot.detect.topics import judged, judged_by_meaning
from bot.languages import FOLDER, problem_of_learnt
from bot.languages.meanings import FILE, SIZE, Meaning
from bot.reasons import Reason
from tests.detect.test_samples import NEWS
from tests.detect.test_security import OTHER, SECURITY
from tests.test_cli import jarchy

TITLE, TEXT = "Officials warn of high water in the river", "Snow melts early, the ministry said."
PLAIN = "Police arrest three suspects in armed robbery"
#: A vector is for security by its first number, and against it by its second.
TABLE = Meaning([8.0, -8.0, *[0.0] * (SIZE - 2)], 0.0, 0.0, 1.0)
FOR, AGAINST = bytes([127, *[0] * 383]), bytes([0, 127, *[0] * 382])

needs_it = pytest.mark.skipif(not meaning.installed(), reason="the extra `meaning`")


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of every language, whatever was learnt."""
    monkeypatch.setattr(security, "by_meaning", lambda _code: TABLE)


@pytest.mark.usefixtures("table")
def test_a_vector_decides_what_words_leave_undecided() -> None:
    without = detect(TITLE, TEXT, "en")
    assert undecided(without)
    assert not without.security
    told = detect(TITLE, TEXT, "en", vector=FOR)
    assert told.security
    assert told.score > without.score
    assert told.topics == ("security",)
    assert not detect(TITLE, TEXT, "en", vector=AGAINST).security


@pytest.mark.usefixtures("table")
def test_what_the_vector_decided_against_the_words_is_said() -> None:
    told = detect(TITLE, TEXT, "en", vector=FOR)
    assert (Reason("worded") in told.reasons) is (lexicon_odds(TITLE, TEXT) < 0)


def lexicon_odds(title: str, text: str) -> float:
    """The log-odds that the lexicon alone gives a text in English."""
    found = security.weighed(security.zones(title, text), "en")
    return security.lexicon("en").bias + sum(found.values())


@pytest.mark.usefixtures("table")
def test_a_vector_does_not_outvote_plain_words_of_a_disaster() -> None:
    """Labelled news files disasters elsewhere, so that what was learnt may not say much here."""
    title = "Earthquake destroys homes, dozens killed"
    assert detect(title, "", "en", vector=AGAINST).security


def test_a_verdict_is_undecided_near_its_threshold_alone() -> None:
    found = detect(PLAIN, "", "en")
    assert not undecided(found)
    for score, doubt in ((0.0, False), (0.05, False), (0.3, True), (0.5, True), (1.0, False)):
        assert undecided(replace(found, score=score)) is doubt


def test_a_language_without_a_table_is_decided_without_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(security, "by_meaning", lambda _code: None)
    assert detect(TITLE, TEXT, "en", vector=FOR) == detect(TITLE, TEXT, "en")


@pytest.mark.usefixtures("table")
def test_texts_of_several_feeds_are_judged_together() -> None:
    """Each with the topics of its feed."""
    found = judged_by_meaning(
        [(TITLE, TEXT, "en", ("economy",), FOR), (TITLE, TEXT, "en", (), AGAINST)]
    )
    assert [one.security for one in found] == [True, False]
    assert found[0].topics[:2] == ("economy", "security")
    assert found[0] == judged(TITLE, TEXT, "en", fixed=("economy",), vector=FOR)


@pytest.mark.parametrize("language", ["en", "ru", "ky"])
def test_every_language_brings_a_whole_table(language: str) -> None:
    path = FOLDER / language / FILE
    assert problem_of_learnt(path) == ""
    assert path.stat().st_size < 2_000
    table = by_meaning(language)
    assert table is not None
    assert len(table.weights) == SIZE
    assert table.written() == path.read_bytes()
    leaning = bytes(127 if weight > 0 else 129 for weight in table.weights)
    away = bytes(129 if weight > 0 else 127 for weight in table.weights)
    assert meaning.vector_odds(leaning, table) > 3 > -3 > meaning.vector_odds(away, table)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-1], "should have"),
        (lambda data: b"JMT0" + data[4:], "of this version"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "damaged"),
    ],
    ids=["cut", "older", "one bit"],
)
def test_a_damaged_table_is_told_by_its_name(
    tmp_path: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    path = tmp_path / FILE
    assert problem_of_learnt(path) == ""  # a language may have none
    path.write_bytes(TABLE.written())
    assert problem_of_learnt(path) == ""
    path.write_bytes(change(TABLE.written()))
    assert said in problem_of_learnt(path)
    assert FILE in problem_of_learnt(path)


def test_odds_do_not_hang_on_how_long_a_vector_is() -> None:
    """And that of nothing has the bias."""
    table = replace(TABLE, bias=-1.0)
    half = bytes([64, *[0] * 383])
    assert meaning.vector_odds(FOR, table) == pytest.approx(7.0)
    assert meaning.vector_odds(half, table) == pytest.approx(7.0)
    assert meaning.vector_odds(bytes(SIZE), table) == -1.0


def test_without_the_extra_the_verb_says_what_words_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every word of it: the score, the severity and the reasons."""
    monkeypatch.setattr(meaning, "PACKAGE", "a_package_that_nobody_has")
    monkeypatch.setattr(meaning, "vectors", int)  # fails on texts
    for language, title in [*SECURITY, *OTHER, ("en", TITLE)]:
        assert judged_as_polled(title, "", language) == judged(title, "", language)


@needs_it
def test_the_verb_asks_vectors_of_what_is_undecided(tmp_path: Path) -> None:
    """Of plain headlines none is told wrong with them, and the others have their scores of words.

    Measured: 36 of 36 headlines and all of the plain sample.
    """
    headlines = [("security", *one) for one in SECURITY] + [("other", *one) for one in OTHER]
    news = [(label, language, title, "") for label, language, title in headlines]
    news += [
        (label, code, title, text) for label, tier, code, title, text in NEWS if tier == "core"
    ]
    lines: list[str] = []
    for number, (_, language, title, text) in enumerate([*news, ("", "en", TITLE, TEXT)]):
        row = {"id": number, "title": title, "text": text, "lang": language}
        lines.append(json.dumps(row))
    done = jarchy(tmp_path, "detect", "security", stdin="\n".join(lines).encode())
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    wrong: list[str] = []
    for (label, language, title, text), said in zip(news, answers, strict=False):
        if said["security"] != (label == "security"):
            wrong.append(title)
        found = detect(title, text, language)
        if not undecided(found):
            assert said["score"] == found.score
    assert wrong == []
    assert answers[-1]["score"] != detect(TITLE, TEXT, "en").score
