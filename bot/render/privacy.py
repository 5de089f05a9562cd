"""The account of what is stored about a chat, and the question before it is erased."""

from __future__ import annotations

from datetime import timedelta

from bot.i18n import t
from bot.render.phrases import phrase
from bot.render.text import Button, Colour, Message, bold, lines, message


def privacy(
    language: str, *, written: timedelta, sent: timedelta, away: timedelta, copies: timedelta
) -> Message:
    """The account of what is stored and how to get or erase it.

    And for how long: what people `written`, what was `sent`, a chat that went `away`, `copies` of
    the database.
    """
    text = phrase(
        "privacy.text",
        language,
        hours=str(written // timedelta(hours=1)),
        sent=str(sent.days),
        away=str(away.days),
        copies=str(copies.days),
    )
    return message(lines(bold(t("privacy.title", language)), text))


def delete_question(language: str) -> Message:
    """Asks before everything about a chat is erased: data `delete:yes`, `delete:no`."""
    return message(
        phrase("delete.question", language),
        [
            [
                Button(t("delete.yes", language), "delete:yes", colour=Colour.RED),
                Button(t("delete.no", language), "delete:no"),
            ]
        ],
    )
