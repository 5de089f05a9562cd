"""Letters that stand for one another, so that two spellings of a word compare as one.

Which they are, each language says of itself (`Reading.optional`, `Reading.typed`). They hold for
every text, whatever its language: a Kyrgyz name stands in Russian news, a Turkish one in English.
"""

from __future__ import annotations

from functools import cache

from bot.languages import languages


def fold(text: str) -> str:
    """Lower case, without the letters that newsrooms do not agree on: ё as е."""
    text = text.lower()
    for letter, plain in _optional():
        text = text.replace(letter, plain)
    return text


def fold_typed(text: str) -> str:
    """Folded, and letters that a foreign keyboard lacks as the ones typed for them: ө as о."""
    return fold(text).translate(_typed())


# letters of one shape in two scripts: they are typed in the wrong layout without anybody seeing it
_LATIN, _CYRILLIC = "aecopxyktmhbij", "аесорхуктмнвіј"
_TO_LATIN, _TO_CYRILLIC = str.maketrans(_CYRILLIC, _LATIN), str.maketrans(_LATIN, _CYRILLIC)


def in_latin(text: str) -> str:
    """A text with the Cyrillic letters that look like Latin ones as those."""
    return text.translate(_TO_LATIN)


def in_cyrillic(text: str) -> str:
    """A text with the Latin letters that look like Cyrillic ones as those."""
    return text.translate(_TO_CYRILLIC)


# str.replace for the few, str.translate for the many: a long text is folded at every look


@cache
def _optional() -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for spoken in languages():
        pairs += spoken.reading.optional.items()
    return tuple(pairs)


@cache
def _typed() -> dict[int, str]:
    found: dict[str, str] = {}
    for spoken in reversed(languages()):
        found |= spoken.reading.typed
    return str.maketrans(found)
