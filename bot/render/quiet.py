"""Messages that waited for the end of quiet hours, and why; the menu that chooses the hours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from bot.i18n import decimal_mark, t, zone_place
from bot.model.chats import USUAL, Post, Sound, Sounds
from bot.model.quiet import QuietHours
from bot.model.rates import Move, Series
from bot.render.alerts import source_line, why_button
from bot.render.buttons import back_button, rows_of, switch
from bot.render.layout import block
from bot.render.news import left_out as said_left_out
from bot.render.numbers import as_printed, change
from bot.render.phrases import phrase, when
from bot.render.tables import Align, Column, Table
from bot.render.text import (
    LIMIT,
    Button,
    Message,
    Rich,
    bold,
    code,
    join,
    lines,
    message,
    units,
)

MOST_LINES = 20  # headlines and the like; what is more is counted
FOOT = 200  # units that are left for the lines below
#: Offered as taps; any other is written.
OFFERED = ("22:00-07:00", "23:00-07:00", "23:00-08:00", "00:00-08:00")
SourceNames = Callable[[str], dict[str, str]]


class Told(Protocol):
    """One of several alerts that are told together."""

    @property
    def move(self) -> Move | None:
        """The rate that moved."""

    @property
    def line(self) -> Rich | None:
        """Its line in a message with others."""

    @property
    def urgent(self) -> bool:
        """Whether it goes before others."""


def waited(
    told: Sequence[Told],
    language: str,
    *,
    alert: int,
    home: str,
    source_names: SourceNames,
    left_out: int = 0,
    unread: int = 0,
    channel: bool = False,
) -> Message | None:
    """Rates as tables, one a source; a line for each of the rest; None where nothing is left.

    What is `unread` is counted with that for which there is no room.
    """
    tables = _tables(told, home, language, source_names)
    # the urgent ones first; sorting is stable, so that both stay in their order
    said = [one.line for one in sorted(told, key=lambda one: not one.urgent) if one.line]
    if not tables and not said:
        return None
    whole = join("\n\n", [bold(t("waited.title", language)), *tables])
    shown = 0
    for one in said[:MOST_LINES]:
        longer = join("\n" if shown else "\n\n", [whole, "• " + one])
        if units(longer.text) > LIMIT - FOOT:
            break
        whole, shown = longer, shown + 1
    more = None
    if rest := len(said) - shown + unread:
        more = phrase("waited.more", language, n=rest)
    text = join("\n\n", [whole, more, said_left_out(left_out, language)])
    buttons = () if channel else ((why_button(alert, language),),)
    return message(text, buttons, silent=True)


def _tables(
    told: Iterable[Told], home: str, language: str, source_names: SourceNames
) -> list[Rich]:
    """The rates that moved, from what was told before to the newest, and whose these are."""
    moves: dict[Series, Move] = {}
    for one in told:
        if one.move is None:
            continue
        of = one.move.new.series
        # of several moves in one night, one row from the first price to the last
        old = moves[of].old if of in moves else one.move.old
        moves[of] = Move(old=old, new=one.move.new)
    sources: dict[tuple[str, str], list[Move]] = {}
    for of, move in moves.items():
        sources.setdefault((of.source, of.kind.value), []).append(move)
    found: list[Rich] = []
    for mine in sources.values():
        newest = max((move.new for move in mine), key=lambda rate: rate.effective_on)
        foot = source_line(newest, language, source_names=source_names(newest.source))
        found.append(lines(block(_table(mine, home, language), headed=False), foot))
    return found


def _table(moves: Sequence[Move], home: str, language: str) -> Table:
    """The rates before and after, a row each; an arrow says in words what a table's titles say."""
    columns = (
        Column(align=Align.LEFT),
        Column(title=t("waited.before", language), before=" "),
        Column(title=t("waited.after", language), before=" → "),
        Column(align=Align.LAST, before=" "),
    )
    rows: list[tuple[str, ...]] = []
    for move in moves:
        pair = move.new.pair
        name = pair.base if pair.quote == home else str(pair)
        old, new = as_printed(move.old.per_unit, language), as_printed(move.new.per_unit, language)
        rows.append((name, old, new, change(move.percent, language, 1)))
    return Table(columns=columns, rows=tuple(rows), mark=decimal_mark(language))


def why_waited(
    hours: str, parts: Sequence[tuple[datetime, Told]], language: str, zone: str
) -> Message:
    """A *Why?*: the quiet hours that all this waited for, and when each of it was decided."""
    because = phrase("waited.why_past", language)
    if hours:
        because = phrase("waited.why", language, hours=bold(as_said(hours)))
    shown: list[Rich] = []
    for at, one in parts[:MOST_LINES]:
        what = one.line
        if one.move is not None:
            moved = join(" ", [str(one.move.new.pair), change(one.move.percent, language, 1)])
            what = join(" · ", [moved, one.line])
        shown.append(join(" ", ["•", when(at, language, zone), "·", what]))
    return message(lines(because, *shown, phrase("waited.tune", language)))


def as_said(hours: QuietHours | str) -> str:
    """A span as it is read: 23:00–07:00."""
    return str(hours).replace("-", "–")


def packed(hours: str) -> str:
    """A span as a button's data has it: 2300-0700."""
    return hours.replace(":", "")


def menu(
    hours: QuietHours | None,
    language: str,
    *,
    urgent: bool,
    zone: str,
    example: str,
    back: str = "",
) -> Message:
    """The quiet hours as they are, and a tap for others: data `quiet:2300-0700`, `quiet:off`,
    `quiet:pass`, `quiet:wait`.
    """
    said = t("quiet.none", language)
    if hours is not None:
        said = f"{as_said(hours)} · {zone_place(zone, language)}"
    passing = t("quiet.urgent_passes" if urgent else "quiet.urgent_waits", language)
    text = lines(
        join(" · ", [bold(t("quiet.title", language)), said]),
        t("quiet.what", language),
        passing,
        phrase("quiet.other", language, example=code(example)),
    )
    spans: list[Button] = []
    for one in OFFERED:
        spans.append(switch(as_said(one), f"quiet:{packed(one)}", on=one == str(hours)))
    rows = [*rows_of(spans, 2)]
    if hours is not None:
        rows.append([Button(t("quiet.off", language), "quiet:off")])
    change = "quiet:wait" if urgent else "quiet:pass"
    rows.append([switch(t("quiet.let_urgent", language), change, on=urgent)])
    if back:
        rows.append([back_button(language, back)])
    return message(text, rows)


def sounds(chosen: Sounds, language: str, *, back: str) -> Message:
    """The loudness of each kind of post; a tap makes it the next: data `sound:rates:silent`."""
    ways = tuple(Sound)
    buttons: list[Button] = []
    for post in Post:
        now = chosen.get(post, USUAL[post])
        following = ways[(ways.index(now) + 1) % len(ways)]
        named = join(": ", [t(f"post.{post.value}", language), t(f"sound.{now.value}", language)])
        buttons.append(Button(named.text, f"sound:{post.value}:{following.value}"))
    text = lines(bold(t("sound.title", language)), t("sound.what", language))
    return message(text, [*([one] for one in buttons), [back_button(language, back)]])
