"""A message within Telegram's limit: ended at a sentence, at a word, or at a whole letter."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from bot.render.text import LIMIT, Message, Rich, clipped, join, units

_SENTENCE_END = re.compile(r"[.!?…][\"'»”’)\]]*(?=\s)|(?=\n)")
# Variation selectors, the keycap, tones of skin, tags of flags: cut off alone they show as boxes.
_EMOJI_PARTS = re.compile("[\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]+$")
_ENDS_A_SENTENCE = re.compile(r"[.!?…][\"'»”’)\]]*$")


def cut(message: Message, limit: int = LIMIT, more: Rich | str = "") -> Message:
    """The message within `limit` UTF-16 units: ended at a sentence, else at a word, and with "…".

    `more` stands behind the "…" and leads on, usually a link; a message that fits is returned as
    it is.
    """
    if units(message.text) <= limit:
        return message
    tail = join(" ", ["…", more])
    # the space before the "…" is counted even where a word was cut and none will stand there
    room = limit - units(tail.text) - 1
    if room < 1:
        raise ValueError(f"no room for {tail.text!r} in {limit}")
    body = clipped(message.body, _cut_at(message.text, room))
    # after a whole sentence the "…" stands apart, or it would read as part of its full stop
    if _ENDS_A_SENTENCE.search(body.text):
        body += " "
    whole = body + tail
    return replace(message, text=whole.text, entities=whole.entities, tables=whole.tables)


def _cut_at(text: str, room: int) -> int:
    """The place to cut at, in characters: a sentence's end, else a word's, else a letter's."""
    # "ignore": half of a surrogate pair that the room cuts through is left out
    end = len(text.encode("utf-16-le")[: room * 2].decode("utf-16-le", "ignore"))
    at = _last_sentence(text, end)
    if at is None:
        # the second half alone: a cut further back would throw away more than it keeps
        at = max(text.rfind(" ", end // 2, end + 1), text.rfind("\n", end // 2, end + 1))
    if at > 0:
        return len(text[:at].rstrip())
    while end > 1 and _belongs_together(text, end):
        end -= 1
    return end


def _last_sentence(text: str, end: int) -> int | None:
    """The end of the last sentence in the second half of the first `end` characters, or None."""
    last = None
    # one character further, because a sentence shows its end only by the space behind it
    for found in _SENTENCE_END.finditer(text, 0, min(end + 1, len(text))):
        if end // 2 <= found.end() <= end:
            last = found.end()
    return last


def _belongs_together(text: str, at: int) -> bool:
    """Whether what begins at `at` is part of what stands before it: an accent, half an emoji."""
    # U+200D joins two emoji into one: a family, a profession
    if "\u200d" in text[at - 1 : at + 1] or _EMOJI_PARTS.match(text, at):
        return True
    flags = _FLAG_LETTERS.search(text[:at])  # two letters make one flag
    halved = (
        flags is not None
        and len(flags[0]) % 2 == 1
        and _FLAG_LETTERS.match(text[at : at + 1]) is not None
    )
    return halved or unicodedata.combining(text[at]) != 0
