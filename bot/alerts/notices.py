"""Something an operator must know, or whoever set a channel up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, Self

import storage.alerts
import storage.chats
import storage.setups
from bot.alerts.kind import Desk, Kind, Reader
from bot.errors import NewerError
from bot.i18n import day_at, day_since, known, t
from bot.model.alerts import NOTHING, About, Alert, Audience, Lane, Payload, Severity, Terms
from bot.reasons import Reason, written
from bot.render.desk import correction_buttons, story_buttons
from bot.render.numbers import as_printed
from bot.render.phrases import phrase
from bot.render.reasons import because
from bot.render.text import Button, Colour, Message, Rich, Rows, message, one_line, places
from storage.alerts import StoredAlert
from storage.db import Db

LASTS = timedelta(days=2)
HOUR = timedelta(hours=1)
MOST_AN_HOUR = 200  # that are looked through: an hour has fewer
#: Values that may differ from one word on a trouble to the next.
CHANGING = frozenset({"why", "alert", "count", "n", "last", "day", "rate", "theirs"})
#: Notices that a trouble is over.
GOOD_NEWS = frozenset({"notice.well", "notice.fresh", "notice.speaks"})
#: None of these is kept back: the questions, each of which waits for its own word, and good news.
ALWAYS_TOLD = GOOD_NEWS | {"notice.held", "notice.story", "notice.correction"}
#: A trouble that nobody gave a reason for is told all the same.
NO_REASON = "–"
NO_NAMES: Mapping[str, str] = {}
SINCE = frozenset({"notice.silent"})  # notices whose {day} is when something began


class OnTrouble(Protocol):
    """A function that tells the operators of a trouble: a text, its values, and why."""

    async def __call__(self, msgid: str, values: dict[str, str], /, *why: Reason) -> None:
        """Tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Payload):
    """A notice to an operator: `msgid` from the catalogs, filled with `values`.

    Why is the alert's reasons, and its {why}; earlier versions had a sentence among the values.
    """

    KIND = "notice"
    TERMS = Terms(passes_stop=True, personal=True)

    msgid: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def about(self) -> About:
        """The chat that it names: it is forgotten with that."""
        chat = dict(self.values).get("chat", "")
        if not chat.removeprefix("-").isdecimal():  # groups and channels have numbers below zero
            return NOTHING
        return About(chat=int(chat))

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": self.VERSION, "msgid": self.msgid, "values": list(map(list, self.values))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        values = []
        for name, value in data["values"]:
            values.append((str(name), str(value)))
        return cls(msgid=data["msgid"], values=tuple(values))


