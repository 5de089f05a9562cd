"""Other readers' test suites, read by ours: nothing falls over, and where the meaning is the same,
the answer is.

Skipped where the shared data is absent. Each suite's expectation is compared as a reader would see
it: markup and white space do not count, times are moments. What we answer differently, and mean to:

* feedparser: CDF (dead since 2001) is no feed to us; relative links and ids that its test server
  completes from a `Content-Location` header; texts in base64 under a binary type; a bogus comment
  (`<!' …`) that browsers drop. Of plain text about the `<blink>` tag it is this file's `seen` that
  loses the tag.
* gofeed: base64 in titles; a guid or title holding raw markup (`<guid><p>…`, a mismatched closing
  tag); a link in an element with a foreign attribute that feedparser takes for the address (`<link
  uri="at://…">`).
* feedvalidator is a suite for validators: "must" files are wrong on purpose, so only survival is
  asked, and that what is no feed (KML, OPML, pages) is refused.
"""

from __future__ import annotations

import ast
import calendar
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ParseError
from bot.model.news import Entry
from bot.sources.entries import Feed
from bot.sources.feeds import parse_feed
from tests.conftest import SHARED

pytestmark = pytest.mark.skipif(SHARED is None, reason="the shared data folder is not here")

FEEDS = (SHARED or Path()) / "data" / "feeds"


@cache
def read(path: Path) -> Feed | None:
    """A file as a feed, or None when it is none."""
    try:
        return parse_feed(path.read_bytes())
    except ParseError:
        return None


def files(suite: str, pattern: str = "*") -> list[Path]:
    return [
        path
        for path in sorted((FEEDS / suite).rglob(pattern))
        if path.is_file() and path.name != "LICENSE"
    ]


def seen(text: str) -> str:
    """A text as a reader sees it, by other means than ours."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    return "".join(html.unescape(re.sub(r"</?[a-zA-Z!?][^<>]*>", " ", text)).split())


class Agreement:
    """Counts answers by field, and keeps the differing ones for the failure's message."""

    def __init__(self) -> None:
        self.same: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.different: list[str] = []

    def ask(self, path: Path, field: str, wanted: object, got: object) -> None:
        self.asked[field] += 1
        if wanted == got:
            self.same[field] += 1
        else:
            self.different.append(
                f"{path.name}: {field}: wanted {str(wanted)[:80]}, got {str(got)[:80]}"
            )

    def require(self, share: float, *, at_least: int) -> None:
        asked, same = self.asked.total(), self.same.total()
        assert asked >= at_least, f"only {asked} questions were found"
        assert same / asked >= share, "\n".join([f"{same} of {asked}", *self.different])


@pytest.mark.parametrize(
    ("suite", "step", "feeds"),
    [
        ("feedparser", 4, 300), pytest.param("feedparser", 1, 1230, marks=pytest.mark.slow),
        ("feedvalidator", 4, 270), pytest.param("feedvalidator", 1, 1110, marks=pytest.mark.slow),
        ("gofeed", 1, 330), ("feedjira", 1, 24),
        ("miniflux", 1, 8), ("lemon24-reader", 1, 6), ("real_extra", 1, 1),
    ],
)  # fmt: skip
def test_every_file_is_a_feed_or_a_parse_error(suite: str, step: int, feeds: int) -> None:
    """The quick run reads every fourth of the largest two."""
    found = [feed for path in files(suite)[::step] if (feed := read(path)) is not None]
    assert len(found) >= feeds
    for feed in found:
        assert len({entry.id for entry in feed.entries}) == len(feed.entries)
        for entry in feed.entries:
            check(entry)


def check(entry: Entry) -> None:
    """Check all that holds for every entry of every feed in the world."""
    assert entry.id
    assert entry.link is None or re.match(r"https?://[^\s<>\"]+$", entry.link, re.IGNORECASE)
    assert entry.language is None or re.fullmatch("[a-z]{2}", entry.language)
    for moment in (entry.published_at, entry.updated_at):
        assert moment is None or moment.tzinfo is UTC
    for text in (entry.title, entry.summary, entry.content):
        assert text == text.strip()
        assert not re.search("[\0-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2060-\u2069\ufeff]", text)


# --- feedparser: `Expect: not bozo and entries[0]['title'] == '…'` in each file ---

EXPECT = re.compile(rb"Expect:\s*(.*)")
FIELD = re.compile(r"entries\[0\]\['(\w+)'\](?:\[0\]\['value'\])? == (.+?)(?: and |\s*$)")


