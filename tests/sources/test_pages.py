"""List pages and article pages of sites without a feed."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from bot.errors import ParseError
from bot.model.news import Entry
from bot.sources.catalog import load_catalog
from bot.sources.pages import PageSpec, parse_article, parse_list_page
from bot.sources.selectors import xpath_of
from bot.sources.timetable import PollSpec
from bot.workers import Workers

NOW = datetime(2021, 10, 20, 9, 30, tzinfo=UTC)  # 15:30 in Bishkek
SPEC = PageSpec(
    key="example",
    names=MappingProxyType({"en": "Example"}),
    url="https://news.example/list/",
    poll=PollSpec(every=timedelta(minutes=5), zone="Asia/Bishkek"),
    language="ru",
    item=".list > .row",
    link=".head a",
    title=".head a span",
    time=".when",
)


def row(when: str, href: str, title: str) -> str:
    head = f"<div class='head'><a href='{href}'><span>{title}</span></a></div>"
    return f"<div class='row odd'><i class='when'>{when}</i>{head}</div>"


def page(*rows: str) -> bytes:
    return f"<html><body><div class='wide list'>{''.join(rows)}</div></body></html>".encode()


def test_a_list_page_becomes_entries_in_its_own_order() -> None:
    body = page(
        row("15:12", "/a/1", "Мост&nbsp;<b>открыт</b>"),
        row(
            "<time datetime='2021-10-19T23:59:00+06:00'>вчера</time>",
            "https://news.example/a/2",
            "AT&amp;T и &quot;Ко&quot;",
        ),
        "<div class='row'>Реклама</div>",
        row("", "javascript:alert(1)", "Не ссылка"),
        row("15:00", "/a/1", "Мост открыт ещё раз"),
    )
    assert parse_list_page(body, SPEC, now=NOW) == (
        Entry(
            id="https://news.example/a/1",
            title="Мост\u00a0открыт",
            link="https://news.example/a/1",
            published_at=datetime(2021, 10, 20, 9, 12, tzinfo=UTC),
            language="ru",
        ),
        Entry(
            id="https://news.example/a/2",
            title='AT&T и "Ко"',
            link="https://news.example/a/2",
            published_at=datetime(2021, 10, 19, 17, 59, tzinfo=UTC),
            language="ru",
        ),
    )


async def test_pages_are_read_in_a_worker_by_the_catalogs_own_description(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text(
        "[pages.example]\nurl = 'https://news.example/'\nitem = '.list > .row'\nlink = '.head a'\n"
    )
    spec = load_catalog(tmp_path / "catalog.toml").kinds["pages"]["example"]
    async with Workers() as workers:
        entries = await workers.run(
            partial(parse_list_page, now=NOW), page(row("", "/1", "Мост открыт")), spec, timeout=30
        )
        article = await workers.run(parse_article, ARTICLE, timeout=30)
    assert [entry.title for entry in entries] == ["Мост открыт"]
    assert article.title == "Мост через реку открыт"


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ("15:12", "2021-10-20T15:12+06:00"),
        ("сегодня, 15:12", "2021-10-20T15:12+06:00"),
        ("Вчера в 15:12", "2021-10-19T15:12+06:00"),
        ("23:50", "2021-10-19T23:50+06:00"),  # not yet today: last night's
        ("15:12, 18 октября 2021", None),
        ("18 октября 2021, 15:12", "2021-10-18T15:12+06:00"),
        ("18 октября 2021 год, 15:12", "2021-10-18T15:12+06:00"),
        ("18-октябрь 2021 ж., 15:12", "2021-10-18T15:12+06:00"),
        ("18.10.2021 15:12", "2021-10-18T15:12+06:00"),
        ("2021-10-18T15:12:00Z", "2021-10-18T15:12+00:00"),
        ("25:99", None),
        ("скоро 15:12", None),
        ("", None),
    ],
)
def test_times_on_a_list_are_local_and_today_unless_they_say_more(
    when: str, wanted: str | None
) -> None:
    (entry,) = parse_list_page(page(row(when, "/1", "t")), SPEC, now=NOW)
    assert entry.published_at == (datetime.fromisoformat(wanted) if wanted else None)


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"<html></html>", page(), b"\0\xff", b"<rss/>", b"{}"]
)
def test_R7_a_redesigned_page_is_an_error_not_an_empty_day(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_list_page(body, SPEC, now=NOW)


def test_a_page_in_windows_1251_is_read_by_its_meta_element() -> None:
    text = (
        "<html><head><meta charset='windows-1251'></head><body>"
        + page(row("", "/1", "Мост открыт")).decode()
    )
    (entry,) = parse_list_page(text.encode("cp1251"), SPEC, now=NOW)
    assert entry.title == "Мост открыт"


# --- selectors ---

TREE = html.document_fromstring(
    "<div id='root' class='a b'><p class='x'>1</p><ul><li class='x y' data-k='one two'>2</li>"
    "<li><a href='/n/3.html'>3</a></li></ul><section><div "
    "itemprop='articleBody'><p>4</p></div></section></div>"
)


@pytest.mark.parametrize(
    ("selector", "texts"),
    [
        ("p", ["1", "4"]),
        (".x", ["1", "2"]),
        ("li.x.y", ["2"]),
        ("#root > p", ["1"]),
        ("ul>li", ["2", "3"]),
        ("ul li a", ["3"]),
        ("div[itemprop=articleBody] p", ["4"]),
        ("[itemprop='articleBody']", ["4"]),
        ("a[href]", ["3"]),
        ("a[href^='/n/']", ["3"]),
        ('a[href$=".html"]', ["3"]),
        ("a[href*=n]", ["3"]),
        ("[data-k~=two]", ["2"]),
        ("li:first-child", ["2"]),
        ("li:last-child", ["3"]),
        ("a, li.x", ["2", "3"]),
        ("*[href]", ["3"]),
        ("ul li:nth-child(2) a", ["3"]),
        ("li:not(.x)", ["3"]),
        ("p ~ ul > li.y", ["2"]),
        ("p + ul a", ["3"]),
        ("li:has(a)", ["3"]),
        (".nothing", []),
    ],
)
def test_css_selectors_find_what_a_browser_finds(selector: str, texts: list[str]) -> None:
    assert [element.text_content() for element in TREE.xpath(xpath_of(selector))] == texts


@pytest.mark.parametrize(
    "selector",
    [
        "",
        " ",
        "a >",
        "> a",
        "a,,b",
        "a:hover",
        "li:not(:focus)",
        'a:lang("")',
        ":root",
        ":ROOT a",
        ":scope > li",
        "a, li:has(:scope)",
        "a::before",
        "a:no-such",
        "x|a",
        "div >",
        "a:not(",
        "a:nth-child(x)",
        "[x",
        "a[b='c'",
        "a $",
        "a\0b",
        "a" * 501,
    ],
)
def test_a_selector_we_do_not_understand_is_refused_by_name(selector: str) -> None:
    with pytest.raises(ValueError, match="selector"):
        xpath_of(selector)


#: What selectors are made of, put together as it comes.
PARTS = [
    "li",
    " a",
    "> a",
    "~ *",
    ", p",
    ".x",
    "#root",
    "[href]",
    "[a|x]",
    ":not([a|x])",
    ":has(a|b)",
]


@given(
    st.text(alphabet="ab.#[]='\"^$*~:>|, -()", max_size=12)
    | st.lists(st.sampled_from(PARTS), max_size=4).map("".join)
)
def test_a_selector_is_understood_or_refused_and_never_breaks_out(selector: str) -> None:
    try:
        query = xpath_of(selector)
    except ValueError:
        return
    for element in TREE.iter():
        element.xpath(query)


# --- articles ---

PARAGRAPHS = (
    (
        "В областном центре сегодня открыли мост через реку, который строили четыре года; по нему "
        "уже пошли автобусы."
    ),
    (
        "Строители обещают, что к зиме будет готов и подъезд с южной стороны, где пока ездят по "
        "грунтовой дороге."
    ),
    (
        "Жители окрестных сёл говорят, что дорога до больницы теперь занимает не час, а двадцать "
        "минут."
    ),
)
BODY = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
ARTICLE = f"""<!DOCTYPE html><html lang="ru-RU"><head><meta charset="utf-8">
<title>Мост через реку открыт | Пример</title>
<meta property="og:title" content="Мост через реку открыт | Пример">
<meta name="author" content="Айгуль Примерова">
<script type="application/ld+json">
{{"@type": "NewsArticle", "datePublished": "2021-10-20T15:12:00+06:00"}}</script>
</head><body><nav><a href="/">Главная</a> <a href="/sport">Спорт</a></nav>
<article><h1>Мост через реку открыт</h1>
<div itemprop="articleBody">{BODY}<script>track()</script></div></article>
<footer>Все права защищены</footer></body></html>""".encode()


@pytest.mark.parametrize("selector", [None, "div[itemprop=articleBody]", ".not-there"])
def test_an_article_is_its_text_title_author_moment_and_language(selector: str | None) -> None:
    article = parse_article(ARTICLE, url="https://news.example/a/1", selector=selector)
    assert article.title == "Мост через реку открыт"
    assert article.text == "\n\n".join(PARAGRAPHS)
    assert article.author == "Айгуль Примерова"
    assert article.published_at == datetime(2021, 10, 20, 9, 12, tzinfo=UTC)
    assert (article.language, article.url) == ("ru", "https://news.example/a/1")


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"<html><body></body></html>", b"\0\xff\xfe", b"{}", b"<a>" * 5_000]
)
def test_what_holds_no_article_is_a_parse_error(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_article(body, url="https://news.example/")


# --- other people's pages with gold texts ---


def f1(one: str, other: str) -> float:
    """The words that two texts share, as F1 (0 to 1)."""
    first, second = (Counter(re.findall(r"\w+", text.lower())) for text in (one, other))
    shared = (first & second).total()
    return 2 * shared / (first.total() + second.total()) if shared else 0.0


@pytest.mark.parametrize(("first", "step"), [(4, 9), pytest.param(0, 1, marks=pytest.mark.slow)])
def test_extracted_articles_agree_with_the_benchmark(shared: Path, first: int, step: int) -> None:
    """All 120 pages were measured at 0.955 (word F1), and the quick run's fourteen at 0.952."""
    folder = shared / "data" / "fulltext" / "aeb"
    gold = json.loads((folder / "ground-truth.json").read_text("utf-8"))
    scores = []
    for key, wanted in sorted(gold.items())[first::step]:
        body = gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes())
        scores.append(f1(parse_article(body, url=wanted["url"]).text, wanted["articleBody"]))
    assert sum(scores) / len(scores) >= 0.93


def test_a_real_russian_page_is_read_right(shared: Path) -> None:
    folder = shared / "data" / "fulltext" / "fundus" / "ru"
    ((name, told),) = json.loads((folder / "meta.info").read_text("utf-8")).items()
    (wanted,) = json.loads((folder / "Kommersant.json").read_text("utf-8")).values()
    article = parse_article(gzip.decompress((folder / name).read_bytes()), url=told["url"])
    paragraphs = [text for section in wanted["body"]["sections"] for text in section["paragraphs"]]
    assert f1(article.text, " ".join(paragraphs)) >= 0.95
    assert article.published_at == datetime.fromisoformat(wanted["publishing_date"]).replace(
        microsecond=0
    )
    assert (article.title, article.author, article.language) == (
        wanted["title"],
        wanted["authors"][0],
        "ru",
    )
