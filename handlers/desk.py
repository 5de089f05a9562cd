"""The editorial desk: the operator's word on a story that waits.

Send it, reject it, word its headline anew, or say which told story it belongs to. Only an operator
in their own private chat gets here (`handlers.BUTTONS`). A story is decided once: the other
operators are told by whom, and a later press hears what was decided. What is decided is kept with
the words it was about, for detectors to learn from.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial

from telegram import Message as Written
from telegram import Update
from telegram.ext import filters

import storage.alerts
import storage.decisions
import storage.entries
import storage.kept_back
import storage.stories
import storage.superseding
import storage.withheld
from bot.alerts import edits, kind_of, notices
from bot.alerts.notices import Notice
from bot.alerts.stories import StoryBroke, as_asked, keys
from bot.detect.corrections import retracts
from bot.detect.identity import headline_key
from bot.detect.identity import text_key as text_key_of
from bot.detect.language import language_of
from bot.detect.stories import same_story
from bot.errors import UserError
from bot.languages import LANGUAGES
from bot.model.alerts import Approval
from bot.model.decisions import Decision, Question, Words
from bot.model.news import StoredEntry, Story
from bot.readers.looked import near_by_now
from bot.readers.news import still_confirmed
from bot.reasons import Quote
from bot.render.answers import say
from bot.render.desk import (
    CANDIDATES,
    ask_headline,
    candidates,
    headline_changed,
    story_buttons,
)
from bot.render.news import headline
from bot.render.text import one_line
from bot.render.wire import field_opened
from bot.sources.standing import led
from handlers.access import other_operators
from handlers.context import Context
from handlers.numbers import number_of
from storage.alerts import StoredAlert
from storage.db import Db

CONSIDERED = 60  # told stories that a waiting one is compared with
AS_OLD = timedelta(days=3)  # beyond, a story is not told of again
CORRECTED_FOR = timedelta(hours=6)  # an edit that joins a source is worth sending
LONGEST_HEADLINE = 200  # characters
ASKED = re.compile(r"№(\d{1,18}) ·")  # how `desk.headline` begins in every language


async def pressed(context: Context, what: str, number: str) -> None:
    """Buttons `story:approve:7`, `reject`, `word`, `same` and `back`."""
    steps = {
        "approve": _approve,
        "reject": _reject,
        "word": _ask_headline,
        "same": _choose,
        "back": _back,
    }
    if what not in steps:
        raise UserError("error.stale")
    await steps[what](context, number_of(number))


async def joined(context: Context, what: str, number: str, story: str) -> None:
    """Button `story:same:7:12`: what waits is a report of that story more; nobody is told anew."""
    if what != "same":
        raise UserError("error.stale")
    waiting, into = number_of(number), number_of(story)
    async with context.services.store.writing() as db:
        found = await _waiting(context, db, waiting, lock=True)
        target = await storage.stories.shown(db, into)
        if target is None or target.pk == found.pk:
            raise UserError("error.stale")
        await _must_be_untold(db, found.pk, waiting)
        if not await _told(db, into):  # what waits would be told to nobody
            raise UserError("error.stale")
        feeds = context.services.catalog.news
        target = led(target, feeds)
        now = context.services.clock()
        await storage.alerts.decide(db, waiting, Approval.JOINED)
        await storage.stories.join(db, found.pk, into=into)
        await _grow(context, db, into, f"joined:{waiting}", now=now)
        both = await storage.stories.get(db, into)
        if both is not None and still_confirmed(both, feeds):
            await storage.withheld.confirmed(db, into)
        first = found.lead.entry
        second = target.told_in(first.language or "").lead.entry
        await keep(db, Question.SAME_STORY, Words.of(first), Words.of(second), now=now)
        title = headline(target)
        await tell_others(context, db, waiting, "notice.joined", title, now=now)
    await _settled(context, "story.joined", title)


async def reworded(update: Update, context: Context) -> None:
    """A reply to the question for a headline: subscribers who read its language will read it so,
    and those in whose own nobody reports.
    """
    message = update.effective_message
    asked = ASKED.match(_question_of(message))
    if message is None or asked is None:
        raise UserError("error.stale")
    number, words = int(asked[1]), one_line(message.text or "")
    if not words or len(words) > LONGEST_HEADLINE:
        raise UserError("error.headline", longest=str(LONGEST_HEADLINE))
    async with context.services.store.writing() as db:
        found = await _waiting(context, db, number, lock=True)
        worded = _report_for(words, found)
        await storage.entries.headline(db, worded.pk, words)
        was, now = Words.of(worded.entry), context.services.clock()
        wished = Words(title=words, language=worded.entry.language)
        await keep(db, Question.HEADLINE, was, wished, now=now)
    unworded = _unworded(found, worded)
    readers = worded.entry.language
    written = language_of(words, default=readers)
    await context.reply(
        headline_changed(
            number, words, context.language, unworded, written=written, readers=readers
        )
    )


def _report_for(words: str, story: Story) -> StoredEntry:
    """The report that a headline is given to: the first in its language, else the story's lead."""
    language = language_of(words, default=story.lead.entry.language)
    return story.told_in(language).lead


