"""Mistakes in a catalog, by kind: each is told with its section, its key and the nearest right
word.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.sources.catalog import PollSection, Section, load_catalog, parse_catalog
from bot.sources.feeds import FeedSpec
from bot.sources.hazards import HazardSpec
from bot.sources.kinds.feeds import FeedSection
from bot.sources.kinds.hazards import HazardSection
from bot.sources.kinds.pages import PageSection
from bot.sources.kinds.telegram import TelegramSection
from bot.sources.pages import PageSpec
from bot.sources.posts import TelegramSpec
from bot.sources.sections import ChannelSection, RateSection
from bot.sources.selectors import xpath_of
from bot.sources.specs import ChannelSpec, RateSpec

FEED = '[feeds.x]\nurl = "https://x.example/"\n'
PAGE = '[pages.x]\nurl = "https://x.example/"\nitem = ".a"\nlink = "a"\n'
RATE = '[rates.nbkr]\nname = { en = "x" }\nurls = ["https://x.example/"]\n'


def told(text: str) -> tuple[str, ...]:
    """The problems of a catalog that an operator is told."""
    with pytest.raises(ConfigError) as refusal:
        parse_catalog(text)
    return refusal.value.problems


@pytest.mark.parametrize(
    ("text", "start", "word"),
    [
        (FEED + 'pol = { every = "5m" }', "[feeds.x] pol:", "poll"),
        (FEED + 'poll = { evry = "5m" }', "[feeds.x.poll] evry:", "every"),
        (FEED + 'poll = { days = "mno-fri" }', "[feeds.x.poll] days:", "mon"),
        (FEED + 'poll = { zone = "Asia/Bishkeck" }', "[feeds.x.poll] zone:", "Asia/Bishkek"),
        (FEED + 'poll = { zone = "europe/moscow" }', "[feeds.x.poll] zone:", "Europe/Moscow"),
        (FEED + 'style = "breif"', "[feeds.x] style:", "brief"),
        (PAGE + 'titel = "b"', "[pages.x] titel:", "title"),
        (RATE + 'kind = "offical"', "[rates.nbkr] kind:", "official"),
        (RATE + 'parser = "nbkkr"', "[rates.nbkr] parser:", "nbkr"),
        (RATE + 'holiday = ["03-21"]', "[rates.nbkr] holiday:", "holidays"),
        (RATE.replace("nbkr", "nbkrr"), "[rates.nbkrr] parser: missing", "nbkr"),
        (RATE.replace("nbkr", "nbrk"), "[rates.nbrk] parser: missing", "nbkr"),
        ('[channels."@example"]\ndigets = ["09:00"]', '[channels."@example"] digets:', "digest"),
        ("[feed.x]\n", "[feed]:", "feeds"),
        ("[chanels.x]\n", "[chanels]:", "channels"),
    ],
)
def test_a_mistyped_word_is_told_with_the_nearest_right_one(
    text: str, start: str, word: str
) -> None:
    [problem] = told(text)
    assert problem.startswith(start)
    assert problem.endswith(f"did you mean {word}?")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (
            RATE + FEED.replace(".x]", ".nbkr]"),
            "[feeds.nbkr]: the key is already used by [rates.nbkr]",
        ),
        (
            FEED
            + PAGE
            + FEED.replace("feeds.x", 'feeds."pages.x"').replace("example/", "example/y"),
            "[pages.x]: its stored name pages.x",
        ),
        (
            '[channels."@Example"]\n[channels."@example"]',
            '[channels."@example"]: is the channel of',
        ),
    ],
)
def test_two_of_one_name_are_told(text: str, start: str) -> None:
    [problem] = told(text)
    assert problem.startswith(start)


@pytest.mark.parametrize("key", ["item", "link", "title", "time", "body"])
@pytest.mark.parametrize(
    "selector",
    [
        "",
        "div >",
        "> a",
        "a:hover",
        'a:lang("")',
        "li:not(:active)",
        "a::after",
        "a:unknown",
        "svg|a",
        "div svg|a",
        "a[xlink|href]",
        'a[xlink|href="x"]',
        "div a[svg|x]",
        "a:not([svg|x])",
        "a:has(svg|b)",
        "a:is([x|y])",
        "#i[a|b]",
        "a, b:has(c|d)",
        "a[href",
        "a,,b",
        "🦊 {",
    ],
)
def test_a_selector_that_no_poll_could_read_is_told_at_once(key: str, selector: str) -> None:
    """Whichever of a page's selectors it is."""
    lines = {"item": ".a", "link": "a"} | {key: selector}
    section = '[pages.x]\nurl = "https://x.example/"\n' + "".join(
        f"{name} = '{value}'\n" for name, value in lines.items()
    )
    [problem] = told(section)
    assert problem.startswith(f"[pages.x] {key}: should be a CSS selector such as")


