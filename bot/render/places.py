"""The places that a chat may choose as near to it: a list, and what lies in one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.i18n import name_of, t
from bot.model.places import Place
from bot.render.buttons import back_button, rows_of, switch
from bot.render.phrases import phrase
from bot.render.settings import BACK
from bot.render.text import Button, Message, bold, lines, message

TOP = "top"  # the page of places that lie in no other
OPENS = "›"


def menu(
    places: Mapping[str, Place], chosen: Collection[str], language: str, *, page: str, located: bool
) -> Message:
    """A page of places. Data: `places:osh` opens a page, `place:osh:top` is a switch on page `top`.

    Where a location can be sent (`located`), the first page asks for it: data `set:place`.
    """
    title = t("places.title", language)
    if page != TOP:
        title = name_of(places[page].names, language)
    text = lines(bold(title), t("places.about", language), near_you(places, chosen, language))
    if page == TOP:
        top = [one for one in places.values() if one.within is None]
        rows = [*rows_of([_opens(one, places, chosen, language) for one in top], 2)]
        if located:
            rows.append([Button(t("zone.place", language), "set:place")])
        return message(text, [*rows, [back_button(language, BACK)]])
    whole = _switch(places[page], chosen, language, page)
    parts = [one for one in places.values() if one.within == page]
    rows = [[whole], *rows_of([_switch(one, chosen, language, page) for one in parts], 2)]
    return message(text, [*rows, [back_button(language, f"places:{TOP}")]])


def offered(place: Place, chosen: Collection[str], language: str) -> Message:
    """The place nearest to a location that was sent, to be chosen by a tap."""
    button = _switch(place, chosen, language, place.within or place.key)
    text = phrase("places.nearest", language, place=name_of(place.names, language))
    return message(text, [[button]])


def near_you(places: Mapping[str, Place], chosen: Collection[str], language: str) -> str | None:
    """The chosen places by name; None where there are none."""
    names = [name_of(one.names, language) for key, one in places.items() if key in chosen]
    if not names:
        return None
    return t("settings.places", language).format(places=", ".join(names))


def _switch(place: Place, chosen: Collection[str], language: str, page: str) -> Button:
    name, data = name_of(place.names, language), f"place:{place.key}:{page}"
    return switch(name, data, on=place.key in chosen)


def _opens(
    place: Place, places: Mapping[str, Place], chosen: Collection[str], language: str
) -> Button:
    """Opens what lies in a place; chooses it where nothing does."""
    inside = {one.key for one in places.values() if one.within == place.key}
    if not inside:
        return _switch(place, chosen, language, TOP)
    name = f"{name_of(place.names, language)} {OPENS}"
    return switch(name, f"places:{place.key}", on=not {place.key, *inside}.isdisjoint(chosen))
