"""The catalog: what an operator may write, and what he is told when it is wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.grammar import parse_clock, parse_duration
from bot.model.chats import Style
from bot.model.rates import Pair, RateKind
from bot.sources.banks import SOURCES
from bot.sources.catalog import LONG_CATALOG, load_catalog, parse_catalog
from bot.sources.specs import Catalog, RateSpec
from tests.languages.expected import WHOLE
from tests.sources.documents import NBKR_DAILY

EVERYTHING = """
[rates.mirror]
parser = "nbkr"
name = { en = "Mirror", ky = "Күзгү" }
urls = [
  "http://127.0.0.1:8099/daily.xml",
  "https://bank.example/{today:%d.%m.%Y}/{tomorrow:%Y%m%d}.xml",
]
kind = "reference"
poll = { every = "1h30m", between = "14:00-19:00", zone = "Asia/Bishkek", days = "mon-wed,fri" }
holidays = ["03-21", "2026-05-27", 2026-03-20]
terms = "https://bank.example/terms"
page = "https://bank.example/"
pairs = ["USD/KGS"]
rank = 7
disabled = true

[rates.ecb]
name = { ru = "ЕЦБ" }
urls = ["https://bank.example/ecb.xml"]

[feeds.agency]
name = { en = "Agency" }
url = "https://news.example/rss.xml"
language = "ru"
trust = 1
style = "full"
topics = ["economy"]
poll = { every = "5m" }
terms = "https://news.example/terms"

[feeds.bare]
url = "https://bare.example/feed"

[pages.list]
url = "https://pages.example/news/"
item = ".news .one"
link = ".title a"
title = ".title a span"
time = ".time"
body = "div[itemprop=articleBody]"

[channels."@example"]
language = "ky"
topics = ["security"]
pairs = ["USD/KGS", "RUB/KGS"]
digest = ["18:00", "09:00"]
style = "full"

[channels."-1001234567890"]
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return parse_catalog(EVERYTHING)


def problems(text: str) -> tuple[str, ...]:
    """The problems of a catalog that an operator is told."""
    with pytest.raises(ConfigError) as refusal:
        parse_catalog(text)
    return refusal.value.problems


def test_a_rate_source_is_all_that_its_section_says(catalog: Catalog) -> None:
    mirror = catalog.rates["mirror"]
    assert (mirror.parser, mirror.kind, mirror.rank, mirror.disabled) == (
        "nbkr",
        RateKind.REFERENCE,
        7,
        True,
    )
    assert mirror.pairs == {Pair("USD", "KGS")}
    assert (mirror.terms, mirror.page) == ("https://bank.example/terms", "https://bank.example/")
    assert mirror.home == "KGS"
    assert mirror.poll.every == timedelta(hours=1, minutes=30)
    assert mirror.poll.between == (time(14), time(19))
    assert mirror.poll.days == {0, 1, 2, 4}


def test_what_is_not_said_has_the_parsers_kind_and_modest_habits(catalog: Catalog) -> None:
    ecb, bare = catalog.rates["ecb"], catalog.kinds["feeds"]["bare"]
    assert (ecb.parser, ecb.kind, ecb.poll.every, ecb.poll.between) == (
        "ecb",
        RateKind.REFERENCE,
        timedelta(minutes=30),
        None,
    )
    assert (bare.language, bare.trust, bare.style, bare.topics) == (None, 2, Style.BRIEF, ())
    assert bare.poll.every == timedelta(minutes=5)
    assert bare.poll.days == set(range(7))


@pytest.mark.parametrize(
    ("day", "publishes"),
    [
        ("2024-04-10", False),  # Orozo Ait
        ("2024-06-17", False),  # Kurman Ait, a Monday
        ("2025-06-06", False),  # Kurman Ait
        ("2026-03-20", False),  # Orozo Ait
        ("2026-05-27", False),  # Kurman Ait
        ("2026-05-06", False),  # the May days are one holiday since 2025
        ("2026-01-05", False),
        ("2026-02-23", True),  # worked since 2025
        ("2026-03-09", True),  # 8 March was a Sunday: nothing is moved any more
        ("2026-11-09", True),
        ("2026-11-08", False),  # a Sunday
    ],
)
def test_the_national_bank_rests_on_its_countrys_holidays(day: str, publishes: bool) -> None:
    """Those that move with the moon too, so that a card calls no rate late on them."""
    assert load_catalog().rates["nbkr"].poll.publishes_on(date.fromisoformat(day)) is publishes


