"""Places that readers may live at: what comes from there counts more for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place of the catalog; its key is the name by which detection finds it in a text.

    `within` is the place under which it is offered. A country has no point.
    """

    key: str
    names: Mapping[str, str]
    latitude: float | None = None
    longitude: float | None = None
    within: str | None = None
