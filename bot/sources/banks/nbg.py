"""National Bank of Georgia: official rates against the lari.

A JSON list of days, each with its `currencies`. `validFromDate` is the day a rate takes effect;
`date` inside a currency is when it was set (Friday 17:01 for Saturday). Both are written as UTC
("…T00:00:00.000Z") but are Georgian calendar days: the day is taken as it stands. Asking for Monday
2 March gave the rates valid from Saturday 28 February: there is nothing for Sunday and Monday,
Friday's evening rate holds until Tuesday. `rate` keeps its zeros as a JSON number (7.0960) and
equals `rateFormated` (so spelled); `diffFormated` has lost its sign. Nominals go up to 10,000.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.model.rates import RateKind
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

DAY = "https://nbg.gov.ge/gw/api/ct/monetarypolicy/currencies/?date={day}"


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The currencies of the days in the answer."""
    sheet = Sheet()
    for day in documents.objects(documents.json_of(body), "JSON"):
        for row in documents.objects(day.get("currencies"), "currencies"):
            on = row.get("validFromDate", day.get("date"))
            sheet.add(row.get("code"), "GEL", on, row.get("rate"), row.get("quantity"))
    return sheet


def history(
    since: date,
    until: date,
    currencies: Collection[str] | None,  # noqa: ARG001 - a day has them all
) -> Sequence[Request]:
    """One request per day that can have its own rates: Tuesday to Saturday."""
    return base.by_day(DAY, since, until, weekdays=range(1, 6))


SOURCE = RateSource(home="GEL", kind=RateKind.OFFICIAL, read=read, history=history)
