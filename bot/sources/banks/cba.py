"""Central Bank of Armenia: official rates against the dram.

SOAP over POST, no plain address. ExchangeRatesLatest answers with one <CurrentDate>, the day the
rates were set and hold from, and <ExchangeRate> rows; ExchangeRatesByDateRangeByISO with a diffgram
of <ExchangeRatesByRange> rows, each with its own <RateDate>. `Amount` is the nominal, decimal
point, five significant figures rather than fixed decimals (480.2). XAU and XAG are per gram, unlike
the ISO unit (a troy ounce), so they are left out. Rates are set on working days; a weekend has
none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.errors import ParseError
from bot.model.rates import RateKind
from bot.reasons import reason
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

ENDPOINT = "https://api.cba.am/exchangerates.asmx"
_PER_GRAM = frozenset({"XAU", "XAG", "XPT", "XPD"})
_CURRENCIES = [  # as of 2026-03
    "USD", "EUR", "RUB", "KGS", "KZT", "GBP", "CNY", "GEL", "UZS", "TJS", "BYN", "UAH", "AED",
    "CHF", "JPY", "CAD", "AUD", "NZD", "SEK", "NOK", "PLN", "CZK", "INR", "IRR", "SGD", "HKD",
    "BRL", "XDR",
]  # fmt: skip
_LATEST = '<ExchangeRatesLatest xmlns="http://www.cba.am/"/>'
_RANGE = (
    '<ExchangeRatesByDateRangeByISO xmlns="http://www.cba.am/"><ISOCodes>{codes}</ISOCodes>'
    "<DateFrom>{since}</DateFrom><DateTo>{until}</DateTo></ExchangeRatesByDateRangeByISO>"
)
_ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    "<soap:Envelope "
    'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{call}</soap:Body>'
    "</soap:Envelope>"
)


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The latest rates, or a range of days."""
    root = documents.xml(body, root="Envelope")
    if next(documents.descendants(root, "Fault"), None) is not None:
        raise ParseError(reason("document.fault", "the service answered with a fault"))
    sheet = Sheet()
    for result in documents.descendants(root, "ExchangeRatesLatestResult"):
        on = base.day_of(documents.text_of(result, "CurrentDate"))
        for row in documents.descendants(result, "ExchangeRate"):
            _add(sheet, row, on)
    for row in documents.descendants(root, "ExchangeRatesByRange"):
        _add(sheet, row, documents.text_of(row, "RateDate"))
    return sheet


def _add(sheet: Sheet, row: documents.Element, on: date | str | None) -> None:
    code = documents.text_of(row, "ISO")
    if code not in _PER_GRAM:
        sheet.add(code, "AMD", on, documents.text_of(row, "Rate"), documents.text_of(row, "Amount"))


def _call(action: str, call: str, url: str = ENDPOINT) -> Request:
    return Request(
        url=url,
        body=_ENVELOPE.format(call=call).encode(),
        headers={
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"http://www.cba.am/{action}"',
        },
    )


def request(url: str, today: date) -> Request:  # noqa: ARG001 - the service knows what is latest
    """Ask for the latest rates."""
    return _call("ExchangeRatesLatest", _LATEST, url)


def history(since: date, until: date, currencies: Collection[str] | None) -> Sequence[Request]:
    """One request per year, all currencies at once."""
    wanted = _CURRENCIES
    if currencies is not None:
        # in the order of the table: the most wanted first
        wanted = [code for code in _CURRENCIES if code in currencies]
    if not wanted:
        return []
    requests: list[Request] = []
    for start, end in base.spans(since, until, 365):
        call = _RANGE.format(codes=",".join(wanted), since=start, until=end)
        requests.append(_call("ExchangeRatesByDateRangeByISO", call))
    return requests


SOURCE = RateSource(home="AMD", kind=RateKind.OFFICIAL, read=read, request=request, history=history)
