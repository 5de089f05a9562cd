"""Kinds of sources: a file in `bot/sources/kinds/` is one, found by its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.errors import ConfigError
from bot.sources import kinds
from bot.sources.catalog import SECTIONS, load_catalog, parse_catalog
from bot.sources.kind import Kind
from bot.sources.kinds import KINDS
from bot.sources.sections import NewsSection
from bot.sources.specs import NewsSpec
from tests import forkserver
from tests.forkserver import copied

ROOT = Path(__file__).resolve().parents[2]
NEW_KIND = '''
"""Lists of headlines, a line each: address, a tab, the title."""

from dataclasses import dataclass
from datetime import timedelta

from bot.model.news import Entry
from bot.sources.kind import Kind
from bot.sources.sections import NewsSection
from bot.sources.specs import NewsSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSpec(NewsSpec):
    def entries(self, now):
        return read


class ListSection(NewsSection):
    DEFAULT_EVERY = timedelta(minutes=7)

    def spec(self, key):
        return ListSpec(**self.described(key))


def read(body, /, *, url, content_type):
    rows = [line.split("\\t") for line in body.decode().splitlines()]
    return [Entry(id=link, link=link, title=title) for link, title in rows]


def shown(body, url):
    return [{"title": entry.title} for entry in read(body, url=url, content_type=None)]


KIND = Kind(section=ListSection, verb="list", help="A line an entry.", shown=shown)
'''
NO_STORIES = '''
"""Prices, of which no stories are made: only the section says where they stand in a line."""

from dataclasses import dataclass
from datetime import timedelta

from bot.sources.kind import Kind
from bot.sources.sections import SourceSection
from bot.sources.specs import SourceSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSpec(SourceSpec):
    column: int


class PriceSection(SourceSection):
    DEFAULT_EVERY = timedelta(hours=1)

    column: int

    def spec(self, key):
        return PriceSpec(column=self.column, **self.common(key))


def shown(spec, body, url):
    for line in body.decode().splitlines():
        yield {"source": spec.key, "price": line.split()[spec.column]}


KIND = Kind(section=PriceSection, verb="price", help="A line a price.", shown_of=shown)
'''
#: What an operator asks, and what the program makes of a catalog of these kinds.
TRIED = """
import asyncio
import runpy
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.fetch.answers import Fetched, Validators
from bot.ingest.documents import read_document
from bot.sources.catalog import load_catalog, parse_catalog
from bot.workers import Workers

