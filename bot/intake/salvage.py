"""The readable part of JSON that our parser refuses.

One bad update must not make the bot deaf to the others. Half a surrogate pair, NaN, numbers of a
thousand digits and bad UTF-8 are read by a more tolerant parser. Of what that one cannot read
either (nested by the thousand) only the number is found, by its looks.
"""

from __future__ import annotations

import json
import re
from typing import Any

_NUMBER = re.compile(rb'"update_id"\s*:\s*([0-9]{1,18})(?![0-9.eE])')
SEARCHED = 64 * 1024  # bytes; Telegram writes the number first


def tolerantly(body: bytes) -> Any | None:  # noqa: ANN401 - any JSON value
    """The value, when any parser reads it; None otherwise."""
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def first_number(body: bytes) -> int | None:
    """The number of the first update in a complete answer or request; None in what was cut off."""
    if not body.rstrip().endswith(b"}"):
        return None
    found = _NUMBER.search(body, 0, SEARCHED)
    if found is None:
        return None
    return int(found[1])
