"""Bank of Russia: official rates against the rouble.

XML_daily.asp is one day, XML_dynamic.asp one currency over a range. Real windows-1251 bytes, comma
decimals, nominals from 1 to 1,000,000. `Date` is the day the rates take effect: they are set on
working days for the next calendar day, so Friday's are effective on Saturday and hold through
Monday; there are none for Sunday and Monday, nor for the day after a holiday. <VunitRate> is Value
/ Nominal, rounded to six figures and sometimes in scientific notation ("5,39256E-05"): read <Value>
and <Nominal>.

The dynamic document names its currency only by an internal id (R01010), so the ids are data here,
taken from the daily document of 2026-04-25. A letter behind the number marks the successor after a
redenomination (R01700J is the new lira). The rouble of before 1998 is a thousand times smaller
without any mark.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.errors import ParseError
from bot.model.rates import RateKind
from bot.reasons import reason
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

DYNAMIC = (
    "https://www.cbr.ru/scripts/XML_dynamic.asp"
    "?date_req1={since:%d/%m/%Y}&date_req2={until:%d/%m/%Y}&VAL_NM_RQ={id}"
)

IDS: dict[str, str] = {
    "R01235": "USD",
    "R01239": "EUR",
    "R01370": "KGS",
    "R01375": "CNY",
    "R01335": "KZT",
    "R01717": "UZS",
    "R01670": "TJS",
    "R01035": "GBP",
    "R01700J": "TRY",
    "R01090B": "BYN",
    "R01010": "AUD",
    "R01020A": "AZN",
    "R01030": "DZD",
    "R01060": "AMD",
    "R01080": "BHD",
    "R01105": "BOB",
    "R01115": "BRL",
    "R01135": "HUF",
    "R01150": "VND",
    "R01200": "HKD",
    "R01210": "GEL",
    "R01215": "DKK",
    "R01230": "AED",
    "R01240": "EGP",
    "R01270": "INR",
    "R01280": "IDR",
    "R01300": "IRR",
    "R01350": "CAD",
    "R01355": "QAR",
    "R01395": "CUP",
    "R01500": "MDL",
    "R01503": "MNT",
    "R01520": "NGN",
    "R01530": "NZD",
    "R01535": "NOK",
    "R01540": "OMR",
    "R01565": "PLN",
    "R01580": "SAR",
    "R01585F": "RON",
    "R01589": "XDR",
    "R01625": "SGD",
    "R01675": "THB",
    "R01685": "BDT",
    "R01710A": "TMT",
    "R01720": "UAH",
    "R01760": "CZK",
    "R01770": "SEK",
    "R01775": "CHF",
    "R01800": "ETB",
    "R01805F": "RSD",
    "R01810": "ZAR",
    "R01815": "KRW",
    "R01820": "JPY",
    "R02005": "MMK",
}


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The daily document (<Valute> rows) or the dynamic one (<Record> rows)."""
    root = documents.xml(body, root="ValCurs")
    if documents.attribute(root, "ID") is not None:
        return _dynamic(root)
    return documents.valutes(root, "RUB")


def _dynamic(root: documents.Element) -> Sheet:
    number = documents.attribute(root, "ID") or ""
    code = IDS.get(number)
    if code is None:
        raise ParseError(
            reason("document.currency_id", "unknown currency id “{id}”", id=base.shown(number))
        )
    sheet = Sheet()
    for row in documents.children(root, "Record"):
        # a row may leave its id out; it is the document's then
        if documents.attribute(row, "Id") not in (None, number):
            raise ParseError(
                reason("document.mixed", "records of several currencies in one document")
            )
        on, value = documents.attribute(row, "Date"), documents.text_of(row, "Value")
        sheet.add(code, "RUB", on, value, documents.text_of(row, "Nominal"))
    return sheet


def history(since: date, until: date, currencies: Collection[str] | None) -> Sequence[Request]:
    """One request per currency: the server gives any range at once."""
    requests: list[Request] = []
    for number, code in IDS.items():
        if currencies is None or code in currencies:
            url = DYNAMIC.format(id=number, since=since, until=until)
            requests.append(Request(url=url))
    return requests


SOURCE = RateSource(home="RUB", kind=RateKind.OFFICIAL, read=read, history=history)
