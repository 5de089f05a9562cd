"""The desk: what an operator may do with a story, or a rate, that waits for their word."""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n import language_name, t
from bot.model.news import Entry, StoredEntry, Story
from bot.render.cutting import cut
from bot.render.news import headline
from bot.render.phrases import phrase
from bot.render.text import Button, Colour, Message, Rows, bold, lines, message

CANDIDATES = 5  # stories that one which waits may be the same as
LABEL = 60  # characters of a headline on a button: more is cut by a phone


def story_buttons(number: int, language: str) -> Rows:
    """Send, reject, edit the headline, join it with a story that was told."""
    word = Button(t("button.edit_headline", language), data=f"story:word:{number}")
    same = Button(t("button.same_as", language), data=f"story:same:{number}")
    return (*correction_buttons(number, language), (word, same))


def correction_buttons(number: int, language: str) -> Rows:
    """Let a correction through, or leave the words as readers know them."""
    send = Button(t("button.send", language), data=f"story:approve:{number}", colour=Colour.GREEN)
    reject = Button(t("button.reject", language), data=f"story:reject:{number}", colour=Colour.RED)
    return ((send, reject),)


def rate_buttons(number: int, language: str) -> Rows:
    """Let a held rate through, or leave the one that is known."""
    words, data = t("button.approve", language), f"held:approve:{number}"
    approve = Button(words, data=data, colour=Colour.GREEN)
    reject = Button(t("button.reject", language), data=f"held:reject:{number}", colour=Colour.RED)
    return ((approve, reject),)


def card(number: int, story: Story, feeds: Sequence[str], language: str) -> Message:
    """A story that waits, with who reports it and what may be done."""
    told = story.told_in(language)
    body = lines(bold(headline(told)), ", ".join(feeds))
    return message(body, story_buttons(number, language))


def correction(
    number: int, was: StoredEntry, now: Entry, feeds: Sequence[str], language: str
) -> Message:
    """An entry's new words that wait, with the old ones."""
    said = phrase(
        "notice.correction",
        language,
        was=was.headline or was.entry.title,
        was_text=was.entry.beginning,
        title=now.title,
        text=now.beginning,
        feeds=", ".join(feeds),
        link=now.link or "",
    )
    return message(said, correction_buttons(number, language))


def candidates(number: int, stories: Sequence[Story], language: str) -> Rows:
    """The stories that it may be the same as, a row each, and the way back."""
    rows = []
    for one in stories:
        label = cut(message(headline(one.told_in(language))), LABEL).text
        rows.append((Button(label, data=f"story:same:{number}:{one.pk}"),))
    back = Button(t("button.back", language), data=f"story:back:{number}")
    return (*rows, (back,))


def ask_headline(number: int, title: str, language: str) -> Message:
    """The question for a headline's words; the answer is a reply to this, known by its number."""
    return message(phrase("desk.headline", language, number=str(number), title=title))


def headline_changed(
    number: int,
    title: str,
    language: str,
    unworded: Sequence[str] = (),
    written: str | None = None,
    readers: str | None = None,
) -> Message:
    """The headline as it is now, and the languages where another one stands, with the same buttons
    as the story's card; where it is `written` in another one than its `readers`', that too.
    """
    said = phrase("desk.changed", language, title=title)
    if unworded:
        names = ", ".join(language_name(code, language) for code in unworded)
        said = lines(said, phrase("desk.unworded", language, languages=names))
    if written is not None and readers is not None and written != readers:
        theirs = language_name(readers, language)
        mine = language_name(written, language)
        said = lines(said, phrase("desk.elsewhere", language, written=mine, languages=theirs))
    return message(said, story_buttons(number, language))