def feedparser_expectations() -> Iterator[tuple[Path, str, Any]]:
    for path in files("feedparser", "*.xml"):
        match = EXPECT.search(path.read_bytes())
        for field, literal in FIELD.findall(match[1].decode("utf-8", "replace")) if match else ():
            try:
                wanted = ast.literal_eval(literal)
            except (ValueError, SyntaxError):
                continue
            if isinstance(wanted, str | tuple):
                yield path, field, wanted


def answer(entry: Entry, field: str) -> object:
    match field:
        case "title":
            return seen(html.escape(entry.title))
        case "summary" | "description":
            return seen(html.escape(entry.summary or entry.content))
        case "content":
            return seen(html.escape(entry.content or entry.summary))
        case "link":
            return entry.link
        case "id" | "guid":
            return entry.id
        case "published_parsed" | "issued_parsed" | "created_parsed":
            return entry.published_at
        case "updated_parsed" | "modified_parsed":
            return entry.updated_at
    return NotImplemented


def test_we_agree_with_feedparsers_own_expectations() -> None:
    agreement = Agreement()
    for path, field, wanted in feedparser_expectations():
        feed = read(path)
        entry = feed.entries[0] if feed and feed.entries else Entry(id="", title="")
        got = answer(entry, field)
        if got is NotImplemented:
            continue
        if isinstance(wanted, tuple):
            wanted = datetime.fromtimestamp(calendar.timegm(wanted), UTC)  # noqa: PLW2901 - the same, as we write it
        elif field not in {"link", "id", "guid"}:
            wanted = seen(wanted)  # noqa: PLW2901 - likewise
        agreement.ask(path, field, wanted, got)
    agreement.require(0.97, at_least=460)  # measured 449 of 462


# --- gofeed: what it reads is in a JSON file of the same name ---


def gofeed_expectations() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in files("gofeed", "*.xml"):
        beside = path.with_suffix(".json")
        if beside.exists():
            yield path, json.loads(beside.read_text("utf-8"))
    for path in files("gofeed", "version_json_*.json"):
        beside = path.with_name(path.stem + "_expected.json")
        if beside.exists():
            yield path, json.loads(beside.read_text("utf-8"))


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def gofeed_answers(item: dict[str, Any], entry: Entry) -> Iterator[tuple[str, object, object]]:
    """Field, what gofeed reads, what we read; only where it reads something."""
    identity = item.get("guid") or item.get("id")
    content = item.get("content") or item.get("content_html")
    links = [
        link.get("href")
        for link in item.get("links") or ()
        if isinstance(link, dict) and link.get("rel") == "alternate"
    ]
    link = item.get("link") or item.get("url") or (links or [None])[0] or ""
    yield "title", seen(item.get("title") or ""), seen(html.escape(entry.title))
    yield "link", link if link.startswith("http") else "", entry.link
    yield "id", identity.get("value") if isinstance(identity, dict) else identity, entry.id
    yield (
        "published",
        moment(item.get("publishedParsed") or item.get("pubDateParsed")),
        entry.published_at,
    )
    yield "updated", moment(item.get("updatedParsed")), entry.updated_at
    yield (
        "summary",
        seen(item.get("description") or item.get("summary") or ""),
        seen(html.escape(entry.summary)),
    )
    yield (
        "content",
        seen((content or {}).get("value", "") if isinstance(content, dict) else content or ""),
        seen(html.escape(entry.content)),
    )


def test_we_agree_with_gofeeds_answers() -> None:
    agreement = Agreement()
    for path, wanted in gofeed_expectations():
        feed = read(path) or Feed(title="", language=None, entries=())
        items = wanted.get("items") or wanted.get("entries") or []
        agreement.ask(path, "count", len(items), len(feed.entries))
        if wanted.get("title"):
            agreement.ask(path, "feed title", seen(wanted["title"]), seen(html.escape(feed.title)))
        for item, entry in zip(items, feed.entries, strict=False):
            for field, theirs, ours in gofeed_answers(item, entry):
                if theirs:
                    agreement.ask(path, field, theirs, ours)
    agreement.require(0.98, at_least=470)  # measured 462 of 471


# --- miniflux: a real feed in windows-1251, and declarations that lie ---


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("encoding_WINDOWS-1251.xml", "iBash.Org.Ru"), ("invalid-prolog.xml", "테스트 피드"),
        ("iso-8859-1.xml", "Café"), ("windows-1252-incorrect-prolog.xml", "Euro €"),
    ],
)  # fmt: skip
def test_minifluxs_misdeclared_feeds_are_read_right(name: str, title: str) -> None:
    (path,) = files("miniflux", name)
    feed = read(path)
    assert feed is not None
    assert feed.title == title
    if name == "encoding_WINDOWS-1251.xml":
        assert feed.entries[0].title.startswith("Цитата #")
        assert feed.entries[0].published_at == datetime(2018, 3, 21, 7, 27, 32, tzinfo=UTC)
