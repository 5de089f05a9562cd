"""Wording: tables that are whole, small and read when needed; what they add to the lexicon."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from bot.detect.security import detect
from bot.detect.wording import buckets, wording, wording_odds
from bot.languages import FOLDER, problem_of_learnt
from bot.languages.wordings import BUCKETS, FILE, HEADER, Wording
from bot.reasons import Reason

LANGUAGES = ["en", "ru", "ky"]

#: Crimes and disasters told without a word of the lexicon that would say so alone.
UNNAMED = [
    ("en", "Two suspects are charged after a pensioner is found strangled in her flat"),
    ("ru", "Пропавшую пенсионерку нашли со следами удушения, подозреваемого доставили на допрос"),
    ("ky", "Кесиптештердин бири экинчисин бычактап салган, ишке милиция киришти"),
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_brings_a_whole_table(language: str) -> None:
    path = FOLDER / language / FILE
    assert problem_of_learnt(path) == ""
    assert 100_000 < path.stat().st_size < 200_000
    table = Wording.read(path.read_bytes())
    assert len(table.weights) == BUCKETS
    used = sum(1 for weight in table.weights if weight)
    assert used > 10_000
    assert any(weight > 60 for weight in table.weights)
    assert any(weight < -60 for weight in table.weights)
    assert table.written() == path.read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-1], "should have"),
        (lambda data: b"JWT0" + data[4:], "of this version"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "damaged"),
    ],
    ids=["cut", "older", "one bit"],
)
def test_a_damaged_table_is_told_by_its_name(tmp_path: Path, change: object, said: str) -> None:
    whole = Wording.of([0] * BUCKETS, 0.5, -1.0, 0.0).written()
    path = tmp_path / FILE
    path.write_bytes(whole)
    assert problem_of_learnt(path) == ""
    path.write_bytes(change(whole))  # type: ignore[operator]
    assert said in problem_of_learnt(path)
    assert FILE in problem_of_learnt(path)


def test_a_language_without_a_table_is_no_problem(tmp_path: Path) -> None:
    assert problem_of_learnt(tmp_path / FILE) == ""


def test_weights_of_a_table_come_back_as_they_were_written() -> None:
    weights = [0] * BUCKETS
    weights[0], weights[7], weights[-1] = 127, -127, 3
    table = Wording.read(Wording.of(weights, 0.25, -1.5, 0.75).written())
    assert list(table.weights) == weights
    assert (table.scale, table.bias, table.threshold) == (0.25, -1.5, 0.75)


def test_pieces_are_the_same_on_every_machine() -> None:
    """A table learnt on one is read on another: no hash that differs from run to run."""
    found = buckets("Пожар 112", "Fire")
    assert found == buckets("пожар 911", "fire")
    code = "from bot.detect.wording import buckets; print(sorted(buckets('Пожар 112', 'Fire')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sorted(found))


def test_odds_are_the_weights_of_the_pieces_by_the_root_of_their_number() -> None:
    found = buckets("fire fire", "")
    weights = [0] * BUCKETS
    for bucket in found:
        weights[bucket] = 10
    table = Wording.of(weights, 0.5, -1.0, 0.0)
    assert wording_odds("fire fire", "", table) == pytest.approx(-1.0 + 5 * len(found) ** 0.5)
    assert wording_odds("", "", table) == -1.0


def test_what_stands_far_below_says_nothing() -> None:
    long = "harvest " * 200
    assert buckets("", long + "explosion") == buckets("", long + "festival")


@pytest.mark.parametrize(("language", "title"), UNNAMED)
def test_wording_tells_security_where_no_word_alone_does(language: str, title: str) -> None:
    table = wording(language)
    assert table is not None
    peaceful = {
        "en": "Schools close for the holidays",
        "ru": "Школы закрыли",
        "ky": "Мектеп жабылды",
    }
    assert wording_odds(title, "", table) > wording_odds(peaceful[language], "", table)
    assert detect(title, "", language).security


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "NATO ministers of defence discuss joint exercises"),
        ("en", "Shanghai Cooperation Organisation members hold joint exercises"),
        ("en", "CSTO leaders sign a statement on collective security"),
        ("ru", "Министры обороны стран ОДКБ обсудили сотрудничество"),
        ("ru", "Министр обороны посетил военную базу"),
        ("ru", "В горах Нарына произошло землетрясение"),
        ("ky", "ЖККУ өлкөлөрүнүн коргоо министрлери жолугушту"),
    ],
)
def test_calm_words_about_alliances_and_armies_are_not_outvoted(language: str, title: str) -> None:
    """Labelled news is mostly crime, so that what was learnt of it says little here."""
    assert detect(title, "", language).security


def test_a_story_that_its_wording_decided_says_so() -> None:
    """And one that the lexicon decided names its words."""
    worded = detect("Блогера доставили в отдел из-за ролика", "", "ru")
    plain = detect("Police arrest three suspects in armed robbery", "", "en")
    assert worded.security
    assert worded.reasons == (Reason("worded"),)
    assert Reason("worded") not in plain.reasons
    assert any(reason.code == "found" for reason in plain.reasons)


def test_a_table_is_read_when_first_asked_for_and_once() -> None:
    """A bot at rest has none of them in memory."""
    code = (
        "import bot.detect.topics as t; from bot.detect.wording import wording;"
        "print(wording.cache_info().currsize);"
        "[t.judged('Police', 'arrest', 'en') for _ in range(3)];"
        "print(wording.cache_info().currsize, wording.cache_info().misses)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1", "1"]


def test_a_header_has_no_padding() -> None:
    """The file is read on machines of both kinds of byte order and alignment."""
    assert struct.calcsize("<4sfffI") == HEADER.size == 20


def test_an_article_costs_little_more_than_its_first_thousand_characters() -> None:
    """Counted in pieces, not in time: a machine may be slow."""
    words = [f"слово{number}" for number in range(10_000)]
    assert len(buckets("", " ".join(words))) == len(buckets("", " ".join(words[:200])))
