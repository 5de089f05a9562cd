"""Frankfurter: rates of many central banks, blended (v2) or the ECB's (v1).

It is a second opinion, never the first word.
v2 is a list of {date, base, quote, rate} (or one such object) and may carry a different date for
each pair, plus the identity record EUR/EUR 1; it has KGS. v1 is one object with `rates`, of one day
or by date for a range, for `amount` units of the base, and knows only the ECB's currencies. Figures
are rounded to about five digits and no bank set them: the kind is reference. An error is an object
with `message` and often status 404 or 422.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bot.errors import ParseError
from bot.model.rates import RateKind
from bot.reasons import reason
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

RANGE = "https://api.frankfurter.dev/v2/rates?base=USD&from={since}&to={until}{quotes}"


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """Both versions, one day or many."""
    answer = documents.json_of(body)
    sheet = Sheet()
    if isinstance(answer, dict) and "rates" in answer:
        _v1(sheet, answer)
        return sheet
    if isinstance(answer, dict) and "quote" in answer:
        answer = [answer]
    for row in documents.objects(answer, "JSON"):
        # The identity record says nothing; a row without either currency is named as a problem.
        if row.get("base") != row.get("quote") or row.get("base") is None:
            sheet.add(row.get("base"), row.get("quote"), row.get("date"), row.get("rate"))
    return sheet


def _v1(sheet: Sheet, answer: dict[str, Any]) -> None:
    units = answer.get("amount", Decimal(1))
    days = documents.an_object(answer["rates"], "rates")
    if "date" in answer:  # one day alone
        days = {answer["date"]: days}
    for on, day in days.items():
        if not isinstance(on, str):
            raise ParseError(reason("row.no_date", "no date"))
        for quote, value in documents.an_object(day, "rates").items():
            sheet.add(answer.get("base"), quote, on, value, units)


def history(since: date, until: date, currencies: Collection[str] | None) -> Sequence[Request]:
    """One request per year, for one dollar."""
    wanted = sorted(set(currencies or ()) - {"USD"})
    quotes = ""  # for the service: all
    if wanted:
        quotes = "&quotes=" + ",".join(wanted)
    return base.by_span(RANGE, since, until, days=366, quotes=quotes)


SOURCE = RateSource(home="USD", kind=RateKind.REFERENCE, read=read, history=history)
