"""Foreign text: which of its characters a reader gets, and what of it is compared.

A text travels unchanged from its source to the reader: no-break and thin spaces, soft hyphens,
quotation marks, emoji of several parts and letters with marks stay as they were written. Only
what shows nothing and can deceive is taken out: controls, direction overrides, zero-width
characters, fillers, halves of surrogate pairs, and towers of marks. What two texts have in common
is asked of their `comparable` forms, which nobody is shown.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import chain

LONG_TEXT = 80  # characters that are nobody's formula
MARKS_ON_A_LETTER = 3  # pointed Hebrew has three; more is a tower that covers other lines

_EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
# Scripts in which a zero-width joiner or non-joiner between two letters is spelling.
_JOINED = "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff"
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f"  # England, Scotland: written in tags
_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f"
)
_BETWEEN_EMOJI = f"(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])"
_BETWEEN_LETTERS = f"(?<=[{_JOINED}])[\u200c\u200d](?=[{_JOINED}])"
_KEPT = f"{_FLAG}|{_BETWEEN_EMOJI}|{_BETWEEN_LETTERS}"
_KEPT_OR_HIDDEN = re.compile(f"({_KEPT})|[{_HIDDEN}]")
# Alone, in several parts, as a key (1️⃣) or as a flag; ‼ and ™ are emoji by what follows them.
_SIGNS = f"{_EMOJI}\u00a9\u00ae\u203c\u2049\u200d\u2122\ufe0f"
_IS_EMOJI = re.compile(f"(?:{_FLAG}|[0-9#*]\ufe0f?\u20e3|[{_SIGNS}])+")
_INVISIBLE = re.compile(f"[{_HIDDEN}\u00ad]")
SENTENCE_END = re.compile(r"[.!?…]\s|\n")
_WORD = re.compile(r"[^\W_]+")
_SPACE = re.compile(r"[^\S\n]")
# What a word may carry without being another word: hyphenation, joiners, variants, stress marks.
_WITHIN_WORDS = re.compile("[\u00ad\u0300-\u036f\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]")


def without_invisible(text: str) -> str:
    """The text without controls, direction overrides, zero-width characters and towers of marks.

    Tabs and newlines stay, other breaks are controls. Doing it twice changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _KEPT_OR_HIDDEN.sub(r"\1", text)
    if text.isascii():
        return text
    return _mark_towers().sub(r"\1", text)


def is_emoji(text: str) -> bool:
    """Whether a text is emoji, one or some, and nothing else."""
    return _IS_EMOJI.fullmatch(text) is not None


def has_invisible(text: str) -> bool:
    """Whether there is anything in it that an address must not have, soft hyphens included."""
    return _INVISIBLE.search(text) is not None


def comparable(text: str) -> str:
    """The text as it is compared: letters composed, every space a plain one, words in one piece."""
    if text.isascii():
        return text
    return _SPACE.sub(" ", _WITHIN_WORDS.sub("", unicodedata.normalize("NFC", text)))


def first_sentence(text: str) -> str:
    """The first sentence or line of a text: the headline of a post that has none."""
    begins = text.lstrip()
    end = SENTENCE_END.search(begins)
    return begins if end is None else begins[: end.end()].rstrip()


def alike(a: str, b: str) -> bool:
    """Whether the shorter of two texts has half of its words, by their beginnings, in the other."""
    one, other = _beginnings(a), _beginnings(b)
    if len(other) < len(one):
        one, other = other, one
    return bool(one) and 2 * len(one & other) >= len(one)


def nearly_equal(a: str, b: str) -> bool:
    """Whether four of five words of the longer of two texts, by their beginnings, are in both."""
    one, other = _beginnings(a), _beginnings(b)
    return 5 * len(one & other) >= 4 * max(len(one), len(other), 1)


def _beginnings(text: str) -> set[str]:
    """The words of a text that are longer than most small ones, and numbers, without endings."""
    found: set[str] = set()
    for word in _WORD.findall(comparable(text).casefold()):
        if len(word) > 3 or word.isdecimal():
            found.add(word[:5])
    return found


@cache
def _mark_towers() -> re.Pattern[str]:
    """More marks on one letter than any language has; emoji's variation selectors are no marks."""
    blocks = (
        range(0x300, 0x3100),
        range(0xA66F, 0xAC00),
        range(0xFB1E, 0xFB1F),
        range(0xFE20, 0xFE30),
    )
    marks = []
    for letter in map(chr, chain(*blocks)):
        # Mn and Me are drawn over a letter; Mc stands beside it and covers nothing
        if unicodedata.category(letter) in {"Mn", "Me"}:
            marks.append(letter)
    mark = f"[{''.join(marks)}]"
    return re.compile(f"({mark}{{{MARKS_ON_A_LETTER}}}){mark}+")
