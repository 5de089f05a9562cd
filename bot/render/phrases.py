"""Texts of the catalogs with their values put in."""

from __future__ import annotations

from datetime import datetime

from bot.i18n import moment, t, tn
from bot.render.text import Rich, fill, instant


def phrase(msgid: str, language: str, /, **values: Rich | str | int) -> Rich:
    """A text in the reader's language; each of its {names} needs a value, and no value may idle."""
    return fill(t(msgid, language), **values)


def counted(msgid: str, n: int, language: str, /, **values: Rich | str | int) -> Rich:
    """A text in the plural form that `n` asks for; `{n}` is the number itself."""
    return fill(tn(msgid, n, language), n=n, **values)


def when(at: datetime, language: str, zone: str, *, now: datetime | None = None) -> Rich:
    """Day and hour as `moment` writes them, to be tapped by who lives in another zone."""
    return instant(moment(at, language, zone, now=now), at)
