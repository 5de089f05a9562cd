"""A server's answer, its validators to ask again by, and when it wishes to be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Self
from zlib import crc32

_SURROGATE = re.compile("[\ud800-\udfff]")  # a byte of a header that is not UTF-8
DAY = 86400  # seconds
LONGEST_RETRY_AFTER = timedelta(days=1)  # a server may ask for more; we look again after a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """The server's own marks of a document, sent back with the question whether it has changed."""

    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """The marks of an answer. One of bytes that are no text can neither be kept nor sent back:
        the document is asked for as if it had none.
        """
        said = {name: headers.get(name) for name in ("ETag", "Last-Modified")}
        kept = {name: mark for name, mark in said.items() if mark and not _SURROGATE.search(mark)}
        return cls(etag=kept.get("ETag"), last_modified=kept.get("Last-Modified"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A good answer. `body` is None when nothing changed since the validators were given (304).

    `url` is where the answer came from in the end; `moved_to` is set when the way from the asked
    address began with permanent redirects: it is the address to ask in future. `charset` is what
    the server claims.
    """

    status: int
    body: bytes | None
    url: str
    content_type: str | None = None
    charset: str | None = None
    moved_to: str | None = None
    validators: Validators = Validators()
    links: tuple[str, ...] = ()  # the `Link` headers as they came


def whole_due(key: str, last_ok_at: datetime | None, *, now: datetime) -> bool:
    """Whether a source is to be asked without conditions now: once a day, each at its own time.

    A server that answers 304 for ever, whatever has changed, is believed for a day. When the
    last answer was of another day of the source's own, its turn has come; that needs no note of its
    own, and a poll that fails leaves it open.
    """
    if last_ok_at is None:
        return True
    ahead = crc32(key.encode()) % DAY  # thousands of whole documents are not wanted at midnight
    return (last_ok_at.timestamp() + ahead) // DAY != (now.timestamp() + ahead) // DAY


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the server asks us to wait, from `Retry-After` in either form; at most a day.

    None when it does not say. A date is measured from the server's own `Date`, so that its clock
    need not agree with ours.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:9])
    else:
        until = _http_date(value)
        if until is None:
            return None
        seconds = (until - (_http_date(headers.get("Date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER.total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if parsed.tzinfo is None:  # "-0000": the zone is not said, and HTTP has only GMT
        return parsed.replace(tzinfo=UTC)
    return parsed
