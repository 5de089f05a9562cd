"""Alerts, one file a kind: payload, key and life, words, why, what its buttons mute, how it reaches
a chat.

`KINDS` is the table: one more kind is one more file and one more line of it. A kind that lacks a
part is refused when this is imported, by the name of the part.
"""

from __future__ import annotations

from bot.alerts.answers import Answers
from bot.alerts.corrections import Corrections
from bot.alerts.digests import Digests
from bot.alerts.edits import Edits
from bot.alerts.kind import Desk, Kind, Reader, table
from bot.alerts.moves import Moves
from bot.alerts.notices import Notices
from bot.alerts.rules import Rules
from bot.alerts.stories import Stories
from storage.alerts import StoredAlert

#: The kinds of alert by the name that is stored.
KINDS = table(Moves(), Rules(), Corrections(), Stories(), Edits(), Digests(), Notices(), Answers())


def kind_of(told: StoredAlert) -> Kind:
    """The kind of a stored alert."""
    return KINDS[told.payload.KIND]


__all__ = ["KINDS", "Desk", "Kind", "Reader", "kind_of"]
