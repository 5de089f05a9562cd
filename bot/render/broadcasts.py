"""A broadcast as its operator sees it: the question, whom it reaches, how far it has come."""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n import t
from bot.model.alerts import EVERYBODY
from bot.model.broadcasts import Progress, Reach, StoredBroadcast
from bot.model.chats import ChatKind
from bot.model.subjects import TopicSubject, parse_subject
from bot.render.buttons import rows_of, switch
from bot.render.phrases import counted, phrase
from bot.render.text import Button, Colour, Message, Rich, bold, join, lines, message

#: What chats of a kind are called, with their number.
KINDS = {
    ChatKind.PRIVATE: "broadcast.private",
    ChatKind.GROUP: "broadcast.groups",
    ChatKind.CHANNEL: "broadcast.channels",
}


def ask_words(number: int, language: str) -> Message:
    """The request for the words of a broadcast."""
    return message(phrase("broadcast.ask", language), ((_cancel(number, language),),))


def preview(shown: StoredBroadcast, reach: Reach, topics: Sequence[str], language: str) -> Message:
    """Below the message itself: whom it reaches, others to choose, and the first of two steps."""
    switches = [_audience_button(shown, EVERYBODY, language)]
    for topic in topics:
        switches.append(_audience_button(shown, topic, language))
    send = Button(t("button.send", language), data=f"cast:send:{shown.id}", colour=Colour.GREEN)
    rows = [*rows_of(switches, 3), [send, _cancel(shown.id, language)]]
    return message(lines(phrase("broadcast.shown", language), chats_by_kind(reach, language)), rows)


def confirm(shown: StoredBroadcast, reach: Reach, language: str) -> Message:
    """The second of two steps: to whom it goes, a button to send it and one back."""
    words = lines(bold(t("broadcast.sure", language)), _to_whom(shown, reach, language))
    yes = counted("button.broadcast_yes", reach.total, language).text
    sure = Button(yes, data=f"cast:sure:{shown.id}")
    back = Button(t("button.back", language), data=f"cast:back:{shown.id}")
    return message(words, ((sure,), (back,)))


def progress(sent: StoredBroadcast, so_far: Progress, language: str) -> Message:
    """Its progress; with Stop while there is something to stop."""
    all_of_it = max(sent.reach, so_far.settled + so_far.waiting)
    done = phrase("broadcast.sent", language, n=so_far.sent, all=all_of_it)
    missed = []
    if so_far.failed:
        missed.append(counted("broadcast.failed", so_far.failed, language))
    if so_far.open:
        stop = Button(
            t("button.stop_broadcast", language), data=f"cast:stop:{sent.id}", colour=Colour.RED
        )
        title = bold(t("broadcast.under_way", language))
        return message(lines(title, done, *missed), ((stop,),))
    if so_far.stopped or so_far.settled < sent.reach:
        title = bold(t("broadcast.stopped", language))
    else:
        title = bold(t("broadcast.done", language))
    return message(lines(title, done, *missed))


def _to_whom(shown: StoredBroadcast, reach: Reach, language: str) -> Rich:
    whom = _audience_name(shown.audience, language)
    return join(": ", [whom, chats_by_kind(reach, language)])


def chats_by_kind(reach: Reach, language: str) -> Rich:
    """The number of chats by kind; kinds without any are not named."""
    parts = []
    for kind, n in reach.kinds.items():
        if n:
            parts.append(counted(KINDS[kind], n, language))
    if not parts:
        return phrase("broadcast.nobody", language)
    return join(", ", parts)


def _audience_name(audience: str, language: str) -> str:
    if audience == EVERYBODY:
        return t("broadcast.everybody", language)
    return t(f"topic.{parse_subject(audience).which}", language)  # a topic's readers


def _audience_button(shown: StoredBroadcast, what: str, language: str) -> Button:
    """A switch for everybody, or for a topic's readers."""
    key = what if what == EVERYBODY else str(TopicSubject(what))
    name = _audience_name(key, language)
    data = f"cast:to:{shown.id}:{'all' if what == EVERYBODY else what}"
    return switch(name, data, on=key == shown.audience)


def _cancel(number: int, language: str) -> Button:
    return Button(t("button.cancel", language), data=f"cast:cancel:{number}")
