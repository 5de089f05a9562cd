"""National Bank of Kazakhstan: official rates against the tenge.

get_rates.cfm?fdate=01.04.2026 is <rates> with one <date> for all items; rates_all.xml is RSS with a
<pubDate> in each item. In both <title> is the currency, <description> the rate, <quant> the nominal
(100 for UZS and KRW, 1000 for IRR): ISO codes hide in fields made for news. UTF-8, decimal point,
two digits with trailing zeros cut ("3"), so small currencies are coarse and stand still for weeks.
The date is the day the rates take effect. They are set on working days after the exchange's
session, about 16:00 in Almaty, for the next day; on weekends and holidays the last ones hold. A
document without items is refused like any other without rates.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.errors import ParseError
from bot.model.rates import RateKind
from bot.reasons import reason
from bot.sources import base, documents
from bot.sources.base import RateSource, Request, Sheet

DAY = "https://nationalbank.kz/rss/get_rates.cfm?fdate={day:%d.%m.%Y}"


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """<rates> of one day, or the RSS shape with a date in each item."""
    text = documents.decoded(body)
    if "<rss" in text[:500]:
        channel = next(documents.children(documents.xml(body, root="rss"), "channel"), None)
        if channel is None:
            raise ParseError(reason("document.no_channel", "RSS without a channel"))
        return _items(channel, None)
    root = documents.xml(body, root="rates")
    return _items(root, base.day_of(documents.text_of(root, "date")))


def _items(root: documents.Element, on: date | None) -> Sheet:
    sheet = Sheet()
    for item in documents.children(root, "item"):
        day = on or documents.text_of(item, "pubDate")
        value, quant = documents.text_of(item, "description"), documents.text_of(item, "quant")
        sheet.add(documents.text_of(item, "title"), "KZT", day, value, quant)
    return sheet


def history(
    since: date,
    until: date,
    currencies: Collection[str] | None,  # noqa: ARG001 - a day has them all
) -> Sequence[Request]:
    """One request per working day."""
    return base.by_day(DAY, since, until)


SOURCE = RateSource(home="KZT", kind=RateKind.OFFICIAL, read=read, history=history)
