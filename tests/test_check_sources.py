"""The words of `check --sources` on a bank: as a poll would take it, document by document."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ingest.trial import Trial, try_source
from bot.sources.catalog import parse_catalog
from tests.factories import NOW
from tests.publishers import QUIET, Publishers, bank_page, rss
from tests.test_cli import jarchy
from tests.world import SAMPLE, Here, loopback_fetcher

TODAY = NOW.date()
FAR = TODAY + timedelta(days=400)


async def _tried(*documents: bytes | None) -> Trial:
    """The trial of a bank whose documents these are; None is one that is not there."""
    async with Publishers() as publishers, loopback_fetcher() as fetcher:
        urls: list[str] = []
        for number, document in enumerate(documents):
            if document is not None:
                publishers.put(f"/{number}.xml", document)
            urls.append(f'"{publishers.url}/{number}.xml"')
        section = f'[rates.nbkr]\nname = {{ en = "Bank" }}\nurls = [{", ".join(urls)}]\n'
        spec = parse_catalog(section).rates["nbkr"]
        return await try_source(spec, fetcher, Here(), now=NOW)


async def test_R11_a_day_far_from_the_calendar_is_not_in_order() -> None:
    """It is said which, and what else there is."""
    near, far = bank_page(TODAY, SAMPLE), bank_page(FAR, SAMPLE)
    assert await _tried(near) == Trial(
        source="nbkr", ok=True, words=f"3 rates, the newest for {TODAY}"
    )
    alone = await _tried(far)
    assert not alone.ok
    assert alone.words == f"3 rates of a day far from its calendar, such as {FAR}"
    both = await _tried(near, far)
    assert not both.ok
    assert both.words.startswith(f"3 rates, the newest for {TODAY}; 3 rates of a day far")


async def test_what_nobody_tried_is_said_beside_what_answered(tmp_path: Path) -> None:
    """`verified = false` disables nothing, and is told with and without a look. A dead man's switch
    that does not take the sign of life is told, too.
    """
    async with Publishers() as publishers:
        publishers.put("/a.xml", rss(QUIET))
        catalog = (
            f'[feeds.a]\nurl = "{publishers.url}/a.xml"\nverified = false\n'
            f'[feeds.b]\nurl = "{publishers.url}/b.xml"\n'
        )
        (tmp_path / "mine.toml").write_text(catalog, encoding="utf-8")
        words = ("check", "--json", "--sources")
        done = await asyncio.to_thread(
            jarchy,
            tmp_path,
            *words,
            CATALOG=str(tmp_path / "mine.toml"),
            HEARTBEAT_URL=f"{publishers.url}/ping",
        )
        assert "/ping" in publishers.asked
    found = json.loads(done.stdout)
    assert found["catalog"] == "ok, 2 sources, 1 that nobody tried (verified = false)"
    assert found["source a"] == "ok, 1 entries; nobody had tried it before (verified = false)"
    assert found["source b"] == found["heartbeat"] == "the server answered 404"


@pytest.mark.parametrize("broken", [None, b"<html>login</html>"], ids=["404", "no rates"])
async def test_R12_the_document_that_fails_is_named_and_the_others_are_read(
    broken: bytes | None,
) -> None:
    """Wherever it stands in the list."""
    good = bank_page(TODAY, SAMPLE)
    for documents, name in (((good, broken), "/1.xml: "), ((broken, good), "/0.xml: ")):
        found = await _tried(*documents)
        assert not found.ok
        assert found.words.startswith(f"3 rates, the newest for {TODAY}; http://")
        assert name in found.words
    both = await _tried(broken, broken)
    assert "/0.xml: " in both.words
    assert "/1.xml: " in both.words


@pytest.mark.parametrize(("body", "ok"), [("div.text", True), ("div.story", False), (None, True)])
async def test_a_selector_of_the_article_that_finds_nothing_is_not_in_order(
    body: str | None, ok: bool
) -> None:
    """A poll takes what the extractor finds, and nobody would hear that the page was redesigned."""
    text = "<p>The bridge over the river was opened today, and many came to see it.</p>" * 5
    page = (
        f"<html><head><title>The bridge opens</title></head><body><article><div class=text>{text}"
    )
    async with Publishers() as publishers, loopback_fetcher() as fetcher:
        listed = b"<ul><li><a href='/a'>The bridge opens today</a></li></ul>"
        publishers.put("/list", listed, kind="text/html")
        publishers.put("/a", page.encode(), kind="text/html")
        section = f'[pages.x]\nurl = "{publishers.url}/list"\nitem = "li"\nlink = "a"\n'
        if body is not None:
            section += f'body = "{body}"\n'
        spec = parse_catalog(section).news["x"]
        found = await try_source(spec, fetcher, Here(), now=NOW)
    assert found.ok is ok
    assert found.words.startswith("1 entries; the first one's article has ")
    assert found.words.endswith(", none of them found by `body`") is not ok