@pytest.mark.parametrize(
    "selector",
    [
        "tr:nth-child(2) a",
        "ul li:not(.ad)",
        "article.card ~ p",
        "h2 + p",
        "li:has(> a)",
        "td:last-of-type",
        "a[href^='/n']",
        "p:is(.a, .b)",
        "*|a[*|href]",
        "|a",
    ],
)
def test_what_the_check_takes_a_poll_reads(selector: str) -> None:
    """By the same function."""
    found = parse_catalog(PAGE.replace('".a"', f'"{selector}"'))
    assert found.kinds["pages"]["x"].item == selector
    assert xpath_of(selector)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        'x = "\0"',
        "[feeds.x]\nurl = 1\n[feeds.x]",
        "feeds = [1]",
        "rates = 5",
        "channels = true",
        "[pages]\nx = []",
    ],
)
def test_what_is_no_catalog_at_all_is_told_in_a_line(text: str) -> None:
    for problem in told(text):
        assert "\n" not in problem


@pytest.mark.parametrize(
    "name", ["gone.toml", ".", "a\0b", "x" * 5000, "garbage.toml", "utf16.toml", "large.toml"]
)
def test_a_file_that_cannot_be_read_is_told_in_a_short_line(tmp_path: Path, name: str) -> None:
    """Missing, a folder, a name that no file has, another encoding, or far too large."""
    (tmp_path / "garbage.toml").write_bytes(bytes(range(256)))
    (tmp_path / "utf16.toml").write_text(FEED, encoding="utf-16")
    (tmp_path / "large.toml").write_bytes(b"#" * (9 * 2**20))
    with pytest.raises(ConfigError) as refusal:
        load_catalog(tmp_path / name)
    [problem] = refusal.value.problems
    assert problem.startswith("CATALOG: ")
    assert len(problem) < 400


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """As editors on Windows write it."""
    (tmp_path / "mine.toml").write_text(FEED, encoding="utf-8-sig")
    assert set(load_catalog(tmp_path / "mine.toml").kinds["feeds"]) == {"x"}


@pytest.mark.parametrize(
    ("section", "spec"),
    [
        (RateSection, RateSpec),
        (FeedSection, FeedSpec),
        (HazardSection, HazardSpec),
        (PageSection, PageSpec),
        (TelegramSection, TelegramSpec),
        (ChannelSection, ChannelSpec),
    ],
)
def test_a_section_says_what_its_spec_knows(section: type[Section], spec: type[object]) -> None:
    """A field that is added to one is missing in the other, until it is added there too."""
    known = {field.name for field in fields(spec)} - {"key"}  # type: ignore[arg-type]  # specs are dataclasses
    assert set(section.model_fields) - {"holidays"} == known
    # in the file beside `poll`
    assert ("holidays" in section.model_fields) is (section is RateSection)
    assert set(PollSection.model_fields) == {"every", "slowest", "between", "zone", "days"}


def test_a_slowest_pause_shorter_than_the_usual_one_is_refused() -> None:
    """The usual one may be the kind's own."""
    text = """
[feeds.x]
name = { en = "X" }
url = "https://x.example/rss"
poll = { every = "1h", slowest = "5m" }

[rates.nbkr]
name = { en = "Bank" }
urls = ["https://bank.example/daily.xml"]
poll = { slowest = "1m" }
"""
    with pytest.raises(ConfigError) as refused:
        parse_catalog(text)
    right = "slowest: should be no less than every"
    assert refused.value.problems == (
        f"[rates.nbkr.poll] {right}",
        f"[feeds.x.poll] {right}",
    )
