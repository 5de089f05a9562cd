"""Something an operator must know, or whoever set a channel up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol, Self

import storage.alerts
import storage.chats
import storage.setups
from bot.alerts.kind import Kind, Kit, Reader
from bot.errors import NewerError
from bot.i18n import known, t
from bot.model.alerts import NOTHING, About, Alert, Audience, Lane, Payload, Severity, Terms
from bot.model.rates import Rate
from bot.reasons import (
    ChatNumber,
    Figure,
    Figures,
    Printed,
    Quote,
    Reason,
    Since,
    SourceKey,
    Term,
    figures_from_json,
    figures_to_json,
    plain,
    written,
)
from bot.render.desk import correction_buttons, rate_buttons, story_buttons
from bot.render.phrases import phrase
from bot.render.reasons import NO_NAMES, Names, because, figure_told
from bot.render.text import Message, Rich, Rows, message, one_line, placeholders
from storage.alerts import StoredAlert
from storage.db import Db

LASTS = timedelta(days=2)
HOUR = timedelta(hours=1)
MOST_AN_HOUR = 200  # that are looked through: an hour has fewer
#: Notices that a trouble is over.
GOOD_NEWS = frozenset({"notice.well", "notice.fresh", "notice.speaks"})
#: A trouble that nobody gave a reason for is told all the same.
NO_REASON = "–"
NOBODY: Mapping[str, Figure] = {}


class OnTrouble(Protocol):
    """A function that tells the operators of a trouble, and why it is one."""

    async def __call__(self, told: Notice, /, *why: Reason) -> None:
        """Tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Payload):
    """A notice to an operator: the text `msgid` of the catalogs, filled with figures by name.

    The `names` say what it is about: another word with the same is about the same trouble, whatever
    its `figures`. A question has the number of what it asks about (`held`), and of a story how
    grave that is. Why is the alert's reasons, and the text's {why}.
    """

    KIND = "notice"
    VERSION = 2
    TERMS = Terms(passes_stop=True, personal=True)

    msgid: str
    names: Figures = ()
    figures: Figures = ()
    held: int | None = None
    severity: Severity | None = None

    @classmethod
    def of(
        cls,
        msgid: str,
        names: Mapping[str, Figure] = NOBODY,
        /,
        *,
        held: int | None = None,
        severity: Severity | None = None,
        **figures: Figure,
    ) -> Self:
        """A notice with the names of what it is about, and the figures that may change."""
        return cls(
            msgid=msgid,
            names=tuple(names.items()),
            figures=tuple(figures.items()),
            held=held,
            severity=severity,
        )

    @property
    def about(self) -> About:
        """The chat that it names: it is forgotten with that."""
        for _, figure in self.values:
            if isinstance(figure, ChatNumber):
                return About(chat=int(figure))
        return NOTHING

    @property
    def values(self) -> Figures:
        """Everything that the text is filled with: names first, then figures."""
        return self.names + self.figures

    def to_json(self) -> dict[str, Any]:
        """Version 2 of the stored form."""
        return {
            "v": self.VERSION,
            "msgid": self.msgid,
            "names": figures_to_json(self.names),
            "figures": figures_to_json(self.figures),
            "held": self.held,
            "severity": self.severity,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        if data["v"] == 1:
            return cls(**_of_version_1(data))
        severity = data["severity"]
        return cls(
            msgid=data["msgid"],
            names=figures_from_json(data["names"]),
            figures=figures_from_json(data["figures"]),
            held=data["held"],
            severity=None if severity is None else Severity(severity),
        )


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

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The text of the catalogs, filled with the notice's values."""
        names: dict[str | int, str] = {}
        for key in (*kit.catalog.rates, *kit.catalog.news):
            names[key] = kit.catalog.names(key, reader.language)
        carried = Notice.read(told.payload)
        if (number := carried.about.chat) is not None:
            known_chat = await storage.chats.get(kit.db, number)
            if known_chat is not None and known_chat.title:
                names[number] = one_line(known_chat.title)
        return notice(
            carried,
            reader.language,
            names=names,
            reasons=told.reasons,
            today=told.created_at.date(),
        )


# --- key and life ---------------------------------------------------------------------------------


def alert(admin: int, told: Notice, *, now: datetime, reasons: tuple[Reason, ...] = ()) -> Alert:
    """An operator's message; the same trouble, for the same `reasons`, is told once a day."""
    same = repr([told.to_json(), *map(written, reasons)])
    digest = hashlib.sha256(same.encode()).hexdigest()[:16]
    key = f"notice:{admin}:{told.msgid}:{digest}:{now:%Y-%m-%d}"
    return replace(_alert(admin, key, told, now=now), reasons=reasons)


async def tell(
    db: Db,
    admins: Iterable[int],
    told: Notice,
    *,
    now: datetime,
    reasons: tuple[Reason, ...] = (),
) -> bool:
    """Tell the operators: the same figures once a day, the same trouble once an hour at most; good
    news, and questions, each of which waits for its own word, always. Whether it is told now.
    """
    always = told.msgid in GOOD_NEWS or told.msgid in ASKS
    tells = False
    for admin in admins:
        if always or not await _told_lately(db, admin, told, now=now):
            one = alert(admin, told, now=now, reasons=reasons)
            tells |= await storage.alerts.enqueue(db, one) is not None
    return tells


def held_rate(rate: Rate, number: int, *, more: int) -> Notice:
    """The question whether a held rate is right; `more` rates were held with it."""
    said = f"{rate.pair} {rate.value}" + (f" (+{more})" if more else "")
    return Notice.of("notice.held", {"source": SourceKey(rate.source)}, held=number, rate=said)


async def latest(
    db: Db, admin: int, *, most: int, since: datetime | None = None
) -> list[StoredAlert]:
    """The notices that an operator got lately, or since then, newest first."""
    return await storage.alerts.sent_to(db, Notice.KIND, admin, most=most, since=since)


async def lost(db: Db, chat_id: int, why: Reason, *, now: datetime) -> None:
    """Tell whoever set a channel up that it cannot be written to any more, once for each loss."""
    owner = await storage.setups.to_be_told(db, chat_id)
    if owner is not None:
        told = Notice.of("notice.channel_lost", {"chat": ChatNumber(chat_id)})
        await storage.alerts.enqueue(db, alert(owner, told, now=now, reasons=(why,)))


async def _told_lately(db: Db, admin: int, made: Notice, *, now: datetime) -> bool:
    """Whether an operator was told of this trouble within the hour, in whatever words.

    Not where it was said since then that it is over.
    """
    for told in await latest(db, admin, most=MOST_AN_HOUR, since=now - HOUR):
        try:
            said = Notice.read(told.payload)
        except NewerError:  # told by a program of another version
            continue
        if dict(said.names) != dict(made.names):
            continue
        if said.msgid in GOOD_NEWS:
            return False
        # one of the future is left from before the clock was set back: it silences nobody
        if told.created_at <= now and said.msgid == made.msgid:
            return True
    return False


def decided(admin: int, held: int, told: Notice, *, now: datetime) -> Alert:
    """A silent word to an operator: another one decided about the alert `held`."""
    # they were asked as loudly as it was worth: that it is settled may wait for a look
    silent = _alert(admin, f"decided:{held}:{admin}", told, now=now)
    return replace(silent, severity=Severity.INFO)


def _alert(admin: int, dedup_key: str, told: Notice, *, now: datetime) -> Alert:
    return Alert(
        dedup_key=dedup_key,
        payload=told,
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
    names: Names = NO_NAMES,
    reasons: Sequence[Reason] = (),
    today: date | None = None,
) -> Message:
    """Something an operator must know; without words of its own it still tells what it carries.

    `names` are the sources', by their keys, and the chat's, by its number: no notice calls one by
    that; the `reasons`, if there are any, are its {why}, and `today` the day it was made.
    """
    if not known(notice.msgid):  # stored by another version of the program
        return _wordless(notice, language)
    asks = ASKS.get(notice.msgid)
    buttons: Rows = ()
    if asks and notice.held is not None:
        buttons = asks(notice.held, language)
    values: dict[str, str | Rich] = {}
    for name, figure in notice.values:
        values[name] = figure_told(figure, language, names=names)
    if reasons:
        values["why"] = _why(notice, reasons, language, today)
    elif "why" in placeholders(t(notice.msgid, language)):
        values.setdefault("why", NO_REASON)
    return message(phrase(notice.msgid, language, **values), buttons)


def _why(notice: Notice, reasons: Sequence[Reason], language: str, today: date | None) -> Rich:
    """The reasons in one line, after how grave the story is that they are about."""
    quoted = [figure for _, figure in notice.values if isinstance(figure, Quote)]
    why = because(reasons, language, today=today, texts=quoted)
    if notice.severity is None:
        return why
    return f"{t(f'severity.{notice.severity}', language)}: " + why


def _wordless(notice: Notice, language: str) -> Message:
    """The bare values of a notice, where the catalogs have no text of its kind."""
    carried = [notice.msgid]
    for name, figure in notice.values:
        carried.append(f"{name}: {plain(figure)}")
    return message(phrase("notice.other", language, what=", ".join(carried)))


#: Notices that ask for the operator's word → the buttons of what is held, by its number.
ASKS: Mapping[str, Callable[[int, str], Rows]] = {
    "notice.held": rate_buttons,
    "notice.story": story_buttons,
    "notice.correction": correction_buttons,
}


# --- version 1: values that were all text, each of a kind that its name says ----------------------

#: The names of figures that might differ from one word on a trouble to the next.
_CHANGED_IN_VERSION_1 = frozenset({"why", "alert", "count", "n", "last", "day", "rate", "theirs"})
#: Reasons for which a chat was given up, as they were written → their texts.
_GONE_IN_VERSION_1 = frozenset(
    {"blocked", "deactivated", "kicked", "not found", "no right to write", "never started"}
)


def _of_version_1(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a notice of version 1; its figures in an order that has titles before texts."""
    given = dict(data["values"])
    held, severity = given.pop("held", None), given.pop("severity", None)
    parts: dict[bool, list[tuple[str, Figure]]] = {False: [], True: []}
    for name, value in sorted(given.items(), reverse=True):
        figure = _figure_of_version_1(data["msgid"], name, value)
        parts[name in _CHANGED_IN_VERSION_1].append((name, figure))
    return {
        "msgid": data["msgid"],
        "names": tuple(parts[False]),
        "figures": tuple(parts[True]),
        "held": None if held is None else int(held),
        "severity": None if severity is None else Severity(severity),
    }


def _figure_of_version_1(msgid: str, name: str, value: str) -> Figure:
    if name == "day" and msgid == "notice.silent":
        return Since.fromisoformat(value)
    figure_of = _FIGURES_OF_VERSION_1.get(name)
    if figure_of is None:
        return value
    return figure_of(value)


def _chat(value: str) -> Figure:
    # groups and channels have numbers below zero
    return ChatNumber(value) if value.removeprefix("-").isdecimal() else value


def _printed(value: str) -> Figure:
    return Printed(value) if value.replace(".", "", 1).isdecimal() else value


def _why_gone(value: str) -> Figure:
    if value in _GONE_IN_VERSION_1:
        return Term(f"reason.gone.{value}".replace(" ", "_"))
    return value


_FIGURES_OF_VERSION_1: Mapping[str, Callable[[str], Figure]] = {
    "bank": SourceKey,
    "other": SourceKey,
    "source": SourceKey,
    "feeds": lambda value: tuple(map(SourceKey, value.split(", "))),
    "posts": lambda value: tuple(Term(f"post.{post}") for post in value.split()),
    "chat": _chat,
    "rate": _printed,
    "theirs": _printed,
    "day": date.fromisoformat,
    "title": Quote,
    "text": Quote,
    "why": _why_gone,
}