def _unworded(story: Story, worded: StoredEntry) -> list[str]:
    """The languages whose readers have a headline of their own, which no operator worded."""
    found: list[str] = []
    for code in LANGUAGES:
        if code not in story.languages or code == worded.entry.language:
            continue
        if story.told_in(code).lead.headline is None:
            found.append(code)
    return found


class AnswersDesk(filters.MessageFilter):
    """A reply to our question for a headline."""

    def filter(self, message: Written) -> bool:
        """Whether a message is such a reply."""
        return asks_headline(message)


def asks_headline(message: Written | None) -> bool:
    """Whether a message replies to our question for a headline."""
    return ASKED.match(_question_of(message)) is not None


def _question_of(message: Written | None) -> str:
    """The words of ours that a message replies to; "" where there are none."""
    asked = None if message is None else message.reply_to_message
    if asked is None or asked.from_user is None or not asked.from_user.is_bot:
        return ""
    return asked.text or ""


# --- steps ----------------------------------------------------------------------------------------


async def _approve(context: Context, number: int) -> None:
    await _decide(context, number, Approval.APPROVED, "story.approved", "notice.approved")


async def _reject(context: Context, number: int) -> None:
    await _decide(context, number, Approval.REJECTED, "story.rejected", "notice.refused")


async def _decide(
    context: Context, number: int, verdict: Approval, said: str, to_others: str
) -> None:
    async with context.services.store.writing() as db:
        found = await _waiting(context, db, number, lock=True, correction=True)
        now = context.services.clock()
        decided = await storage.alerts.decide(db, number, verdict)
        told = verdict is Approval.APPROVED
        title = headline(found)
        if decided is not None and (wording := edits.wording_of(decided)) is not None:
            if told:
                await _reword(context, db, decided.id, found.pk, wording, now=now)
                title = wording.title or title
            else:
                said = "story.kept"
        # where it was told before it got worse, its sound alone is rejected
        elif told or not await _told(db, found.pk) - {number}:
            words = Words.of(found.lead.entry)
            await keep(db, Question.SECURITY, words, answer=told, now=now)
        await tell_others(context, db, number, to_others, title, now=now)
    await _settled(context, said, title)


async def _reword(
    context: Context, db: Db, number: int, story: int, wording: edits.Wording, *, now: datetime
) -> None:
    """Put the new words that a question was about in place of a report's old ones, and edit what
    told its story.
    """
    entry = (await storage.entries.words(db, [wording.entry])).get(wording.entry)
    if entry is not None:
        changed = wording.put_in(entry)
        key, text_key = headline_key(changed) or "", text_key_of(changed)
        await storage.entries.correct(
            db,
            wording.entry,
            changed,
            title_key=key,
            text_key=text_key,
            retracts=retracts(changed),
        )
        if key != headline_key(entry):  # an operator's headline was of the words before
            await storage.entries.headline(db, wording.entry, None)
        await storage.entries.let_through(db, wording.entry)
    await storage.alerts.withdraw(db, number)  # the edits are the answer
    await _grow(context, db, story, f"corrected:{number}", now=now)


async def _settled(context: Context, said: str, title: str) -> None:
    """Let deliveries that waited for the word leave, and say so in place of the question."""
    context.services.wake()
    await context.answer()
    await context.edit(say(said, context.language, title=title))


async def _ask_headline(context: Context, number: int) -> None:
    async with context.services.store.reading() as db:
        found = await _waiting(context, db, number)
    await context.answer()
    title = headline(found)
    question = ask_headline(number, title, context.language)
    await context.reply(question, below=field_opened(title))


