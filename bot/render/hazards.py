"""A measured event in words: what, how large, where, and where that is on a map."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from bot.i18n import place_name, t, unbroken
from bot.languages import FALLBACK
from bot.model.hazards import Hazard
from bot.render.numbers import as_printed
from bot.render.phrases import when
from bot.render.text import Button, Rich, join, lines, link

MAP = "https://www.openstreetmap.org/?mlat={north:.4f}&mlon={east:.4f}#map=8/{north:.4f}/{east:.4f}"
# as USGS writes a place: "40 km S of Kaji-Say, Kyrgyzstan"; of sixteen winds eight are kept
_AWAY = re.compile(r"(\d{1,4}) ?km ([NSEW]{1,3}) of (.+)")
_WINDS = {"NNE": "NE", "ENE": "NE", "ESE": "SE", "SSE": "SE"} | {
    "SSW": "SW",
    "WSW": "SW",
    "WNW": "NW",
    "NNW": "NW",
}
_BORDER = re.compile(r"(.+)-(.+) border region", re.IGNORECASE)
#: The winds that have a text.
WINDS = ("n", "ne", "e", "se", "s", "sw", "w", "nw")
#: The texts that a hazard is told with.
TEXTS = ("hazard.magnitude", "hazard.away", "hazard.border", "hazard.withdrawn", "button.map")


def name(hazard: Hazard, language: str) -> str:
    """The name of an event, with its magnitude where it has one; or that it did not happen."""
    if hazard.withdrawn:
        what = name(replace(hazard, withdrawn=False), language)
        return t("hazard.withdrawn", language).format(what=what)
    what = t(f"hazard.{hazard.kind.value}", language)
    if not hazard.measured or hazard.size is None:
        return what
    size = as_printed(hazard.size, language)
    return t("hazard.magnitude", language).format(what=what, size=size)


def where(hazard: Hazard, at: datetime, language: str, zone: str | None = None) -> Rich:
    """The place, its coordinates with a map behind them, and when it was, see `point`."""
    return lines(place(hazard, language), point(hazard, at, language, zone))


def point(hazard: Hazard, at: datetime, language: str, zone: str | None = None) -> Rich:
    """The coordinates and the time alone: what a headline with the place leaves to be said.

    The time is that of the chat's `zone`; where nobody knows that, of the institute's clock.
    """
    clock = Rich(f"{at.astimezone(UTC):%H:%M} UTC")
    if zone is not None:
        clock = when(at, language, zone)
    shown = Rich()
    if (address := map_address(hazard)) is not None:
        shown = link(f"{hazard.latitude:.2f}, {hazard.longitude:.2f}", address)
    return join(" · ", [shown, clock])


def headline(hazard: Hazard, language: str) -> str:
    """The event and its place, on one line."""
    return f"{name(hazard, language)} · {place(hazard, language)}".removesuffix(" · ")


def place(hazard: Hazard, language: str) -> str:
    """The place in the institute's words; what has a name in the reader's language by that."""
    found = _AWAY.fullmatch(hazard.place)
    if found is None:
        return _called(hazard.place, language)
    wind = _WINDS.get(found[2], found[2]).lower()
    if wind not in WINDS:
        return hazard.place
    direction = t(f"wind.{wind}", language)
    return unbroken(
        t("hazard.away", language).format(
            km=found[1], direction=direction, name=_called(found[3], language)
        )
    )


def _called(said: str, language: str) -> str:
    """A place as the reader calls it, part by part: "Naryn, Kyrgyzstan", "Artux-Naryn border
    region"; a part that has no name here stays as it was written, and in English all of it.
    """
    if language == FALLBACK:
        return said
    if (whole := place_name(said, language)) is not None:
        return whole
    found = _BORDER.fullmatch(said)
    if found is not None:
        sides = [place_name(one, language) or one for one in found.groups()]
        return t("hazard.border", language).format(one=sides[0], other=sides[1])
    return ", ".join(place_name(part, language) or part for part in said.split(", "))


def map_address(hazard: Hazard) -> str | None:
    """The address of a map of it; None where nobody said where it is."""
    if hazard.latitude is None or hazard.longitude is None:
        return None
    return MAP.format(north=hazard.latitude, east=hazard.longitude)


def map_button(hazard: Hazard, language: str) -> list[Button]:
    """Opens the map, where there is a point for it."""
    address = map_address(hazard)
    if address is None:
        return []
    return [Button(t("button.map", language), url=address)]
