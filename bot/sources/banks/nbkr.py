"""National Bank of the Kyrgyz Republic: official rates against the som.

Two documents of one shape, daily.xml (USD, EUR, CNY, KZT, RUB) and weekly.xml (about forty others,
effective from Saturdays), without a date parameter. Windows-1251, comma decimals, some rates per 10
or 100 units. `Date` is the day the rates take effect, usually tomorrow: rates are set on working
days in the afternoon, so effective days run Tuesday to Saturday, and Saturday's rate holds until
Tuesday. On a Sunday daily.xml has been seen with that Sunday's own date (2026-05-24). weekly.xml
puts <ValidFor>, the days its rates hold, between <Nominal> and <Value>: read children by name,
never by position. It still prints BYR, which Belarus replaced in 2016, beside BYN.

History is a page for people, index1.jsp?item=1562: one currency and at most about a year a request,
since 1999, UTF-8, newest first. Cells stand between pairs of <!--date--> and <!--value--> comments.
The table names neither its currency nor the nominal: the currency is the `valuta_id` of the address
(or the selected option of the page's form, which begins with the nominal), so a saved table alone
cannot be read. The server drops connections after some twenty in quick succession.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date
from urllib.parse import parse_qs, urlsplit

from bot.errors import ParseError
from bot.model.rates import RateKind
from bot.reasons import reason
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

HISTORY = (
    "https://www.nbkr.kg/index1.jsp?item=1562&lang=ENG&valuta_id={id}"
    "&beg_day={since:%d}&beg_month={since:%m}&beg_year={since:%Y}"
    "&end_day={until:%d}&end_month={until:%m}&end_year={until:%Y}"
)

# The form's own numbers for the currencies the bank sets today, with the nominal of their series;
# as of 2026-05.
SERIES: dict[int, tuple[str, int]] = {
    15: ("USD", 1),
    20: ("EUR", 1),
    44: ("RUB", 1),
    40: ("KZT", 1),
    24: ("CNY", 1),
    17: ("GBP", 1),
    46: ("UZS", 1),
    45: ("TJS", 1),
    57: ("TRY", 1),
    103: ("AED", 1),
    25: ("KRW", 1),
    36: ("JPY", 10),
    35: ("CHF", 1),
    160: ("BYN", 1),
    47: ("UAH", 1),
    82: ("AZN", 1),
    102: ("GEL", 1),
    38: ("AMD", 10),
    43: ("MDL", 1),
    108: ("TMT", 1),
    106: ("MNT", 1),
    99: ("AFN", 1),
    104: ("IRR", 10),
    55: ("PKR", 1),
    21: ("INR", 1),
    23: ("CAD", 1),
    56: ("AUD", 1),
    53: ("NZD", 1),
    86: ("SGD", 1),
    182: ("HKD", 1),
    107: ("TWD", 1),
    105: ("MYR", 1),
    184: ("IDR", 10),
    50: ("KWD", 1),
    139: ("SAR", 1),
    180: ("OMR", 1),
    109: ("PLN", 1),
    52: ("CZK", 1),
    51: ("HUF", 10),
    19: ("DKK", 1),
    28: ("NOK", 1),
    34: ("SEK", 1),
    101: ("BRL", 1),
    30: ("XDR", 1),
}

# every repetition has a limit, so that no page holds the search for long
_ROW = re.compile(
    r"<!--date-->([^<]{0,40})<!--date-->(?:(?!<!--date-->).){0,400}?"
    r"<!--value-->([^<]{0,40})<!--value-->",
    re.DOTALL,
)
_OPTION = re.compile(r"<option\b([^>]{0,200})>\s*(?:([0-9]{1,6})\s)?", re.IGNORECASE)
_OPTION_ID = re.compile(r"\bvalue\s*=\s*[\"']?([0-9]{1,4})\b", re.IGNORECASE)


def read(body: bytes, url: str | None) -> Sheet:
    """daily.xml and weekly.xml, or a page of history."""
    text = documents.decoded(body)
    if "<!--value-->" in text:
        return _history(text, url)
    root = documents.xml(body, root="CurrencyRates")
    on = base.day_of(documents.attribute(root, "Date"))
    sheet = Sheet()
    for row in documents.children(root, "Currency"):
        value, nominal = documents.text_of(row, "Value"), documents.text_of(row, "Nominal")
        sheet.add(documents.attribute(row, "ISOCode"), "KGS", on, value, nominal)
    return sheet


def _history(text: str, url: str | None) -> Sheet:
    # newest first: what a cut page lacks are its oldest days, and nobody would notice
    if "</table>" not in text[text.rindex("<!--value-->") :].lower():
        raise ParseError(reason("document.cut_off", "the history page is cut off"))
    code, nominal = _series(text, url)
    sheet = Sheet()
    for on, value in _ROW.findall(text):
        sheet.add(code, "KGS", on, value, nominal)
    return sheet


def _series(text: str, url: str | None) -> tuple[str, int]:
    """The currency and nominal of a page, by its address and the option its form has selected."""
    asked = ""
    if url is not None:
        asked = parse_qs(urlsplit(url).query).get("valuta_id", [""])[0]
    selected, printed = _selected(text)
    # one of the two is not of this page, and nothing says which
    if asked and selected and selected != asked:
        raise ParseError(
            reason(
                "document.other_currency", "the history page is of another currency than asked for"
            )
        )
    number = asked or selected
    if not number:
        raise ParseError(
            reason(
                "document.unnamed_currency",
                "a history page does not name its currency: say where it is from with --url",
            )
        )
    if not number.isdecimal() or int(number) not in SERIES:
        raise ParseError(
            reason("document.currency_id", "unknown currency id “{id}”", id=base.shown(number))
        )
    code, nominal = SERIES[int(number)]
    # What the page prints comes before our table, which is as of one day.
    return code, int(printed or nominal)


def _selected(text: str) -> tuple[str, str]:
    """The number and the printed nominal of the form's selected option; empty where there is none.

    An option begins with its nominal: `<option value="36" selected>10 JPY`.
    """
    for option in _OPTION.finditer(text):
        attributes, nominal = option.groups(default="")
        if "selected" in attributes.lower():
            number = _OPTION_ID.search(attributes)
            if number is None:
                break
            return number[1], nominal
    return "", ""


def history(since: date, until: date, currencies: Collection[str] | None) -> Sequence[Request]:
    """One request per currency and year, the daily currencies first."""
    requests: list[Request] = []
    for number, (code, _) in SERIES.items():
        if currencies is None or code in currencies:
            requests += base.by_span(HISTORY, since, until, days=366, id=number)
    return requests


SOURCE = RateSource(home="KGS", kind=RateKind.OFFICIAL, read=read, history=history)
