"""Whatever a publisher, or somebody between, sends: rates or a ParseError, nothing else and nothing
in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import ParseError
from bot.sources.banks import SOURCES
from bot.sources.base import Parsed
from tests.sources.documents import GOOD, NBKR_DAILY, Document

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))

HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \r\n\t ",
    "web page": (
        b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><p>Sorry</body></html>"
    ),
    "well-formed web page": b"<html><body>login</body></html>",
    "web page behind a prolog": b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x" "y"><html/>',
    "error in JSON": b'{"error": "not found"}',
    "JSON scalar": b"null",
    "JSON of lists": b"[[1], [2]]",
    "JSON of nothing": b"[]",
    "JSON object of lists": b'{"rates": []}',
    "deep JSON": b"[" * 200_000,
    "deep XML": b"<a>" * 100_000,
    "deep closed XML": b"<a>" * 5000 + b"</a>" * 5000,
    "billion laughs": (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><x>&l11;</x>'.encode()
    ),
    "file entity": (
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        b'<ValCurs Date="20.10.2021">&f;</ValCurs>'
    ),
    "remote entity": (
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><CurrencyRates Date="20.10.2021"/>'
    ),
    "undeclared entity": b'<CurrencyRates Date="20.10.2021">&f;</CurrencyRates>',
    "unknown encoding": (
        b'<?xml version="1.0" encoding="klingon"?><CurrencyRates Date="20.10.2021"/>'
    ),
    "codec that is no charset": (
        b'<?xml version="1.0" encoding="zlib"?><CurrencyRates Date="20.10.2021"/>'
    ),
    "NUL": b"<CurrencyRates>\0</CurrencyRates>",
    "only a mark": b"\xef\xbb\xbf",
    "half a character": b"\xff\xfe\x3c",
    "gzip": b"\x1f\x8b\x08\x00" + bytes(range(256)),
    "other root": b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>',
    "no rows": b'<CurrencyRates Date="20.10.2021"></CurrencyRates>',
    "history without rows": b"<!--value--></table>",
    "rss without a channel": b'<rss version="2.0"/>',
    "CSV of something else": b"a,b\n1,2\n",
    "CSV head only": b"CURRENCY,TIME_PERIOD,OBS_VALUE\n",
    "open quote": b'CURRENCY,TIME_PERIOD,OBS_VALUE\nUSD,2026-03-01,"1.1\n',
}


def rates_or_refusal(parser: str, body: bytes, url: str | None = None) -> Parsed | None:
    """Read a body; None when it was refused. Any other exception is the test's failure."""
    try:
        return SOURCES[parser].parse(body, source=parser, url=url)
    except ParseError as refusal:
        words = str(refusal)
    assert 0 < len(words) < 200
    assert "/etc/" not in words
    assert "Error" not in words  # no name of a Python exception
    return None


@contextmanager
def named(case: str) -> Iterator[None]:
    """Tell in a failure which case of several it is of."""
    try:
        yield
    except BaseException as failure:
        failure.add_note(case)
        raise


def believable(parsed: Parsed) -> bool:
    """Every rate is a positive finite number for at least one unit; something was read."""
    return bool(parsed.rates) and all(
        rate.value.is_finite()
        and rate.value > 0
        and rate.units >= 1
        and rate.pair.base != rate.pair.quote
        for rate in parsed.rates
    )


@pytest.mark.parametrize("parser", SOURCES)
def test_R7_what_is_not_the_publishers_document_is_refused_in_our_words(parser: str) -> None:
    for name, body in HOSTILE.items():
        with named(name):
            assert rates_or_refusal(parser, body) is None


@pytest.mark.parametrize("name", GOOD)
def test_R7_another_publishers_document_is_refused_or_is_of_the_same_shape(name: str) -> None:
    """Banks that share the Bank of Russia's shape, and only they, may read each other's."""
    same_shape = {one.parser for one in GOOD.values() if b"<ValCurs" in one.body}
    document = GOOD[name]
    for parser in set(SOURCES) - {document.parser}:
        if not {parser, document.parser} <= same_shape:
            assert rates_or_refusal(parser, document.body, document.url) is None


@pytest.mark.parametrize("name", GOOD)
def test_R7_a_document_cut_off_anywhere_is_refused_whole(name: str) -> None:
    """A table of lines cut exactly between two lines looks complete; every other cut is noticed."""
    document = GOOD[name]
    of_lines = document.body.lstrip(b"\xef\xbb\xbf")[:1] not in b"<[{"
    for tenths in range(10):
        begin = len(document.body) * tenths // 10
        for size in (begin, begin + 7):
            cut = document.body[:size]
            if cut != document.body and not (of_lines and cut.endswith(b"\n")):
                with named(f"{size} bytes"):
                    assert rates_or_refusal(document.parser, cut, document.url) is None