@pytest.mark.parametrize(
    ("key", "day", "publishes"),
    [
        ("cbr", "2026-12-31", False),  # moved there from 4 January
        ("cbr", "2026-12-30", True),
        ("cbr", "2026-05-11", False),  # 9 May was a Saturday
        ("nbk", "2026-05-27", False),  # Kurban Ait
        ("nbk", "2026-10-26", False),  # Republic Day was a Sunday
        ("nbk", "2026-08-31", True),  # 30 August is no holiday any more
        ("nbk", "2027-03-15", False),  # Constitution Day since the new one
        ("cbu", "2026-05-29", False),  # added to Qurbon hayit
        ("cbu", "2026-12-31", False),
        ("cbu", "2026-12-08", False),
        ("cbu", "2026-12-09", True),
    ],
)
def test_a_neighbours_bank_rests_on_the_days_its_government_moved(
    key: str, day: str, publishes: bool
) -> None:
    """Those of 2026 as decreed, so that a card calls no rate late on them."""
    assert load_catalog().rates[key].poll.publishes_on(date.fromisoformat(day)) is publishes


def test_a_source_knows_its_working_days(catalog: Catalog) -> None:
    """Weekdays by `days`, holidays of every year and of one."""
    poll = catalog.rates["mirror"].poll
    working = {
        day: poll.publishes_on(day)
        for day in (date(2026, 3, 16), date(2026, 3, 19), date(2026, 3, 20))
    }
    assert working == {date(2026, 3, 16): True, date(2026, 3, 19): False, date(2026, 3, 20): False}
    assert not poll.publishes_on(date(2027, 3, 21))
    assert not poll.publishes_on(date(2026, 5, 27))
    assert poll.publishes_on(date(2027, 5, 26))


def test_days_in_an_address_are_filled_in_when_it_is_asked_for(catalog: Catalog) -> None:
    requests = catalog.rates["mirror"].requests(date(2026, 12, 31))
    assert [request.url for request in requests] == [
        "http://127.0.0.1:8099/daily.xml",
        "https://bank.example/31.12.2026/20270101.xml",
    ]


def test_a_source_that_speaks_soap_is_posted_to() -> None:
    [request] = load_catalog().rates["cba"].requests(date(2026, 3, 18))
    assert request.url == "https://api.cba.am/exchangerates.asmx"
    assert request.headers["SOAPAction"] == '"http://www.cba.am/ExchangeRatesLatest"'
    assert request.body is not None
    assert b"<ExchangeRatesLatest " in request.body


def test_a_source_reads_under_its_own_key_and_kind_and_keeps_only_wanted_pairs(
    catalog: Catalog,
) -> None:
    [rate] = catalog.rates["mirror"].parse(NBKR_DAILY.body).rates
    assert (rate.source, rate.kind, rate.pair) == ("mirror", RateKind.REFERENCE, Pair("USD", "KGS"))
    assert all(
        "valuta_id=15&" in one.url
        for one in catalog.rates["mirror"].history(date(2020, 1, 1), date(2021, 1, 1))
    )


def test_feeds_pages_and_channels_are_all_that_their_sections_say(catalog: Catalog) -> None:
    agency, page = catalog.kinds["feeds"]["agency"], catalog.kinds["pages"]["list"]
    assert (agency.language, agency.trust, agency.style, agency.topics) == (
        "ru",
        1,
        Style.FULL,
        ("economy",),
    )
    assert (page.item, page.link, page.title, page.time) == (
        ".news .one",
        ".title a",
        ".title a span",
        ".time",
    )
    assert (page.body, page.url) == ("div[itemprop=articleBody]", "https://pages.example/news/")
    public, private = catalog.channels["@example"], catalog.channels["-1001234567890"]
    assert (public.chat, private.chat) == ("@example", -1001234567890)
    assert (public.language, public.style, public.topics) == ("ky", Style.FULL, ("security",))
    assert public.pairs == (Pair("USD", "KGS"), Pair("RUB", "KGS"))
    assert public.digest == (time(9), time(18))


