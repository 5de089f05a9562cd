"""Rates read from each publisher's document, on fixtures of our own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ParseError
from bot.model.rates import Pair, Rate, RateKind
from bot.sources.banks import SOURCES
from bot.sources.base import Parsed, day_of, positive, whole
from tests.sources.documents import GOOD, NBKR_DAILY, NBKR_HISTORY, Document


def parse(document: Document, **changes: bytes | str | None) -> Parsed:
    """Read a document as its publisher's, with its body or address changed."""
    body, url = changes.get("body", document.body), changes.get("url", document.url)
    assert isinstance(body, bytes)
    assert url is None or isinstance(url, str)
    return SOURCES[document.parser].parse(body, source=document.parser, url=url)


def line(rate: Rate) -> str:
    """A rate as the fixtures write it."""
    return f"{rate.pair} {rate.effective_on} {rate.value}/{rate.units}"


@pytest.mark.parametrize("name", GOOD)
def test_every_document_is_read_with_its_own_days_directions_zeros_and_nominals(name: str) -> None:
    parsed = parse(GOOD[name])
    assert tuple(map(line, parsed.rates)) == GOOD[name].rows
    assert parsed.problems == ()


def test_every_publisher_has_a_document_here() -> None:
    assert {document.parser for document in GOOD.values()} == set(SOURCES)


def test_a_rate_says_whose_it_is_and_of_what_kind() -> None:
    source = SOURCES["ecb"]
    body = GOOD["ECB_DAYS"].body
    plain = source.parse(body, source="ecb").rates[0]
    assert (plain.source, plain.kind) == ("ecb", RateKind.REFERENCE)
    renamed = source.parse(body, source="mirror", kind=RateKind.OFFICIAL).rates[0]
    assert (renamed.source, renamed.kind) == ("mirror", RateKind.OFFICIAL)


# ── one bad row, one bad document ───────────────────────────────────────────

BAD_VALUES = (
    "0",
    "0,0000",
    "-84,7935",
    "NaN",
    "Inf",
    "Infinity",
    "",
    " ",
    "n/a",
    "н/д",
    "—",
    "1e5",
    "8 4,79",
    "84,79,35",
    "٨٤",
)


@pytest.mark.parametrize("value", BAD_VALUES)
def test_R1_a_bad_value_costs_its_own_row_only_and_is_named(value: str) -> None:
    body = (
        NBKR_DAILY.body.decode("cp1251")
        .replace("84,7935", value)
        .encode("utf-8")
        .replace(b"windows-1251", b"utf-8")
    )
    parsed = parse(NBKR_DAILY, body=body)
    assert [str(rate.pair) for rate in parsed.rates] == ["EUR/KGS", "RUB/KGS"]
    assert len(parsed.problems) == 1
    assert str(parsed.problems[0]).startswith("USD/KGS: value")


@pytest.mark.parametrize("nominal", ["0", "-1", "1,5", "x", "", "10000000000"])
def test_R2_a_nominal_that_is_no_whole_number_costs_its_row(nominal: str) -> None:
    body = NBKR_DAILY.body.replace(b"<Nominal>1<", f"<Nominal>{nominal}<".encode(), 1)
    parsed = parse(NBKR_DAILY, body=body)
    assert len(parsed.rates) == 2
    assert str(parsed.problems[0]).startswith("USD/KGS: nominal")


def test_R6_an_absent_currency_is_neither_zero_nor_an_error() -> None:
    body = NBKR_DAILY.body.replace(b'ISOCode="EUR"', b'ISOCode="CNY"')
    parsed = parse(NBKR_DAILY, body=body)
    assert [rate.pair.base for rate in parsed.rates] == ["USD", "CNY", "RUB"]
    assert parsed.problems == ()


def test_R4_two_values_for_one_day_are_both_disbelieved_and_a_repeated_one_is_one() -> None:
    repeated = NBKR_DAILY.body.replace(b"EUR", b"USD")
    parsed = parse(NBKR_DAILY, body=repeated)
    assert [rate.pair.base for rate in parsed.rates] == ["RUB"]
    assert "two different values" in str(parsed.problems[0])
    same = repeated.replace(b"98,8523", b"84,7935")
    assert tuple(map(line, parse(NBKR_DAILY, body=same).rates)) == (
        NBKR_DAILY.rows[0],
        NBKR_DAILY.rows[2],
    )


def test_three_contradicting_rows_do_not_leave_the_third_standing() -> None:
    body = NBKR_DAILY.body.replace(b"EUR", b"USD").replace(b"RUB", b"USD")
    with pytest.raises(ParseError, match="two different values"):
        parse(NBKR_DAILY, body=body)


