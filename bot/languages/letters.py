"""Letters that stand for one another, so that two spellings of a word compare as one.

Which they are, each language says of itself (`Reading.optional`, `Reading.typed`). They hold for
every text, whatever its language: a Kyrgyz name stands in Russian news, a Turkish one in English.
What is looked for is typed by whoever has no key for a foreign letter at all: for a search a letter
is also as good as it is without its marks (`unmarked`).
"""

from __future__ import annotations

import re
import unicodedata
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


# Latin and Greek letters with marks, ligatures, and letters and digits in other shapes. Cyrillic is
# left out: й and ї are letters of their own, for which there are keys.
_SHAPED = re.compile(
    "[\u00aa\u00b2\u00b3\u00b9\u00ba\u00c0-\u02af\u0370-\u03ff\u1e00-\u1fff\u2070-\u209c"
    "\ufb00-\ufb06\uff10-\uff5a\U0001d400-\U0001d7ff]"
)
# what Unicode takes for letters without marks, as they are typed for want of a key
_TYPED_FOR = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i"}
    | {"æ": "ae", "œ": "oe", "ß": "ss", "þ": "th"}
)


def unmarked(text: str) -> str:
    """A composed text with Latin and Greek letters as they are typed without their marks: café as
    cafe, Erdoğan as Erdogan; ligatures and other shapes as plain ones: ﬁ as fi, CO₂ as CO2.
    """
    return text if text.isascii() else _SHAPED.sub(_unmarked, text)


def is_marked(text: str) -> bool:
    """Whether a composed text may have a letter that `unmarked` changes."""
    return not text.isascii() and _SHAPED.search(text) is not None


def _unmarked(shaped: re.Match[str]) -> str:
    return _plain(shaped.group())


@cache  # one for each letter of the pattern at most
def _plain(letter: str) -> str:
    if not (letter.isalpha() or letter.isdigit()):  # × and ½
        return letter
    parts = [one for one in unicodedata.normalize("NFKD", letter) if one.isalnum()]
    return "".join(one.lower().translate(_TYPED_FOR) for one in parts)


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
