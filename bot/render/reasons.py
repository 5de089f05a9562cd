"""Why a story was told, in the reader's language: the detector's reasons, and the words it found
gathered by kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.i18n import known
from bot.languages.letters import fold
from bot.model.reasons import Reason
from bot.model.text import comparable
from bot.render.phrases import counted, phrase
from bot.render.text import Rich

_PLAIN = frozenset(
    {"grave", "danger", "near", "calm", "official", "aggregators"}
)  # said as `reason.CODE`
_STEM = re.compile(
    r"([^\W_]+)(\*?)"
)  # a word of a pattern; the star says that it is only how one begins
_WORD = re.compile(r"[^\W_]+")


def said(reasons: Sequence[Reason], language: str, texts: Sequence[str]) -> list[Rich]:
    """A line for each reason for telling a story; words found in its `texts` are gathered by their
    kind.

    Reasons against are left out: they explain why something was not told.
    """
    shown: list[Rich] = []
    found: dict[str, list[str]] = {}
    for reason in reasons:
        if reason.code == "found" and known(f"reason.{reason.values[0]}"):
            kind, pattern = reason.values
            found.setdefault(kind, []).append(_as_written(pattern, texts))
        elif reason.code == "dead":
            dead = int(reason.values[0])
            shown.append(counted("reason.dead", dead, language))
        elif reason.code in _PLAIN:
            shown.append(phrase(f"reason.{reason.code}", language))
    for kind, words in found.items():
        once = ", ".join(dict.fromkeys(words))
        shown.append(phrase(f"reason.{kind}", language, words=once))
    return shown


def _as_written(pattern: str, texts: Sequence[str]) -> str:
    """The words of a story that a pattern ("evacuat*", "border guard*") found; a stem nobody finds
    ends in "…".
    """
    wanted = [(fold(word), bool(star)) for word, star in _STEM.findall(pattern)]
    for text in texts:
        tokens = _WORD.findall(comparable(text))
        folded = [fold(token) for token in tokens]
        for at in range(len(tokens) - len(wanted) + 1):
            window = folded[at : at + len(wanted)]
            if all(
                has == word or (stem and has.startswith(word))
                for has, (word, stem) in zip(window, wanted, strict=True)
            ):
                return " ".join(tokens[at : at + len(wanted)]).lower()
    return pattern.replace("*", "…")
