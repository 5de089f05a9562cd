"""Text as it is typed, with one kind of space, apostrophe and dash.

A phone's keyboard turns "-" into "–", ours writes "2021‑жылдын 20‑октябры" with a hyphen at which
no line breaks, and a rate copied from a message carries the true minus and no-break spaces. Readers
paste all of that back.
"""

from __future__ import annotations

import re
import unicodedata

LETTERS = r"[^\W\d_]+"
_SPACES = re.compile(r"[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]")
# soft hyphens, marks of direction, emoji style
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff]")
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("’‘ʻʼ`´", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "→": ">",
        "⇒": ">",
        "…": ".",
    }
)


def plain_text(text: str) -> str:
    """Text in NFC, with plain spaces, apostrophes, hyphens, arrows, and no invisible marks."""
    return unicodedata.normalize("NFC", _UNSEEN.sub("", _SPACES.sub(" ", text))).translate(_ALIKE)