@pytest.mark.parametrize(
    "day", ["", "31.02.2021", "2021/10/20", "20.10.21", "20.10.1021", "20.10.9999", "tomorrow"]
)
def test_R7_a_document_without_a_believable_day_is_refused_whole(day: str) -> None:
    with pytest.raises(ParseError, match="date"):
        parse(NBKR_DAILY, body=NBKR_DAILY.body.replace(b"20.10.2021", day.encode()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"CurrencyRates", b"Rates"),
        (b"ISOCode", b"Code"),
        (b"Value>", b"Rate>"),
        (b"Nominal", b"Units"),
    ],
)
def test_R7_a_renamed_element_fails_closed(old: bytes, new: bytes) -> None:
    with pytest.raises(ParseError):
        parse(NBKR_DAILY, body=NBKR_DAILY.body.replace(old, new))


def test_a_second_value_in_one_row_is_not_guessed_between() -> None:
    body = NBKR_DAILY.body.replace(
        b"<Value>84,7935</Value>", b"<Value>84,7935</Value><Value>85,0</Value>"
    )
    assert [rate.pair.base for rate in parse(NBKR_DAILY, body=body).rates] == ["EUR", "RUB"]


# ── what single publishers do ───────────────────────────────────────────────


def test_a_history_page_without_its_address_is_refused_not_guessed() -> None:
    with pytest.raises(ParseError, match="say where it is from"):
        parse(NBKR_HISTORY, url=None)


def test_a_history_page_knows_its_currency_and_nominal_by_its_own_form() -> None:
    form = (
        b'<select name="valuta_id"><option value="15">1 US dollar<option value="36" selected>100 '
        b"Yen</select><table>"
    )
    body = NBKR_HISTORY.body.replace(b"<table>", form)
    assert (
        line(parse(NBKR_HISTORY, body=body, url=None).rates[0]) == "JPY/KGS 2020-11-02 7.8116/100"
    )


def test_a_history_page_of_another_currency_than_asked_for_is_refused() -> None:
    form = b'<option value="15" selected>1 US dollar</option><table>'
    with pytest.raises(ParseError, match="another currency"):
        parse(NBKR_HISTORY, body=NBKR_HISTORY.body.replace(b"<table>", form))


def test_an_unknown_series_is_refused() -> None:
    with pytest.raises(ParseError, match="currency id"):
        parse(NBKR_HISTORY, url="https://www.nbkr.kg/index1.jsp?valuta_id=16")
    with pytest.raises(ParseError, match="currency id"):
        parse(GOOD["CBR_DYNAMIC"], body=GOOD["CBR_DYNAMIC"].body.replace(b"R01370", b"R99999"))


def test_a_cut_off_table_is_noticed_where_the_format_cannot_tell() -> None:
    with pytest.raises(ParseError, match="cut off"):
        parse(GOOD["ECB_CSV"], body=GOOD["ECB_CSV"].body.rstrip())
    with pytest.raises(ParseError, match="cut off"):
        parse(NBKR_HISTORY, body=NBKR_HISTORY.body.partition(b"</table>")[0])


def test_a_service_that_answers_with_an_error_is_not_an_empty_sheet() -> None:
    with pytest.raises(ParseError, match="quota-reached"):
        parse(GOOD["ERAPI"], body=b'{"result":"error","error-type":"quota-reached"}')
    with pytest.raises(ParseError, match="fault"):
        parse(GOOD["CBA"], body=GOOD["CBA"].body.replace(b"ExchangeRatesLatestResult", b"Fault"))
    with pytest.raises(ParseError):
        parse(GOOD["FRANKFURTER_V2"], body=b'{"message":"not found"}')


# ── asking ──────────────────────────────────────────────────────────────────

SINCE, UNTIL = date(2024, 1, 1), date(2025, 6, 30)


def test_history_asks_for_every_day_of_the_range_in_bounded_pieces() -> None:
    urls = [request.url for request in SOURCES["nbkr"].history_requests(SINCE, UNTIL, {"USD"})]
    assert len(urls) == 2
    assert (
        "valuta_id=15&beg_day=30&beg_month=06&beg_year=2024&end_day=30&end_month=06&end_year=2025"
        in urls[0]
    )
    assert "beg_day=01&beg_month=01&beg_year=2024&end_day=29&end_month=06&end_year=2024" in urls[1]


def test_the_answer_to_a_history_request_can_be_read_with_its_own_address() -> None:
    [request] = SOURCES["nbkr"].history_requests(UNTIL, UNTIL, {"JPY"})
    assert parse(NBKR_HISTORY, url=request.url).rates[0].pair == Pair("JPY", "KGS")


def test_history_of_the_bank_of_russia_goes_by_its_own_numbers() -> None:
    [request] = SOURCES["cbr"].history_requests(date(2026, 3, 1), date(2026, 3, 5), {"KGS"})
    assert request.url.endswith("?date_req1=01/03/2026&date_req2=05/03/2026&VAL_NM_RQ=R01370")


def test_history_over_soap_is_a_post_with_its_action() -> None:
    [request] = SOURCES["cba"].history_requests(date(2026, 3, 1), date(2026, 3, 5), {"KGS", "USD"})
    assert request.headers["SOAPAction"] == '"http://www.cba.am/ExchangeRatesByDateRangeByISO"'
    assert request.body is not None
    assert (
        b"<ISOCodes>USD,KGS</ISOCodes><DateFrom>2026-03-01</DateFrom><DateTo>2026-03-05</DateTo>"
        in request.body
    )


