"""Learning how security is worded: what teaches does not judge, and what is learnt is what was
there to learn. On invented texts; the labelled ones are not part of the project.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.learn.__main__ import main
from bench.learn.fit import Rows, fit, fit_dense
from bench.learn.learning import (
    best_threshold,
    judged_after,
    judged_apart,
    learnt_vectors,
    meaning_table,
    quantised,
    relearnt_lexicon,
    score,
    table,
)
from bench.learn.texts import Read, Text, by_date, parts, read_texts, see
from bench.learn.vectors import RECORD, vectors_of
from bot.detect import meaning
from bot.detect.wording import wording_odds
from bot.languages.meanings import SIZE, Meaning
from tests.detect.test_samples import NEWS


def sample() -> list[Text]:
    """The project's own invented news, each with a day of its own."""
    texts = []
    for number, (label, tier, language, title, text) in enumerate(NEWS):
        if language == "en":
            day = f"2026-01-{number % 20 + 1:02}"
            texts.append(Text(title, text, int(label == "security"), tier, day, day))
    return texts


@pytest.fixture(scope="module")
def read() -> Read:
    return see(sample(), "en")


def test_a_weight_is_learnt_with_its_sign_and_drawn_to_what_is_believed() -> None:
    rows = Rows.of([{0: 1.0}, {0: 1.0}, {1: 1.0}, {1: 1.0}], 3)
    learnt = fit(
        rows,
        np.array([1.0, 1.0, 0.0, 0.0]),
        np.ones(4),
        drawn=0.1,
        believed=np.array([0.0, 0.0, 2.5]),
    )
    assert learnt.weights[0] > 1
    assert learnt.weights[1] < -1
    assert learnt.weights[2] == pytest.approx(2.5)  # nothing was seen of it


def test_a_weight_stays_on_its_side_of_zero() -> None:
    rows = Rows.of([{0: 1.0}, {1: 1.0}], 2)
    learnt = fit(rows, np.array([0.0, 1.0]), np.ones(2), drawn=0.01, side=np.array([1.0, -1.0]))
    assert list(learnt.weights) == [0.0, 0.0]


def test_the_slope_at_what_was_learnt_is_flat() -> None:
    """It is the regression that it says it is, and not merely near it."""
    chance = np.random.default_rng(1)
    rows = Rows.of([{int(c): 1.0 for c in chance.integers(0, 9, 3)} for _ in range(60)], 9)
    truth = (chance.random(60) > 0.5).astype(float)
    learnt = fit(rows, truth, np.ones(60), drawn=0.5, steps=2000)
    error = 1 / (1 + np.exp(-learnt.odds(rows))) - truth
    assert np.abs(rows.turned(error) + 0.5 * learnt.weights).max() < 1e-6
    assert abs(error.sum()) < 1e-6


def test_the_slope_of_dense_rows_is_flat_too() -> None:
    """Each row counting what it is worth."""
    chance = np.random.default_rng(2)
    rows = chance.normal(size=(80, 6)) + 3
    truth = (rows[:, 0] + chance.normal(size=80) > 3).astype(float)
    worth = np.where(np.arange(80) < 20, 3.0, 1.0)
    learnt = fit_dense(rows, truth, worth, drawn=0.5)
    error = worth * (1 / (1 + np.exp(-(rows @ learnt.weights + learnt.bias))) - truth)
    middle = worth @ rows / worth.sum()
    slope = (rows - middle).T @ error + 0.5 * learnt.weights
    assert np.abs(slope).max() < 1e-3
    assert abs(error.sum()) < 1e-3
    assert learnt.weights[0] > 1


def test_texts_of_one_day_teach_or_judge_and_never_both(read: Read) -> None:
    judged = np.zeros(len(read.texts), dtype=int)
    for known, asked in parts(read.texts):
        assert not (known & asked).any()
        days = {text.group for text, there in zip(read.texts, known, strict=True) if there}
        assert not days & {
            text.group for text, there in zip(read.texts, asked, strict=True) if there
        }
        judged += asked
    assert (judged == 1).all()


def test_by_date_what_is_judged_comes_after_what_taught(read: Read) -> None:
    found = by_date(read.texts)
    assert found is not None
    before, after = found
    days = np.array([text.date for text in read.texts])
    assert max(days[before]) < min(days[after])
    assert by_date([Text("a", "b", 1, "core", "1", "")]) is None


def test_a_word_that_taught_nothing_is_left_out(read: Read) -> None:
    """Whoever wrote the lexicon may have taken it from the very text that is judged."""
    known = np.zeros(len(read.texts), dtype=bool)
    known[:6] = True
    learnt = relearnt_lexicon(read, known)
    seen = read.words.only(known).frequency() > 0
    assert (learnt.weights[~seen] == 0).all()
    assert (learnt.weights[seen] != 0).any()


