"""European Central Bank: euro reference rates, published for information only.

Everything is for one euro: EUR/USD 1.1555 means 1.1555 dollars, the reverse of how the other banks
here print. Rates are fixed at 14:15 and published around 16:00 Central European time for that same
day, on TARGET working days only; there is no rate for Saturday, Sunday, New Year, Good Friday,
Easter Monday, 1 May, 25 and 26 December, and the last one holds. eurofxref-daily.xml, -hist-90d.xml
and -hist.xml have one shape with one or more dated <Cube>; the document's own names are in two
namespaces. Currencies leave when they join the euro (HRK, BGN), and RUB ended on 2022-03-01:
absence is normal.

The SDMX service gives the same numbers as CSV, by column name; its columns vary with `detail` and
trailing zeros are gone (1.649 there, 1.6490 in the XML). A holiday is an empty or NaN observation,
marked H or M in OBS_STATUS where that column is present.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from datetime import date

from bot.errors import ParseError
from bot.model.rates import RateKind
from bot.reasons import reason
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

CSV = (
    "https://data-api.ecb.europa.eu/service/data/EXR/D.{currencies}.EUR.SP00.A"
    "?format=csvdata&detail=dataonly&startPeriod={since}&endPeriod={until}"
)
_NO_OBSERVATION = frozenset({"H", "M", "L"})


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """Any of the eurofxref XML files, or the CSV of the SDMX service."""
    text = documents.decoded(body)
    if text.lstrip()[:1] == "<":
        return _envelope(documents.xml(body, root="Envelope"))
    return _csv(text)


def _envelope(root: documents.Element) -> Sheet:
    sheet = Sheet()
    dated = False
    # All three levels are called <Cube>: the whole, a day (it has `time`), a currency.
    for cube in documents.descendants(root, "Cube"):
        time = documents.attribute(cube, "time")
        if time is None:
            continue
        dated = True
        on = base.day_of(time)
        for row in documents.children(cube, "Cube"):
            currency, rate = documents.attribute(row, "currency"), documents.attribute(row, "rate")
            sheet.add("EUR", currency, on, rate)
    if not dated:
        raise ParseError(reason("document.no_cube", "no dated cube"))
    return sheet


def _csv(text: str) -> Sheet:
    if not text.endswith("\n"):  # a row cut inside its last figure would still be a row
        raise ParseError(reason("document.cut_off", "the CSV is cut off"))
    try:
        head, *lines = csv.reader(text.splitlines(), strict=True)
    except (csv.Error, ValueError):  # ValueError: without any line there is no head
        raise ParseError(reason("document.no_csv", "not a CSV")) from None
    for name in ("CURRENCY", "TIME_PERIOD", "OBS_VALUE"):
        if name not in head:
            raise ParseError(reason("document.no_column", "no column {name}", name=name))
    sheet = Sheet()
    for line in lines:
        if len(line) != len(head):
            raise ParseError(reason("document.ragged", "a row of another length than the head"))
        row = dict(zip(head, line, strict=True))
        if row.get("FREQ", "D") != "D":
            raise ParseError(reason("document.not_daily", "not daily rates"))
        if row.get("OBS_STATUS") in _NO_OBSERVATION:
            continue
        sheet.add(
            row.get("CURRENCY_DENOM", "EUR"), row["CURRENCY"], row["TIME_PERIOD"], row["OBS_VALUE"]
        )
    return sheet


def history(since: date, until: date, currencies: Collection[str] | None) -> Sequence[Request]:
    """One request per year, all currencies at once."""
    wanted = ""  # for the SDMX service: all
    if currencies is not None:
        wanted = "+".join(sorted(set(currencies) - {"EUR"}))
        if not wanted:
            return []
    return base.by_span(CSV, since, until, days=366, currencies=wanted)


SOURCE = RateSource(home="EUR", kind=RateKind.REFERENCE, read=read, history=history)
