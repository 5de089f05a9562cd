"""National Bank of Ukraine: official rates against the hryvnia.

exchange_site gives any range as one JSON list, oldest first. `exchangedate` is the day the rate
takes effect, `calcdate` the working day it was set on (Friday's is effective on Monday; Saturday
and Sunday repeat what Thursday set for Friday, so every calendar day has rows). `rate` is for
`units`; `rate_per_unit` is the division and is not read. The older statdirectory answer has neither
field: its rates are for one unit. Group 3 are precious metals per troy ounce, with ISO codes (XAU).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.model.rates import RateKind
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

RANGE = (
    "https://bank.gov.ua/NBU_Exchange/exchange_site"
    "?start={since:%Y%m%d}&end={until:%Y%m%d}&sort=exchangedate&order=asc&json"
)


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """Rows of one or many days."""
    sheet = Sheet()
    for row in documents.objects(documents.json_of(body), "JSON"):
        units = row.get("units")
        if "units" not in row and "rate_per_unit" not in row:  # the older statdirectory
            units = 1
        sheet.add(row.get("cc"), "UAH", row.get("exchangedate"), row.get("rate"), units)
    return sheet


def history(
    since: date,
    until: date,
    currencies: Collection[str] | None,  # noqa: ARG001 - a day has them all
) -> Sequence[Request]:
    """One request per quarter: about 10 KB a day come back."""
    return base.by_span(RANGE, since, until, days=90)


SOURCE = RateSource(home="UAH", kind=RateKind.OFFICIAL, read=read, history=history)
