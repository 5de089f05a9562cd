"""Something an operator must know."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from bot.alerts.kind import Desk, Kind, Reader
from bot.i18n import day, known, t
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.render.numbers import as_printed
from bot.render.text import Button, Message, Rows, fill, message
from storage.alerts import StoredAlert

LASTS = timedelta(days=2)
NO_NAMES: Mapping[str, str] = {}
#: Notices that ask for the operator's word → the first word of their buttons.
DECIDED = {"notice.held": "held", "notice.story": "story"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Payload):
    """What an operator must know: `msgid` from the catalogs, filled with `values`."""

    KIND = "notice"

    msgid: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def about(self) -> About:
        """The chat that it names: it is forgotten with that."""
        chat = dict(self.values).get("chat", "")
        return About(chat=int(chat)) if chat.removeprefix("-").isdecimal() else About()

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "msgid": self.msgid, "values": [list(pair) for pair in self.values]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(msgid=data["msgid"], values=tuple((str(k), str(v)) for k, v in data["values"]))


class Notices(Kind):
    """A notice to an operator."""

    payload = Notice

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The text of the catalogs, filled with the notice's values."""
        banks = {key: desk.catalog.names(key, reader.language) for key in desk.catalog.rates}
        return notice(Notice.read(told.payload), reader.language, banks=banks)


# --- key and life ---------------------------------------------------------------------------------


def alert(admin: int, msgid: str, values: Mapping[str, str], *, now: datetime) -> Alert:
    """An operator's message; the same trouble is told once a day."""
    digest = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:16]
    return Alert(
        dedup_key=f"notice:{admin}:{msgid}:{digest}:{now:%Y-%m-%d}",
        payload=Notice(msgid=msgid, values=tuple(sorted(values.items()))),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=admin),
        created_at=now,
        expires_at=now + LASTS,
    )


def decided(
    admin: int, held: int, msgid: str, values: Mapping[str, str], *, now: datetime
) -> Alert:
    """A silent word to an operator: another one decided about the alert `held`."""
    return Alert(
        dedup_key=f"decided:{held}:{admin}",
        payload=Notice(msgid=msgid, values=tuple(sorted(values.items()))),
        severity=Severity.INFO,
        lane=Lane.ALERT,
        audience=Audience(chat=admin),
        created_at=now,
        expires_at=now + LASTS,
    )


# --- words ----------------------------------------------------------------------------------------


def notice(notice: Notice, language: str, *, banks: Mapping[str, str] = NO_NAMES) -> Message:
    """Something an operator must know; a notice without words of its own still tells what it
    carries.

    `banks` are the names of rate sources by key, for those notices that call them by name.
    """
    if known(notice.msgid):
        values = {name: _said(name, value, language, banks) for name, value in notice.values}
        held, what = values.pop("held", None), DECIDED.get(notice.msgid)
        buttons = _decision(what, held, language) if what and held else ()
        return message(fill(t(notice.msgid, language), **values), buttons)
    what = ", ".join([notice.msgid, *(f"{name}: {value}" for name, value in notice.values)])
    return message(fill(t("notice.other", language), what=what))


def _said(name: str, value: str, language: str, banks: Mapping[str, str]) -> str:
    """A notice's value in words: a bank by its name, a day as people write it."""
    if name in {"bank", "other"}:
        return banks.get(value, value)
    if name in {"rate", "theirs"} and value.replace(".", "", 1).isdecimal():
        return as_printed(Decimal(value), language)
    return day(date.fromisoformat(value), language) if name == "day" else value


def _decision(what: str, number: str, language: str) -> Rows:
    approve = Button(t("button.approve", language), data=f"{what}:approve:{number}")
    reject = Button(t("button.reject", language), data=f"{what}:reject:{number}")
    return ((approve, reject),)
