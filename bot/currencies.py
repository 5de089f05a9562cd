"""Codes of currencies, as ISO 4217 gives them and CLDR lists them by country."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache


def exists(code: str) -> bool:
    """Whether somebody has, or had, a currency of this code; metals have one too.

    Two codes of ISO 4217 stand for none: XXX, and XTS for tests.
    """
    from babel.core import get_global

    return code in get_global("all_currencies") and code not in {"XXX", "XTS"}


@cache
def in_use() -> frozenset[str]:
    """Every code somebody pays with today."""
    from babel.core import get_global

    territories: Mapping[str, Iterable[tuple[str, object, object, bool]]] = get_global(
        "territory_currencies"
    )
    found: set[str] = set()
    for used in territories.values():
        for code, _since, until, tender in used:
            if until is None and tender:
                found.add(code)
    return frozenset(found)