def test_history_by_day_leaves_out_days_that_have_no_rates_of_their_own() -> None:
    week = (date(2026, 3, 2), date(2026, 3, 8))  # Monday to Sunday
    assert [request.url[-10:] for request in SOURCES["nbg"].history_requests(*week)] == [
        "2026-03-07", "2026-03-06", "2026-03-05", "2026-03-04", "2026-03-03",
    ]  # fmt: skip
    assert len(SOURCES["nbk"].history_requests(*week)) == 5


def test_no_history_is_asked_for_backwards_or_before_a_redenomination_or_where_there_is_none() -> (
    None
):
    assert not SOURCES["ecb"].history_requests(UNTIL, SINCE)
    assert not SOURCES["nbrb"].history_requests(date(2016, 6, 1), date(2016, 6, 30))
    assert not SOURCES["erapi"].history_requests(SINCE, UNTIL)
    assert not SOURCES["ecb"].history_requests(SINCE, UNTIL, {"EUR"})


def test_history_of_belarus_goes_by_number_where_the_numbers_hold_and_by_day_before() -> None:
    around = SOURCES["nbrb"].history_requests(date(2021, 7, 7), date(2021, 7, 12), {"RUB"})
    assert [request.url.rpartition("/")[2] for request in around] == [
        "456?startDate=2021-07-09&endDate=2021-07-12",
        "rates?ondate=2021-07-08&periodicity=0",
        "rates?ondate=2021-07-07&periodicity=0",
    ]


@pytest.mark.parametrize(
    "parser", [key for key, source in SOURCES.items() if source.history is not None]
)
def test_every_history_request_is_plain_http_without_unfilled_places(parser: str) -> None:
    requests = SOURCES[parser].history_requests(date(2025, 3, 3), date(2025, 3, 14))
    assert requests
    assert all(
        request.url.startswith("https://") and not set("{} ") & set(request.url)
        for request in requests
    )
    assert len({(request.url, request.body) for request in requests}) == len(requests)


# ── values ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("printed", "exact"),
    [
        ("84,7935", "84.7935"),
        ("2.0700", "2.0700"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234\u00a0567,8", "1234567.8"),
        ("12\u202f194.21", "12194.21"),
        ("12,194.21", "12194.21"),
        ("12.194,21", "12194.21"),
        (" 3 ", "3"),
    ],
)
def test_R2_a_number_is_the_one_printed_with_its_zeros_whatever_separates_it(
    printed: str, exact: str
) -> None:
    assert str(positive(printed)) == exact


@pytest.mark.parametrize(
    "value",
    [None, True, 1.5, [], {}, "1__0", "1.2.3", "12,34,56.7", "1 23,4", "0x10", "9" * 20, "²"],
)
def test_R1_what_is_not_a_printed_number_is_no_number(value: object) -> None:
    with pytest.raises(ParseError):
        positive(value)


@pytest.mark.parametrize(
    "value", ["1E+13", "1E-13", "1E+999999", "NaN", "sNaN", "-Infinity", "0", "-1", "1." + "1" * 40]
)
def test_R1_exact_numbers_beyond_reason_are_refused(value: str) -> None:
    with pytest.raises(ParseError):
        positive(Decimal(value))


def test_a_midnight_in_a_foreign_zone_does_not_move_the_day() -> None:
    assert (
        day_of("2026-02-28T00:00:00.000Z")
        == day_of("2026-02-28T00:00:00+04:00")
        == date(2026, 2, 28)
    )


@given(
    st.decimals(min_value="0.0001", max_value=10**6, places=4),
    st.integers(min_value=0, max_value=6),
)
def test_units_never_change_what_one_unit_costs(value: Decimal, power: int) -> None:
    """The same price per 1, 10 … 1,000,000 units compares equal, exactly."""
    units = 10**power
    printed = f"{value.scaleb(power):f}"
    fields = {
        "source": "s",
        "pair": Pair("USD", "KGS"),
        "kind": RateKind.OFFICIAL,
        "effective_on": date(2021, 10, 20),
    }
    one = Rate(**fields, value=positive(f"{value:f}"))  # type: ignore[arg-type]  # mixed fields
    many = Rate(**fields, value=positive(printed), units=whole(str(units)))  # type: ignore[arg-type]  # mixed fields
    assert one.per_unit == many.per_unit


@given(
    st.decimals(min_value="0.0001", max_value=10**9, places=4),
    st.sampled_from([",", "."]),
    st.sampled_from(" \u00a0\u202f"),
)
def test_R10_printing_and_reading_a_number_is_exact(value: Decimal, point: str, group: str) -> None:
    printed = f"{value:,.4f}".replace(",", group).replace(".", point)
    assert positive(printed) == value
