"""The parts that most feeds have are read by a short way, to the same end as by the long one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.sources import dates, links, text
from bot.sources.dates import parse_date, parse_published
from bot.sources.links import absolute_link
from bot.sources.text import LONGEST_TITLE, one_line, plain_text

NEVER = re.compile(r"(?!)")
BISHKEK = ZoneInfo("Asia/Bishkek")
#: Letters of three alphabets, and what is layout, markup, invisible, or a mark on a letter.
LETTERS = (
    "abЖөZ09 .,—\"'&<>;/\t\n\r\x0b\x0c\x1c\x85\xa0\xad\u2028\u200b\u200d\u202e\u034f\u0301\ufeff🇰🇬"
)


@contextmanager
def the_long_way() -> Iterator[None]:
    """Nothing is as usual."""
    with (
        patch.object(text, "_is_plain", lambda _text: False),
        patch.object(links, "_WHOLE", NEVER),
        patch.object(dates, "_USUAL", ()),
    ):
        dates._read.cache_clear()
        yield
    dates._read.cache_clear()


@example(said="a  b", html=True, wrapped=True)
@example(said="a\u034fb \u3164", html=True, wrapped=True)
@example(said=" a" + 9 * "\u0301", html=False, wrapped=False)
@given(st.text(LETTERS, max_size=40) | st.text(max_size=40), st.booleans(), st.booleans())
def test_a_text_comes_out_as_by_the_long_way(said: str, html: bool, wrapped: bool) -> None:
    short = plain_text(said, html=html, wrapped=wrapped), one_line(said)
    with the_long_way():
        assert (plain_text(said, html=html, wrapped=wrapped), one_line(said)) == short


@pytest.mark.parametrize("size", [LONGEST_TITLE - 1, LONGEST_TITLE, LONGEST_TITLE + 1, 300_000])
def test_a_long_text_is_cut_as_by_the_long_way(size: int) -> None:
    said = "word " * (size // 5) + "x" * (size % 5)
    for one in (said, f" {said} "):
        short = plain_text(one, html=True), plain_text(one, html=False), one_line(one)
        with the_long_way():
            again = plain_text(one, html=True), plain_text(one, html=False), one_line(one)
        assert short == again


WHOLE = "http https HTTP ftp : // / a.example A.Example - .. . ? # x=1 & ; %20 ы :80 :99999 @ [ ]"
PIECES = st.sampled_from([*WHOLE.split(), "\\", " ", "\t", "\xad"])


@example(link="https://a.example/b#", base="https://a.example/")
@example(link="https://a.example/b?", base="https://a.example/")
@example(link="https://a.example/b;?x=1#c", base="https://a.example/")
@given(
    st.lists(PIECES, max_size=12).map("".join)
    | st.lists(PIECES, max_size=9).map(lambda some: f"https://a.example/{''.join(some)}"),
    st.sampled_from([None, "http://a.example/feed/rss", "https://a.example/b/?c=d"]),
)
def test_a_link_comes_out_as_by_the_long_way(link: str, base: str | None) -> None:
    short = absolute_link(link, base)
    with the_long_way():
        assert absolute_link(link, base) == short


@pytest.mark.parametrize("size", [1_979, 1_980, 1_981, 5_000])
def test_a_long_link_is_none_as_by_the_long_way(size: int) -> None:
    link = "https://a.example/bb" + "c" * size
    short = absolute_link(link, None)
    with the_long_way():
        assert absolute_link(link, None) == short


@given(
    st.tuples(
        st.sampled_from(["Sat", "sat", "Xyz", ""]),
        st.sampled_from(["28", "1", "01", "31", "32", "0"]),
        st.sampled_from(["Nov", "nov", "May", "Feb", "Xyz", "Мая"]),
        st.sampled_from(["2026", "1970", "0001", "26"]),
        st.sampled_from(["10:00:00", "00:00:00", "24:00:00", "23:59:60", "25:00:00", "10:61:00"]),
        st.sampled_from(["+0000", "+0600", "-1259", "+9999", "GMT", "MSK", ""]),
    ).map(lambda said: f"{said[0]}, {said[1]} {said[2]} {said[3]} {said[4]} {said[5]}".strip())
    | st.tuples(
        st.sampled_from(["2026", "1970", "0001"]),
        st.sampled_from(["11", "00", "13", "1"]),
        st.sampled_from(["28", "00", "31"]),
        st.sampled_from(["T10:00:00", "T00:00:00", "T24:00:00", " 10:00:00", "T10:00:60", ""]),
        st.sampled_from(["Z", "+06:00", "-12:59", "+99:99", "+0600", ""]),
    ).map(lambda said: f"{said[0]}-{said[1]}-{said[2]}{said[3]}{said[4]}")
)
def test_a_date_comes_out_as_by_the_long_way(said: str) -> None:
    short = parse_date(said), parse_date(said, zone=BISHKEK), parse_published(said, BISHKEK)
    with the_long_way():
        long = parse_date(said), parse_date(said, zone=BISHKEK), parse_published(said, BISHKEK)
    assert long == short


def test_the_usual_forms_are_read_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Putting the others together takes a process longer than its first feed."""

    def unusual() -> Iterator[re.Pattern[str]]:
        raise AssertionError

    dates._read.cache_clear()
    monkeypatch.setattr(dates, "_forms", unusual)
    for said in ("Sat, 28 Nov 2026 10:00:00 +0000", "2026-11-28T16:00:00+06:00"):
        moment = parse_date(said)
        assert moment is not None
        assert moment.astimezone(UTC).hour == 10
