"""National Bank of the Republic of Belarus: official rates against the Belarusian rouble.

A JSON list, numbers as JSON numbers with their zeros (2.0700): they must be read as text, a float
loses them. `Cur_Scale` is the nominal, up to 100,000 (VND). `Date` is the day the rate takes
effect, written as a midnight without zone. periodicity=0 are the currencies set daily (on working
days, for the next day), periodicity=1 those set monthly.

A range (dynamics) is of one Cur_ID, without code and nominal, so they are data here, taken from the
daily document of 2026-03-17. A currency gets a new id when its name or nominal changes; most were
replaced on 2021-07-09, so older days are asked for one by one, with `ondate`. Before 2016-07-01 the
currency was BYR, ten thousand to one: such days are not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bot.model.rates import RateKind
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

DAY = "https://api.nbrb.by/exrates/rates?ondate={day}&periodicity=0"
DYNAMICS = "https://api.nbrb.by/exrates/rates/dynamics/{id}?startDate={since}&endDate={until}"
REDENOMINATED = date(2016, 7, 1)
NUMBERED = date(2021, 7, 9)

IDS: dict[int, tuple[str, int]] = {
    431: ("USD", 1),
    451: ("EUR", 1),
    456: ("RUB", 100),
    458: ("KGS", 100),
    459: ("KZT", 1000),
    462: ("CNY", 10),
    440: ("AUD", 1),
    510: ("AMD", 1000),
    514: ("BRL", 10),
    449: ("UAH", 100),
    450: ("DKK", 10),
    513: ("AED", 10),
    512: ("VND", 100000),
    452: ("PLN", 10),
    508: ("JPY", 100),
    511: ("INR", 100),
    461: ("IRR", 100000),
    453: ("ISK", 100),
    371: ("CAD", 1),
    394: ("KWD", 1),
    454: ("MDL", 10),
    448: ("NZD", 1),
    455: ("NOK", 10),
    457: ("XDR", 1),
    421: ("SGD", 1),
    460: ("TRY", 10),
    429: ("GBP", 1),
    463: ("CZK", 100),
    464: ("SEK", 10),
    426: ("CHF", 1),
}


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The list of all currencies of one day, or of one currency over a range."""
    sheet = Sheet()
    for row in documents.objects(documents.json_of(body), "JSON"):
        code, scale = _unit(row)
        sheet.add(code, "BYN", row.get("Date"), row.get("Cur_OfficialRate"), scale)
    return sheet


def _unit(row: dict[str, Any]) -> tuple[object, object]:
    """The code and nominal a row prints, or those its id stands for."""
    if "Cur_Abbreviation" in row or "Cur_Scale" in row:
        return row.get("Cur_Abbreviation"), row.get("Cur_Scale")
    number = row.get("Cur_ID")
    # bounded first: int(Decimal("1E+999999999")) would fill the memory
    if not isinstance(number, Decimal) or not number.is_finite() or not 0 < number < 10**6:
        return None, None
    return IDS.get(int(number)) or (None, None)


def history(since: date, until: date, currencies: Collection[str] | None) -> Sequence[Request]:
    """A request a currency and year, then older days one by one, back to the redenomination."""
    requests: list[Request] = []
    for number, (code, _) in IDS.items():
        if currencies is None or code in currencies:
            first = max(since, NUMBERED)
            requests += base.by_span(DYNAMICS, first, until, days=365, id=number)
    last_old = min(until, NUMBERED - timedelta(days=1))
    requests += base.by_day(DAY, max(since, REDENOMINATED), last_old)
    return requests


SOURCE = RateSource(home="BYN", kind=RateKind.OFFICIAL, read=read, history=history)