class Notices(Kind):
    """A notice to an operator."""

    payload = Notice
    texts = (
        "notice.board_deleted",
        "notice.board_deleted_catalog",
        "notice.board_deleted_here",
        "notice.board_lost",
        "notice.board_lost_catalog",
        "notice.board_lost_here",
        "notice.board_unpinned",
        "notice.board_unpinned_catalog",
        "notice.board_unpinned_here",
        "notice.channel_lost",
        "notice.fresh",
        "notice.held",
        "notice.rejected",
        "notice.newer",
        "notice.silent",
        "notice.speaks",
        "notice.story",
        "notice.correction",
        "notice.other",
        "notice.well",
        "button.approve",
        "button.reject",
        "button.send",
        "button.edit_headline",
        "button.same_as",
    )

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The text of the catalogs, filled with the notice's values."""
        sources = (*desk.catalog.rates, *desk.catalog.news)
        names = {key: desk.catalog.names(key, reader.language) for key in sources}
        carried = Notice.read(told.payload)
        if (number := carried.about.chat) is not None:
            known_chat = await storage.chats.get(desk.db, number)
            if known_chat is not None and known_chat.title:
                names[str(number)] = one_line(known_chat.title)
        return notice(
            carried,
            reader.language,
            names=names,
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
    key = f"notice:{admin}:{msgid}:{digest}:{now:%Y-%m-%d}"
    return replace(_alert(admin, key, msgid, values, now=now), reasons=reasons)


async def tell(
    db: Db,
    admins: Iterable[int],
    msgid: str,
    values: Mapping[str, str],
    *,
    now: datetime,
    reasons: tuple[Reason, ...] = (),
) -> None:
    """Tell the operators: the same values once a day, the same trouble once an hour at most."""
    told = _notice(msgid, values)
    for admin in admins:
        made = alert(admin, msgid, values, now=now, reasons=reasons)
        if msgid in ALWAYS_TOLD or not await _told_lately(db, admin, told, reasons, now=now):
            await storage.alerts.enqueue(db, made)


async def latest(
    db: Db, admin: int, *, most: int, since: datetime | None = None
) -> list[StoredAlert]:
    """The notices that an operator got lately, or since then, newest first."""
    return await storage.alerts.sent_to(db, Notice.KIND, admin, most=most, since=since)


async def lost(db: Db, chat_id: int, why: Reason, *, now: datetime) -> None:
    """Tell whoever set a channel up that it cannot be written to any more, once for each loss."""
    owner = await storage.setups.to_be_told(db, chat_id)
    if owner is not None:
        values = {"chat": str(chat_id)}
        told = alert(owner, "notice.channel_lost", values, now=now, reasons=(why,))
        await storage.alerts.enqueue(db, told)


async def _told_lately(
    db: Db, admin: int, made: Notice, reasons: Sequence[Reason], *, now: datetime
) -> bool:
    """Whether an operator was told of this trouble within the hour, in whatever words.

    Not where it was said since then that it is over.
    """
    trouble = _trouble(made, reasons)
    for told in await latest(db, admin, most=MOST_AN_HOUR, since=now - HOUR):
        try:
            said, named = _trouble(Notice.read(told.payload), told.reasons)
        except NewerError:  # told by a program of another version
            continue
        if said in GOOD_NEWS and named == trouble[1]:
            return False
        # one of the future is left from before the clock was set back: it silences nobody
        if told.created_at <= now and (said, named) == trouble:
            return True
    return False


def _trouble(told: Notice, reasons: Sequence[Reason]) -> tuple[str, dict[str, str]]:
    """The trouble that a notice is about: its text, and whom it names."""
    values = dict(told.values)
    named = {name: value for name, value in values.items() if name not in CHANGING}
    if told.msgid == "notice.rejected":  # it names nobody, and each reason is another fault
        named["why"] = "; ".join(map(written, reasons)) or values.get("why", "")
    return told.msgid, named


def decided(
    admin: int, held: int, msgid: str, values: Mapping[str, str], *, now: datetime
) -> Alert:
    """A silent word to an operator: another one decided about the alert `held`."""
    # they were asked as loudly as it was worth: that it is settled may wait for a look
    silent = _alert(admin, f"decided:{held}:{admin}", msgid, values, now=now)
    return replace(silent, severity=Severity.INFO)


def _notice(msgid: str, values: Mapping[str, str]) -> Notice:
    return Notice(msgid=msgid, values=tuple(sorted(values.items())))


def _alert(
    admin: int, dedup_key: str, msgid: str, values: Mapping[str, str], *, now: datetime
) -> Alert:
    return Alert(
        dedup_key=dedup_key,
        payload=_notice(msgid, values),
        severity=Severity.NOTABLE,
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
    names: Mapping[str, str] = NO_NAMES,
    reasons: Sequence[Reason] = (),
    today: date | None = None,
) -> Message:
    """Something an operator must know; without words of its own it still tells what it carries.

    `names` are the sources', by their keys, and the chat's, by its number: no notice calls one by
    that; the `reasons`, if there are any, are its {why}, and `today` the day it was made.
    """
    if not known(notice.msgid):  # stored by another version of the program
        return _wordless(notice, language)
    carried = dict(notice.values)
    held, asks = carried.pop("held", None), ASKS.get(notice.msgid)
    buttons: Rows = ()
    if asks and held:
        buttons = asks(int(held), language)
    severity = carried.pop("severity", None)
    values: dict[str, str | Rich] = {}
    for name, value in carried.items():
        values[name] = _said(notice.msgid, name, value, language, names)
    if reasons:
        texts = [carried.get("title", ""), carried.get("text", "")]
        why = because(reasons, language, today=today, texts=texts)
        if severity:
            why = f"{t(f'severity.{severity}', language)}: " + why
        values["why"] = why
    elif "why" in places(t(notice.msgid, language)):
        values.setdefault("why", NO_REASON)
    return message(phrase(notice.msgid, language, **values), buttons)


def _wordless(notice: Notice, language: str) -> Message:
    """The bare values of a notice, where the catalogs have no text of its kind."""
    carried = [notice.msgid]
    for name, value in notice.values:
        carried.append(f"{name}: {value}")
    return message(phrase("notice.other", language, what=", ".join(carried)))


def _said(msgid: str, name: str, value: str, language: str, names: Mapping[str, str]) -> str:
    """A notice's value in words: sources by their names, figures and days as people write them."""
    # of an earlier version: our own word for why we may not write to a chat has a text
    if name == "why" and known(f"reason.gone.{value}".replace(" ", "_")):
        return t(f"reason.gone.{value}".replace(" ", "_"), language)
    if name in {"bank", "other", "source", "feeds"}:
        return ", ".join(names.get(key, key) for key in value.split(", "))
    if name == "chat":
        return names.get(value, value)
    if name in {"rate", "theirs"} and value.replace(".", "", 1).isdecimal():
        return as_printed(Decimal(value), language)
    if name == "day":
        said = day_since if msgid in SINCE else day_at
        return said(date.fromisoformat(value), language)
    if name == "posts":
        value = ", ".join(t(f"post.{post}", language) for post in value.split())
    return value


def _rate_buttons(number: int, language: str) -> Rows:
    approve = Button(
        t("button.approve", language), data=f"held:approve:{number}", colour=Colour.GREEN
    )
    reject = Button(t("button.reject", language), data=f"held:reject:{number}", colour=Colour.RED)
    return ((approve, reject),)


#: Notices that ask for the operator's word → the buttons of what is held, by its number.
ASKS: Mapping[str, Callable[[int, str], Rows]] = {
    "notice.held": _rate_buttons,
    "notice.story": story_buttons,
    "notice.correction": correction_buttons,
}
