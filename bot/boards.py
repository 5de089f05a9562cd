"""Keeping the boards of channels and groups: made once, pinned, edited when they would say more.

A board is kept by alerts like any other: one makes its message, one pins it, others edit it. What
became of them is looked up in the outbox, and each step is decided in one transaction with the
board's row: a kill between two steps repeats or loses none, and of two replicas one decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import storage.alerts
import storage.boards
import storage.chats
import storage.setups
from bot.alerts import KINDS, boards, notices, pins
from bot.alerts.kind import Kit
from bot.alerts.notices import Notice
from bot.deliver.marks import MAY_HAVE_ARRIVED, NOTHING_TO_SAY
from bot.model.alerts import State
from bot.model.channels import Board, Trouble
from bot.model.chats import Chat, ChatKind
from bot.reasons import ChatNumber
from bot.sources.specs import Catalog
from bot.telegram.outcomes import NO_MESSAGE
from storage.boards import Fate
from storage.db import Db, Store

#: An alert that ended so was not sent, and its message may be made or pinned by another.
ENDED_UNSENT = frozenset({State.EXPIRED, State.SUPERSEDED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a trouble: for who set a channel up, for a group, for the operators."""

    owner: str
    group: str
    operators: str


#: How whoever asked for a board hears of its trouble.
TOLD: Mapping[Trouble, Words] = {
    Trouble.DELETED: Words(
        owner="notice.board_deleted",
        group="notice.board_deleted_here",
        operators="notice.board_deleted_catalog",
    ),
    Trouble.LOST: Words(
        owner="notice.board_lost",
        group="notice.board_lost_here",
        operators="notice.board_lost_catalog",
    ),
    Trouble.UNPINNED: Words(
        owner="notice.board_unpinned",
        group="notice.board_unpinned_here",
        operators="notice.board_unpinned_catalog",
    ),
}


async def keep_boards(
    store: Store,
    catalog: Catalog,
    clock: Callable[[], datetime],
    *,
    admins: Sequence[int] = (),
) -> bool | None:
    """Bring every board a step further; whether there is something to send now, None where there
    is no board.

    The `admins` hear of the troubles of those that the catalog asks for.
    """
    async with store.reading() as db:
        chats = await storage.boards.kept(db)
    enqueued = False
    for number in chats:
        enqueued |= await _keep(store, catalog, number, admins=admins, now=clock())
    return enqueued if chats else None


async def _keep(
    store: Store, catalog: Catalog, number: int, *, admins: Sequence[int], now: datetime
) -> bool:
    """One board's next step, if there is one now; whether an alert came of it."""
    async with store.reading() as db:
        chat = await storage.chats.get(db, number)
        if chat is None:
            return False
        shown = await boards.body(Kit(db=db, catalog=catalog, kinds=KINDS), chat, now=now)
        kept = await storage.boards.get(db, number)
    hashed = boards.hash_of(shown, tables=chat.tables) if shown.text else None
    if kept is not None and _rests(kept, hashed):  # nearly always: nothing is written for it
        return False
    async with store.writing() as db:
        kept = await storage.boards.get(db, number, lock=True)
        if kept is None or not kept.kept:  # it was switched off meanwhile
            return False
        enqueued = await _next_step(db, kept, hashed, now)
        return await _tell_of_trouble(db, chat, kept, admins=admins, now=now) or enqueued


async def _next_step(db: Db, kept: Board, hashed: str | None, now: datetime) -> bool:
    """Make, pin or edit a board, whichever is its turn; whether there is something to send now."""
    if kept.message is None:
        return await _to_be_made(db, kept, hashed, now)
    if kept.pinned_by is not None:
        return await _to_be_pinned(db, kept, kept.message, kept.pinned_by, now)
    return await _to_be_edited(db, kept, hashed, now)


def _rests(kept: Board, hashed: str | None) -> bool:
    """Whether a board stands, nothing of it is under way, and it would say nothing else."""
    under_way = kept.pinned_by is not None or kept.edited_by is not None
    return kept.message is not None and not under_way and hashed in {None, kept.shown}


async def _to_be_made(db: Db, kept: Board, hashed: str | None, now: datetime) -> bool:
    """A board without a message: it is made, waited for, and pinned once it is there."""
    if kept.made_by is None:
        if hashed is None:  # nothing to show yet
            return False
        made_by = await _enqueue(db, kept, None, now)
        await storage.boards.change(db, kept.chat, made_by=made_by, shown=hashed)
        return True
    made = await storage.boards.fate(db, kept.made_by, kept.chat)
    if made is not None and made.open:
        return False
    if made is None or made.state in ENDED_UNSENT:
        await storage.boards.change(db, kept.chat, made_by=None)
        return False
    if made.state is State.SENT and made.message:
        await _pin(db, kept, made.message, now)
        return True
    if made.state is State.SENT:  # and deleted before Telegram could say its number
        await _deleted(db, kept)
    # it may stand there, and a second one would be one too many
    elif kept.remade or _is(made, MAY_HAVE_ARRIVED):
        await storage.boards.change(db, kept.chat, trouble=Trouble.LOST.value)
    else:
        await storage.boards.change(db, kept.chat, made_by=None, remade=True)
    return False


