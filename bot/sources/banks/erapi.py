"""ExchangeRate-API's open endpoint: one update a day of some 160 currencies; the last fall-back.

`rates` are for one unit of `base_code`, the base itself included as 1. The only day is
`time_last_update_utc`, shortly after midnight UTC ("Wed, 13 Aug 2025 00:02:31 +0000"): the figures
are those of the day before's markets, mixed from several sources, and no bank set them. Errors come
as {"result": "error", "error-type": …} with status 200. No history without a key. The terms ask for
a link and allow caching, not redistribution.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bot.errors import ParseError
from bot.model.rates import RateKind
from bot.reasons import reason
from bot.sources import base, documents
from bot.sources.base import RateSource, Sheet

_FIRST, _LAST = 631152000, 4133980800  # 1990 and 2101, in seconds of Unix


def read(body: bytes, url: str | None) -> Sheet:  # noqa: ARG001 - every reader has this shape
    """The latest rates of one base."""
    answer = documents.an_object(documents.json_of(body), "JSON")
    if answer.get("result") != "success":
        raise ParseError(
            reason(
                "document.answered",
                "the service answered “{words}”",
                words=base.shown(answer.get("error-type", answer.get("result"))),
            )
        )
    on = _updated_on(answer)
    sheet = Sheet()
    for quote, value in documents.an_object(answer.get("rates"), "rates").items():
        if quote != answer.get("base_code"):
            sheet.add(answer.get("base_code"), quote, on, value)
    return sheet


def _updated_on(answer: dict[str, Any]) -> date:
    """The UTC day of the last update, by the number: the text beside it is for people."""
    stamp = answer.get("time_last_update_unix")
    if not isinstance(stamp, Decimal) or not stamp.is_finite() or not _FIRST <= stamp < _LAST:
        raise ParseError(reason("document.no_time", "no believable time of the last update"))
    return datetime.fromtimestamp(int(stamp), UTC).date()


SOURCE = RateSource(home="USD", kind=RateKind.REFERENCE, read=read)