async def _choose(context: Context, number: int) -> None:
    services = context.services
    async with services.store.reading() as db:
        found = await _waiting(context, db, number)
        since = services.clock() - AS_OLD
        kind = StoryBroke.KIND
        recent = await storage.stories.told(db, kind, since=since, limit=CONSIDERED)
    others = [led(one, services.catalog.news) for one in recent if one.pk != found.pk]
    likely = sorted(others, key=lambda one: _likeness(found, one), reverse=True)
    await context.answer()
    await context.put(candidates(number, likely[:CANDIDATES], context.language))


def _likeness(waiting: Story, other: Story) -> float:
    """The likeness of two stories: that of their most alike reports, each by who told it first."""
    mine = waiting.lead.entry
    return same_story(mine, other.told_in(mine.language or "").lead.entry).score


async def _back(context: Context, number: int) -> None:
    await context.answer()
    await context.put(story_buttons(number, context.language))


# --- the store ------------------------------------------------------------------------------------


async def _waiting(
    context: Context, db: Db, number: int, *, lock: bool = False, correction: bool = False
) -> Story:
    """The story of an alert that waits, with the reports that it asks about; UserError says what
    was decided, or that it is too late.

    One that asks about a `correction` counts only where that is said.
    """
    told = await storage.alerts.waiting(db, number, lock=lock)
    if told is None:
        # asked for now: whoever had the lock before us has decided by then
        stands = await storage.alerts.approval(db, number)
        if stands is None:
            raise UserError("error.stale")
        if stands is Approval.WAITING:  # it waits, and cannot be decided: for too long
            stands = Approval.EXPIRED
        if stands is Approval.EXPIRED and await storage.superseding.is_overtaken(db, number):
            raise UserError("error.story_overtaken")
        raise UserError(f"error.story_{stands}")
    if edits.wording_of(told) is not None and not correction:
        raise UserError("error.stale")
    story = await story_of(db, told)
    found = None if story is None else await storage.stories.get(db, story)
    if found is None:  # nothing is left of it to be sent
        raise UserError("error.story_expired")
    return as_asked(led(found, context.services.catalog.news), told)


async def story_of(db: Db, told: StoredAlert) -> int | None:
    """The story that a question is about; of a report's new words the one it belongs to by now."""
    wording = edits.wording_of(told)
    if wording is None:
        return kind_of(told).story(told)
    return await storage.entries.story_of(db, wording.entry)


async def _must_be_untold(db: Db, story: int, waiting: int) -> None:
    """UserError where a story was told before it got worse: those messages would be nobody's."""
    if await _told(db, story) - {waiting}:
        raise UserError("error.story_told")


async def _told(db: Db, story: int) -> set[int]:
    """The alerts that told a story."""
    found: set[int] = set()
    for one in await storage.alerts.by_keys(db, keys(story)):
        if await storage.alerts.approval(db, one.id) in {None, Approval.APPROVED}:
            found.add(one.id)
    return found


async def _grow(context: Context, db: Db, story: int, why: str, *, now: datetime) -> None:
    """Edit the messages that told the story: one more agency reports it, or in other words; those
    whom it was kept from are asked again.
    """
    catalog = context.services.catalog
    near = partial(near_by_now, db, story, catalog.news, catalog.places)
    await storage.kept_back.ask_again(db, story, now=now, near=near)
    for told in await storage.alerts.by_keys(db, keys(story)):
        until = max(told.created_at, now) + CORRECTED_FOR
        await storage.alerts.enqueue(db, edits.alert(told.id, why, now=now, expires_at=until))


async def keep(
    db: Db,
    question: Question,
    first: Words,
    second: Words | None = None,
    *,
    answer: bool = True,
    now: datetime,
) -> None:
    """Keep what an operator decided, with the words that it was about."""
    made = Decision(question=question, answer=answer, first=first, second=second, at=now)
    await storage.decisions.keep(db, made)


async def tell_others(
    context: Context, db: Db, waiting: int, msgid: str, title: str, *, now: datetime
) -> None:
    """One silent word to every other operator: who decided, and what."""
    user = context.incoming.effective_user
    who = "–" if user is None else user.full_name
    told = Notice.of(msgid, title=Quote(title), who=who)
    for operator in other_operators(context):
        await storage.alerts.enqueue(db, notices.decided(operator, waiting, told, now=now))