def test_a_name_falls_back_to_english_to_any_language_and_to_the_key(catalog: Catalog) -> None:
    assert catalog.names("mirror", "ky") == "Күзгү"
    assert catalog.names("mirror", "ru") == "Mirror"
    assert catalog.names("ecb", "en") == "ЕЦБ"
    assert catalog.names("list", "en") == "list"
    assert catalog.names("gone", "en") == "gone"


def test_what_is_polled_is_enabled_and_rates_go_first(catalog: Catalog) -> None:
    assert [spec.key for spec in catalog.polled] == ["ecb", "agency", "bare", "list"]


def test_a_page_may_share_its_key_with_a_feed_and_is_then_stored_by_its_section_too() -> None:
    """The manual's own example does; two sources never share what is stored of them."""
    shared = '[{0}.same]\nurl = "https://x.example/"\n'
    found = parse_catalog(
        shared.format("feeds")
        + shared.format("pages")
        + 'item = ".a"\nlink = "a"\n'
        + "[pages.own]\n"
        'url = "https://x.example/"\nitem = ".b"\nlink = "a"\n'
    )
    assert [spec.key for spec in found.polled] == ["same", "pages.same", "own"]
    assert set(found.news) == {"same", "pages.same", "own"}


# ── problems ────────────────────────────────────────────────────────────────


def test_all_problems_are_told_at_once_each_with_section_key_and_what_would_be_right() -> None:
    told = problems("""
        [rates.nbkr]
        name = { de = "Bank" }
        urls = []
        kind = "offical"
        [rates.nbkr.poll]
        every = "often"
        zone = "Mars/Olympus"
        days = "mon-fry"
        between = "19:00-14:00"
        evrey = "5m"
        [rates.unknown]
        [feeds.a]
        url = "ftp://x.example/"
        langauge = "ky"
        [pages.a]
        [channels.example]
        digest = ["9:00"]
        pairs = ["USDKGS"]
        [sorces]
    """)
    starts = [
        "[rates.nbkr] name:", "[rates.nbkr] urls:", "[rates.nbkr] kind:",
        "[rates.nbkr.poll] every:", "[rates.nbkr.poll] zone:", "[rates.nbkr.poll] days:",
        "[rates.nbkr.poll] between:", "[rates.nbkr.poll] evrey:", "[rates.unknown] parser:",
        "[rates.unknown] name:", "[rates.unknown] urls:", "[feeds.a] url:", "[feeds.a] langauge:",
        "[pages.a] url:", "[pages.a] item:", "[pages.a] link:", '[channels."example"]:',
        '[channels."example"] digest:', '[channels."example"] pairs:', "[sorces]:",
    ]  # fmt: skip
    assert sorted(starts) == sorted(
        next((start for start in starts if problem.startswith(start)), problem) for problem in told
    )


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ('url = "https://user:secret@x.example/"', "without a password"),
        ('url = "javascript:alert(1)"', "http or https"),
        ('url = "https://"', "http or https"),
        ('url = "https://x.example:port/"', "http or https"),
        ('url = "https://[::1/"', "http or https"),
        ('url = "https://x.example/a b"', "http or https"),
        ("url = 5", "http or https"),
        ('language = "kg"', "en, ru, ky"),
        ("trust = 4", "1 to 3"),
        ("trust = true", "1 to 3"),
        ('style = "loud"', "full, brief, headline"),
        ('topics = "security"', 'such as ["security"]'),
        ('topics = ["Security!"]', 'such as ["security"]'),
        ('topics = ["a-b", "a-b"]', 'such as ["security"]'),
        ('disabled = "yes"', "true or false"),
        ('poll = "5m"', 'every = "30m"'),
        ('poll = { every = "0s" }', "5m"),
        ("poll = { every = 300 }", "5m"),
        ('poll = { zone = "../../etc/passwd" }', "Asia/Bishkek"),
        ('poll = { zone = "" }', "Asia/Bishkek"),
        ('poll = { zone = "Asia" }', "Asia/Bishkek"),
        ('poll = { days = "" }', "mon-fri"),
        ('poll = { between = "14:00" }', "14:00-19:00"),
        ('langauge = "ky"', "did you mean language?"),
        ("frequency = 1", "known are name, url"),
    ],
)
def test_a_mistake_is_answered_with_what_would_be_right(line: str, right: str) -> None:
    url = "" if line.startswith("url") else 'url = "https://x.example/"\n'
    [told] = problems(f"[feeds.x]\n{url}{line}")
    key = line.partition(" ")[0]
    assert told.startswith((f"[feeds.x] {key}:", f"[feeds.x.{key}] "))
    assert right in told
    assert "secret" not in told


