"""National Bank of Tajikistan: official rates against the somoni.

The Bank of Russia's shape with other habits: UTF-8, decimal point, an ISO `Date`, and no NumCode.
The ID attribute is almost the ISO number but not quite (the rouble is 810, the Soviet one; leading
zeros are missing): trust <CharCode>. A day is asked for with date=2026-05-18; weekends and holidays
answer with the last rates under the asked date, and a day outside the archive (before 2001, or
tomorrow) with today's: only the document's own `Date` is believed. The bank asks to be named as the
source (www.nbt.tj).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.model.rates import RateKind
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

DAY = "https://www.nbt.tj/en/kurs/export_xml.php?date={day}&export=xmlout"


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The rates of one day."""
    return documents.valutes(documents.xml(body, root="ValCurs"), "TJS")


def history(
    since: date,
    until: date,
    currencies: Collection[str] | None,  # noqa: ARG001 - a day has them all
) -> Sequence[Request]:
    """One request per working day."""
    return base.by_day(DAY, since, until)


SOURCE = RateSource(home="TJS", kind=RateKind.OFFICIAL, read=read, history=history)
