"""JSON Feed → `Feed`: the one usual format that is no XML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from bot.errors import ParseError
from bot.model.news import Entry
from bot.reasons import reason
from bot.sources import hubs
from bot.sources.dates import Habit
from bot.sources.entries import Feed, each_once, entry_of, two_letter
from bot.sources.links import absolute_link
from bot.sources.text import one_line, plain_text


def read(text: str, url: str | None, zone: tzinfo | None, now: datetime | None) -> Feed:
    """Read a JSON Feed that came from `url`; `zone` and `now` as `parse_feed` has them. Raises
    ParseError when it is none.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: brackets nested by the thousand
        raise ParseError(reason("feed.none", "not a feed")) from None
    if not isinstance(data, dict):
        raise ParseError(reason("feed.none", "not a feed"))
    items = data.get("items")
    # Some write version "1.1" where the specification asks for an address.
    said_to_be_one = "jsonfeed.org/version/" in str(data.get("version"))
    built_like_one = "feed_url" in data and isinstance(items, list)
    if not said_to_be_one and not built_like_one:
        raise ParseError(reason("feed.none", "not a feed"))
    language = two_letter(data.get("language"))
    home = absolute_link(_string(data, "feed_url"), url) or url
    if not isinstance(items, list):
        items = []
    told = [item for item in items if isinstance(item, dict)]
    habit = Habit.of(_dates_in(told), zone, now)
    return Feed(
        title=one_line(plain_text(_string(data, "title"), html=False)),
        language=language,
        entries=each_once(_json_entry(item, home, language, habit) for item in told),
        hub=hubs.offer({"hub": _json_hub(data), "self": _string(data, "feed_url")}, url),
    )


def _json_hub(data: Mapping[str, Any]) -> str:
    """The first hub that speaks WebSub; the other kinds (rssCloud) tell nothing to us."""
    named = data.get("hubs")
    for one in named if isinstance(named, list) else ():
        if isinstance(one, dict) and _string(one, "type").lower() == "websub":
            return _string(one, "url")
    return ""


def _dates_in(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The dates of all entries, as they are written."""
    for item in items:
        for key in ("date_published", "date_modified"):
            yield _string(item, key)


def _json_entry(item: dict[str, Any], url: str | None, language: str | None, habit: Habit) -> Entry:
    updated_at = habit.dated(_string(item, "date_modified"))
    # The specification lets both stand side by side; the text of HTML knows its paragraphs.
    content = plain_text(_string(item, "content_html"), html=True)
    if not _string(item, "content_html"):
        content = plain_text(_string(item, "content_text"), html=False, wrapped=False)
    return entry_of(
        own_id=_string(item, "id"),
        title=plain_text(_string(item, "title"), html=False),
        link=absolute_link(_string(item, "url"), url)
        or absolute_link(_string(item, "external_url"), url),
        published_at=habit.dated(_string(item, "date_published")) or updated_at,
        updated_at=updated_at,
        summary=plain_text(_string(item, "summary"), html=False),
        content=content,
        language=two_letter(item.get("language")) or language,
    )


def _string(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)
