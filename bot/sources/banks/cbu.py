"""Central Bank of Uzbekistan: official rates against the sum.

A JSON list with a date in each row ("01.04.2026", the day the rate takes effect), numbers as
strings, nominal 1 except for a few (IDR, IRR and VND per 10). `Diff` is the bank's own change and
is not read. Rates are set on working days, in the afternoon, for the next day. The archive is asked
by day (/json/all/2026-04-01/); the date in the rows is the one to believe. The sum is UZS ("сум"),
not the Kyrgyz som ("сом").
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.model.rates import RateKind
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

DAY = "https://cbu.uz/en/arkhiv-kursov-valyut/json/all/{day}/"


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The list of all currencies, of any day."""
    sheet = Sheet()
    for row in documents.objects(documents.json_of(body), "JSON"):
        sheet.add(row.get("Ccy"), "UZS", row.get("Date"), row.get("Rate"), row.get("Nominal"))
    return sheet


def history(
    since: date,
    until: date,
    currencies: Collection[str] | None,  # noqa: ARG001 - a day has them all
) -> Sequence[Request]:
    """One request per working day."""
    return base.by_day(DAY, since, until)


SOURCE = RateSource(home="UZS", kind=RateKind.OFFICIAL, read=read, history=history)