@pytest.mark.parametrize("name", GOOD)
def test_F10_bytes_that_contradict_the_declared_encoding_never_change_a_number(name: str) -> None:
    """Names may come out as question marks; the figures are the same or the document is refused."""
    document = GOOD[name]
    declared = "cp1251" if b"windows-1251" in document.body[:60] else "utf-8"
    text = document.body.decode(declared, errors="replace")
    truth = SOURCES[document.parser].parse(document.body, source=document.parser, url=document.url)
    for charset in ("utf-16", "cp1251", "koi8-r", "utf-8-sig", "utf-32"):
        with named(charset):
            body = text.encode(charset, errors="replace")
            parsed = rates_or_refusal(document.parser, body, document.url)
            assert parsed is None or parsed.rates == truth.rates


def test_a_windows_1251_letter_under_a_utf_8_header_does_not_lose_the_document() -> None:
    body = NBKR_DAILY.body.replace(b"windows-1251", b"utf-8")
    assert len(SOURCES["nbkr"].parse(body, source="nbkr").rates) == 3


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1e-400",
        "0",
        "-5",
        '"12"x',
        "9" * 5000,
        "{}",
        "true",
    ],
)
def test_R1_a_number_json_should_not_have_costs_its_row_or_the_document(value: str) -> None:
    body = GOOD["NBRB"].body.replace(b"2.0700", value.encode())
    parsed = rates_or_refusal("nbrb", body)
    assert parsed is None or [rate.pair.base for rate in parsed.rates] == ["VND"]


def test_F8_a_good_document_that_brings_entities_is_refused_whole() -> None:
    body = NBKR_DAILY.body.replace(b"?><", b'?><!DOCTYPE x [<!ENTITY v "84,7935">]><', 1).replace(
        b"84,7935", b"&v;", 2
    )
    with pytest.raises(ParseError, match="DOCTYPE"):
        SOURCES["nbkr"].parse(body, source="nbkr")


def test_a_declared_utf_16_that_is_none_is_read_as_what_it_is() -> None:
    body = GOOD["NBM"].body.replace(b"UTF-8", b"UTF-16")
    assert len(SOURCES["nbm"].parse(body, source="nbm").rates) == 1


@pytest.mark.parametrize(
    "number", ["1E+999999999", "NaN", "-456", "456.5e400", "[]", '"456"', "440000"]
)
def test_an_absurd_series_number_costs_its_row_and_no_memory(number: str) -> None:
    body = GOOD["NBRB_RANGE"].body.replace(b":456,", f":{number},".encode(), 1)
    parsed = rates_or_refusal("nbrb", body)
    assert parsed is not None
    assert len(parsed.rates) == len(parsed.problems) == 1


def test_a_huge_document_of_one_row_is_read_in_one_go() -> None:
    """Nothing in here grows faster than the body: five megabytes of comment are no trouble."""
    body = NBKR_DAILY.body.replace(
        b"</CurrencyRates>", b"<!--" + b"x" * 5_000_000 + b"--></CurrencyRates>"
    )
    assert len(SOURCES["nbkr"].parse(body, source="nbkr").rates) == 3


def test_a_row_for_history_that_never_closes_is_not_searched_for_ever() -> None:
    body = b"<!--date-->" * 100_000 + b"<!--value-->" * 100_000 + b"</table>"
    assert rates_or_refusal("nbkr", body, "https://x/?valuta_id=15") is None


documents = st.sampled_from(sorted(GOOD))


@given(parser=st.sampled_from(sorted(SOURCES)), body=st.binary(max_size=300))
def test_random_bytes_are_refused(parser: str, body: bytes) -> None:
    assert rates_or_refusal(parser, body) is None


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_document_gives_believable_rates_or_none(data: st.DataObject) -> None:
    """Any stretch of a good document may be dropped, repeated or overwritten."""
    document: Document = GOOD[data.draw(documents)]
    start = data.draw(st.integers(0, len(document.body)))
    end = data.draw(st.integers(start, min(len(document.body), start + 40)))
    middle = data.draw(
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from(
                [
                    b"",
                    b"NaN",
                    b"-1",
                    b"0",
                    b"1e9",
                    b"null",
                    b"</a>",
                    b"&x;",
                    b"<!DOCTYPE x>",
                    b"\0",
                    b"\xff",
                ]
            ),
            st.just(document.body[start:end] * 2),
        )
    )
    parsed = rates_or_refusal(
        document.parser, document.body[:start] + middle + document.body[end:], document.url
    )
    assert parsed is None or believable(parsed)
