"""The menu of subscriptions, and what a chat gets from now on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.i18n import t
from bot.render.buttons import rows_of, switch
from bot.render.news import topic_name
from bot.render.phrases import phrase
from bot.render.text import Button, Message, bold, lines, message

AT_ONCE = "security"  # the topic that is told as it comes; of the others the digest tells
HOURS = ("0800", "1800")  # offered for a digest


def subscribe(
    language: str, *, currencies: Sequence[str], topics: Sequence[str], chosen: Collection[str] = ()
) -> Message:
    """The menu of subscriptions: a tap switches one on or off, what is on carries ✓."""
    text = phrase("subscribe.choose", language)
    return message(text, [*switches(language, currencies, topics, chosen), [done_button(language)]])


def subscribed(
    language: str, currencies: Sequence[str], topics: Sequence[str], *, digest: bool
) -> Message:
    """What the chat gets from now on, after `done`.

    Where it follows topics that only a `digest` brings, and has none, it is asked when one should
    come: data `hour:0800`, `hour:off`.
    """
    kept = [*currencies, *(topic_name(topic, language) for topic in topics)]
    if not kept:
        return message(phrase("subscribe.nothing", language))
    saved = phrase("subscribe.saved", language, what=bold(", ".join(kept)))
    waiting = [topic_name(topic, language) for topic in topics if topic != AT_ONCE]
    if digest or not waiting:
        return message(saved)
    # without a digest nothing of these topics would ever come
    asked = phrase("digest.when", language, topics=", ".join(waiting))
    hours = [Button(f"{hour[:2]}:{hour[2:]}", f"hour:{hour}") for hour in HOURS]
    hours.append(Button(t("digest.none", language), "hour:off"))
    return message(lines(saved, asked), [hours])


def switches(
    language: str,
    currencies: Sequence[str],
    topics: Sequence[str],
    chosen: Collection[str],
    *,
    before: str = "",
) -> list[list[Button]]:
    """A switch for each currency (`cur:USD`) and each topic (`top:security`); `chosen` are on.

    `before` stands before each one's data.
    """
    money, news = [], []
    for one in currencies:
        data = f"cur:{one}"
        money.append(switch(one, before + data, on=data in chosen))
    for one in topics:
        data = f"top:{one}"
        news.append(switch(topic_name(one, language), before + data, on=data in chosen))
    # codes have three letters, topics are words
    return [*rows_of(money, 4), *rows_of(news, 2)]


def done_button(language: str) -> Button:
    """Ends the choosing."""
    return Button(t("button.done", language), "done")
