"""National Bank of Moldova: official rates against the leu.

The Bank of Russia's shape in UTF-8 with a decimal point; the Valute ID is the bank's own number.
`Date` is the day asked for (date=06.04.2026) and the day the rates hold on: set on working days in
the afternoon for the next day, and holding over weekends and holidays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.model.rates import RateKind
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

DAY = "https://www.bnm.md/en/official_exchange_rates?get_xml=1&date={day:%d.%m.%Y}"


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The rates of one day."""
    return documents.valutes(documents.xml(body, root="ValCurs"), "MDL")


def history(
    since: date,
    until: date,
    currencies: Collection[str] | None,  # noqa: ARG001 - a day has them all
) -> Sequence[Request]:
    """One request per working day."""
    return base.by_day(DAY, since, until)


SOURCE = RateSource(home="MDL", kind=RateKind.OFFICIAL, read=read, history=history)
