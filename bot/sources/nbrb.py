"""National Bank of the Republic of Belarus: official rates against the Belarusian rouble.

A JSON list, numbers as JSON numbers with their zeros (2.0700): they must be read as text, a float loses them.
`Cur_Scale` is the nominal, up to 100,000 (VND). `Date` is the day the rate takes effect, written as a
midnight without zone. periodicity=0 are the currencies set daily (on working days, for the next day),
periodicity=1 those set monthly.

The bank's own range request (dynamics) goes by Cur_ID without code and nominal, and ids are replaced when a
name or nominal changes (most of them on 2021-07-09), so history is asked for by day with `ondate`. Before
2016-07-01 the currency was BYR, ten thousand to one: such days are not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.model.rates import RateKind
from bot.sources import base
from bot.sources.base import RateSource, Request, Sheet

DAY = "https://api.nbrb.by/exrates/rates?ondate={day}&periodicity=0"
_REDENOMINATED = date(2016, 7, 1)


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The list of all currencies of one day."""
    sheet = Sheet()
    for row in base.objects(base.json_of(body), "the answer"):
        value, scale = row.get("Cur_OfficialRate"), row.get("Cur_Scale")
        sheet.add(row.get("Cur_Abbreviation"), "BYN", row.get("Date"), value, scale)
    return sheet


def history(since: date, until: date, currencies: Collection[str] | None) -> Sequence[Request]:  # noqa: ARG001 - a day has them all
    """One request per working day, not before the redenomination."""
    days = base.each_day(max(since, _REDENOMINATED), until, weekdays=range(5))
    return [Request(url=DAY.format(day=day)) for day in days]


SOURCE = RateSource(home="BYN", kind=RateKind.OFFICIAL, read=read, history=history)