@pytest.mark.parametrize(
    "line",
    [
        'holidays = "03-21"',
        'holidays = ["02-30"]',
        'holidays = ["2026-13-01"]',
        "holidays = [5]",
        'urls = ["https://x/{day}"]',
    ],
)
def test_a_mistake_in_a_rate_source_is_told_too(line: str) -> None:
    urls = "" if line.startswith("urls") else 'urls = ["https://x.example/"]\n'
    [told] = problems(f'[rates.nbkr]\nname = {{ en = "x" }}\n{urls}{line}')
    assert told.startswith(f"[rates.nbkr] {line.partition(' ')[0]}: should be ")


@pytest.mark.parametrize(
    "key", ["example", "@x", "@1abc", "-", "0", "12a", "@a b c d", "99999999999999999"]
)
def test_a_channel_is_a_public_name_or_a_number(key: str) -> None:
    [told] = problems(f'[channels."{key}"]')
    assert '"@example"' in told


def test_what_is_not_a_table_or_not_toml_is_told_with_its_place() -> None:
    assert problems("rates = 5")[0].startswith("[rates]: should be tables")
    assert problems("[feeds]\nx = 5")[0].startswith("[feeds.x]: should be a table")
    assert "line 2" in problems("[feeds.x]\nurl = \n")[0]
    assert "not TOML" in problems("[feeds.x]\n[feeds.x]")[0]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*absent\.toml"):
        load_catalog(tmp_path / "absent.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_catalog(tmp_path / "binary.toml")


def test_a_catalog_of_the_operators_own_replaces_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[feeds.only]\nurl = "https://x.example/"', encoding="utf-8"
    )
    assert [spec.key for spec in load_catalog(tmp_path / "mine.toml").polled] == ["only"]


def test_a_catalog_of_thousands_is_read_as_a_short_one(tmp_path: Path) -> None:
    """All kinds of sources, though it is written down and read again on the way."""
    feed = '[feeds.s{0}]\nname = {{ en = "S{0}" }}\nurl = "http://127.0.0.1:9/{0}.xml"\n'
    text = EVERYTHING + "".join(feed.format(number) for number in range(2000))
    assert len(text) > LONG_CATALOG
    path = tmp_path / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    assert load_catalog(path) == parse_catalog(text)


def test_an_empty_catalog_is_a_catalog() -> None:
    assert parse_catalog("").polled == ()


@given(st.text(max_size=30))
def test_any_text_is_a_catalog_or_a_config_error(text: str) -> None:
    for document in (
        text,
        f'[feeds.x]\nurl = "{text}"',
        f'[rates.nbkr]\npoll = {{ days = "{text}", zone = "{text}" }}',
    ):
        try:
            parse_catalog(document)
        except ConfigError:
            continue


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172800), (" 1m ", 60)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0s", "5", "m", "-5m", "5 m", "30m1h", "h5", "1.5", "five"])
def test_what_is_no_duration_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="a duration such as"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9:00", "24:00", "09:60", "0900", "", "09:00:00"])
def test_what_is_no_time_of_day_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="a time such as"):
        parse_clock(text)