def test_what_was_learnt_tells_what_taught_it(read: Read) -> None:
    everything = np.ones(len(read.texts), dtype=bool)
    odds = judged_after(read, everything)
    assert score(odds.together, read.labels, everything, 0.0).f1 > 0.9
    apart = judged_apart(read)
    limit = best_threshold(apart.together, read, everything)
    assert score(apart.together, read.labels, read.tier("core"), limit).f1 > 0.6


def test_the_table_says_what_the_regression_says(read: Read) -> None:
    """To the step of a byte: it is read by other code than the one that learnt it."""
    pieces = read.pieces
    alike = np.bincount(pieces.row, minlength=pieces.height)
    scaled = pieces.scaled(1 / np.sqrt(np.maximum(alike, 1)), np.ones(pieces.width))
    learnt = fit(scaled, read.labels, np.ones(pieces.height), drawn=0.1)
    made = table(learnt, 0.5)
    expected = quantised(learnt).odds(scaled)
    for text, odds in zip(read.texts, expected, strict=True):
        assert wording_odds(text.title, text.text, made) == pytest.approx(odds, abs=1e-4)
    assert made.threshold == 0.5


class Encoder:
    """Stands for the model: a vector leans to security where its text is labelled so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, texts: list[Text]) -> None:
        self.asked = list[str]()
        self.label = {meaning.as_cut(text.title, text.text): text.label for text in texts}
        monkeypatch.setattr(meaning, "vectors", self)

    def __call__(self, cuts: list[str]) -> list[bytes]:
        """A vector of each."""
        self.asked += cuts
        return [self._vector(cut) for cut in cuts]

    def _vector(self, cut: str) -> bytes:
        chance = np.random.default_rng(len(cut)).integers(-20, 20, SIZE)
        chance[0] = 127 if self.label[cut] else -127
        return chance.astype(np.int8).tobytes()


def test_a_vector_is_made_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by whoever was interrupted in the middle of writing one; unlabelled texts have none."""
    texts = [*sample(), Text("Nobody labelled this", "", None, "ambiguous", "1", "")]
    path = tmp_path / "folder" / "en.vectors"
    encoder = Encoder(monkeypatch, texts)
    made = vectors_of(texts, path)
    assert len(encoder.asked) == len(texts) - 1
    assert np.linalg.norm(made[:-1], axis=1) == pytest.approx(np.ones(len(texts) - 1))
    assert not made[-1].any()
    path.write_bytes(path.read_bytes()[: RECORD * 3 + 7])
    encoder.asked.clear()
    assert (vectors_of(texts, path) == made).all()
    assert len(encoder.asked) == len(texts) - 1 - 3
    encoder.asked.clear()
    assert (vectors_of(texts, path) == made).all()
    assert encoder.asked == []
    other = tmp_path / "other.vectors"
    assert not vectors_of(texts, other, seconds=-1).any()  # no time for any


@pytest.mark.slow
def test_vectors_teach_and_are_added_up_as_the_program_does(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Encoder(monkeypatch, list(read.texts))
    vectors = vectors_of(read.texts, tmp_path / "en.vectors")
    everything = np.ones(len(read.texts), dtype=bool)
    odds = judged_apart(read, vectors)
    limit = best_threshold(odds.all_three(0.7), read, everything)
    told = score(odds.all_three(0.7), read.labels, everything, limit).f1
    limit = best_threshold(odds.together, read, everything)
    assert told > 0.9 > score(odds.together, read.labels, everything, limit).f1
    learnt = learnt_vectors(read, everything, vectors)
    made = Meaning.read(meaning_table(learnt, 0.5, 0.7).written())
    assert (made.threshold, made.lexicon) == (0.5, pytest.approx(0.7))
    for text, row in zip(read.texts, vectors, strict=True):
        (vector,) = meaning.vectors([meaning.as_cut(text.title, text.text)])
        expected = row @ learnt.weights + learnt.bias
        assert meaning.vector_odds(vector, made) == pytest.approx(expected, abs=1e-4)


def test_where_the_labelled_news_is_not_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["learn", "--data", str(tmp_path / "nowhere")])
    assert main() == 2
    assert "no labelled news" in capsys.readouterr().err


def test_unsure_texts_teach_nothing_and_unlabelled_ones_have_no_label(tmp_path: Path) -> None:
    plain = {"title": "Fire", "text": "", "group": "1", "date": "2026-01-01"}
    files = {
        "en.dev.jsonl": [{**plain, "id": "a", "label": "security", "tier": "core"}],
        "en.hard.dev.jsonl": [
            {**plain, "id": "a", "label": "other", "tier": "hard"},
            {**plain, "id": "b", "label": "unsure", "tier": "hard"},
        ],
        "en.ambiguous_unlabelled.dev.jsonl": [
            {**plain, "id": "a", "label": None, "tier": "ambiguous"},
            {**plain, "id": "c", "label": None, "tier": "ambiguous"},
        ],
    }
    for name, rows in files.items():
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    texts = read_texts(tmp_path, "en")
    assert [(text.tier, text.label) for text in texts] == [
        ("core", 1),
        ("hard", 0),
        ("ambiguous", None),
    ]
