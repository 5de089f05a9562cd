"""What an entry is known by where nothing else of it is kept, as in feeds that readers added."""

from __future__ import annotations

import hashlib
from itertools import combinations

from bot.detect.identity import Fingerprint, Shared, is_home


def known_by(one: Fingerprint, keys: Shared) -> list[str]:
    """The hashes by which an entry is known where nothing else of it is kept: id, link, words and
    time, two by two, so that none decides alone. Without a time of its own its words have to do.
    """
    words = f"{one.title_key} {one.text_key}"
    has = {"words": words}
    if one.guid is not None and one.guid not in keys.guids:
        has["id"] = one.guid
    if one.link_key and one.link and one.link_key not in keys.links and not is_home(one.link):
        has["link"] = one.link_key
    own_time = one.published_at is not None and one.published_at not in keys.times
    if one.published_at is not None:
        has["time"] = one.published_at.isoformat()
    pairs: list[str] = []
    for a, b in combinations(has, 2):
        # a moment that all of the document has tells apart only what has other words
        if own_time or b != "time" or a == "words":
            pairs.append(f"{a} {has[a]} {b} {has[b]}")
    if not own_time:
        pairs.append(words)
    return [hashlib.sha256(pair.encode()).hexdigest()[:32] for pair in pairs]