async def _to_be_pinned(db: Db, kept: Board, message: int, pinned_by: int, now: datetime) -> bool:
    """A board whose pin is under way; one that may not be pinned is kept all the same."""
    pinned = await storage.boards.fate(db, pinned_by, kept.chat)
    if pinned is not None and pinned.open:
        return False
    if pinned is None or pinned.state is State.SENT:
        await storage.boards.change(db, kept.chat, pinned_by=None)
        return False
    # nobody refused it: it waited too long, for Telegram or for an operator's stop
    if pinned.state is State.EXPIRED:
        await _pin(db, kept, message, now)
        return True
    if _is(pinned, NO_MESSAGE):
        await _deleted(db, kept)
    else:
        await storage.boards.change(db, kept.chat, pinned_by=None, trouble=Trouble.UNPINNED.value)
    return False


async def _to_be_edited(db: Db, kept: Board, hashed: str | None, now: datetime) -> bool:
    """A board that stands: edited when it would say something else, one edit at a time."""
    shown = kept.shown
    if kept.edited_by is not None:
        edited = await storage.boards.fate(db, kept.edited_by, kept.chat)
        if edited is not None and edited.open:
            return False
        if edited is not None and _is_missing(edited):
            await _deleted(db, kept)
            return False
        # it never arrived: what stands there is older than what was noted of it
        if edited is None or edited.state in ENDED_UNSENT:
            shown = None
        await storage.boards.change(db, kept.chat, edited_by=None, shown=shown)
    if hashed is None or hashed == shown:
        return False
    edited_by = await _enqueue(db, kept, kept.message, now)
    await storage.boards.change(db, kept.chat, edited_by=edited_by, shown=hashed)
    return True


def _is_missing(edited: Fate) -> bool:
    """Whether Telegram has no message any more that an edit was for."""
    return edited.state is State.CANCELLED and not _is(edited, NOTHING_TO_SAY.code)


def _is(fate: Fate, code: str) -> bool:
    """Whether this is why an alert ended as it did."""
    return fate.error is not None and fate.error.code == code


async def _enqueue(db: Db, kept: Board, message: int | None, now: datetime) -> int | None:
    version = kept.version + 1
    # first: the number is in the alert's key, and a key is given once
    await storage.boards.change(db, kept.chat, version=version)
    return await storage.alerts.enqueue(db, boards.alert(kept.chat, version, message, now=now))


async def _pin(db: Db, kept: Board, message: int, now: datetime) -> None:
    version = kept.version + 1
    pin = await storage.alerts.enqueue(db, pins.alert(kept.chat, version, message, now=now))
    await storage.boards.change(db, kept.chat, version=version, message_id=message, pinned_by=pin)


async def _deleted(db: Db, kept: Board) -> None:
    """Somebody deleted the board: it is made anew once, and after that left alone."""
    if kept.remade:
        await storage.boards.change(db, kept.chat, trouble=Trouble.DELETED.value)
        return
    anew = dict.fromkeys(("made_by", "message_id", "pinned_by", "edited_by", "shown"))
    await storage.boards.change(db, kept.chat, **anew, remade=True)


async def _tell_of_trouble(
    db: Db, chat: Chat, before: Board, *, admins: Sequence[int], now: datetime
) -> bool:
    """Tell whoever asked for a board, once, that it is not kept as it should be; whether they know
    now.

    Of a group that is the group, of the catalog's channels the operators.
    """
    # read anew: the step wrote what came of it
    kept = await storage.boards.get(db, chat.id)
    if kept is None or kept.trouble is None or kept.trouble is before.trouble:
        return False
    words = TOLD[kept.trouble]
    named = {"chat": ChatNumber(chat.id)}
    if chat.kind is ChatKind.GROUP:
        told = notices.alert(chat.id, Notice.of(words.group), now=now)
        await storage.alerts.enqueue(db, boards.of_trouble(told, kept))
    elif kept.of_catalog:
        await notices.tell(db, admins, Notice.of(words.operators, named), now=now)
    elif (owner := await storage.setups.owner_of(db, chat.id)) is not None:
        told = notices.alert(owner, Notice.of(words.owner, named), now=now)
        await storage.alerts.enqueue(db, boards.of_trouble(told, kept))
    else:
        return False
    return True
