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
    days = [
        cube
        for cube in documents.descendants(root, "Cube")
        if documents.attribute(cube, "time") is not None
    ]
    if not days:
        raise ParseError("no dated cube")
    for cube in days:
        on = base.day_of(documents.attribute(cube, "time"))
        for row in documents.children(cube, "Cube"):
            sheet.add(
                "EUR", documents.attribute(row, "currency"), on, documents.attribute(row, "rate")
            )
    return sheet


def _csv(text: str) -> Sheet:
    if not text.endswith("\n"):
        raise ParseError("the CSV is cut off")
    try:
        table = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error:
        raise ParseError("not a CSV") from None
    head = table[0] if table else []
    for name in ("CURRENCY", "TIME_PERIOD", "OBS_VALUE"):
        if name not in head:
            raise ParseError(f"no column {name}")
    sheet = Sheet()
    for line in table[1:]:
        if len(line) != len(head):
            raise ParseError("a row of another length than the head")
        row = dict(zip(head, line, strict=True))
        if row.get("FREQ", "D") != "D":
            raise ParseError("not daily rates")
        if row.get("OBS_STATUS") in _NO_OBSERVATION:
            continue
        sheet.add(
            row.get("CURRENCY_DENOM", "EUR"), row["CURRENCY"], row["TIME_PERIOD"], row["OBS_VALUE"]
        )
    return sheet


def history(since: date, until: date, currencies: Collection[str] | None) -> Sequence[Request]:
    """One request per year, all currencies at once."""
    wanted = "+".join(sorted(set(currencies) - {"EUR"})) if currencies is not None else ""
    if currencies is not None and not wanted:
        return []
    return [
        Request(url=CSV.format(currencies=wanted, since=start, until=end))
        for start, end in base.spans(since, until, 366)
    ]


SOURCE = RateSource(home="EUR", kind=RateKind.REFERENCE, read=read, history=history)
