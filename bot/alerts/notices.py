"""Something an operator must know."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from bot.alerts.kind import Desk, Kind, Reader
from bot.i18n import day, known, t
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.model.reasons import Reason
from bot.render.numbers import as_printed
from bot.render.reasons import because
from bot.render.text import Button, Message, Rich, Rows, fill, message
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
        return notice(
            Notice.read(told.payload),
            reader.language,
            banks=banks,
            reasons=told.reasons,
            today=told.created_at.date(),
        )


# --- key and life ---------------------------------------------------------------------------------


def alert(
    admin: int,
    msgid: str,
    values: Mapping[str, str],
    *,
    now: datetime,
    reasons: tuple[Reason, ...] = (),
) -> Alert:
    """An operator's message; the same trouble, for the same `reasons`, is told once a day."""
    same = repr([*sorted(values.items()), *reasons])
    digest = hashlib.sha256(same.encode()).hexdigest()[:16]
    return Alert(
        dedup_key=f"notice:{admin}:{msgid}:{digest}:{now:%Y-%m-%d}",
        payload=Notice(msgid=msgid, values=tuple(sorted(values.items()))),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=admin),
        created_at=now,
        expires_at=now + LASTS,
        reasons=reasons,
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


def notice(
    notice: Notice,
    language: str,
    *,
    banks: Mapping[str, str] = NO_NAMES,
    reasons: Sequence[Reason] = (),
    today: date | None = None,
) -> Message:
    """Something an operator must know; a notice without words of its own still tells what it
    carries.

    `banks` are the names of rate sources by key, for those notices that call them by name; the
    `reasons`, if there are any, are its {why}, and `today` the day it was made.
    """
    if known(notice.msgid):
        carried = dict(notice.values)
        held, what = carried.pop("held", None), DECIDED.get(notice.msgid)
        buttons = _decision(what, held, language) if what and held else ()
        severity = carried.pop("severity", None)
        values: dict[str, str | Rich] = {}
        for name, value in carried.items():
            values[name] = _said(name, value, language, banks)
        if reasons and today is not None:
            texts = [carried.get("title", ""), carried.get("text", "")]
            why = because(reasons, language, today=today, texts=texts)
            judged = f"{t(f'severity.{severity}', language)}: " if severity else ""
            values["why"] = judged + why
        return message(fill(t(notice.msgid, language), **values), buttons)
    what = ", ".join([notice.msgid, *(f"{name}: {value}" for name, value in notice.values)])
    return message(fill(t("notice.other", language), what=what))


def _said(name: str, value: str, language: str, banks: Mapping[str, str]) -> str:
    """A notice's value in words: a bank by its name, a day as people write it, why we may not write
    to a chat where that is our own word and not Telegram's.
    """
    if name == "why" and known(f"gone.{value}".replace(" ", "_")):
        return t(f"gone.{value}".replace(" ", "_"), language)
    if name in {"bank", "other"}:
        return banks.get(value, value)
    if name in {"rate", "theirs"} and value.replace(".", "", 1).isdecimal():
        return as_printed(Decimal(value), language)
    return day(date.fromisoformat(value), language) if name == "day" else value


def _decision(what: str, number: str, language: str) -> Rows:
    approve = Button(t("button.approve", language), data=f"{what}:approve:{number}")
    reject = Button(t("button.reject", language), data=f"{what}:reject:{number}")
    return ((approve, reject),)
