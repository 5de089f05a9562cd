"""A bank is one file, found by its place; what is no bank is refused by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import ConfigError
from bot.sources import banks
from bot.sources.banks import FOLDER, SOURCES, problems_of, sources_of
from bot.sources.base import RateSource
from bot.sources.catalog import load_catalog, parse_catalog, unasked
from tests import forkserver
from tests.forkserver import copied

ROOT = Path(__file__).parents[2]
NEW_BANK = """from bot.model.rates import RateKind
from bot.sources.base import RateSource, Sheet


def read(body: bytes, url: str | None) -> Sheet:
    sheet = Sheet()
    sheet.add("USD", "MNT", "2026-11-28", body.decode())
    return sheet


SOURCE = RateSource(home="MNT", kind=RateKind.OFFICIAL, read=read)
"""

#: A catalog of the operator's own, with one bank.
OWN = """
[rates.nbkr]
name = { en = "National Bank" }
urls = ["http://127.0.0.1:9/daily.xml"]
"""


def test_every_file_of_the_folder_is_a_bank() -> None:
    assert list(SOURCES) == sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    assert banks.problems() == []


@pytest.mark.parametrize("source", [None, "a string", SimpleNamespace(read=len)])
def test_a_file_that_is_no_bank_is_refused_by_its_name(source: object) -> None:
    modules = {
        "nbkr": SimpleNamespace(SOURCE=SOURCES["nbkr"]),
        "mongolbank": SimpleNamespace(SOURCE=source),
    }
    assert list(sources_of(modules)) == ["nbkr"]
    assert problems_of(modules) == [
        "bank mongolbank: bot/sources/banks/mongolbank.py lacks SOURCE, a RateSource"
    ]


@pytest.mark.parametrize(
    ("source", "lacks"),
    [
        (RateSource(), ["home", "kind", "read"]),
        (replace(SOURCES["nbkr"], home="", kind=cast("Any", "buy")), ["home", "kind"]),
        (replace(SOURCES["nbkr"], read=cast("Any", None)), ["read"]),
        (replace(SOURCES["nbkr"], request=cast("Any", None)), ["request"]),
        (replace(SOURCES["nbkr"], history=cast("Any", "none")), ["history"]),
        (replace(SOURCES["nbkr"], request=cast("Any", lambda url: url)), ["request"]),
        (replace(SOURCES["nbkr"], history=cast("Any", lambda since: since)), ["history"]),
        (replace(SOURCES["nbkr"], history=None), []),
    ],
)
def test_half_a_bank_is_refused_by_the_names_of_its_parts(
    source: RateSource, lacks: list[str]
) -> None:
    """It would have failed each time that it was asked."""
    modules = {"mongolbank": SimpleNamespace(SOURCE=source)}
    assert list(sources_of(modules)) == ([] if lacks else ["mongolbank"])
    told = "bank mongolbank: bot/sources/banks/mongolbank.py: SOURCE lacks "
    assert [one.partition(",")[0] for one in problems_of(modules)] == [told + one for one in lacks]


def test_a_bank_without_a_section_is_told_and_one_an_operator_left_out_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody would ever ask it."""
    own = parse_catalog(OWN)
    assert unasked(own) == []
    monkeypatch.setitem(SOURCES, "mongolbank", SOURCES["nbkr"])
    told = ["bank mongolbank: bot/sources/catalog.toml lacks its section, [rates.mongolbank]"]
    assert unasked(own) == told
    assert unasked(load_catalog()) == told


def test_no_catalog_is_read_while_a_bank_lacks_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banks, "modules_of", lambda *_: {"mongolbank": SimpleNamespace()})
    with pytest.raises(ConfigError, match=r"bank mongolbank: .* lacks SOURCE"):
        load_catalog()


def test_one_file_more_is_one_bank_more(tmp_path: Path) -> None:
    """The verb that shows what a parser sees knows a bank whose file was just put there."""
    copied(ROOT / "bot", tmp_path / "bot")
    (tmp_path / "bot" / "sources" / "banks" / "mongolbank.py").write_text(
        NEW_BANK, encoding="utf-8"
    )
    (tmp_path / "answer").write_text("3400.5", encoding="utf-8")
    done = forkserver.run(
        *("bot", "inspect", "rates", "mongolbank", "answer"),
        cwd=tmp_path,
        env=forkserver.PLAIN,
        timeout=110,
        copy=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b'"quote":"MNT"' in done.stdout
    assert b'"value":"3400.5"' in done.stdout
