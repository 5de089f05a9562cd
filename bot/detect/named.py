"""The things of this room that a language's words name: places, what makes a story loud, events,
units, topics, a stemmer.

A name that nothing here has would be stumbled over by the first story of it, or never be found.
Events, units and topics have the names that the English tables give them: by those, stories in two
languages are found to be one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.detect.facts import surroundings
from bot.detect.severity import CUES
from bot.found import nearest
from bot.languages import FALLBACK, Language, language, languages

#: The tables whose names the English one gives, and what such a name is.
SHARED_NAMES = {"events": "event", "units": "unit", "topics": "topic", "security": "kind of words"}


def problems() -> list[str]:
    """The names that mean nothing, a sentence each."""
    found: list[str] = []
    english = {table: _names(language(FALLBACK), table) for table in SHARED_NAMES}
    for spoken in languages():
        found += _unknown(spoken, "places", surroundings(), "place of bot/detect/data/places.tsv")
        found += _unknown(spoken, "severity", CUES, f"cue: {', '.join(CUES)}")
        for table, what in SHARED_NAMES.items():
            file = f"bot/languages/{FALLBACK}/{table}.tsv"
            found += _unknown(spoken, table, english[table], f"{what} of {file}")
        found += _unknown_stemmer(spoken)
    return found


def _unknown_stemmer(spoken: Language) -> Iterator[str]:
    import Stemmer  # as in `search`: by whoever needs it

    name, known = spoken.news.stemmer, Stemmer.algorithms()
    if name and name not in known:
        file, hint = f"bot/languages/{spoken.code}/news.py", nearest(name, known)
        yield f"language {spoken.code}: {file}: Snowball has no stemmer {name}{hint}"


def _unknown(spoken: Language, table: str, known: Collection[str], right: str) -> Iterator[str]:
    for name in _names(spoken, table):
        if name not in known:
            file = f"bot/languages/{spoken.code}/{table}.tsv"
            yield f"language {spoken.code}: {file}: {name} is no {right}{nearest(name, known)}"


def _names(spoken: Language, table: str) -> list[str]:
    """The names of a table, each once."""
    return list(dict.fromkeys(name for name, *_ in spoken.rows(table)))