# ── the packaged catalog ────────────────────────────────────────────────────


def test_the_packaged_catalog_loads_and_has_every_parser_once() -> None:
    catalog = load_catalog()
    assert sorted(spec.parser for spec in catalog.rates.values()) == list(SOURCES)
    assert [spec.rank for spec in catalog.rates.values()] == sorted(
        {spec.rank for spec in catalog.rates.values()}
    )
    assert all(spec.kind is SOURCES[spec.parser].kind for spec in catalog.rates.values())


def test_the_packaged_catalog_starts_with_the_banks_around_kyrgyzstan() -> None:
    catalog = load_catalog()
    rates = [spec.key for spec in catalog.polled if isinstance(spec, RateSpec)]
    assert rates == ["nbkr", "cbr", "ecb", "nbk", "cbu", "nbt"]
    leader = catalog.leader("KGS")
    assert leader is not None
    assert leader.key == "nbkr"
    assert catalog.leader("UAH") is None


def test_where_no_bank_is_at_home_the_first_enabled_one_leads_if_there_is_any() -> None:
    catalog = load_catalog()
    assert [catalog.leading(home) for home in ("RUB", "UAH")] == [
        catalog.rates["cbr"],
        catalog.rates["nbkr"],
    ]
    off = {key: replace(spec, disabled=True) for key, spec in catalog.rates.items()}
    assert replace(catalog, rates=off).leading("KGS") is None
    alone = replace(catalog, rates={**off, "ecb": catalog.rates["ecb"]})
    assert alone.leading("KGS") is catalog.rates["ecb"]


def test_every_central_bank_has_its_hours_and_a_name_in_every_language() -> None:
    for spec in load_catalog().rates.values():
        # those are mixed from many banks, and at no bank's hours
        if SOURCES[spec.parser].home != "USD":
            assert spec.poll.between is not None, spec.key
            assert spec.poll.days == set(range(5)), spec.key
            assert set(spec.names) >= set(WHOLE), spec.key


def test_no_packaged_feed_is_shown_in_full() -> None:
    feeds = load_catalog().kinds["feeds"]
    assert len(feeds) == 17
    assert {feed.style for feed in feeds.values()} == {Style.BRIEF}
    assert {feed.language for feed in feeds.values()} == {"en", "ru"}


#: What the manual describes and no release has yet; taken from here when it comes.
NOT_YET = ("telegram", "hazards", "offers")
NOT_YET_OF_A_FEED = ("headers", "user_agent", "proxy")


def test_the_manuals_catalog_loads(shared: Path) -> None:
    """As it is written there, but for what is announced."""
    text = (shared / "CONTRACT.md").read_text(encoding="utf-8")
    block = text.partition("```toml\n")[2].partition("```")[0]
    sections = re.split(r"(?m)^(?=\[)", block)
    built = [
        section
        for section in sections
        if not section.startswith(tuple(f"[{kind}." for kind in NOT_YET))
    ]
    lines = [line for line in "".join(built).splitlines() if not line.startswith(NOT_YET_OF_A_FEED)]
    found = parse_catalog("\n".join(lines))
    assert (set(found.rates), set(found.kinds["feeds"]), set(found.channels)) == (
        {"nbkr"},
        {"example"},
        {"@example"},
    )


def test_packaged_sources_are_named_in_every_language_and_say_whether_anybody_tried_them() -> None:
    """An address nobody could try is no secret, and no reason to leave it out."""
    catalog = load_catalog()
    for spec in catalog.news.values():
        assert set(spec.names) == {"en", "ru", "ky"}, spec.key
    tried = {key for key, spec in catalog.news.items() if spec.verified}
    assert tried == {"akipress", "tazabek", "ca-news-uz", "knews-money"}
    assert set(catalog.kinds["hazards"]) == {"usgs", "gdacs"}