def inspect(*words):
    sys.argv = ["bot", "inspect", *words]
    try:
        runpy.run_module("bot", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code or 0

async def read(spec, body):
    answer = Fetched(
        status=200, url=spec.url, body=body,
        content_type=None, charset=None, validators=Validators(), moved_to=None,
    )
    async with Workers() as workers:
        return await read_document(workers, spec.entries(datetime.now(UTC)), answer)

if __name__ == "__main__":
    asked = (("list", "list"), ("price", "shop", "bread"), ("price", "kiosk", "bread"))
    print([inspect(*words) for words in asked], flush=True)
    catalog = parse_catalog('''
[feeds.a]
url = "https://a.example/"
[lists.a]
url = "https://b.example/"
''')
    spec = catalog.news["lists.a"]
    print([one.key for one in catalog.polled], spec.poll.every)
    print(asyncio.run(read(spec, b"https://b.example/1\\tA bridge")))
    own = load_catalog(Path("catalog.toml"))
    print(own.kinds["prices"], own.polled, own.news)
"""


def test_one_file_more_is_one_kind_more(tmp_path: Path) -> None:
    """Its sections are read, polled and stored, and an operator can look at its documents.

    One may bring something else than stories: its sections are read and known by their kind, and an
    operator looks at a source by its key; nobody polls it as a feed, and a mistake in it is told as
    everywhere.
    """
    copied(ROOT / "bot", tmp_path / "bot")
    for name, text in (("lists", NEW_KIND), ("prices", NO_STORIES)):
        (tmp_path / "bot" / "sources" / "kinds" / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "list").write_text("https://b.example/1\tA bridge", encoding="utf-8")
    (tmp_path / "bread").write_text("white 40\nrye 45", encoding="utf-8")
    (tmp_path / "catalog.toml").write_text("[prices.shop]\ncolumn = 1", encoding="utf-8")
    (tmp_path / ".env").write_text("CATALOG=catalog.toml", encoding="utf-8")
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = forkserver.run("-c", TRIED, cwd=tmp_path, env=env, timeout=110, copy=True)
    assert done.returncode == 0, done.stderr.decode()
    bridge, white, rye, codes, polled, story, prices = done.stdout.decode().splitlines()
    assert bridge == '{"title":"A bridge"}'
    assert [white, rye] == ['{"source":"shop","price":"40"}', '{"source":"shop","price":"45"}']
    assert codes == "[0, 0, 2]"
    assert "no source [prices.kiosk]; there are: shop" in done.stderr.decode()
    assert polled == "['a', 'lists.a'] 0:07:00"
    assert "title='A bridge'" in story
    assert "column=1" in prices
    assert prices.endswith(" () {}")


@pytest.mark.parametrize("name", KINDS)
def test_the_catalog_and_the_verbs_know_every_kind(name: str) -> None:
    """A section of each kind is read, and what it lacks is told by its name."""
    fields = KINDS[name].section.model_fields
    required = next(key for key, field in fields.items() if field.is_required())
    with pytest.raises(ConfigError, match=rf"\[{name}\.x\] {required}: missing"):
        parse_catalog(f"[{name}.x]")
    with pytest.raises(ConfigError, match=rf"\[nothing\]: unknown section; .*{name}.* are known"):
        parse_catalog("[nothing.x]")


class Unready(NewsSection):
    """A section that describes nothing."""


def test_no_catalog_is_read_while_a_kind_lacks_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = Kind(section=Unready, verb="x", help="", shown=lambda body, url: [])  # noqa: ARG005
    modules = {"empty": SimpleNamespace(), "lists": SimpleNamespace(KIND=kind)}
    monkeypatch.setattr(kinds, "modules_of", lambda *_: modules)
    with pytest.raises(ConfigError) as caught:
        load_catalog()
    told = str(caught.value)
    assert "kinds/empty.py lacks KIND" in told
    assert "kinds/lists.py: Unready lacks DEFAULT_EVERY" in told
    assert "kinds/lists.py: Unready lacks spec" in told
    monkeypatch.setattr(Unready, "DEFAULT_EVERY", 60, raising=False)
    with pytest.raises(ConfigError, match="Unready lacks DEFAULT_EVERY"):
        load_catalog()
    monkeypatch.setattr(Unready, "DEFAULT_EVERY", timedelta(minutes=1), raising=False)
    with pytest.raises(ConfigError) as caught:
        load_catalog()
    assert "DEFAULT_EVERY" not in str(caught.value)


class EmptySpec(NewsSpec):
    """A spec that reads nothing, and would speak seldom but for a letter."""

    @property
    def speak_often(self) -> bool:
        return False


class EmptySection(NewsSection):
    """A section of it."""

    DEFAULT_EVERY = timedelta(minutes=1)

    def spec(self, key: str) -> EmptySpec:
        return EmptySpec(**self.described(key))  # type: ignore[abstract]  # what is told below


def test_what_a_spec_lacks_and_a_verb_that_is_taken_are_told_by_name() -> None:
    """Before there is a section of the kind, which only then would fail."""
    empty = Kind(section=EmptySection, verb="feed", help="", shown=lambda body, url: [])  # noqa: ARG005
    blind = replace(KINDS["pages"], shown=None)
    modules = {
        "feeds": SimpleNamespace(KIND=KINDS["feeds"]),
        "lists": SimpleNamespace(KIND=empty),
        "blind": SimpleNamespace(KIND=blind),
        "half": SimpleNamespace(KIND=Kind(help="")),
        "unfit": SimpleNamespace(KIND=replace(blind, shown=lambda: (), shown_of=lambda _: ())),
        "untyped": SimpleNamespace(KIND=replace(KINDS["feeds"], verb="two words")),
        "places": SimpleNamespace(KIND=replace(KINDS["feeds"], verb="rates")),
    }
    assert list(kinds.kinds_of(modules)) == ["feeds", "lists", "blind", "places"]
    assert kinds.problems_of(modules) == [
        "kind of source lists: bot/sources/kinds/lists.py: the spec of EmptySection lacks entries",
        (
            "kind of source lists: bot/sources/kinds/lists.py: the spec of EmptySection lacks "
            "a use for speak_often; did you mean speaks_often?"
        ),
        "kind of source lists: bot/sources/kinds/lists.py: `inspect feed` is a verb of feeds",
        "kind of source blind: bot/sources/kinds/blind.py: KIND needs either shown or shown_of",
        "kind of source half: bot/sources/kinds/half.py: KIND lacks section, a SourceSection",
        "kind of source half: bot/sources/kinds/half.py: KIND lacks verb, its word of `inspect`",
        (
            "kind of source unfit: bot/sources/kinds/unfit.py: KIND lacks shown, which makes "
            "lines of (bytes, address), without awaiting"
        ),
        (
            "kind of source unfit: bot/sources/kinds/unfit.py: KIND lacks shown_of, which makes "
            "lines of (spec, bytes, address), without awaiting"
        ),
        (
            "kind of source untyped: bot/sources/kinds/untyped.py: KIND lacks verb, its word of "
            "`inspect`: one of small letters"
        ),
        (
            "kind of source places: bot/sources/kinds/places.py: a catalog's [places.KEY] is "
            "another section already"
        ),
        "kind of source places: bot/sources/kinds/places.py: `inspect rates` is a verb of banks",
    ]
    assert kinds.problems() == []
    assert {*SECTIONS} - {*KINDS} == kinds.OTHER_SECTIONS
