"""The forum topics of a group that each kind of post goes to."""

from __future__ import annotations

from collections.abc import Iterable

from bot.i18n import t
from bot.model.chats import Post, Threads
from bot.render.buttons import back_button, rows_of, switch
from bot.render.phrases import phrase
from bot.render.text import Button, Message, Rich, bold, join, lines, link, message

#: How the button for all kinds at once calls them.
ALL = "all"
GENERAL = 0  # as a button's data calls the topic that has no number


def here(threads: Threads, language: str, *, thread: int | None) -> Message:
    """A switch for each kind of post that may come to the forum topic `thread`; without one, to
    General: data `here:7:rates`, `here:7:all`.

    A tap on what comes here already sends it to General; there, a tap only brings.
    """
    number = thread or GENERAL
    buttons: list[Button] = []
    for post in Post:
        data = f"here:{number}:{post.value}"
        buttons.append(switch(_name(post, language), data, on=threads.get(post) == thread))
    rows = [*rows_of(buttons, 2)]
    if not _all_in(threads, thread):
        rows.append([Button(t("here.all", language), f"here:{number}:{ALL}")])
    text = lines(
        bold(t("here.title" if thread else "here.general", language)), t("here.what", language)
    )
    return message(text, rows)


def topics(chat: int, threads: Threads, language: str, *, back: str) -> Message:
    """The topics of kinds of post; a tap sends one to General again: data `unhere:rates`."""
    shown: list[Rich] = []
    buttons: list[Button] = []
    for post in Post:
        where = thread_link(chat, threads.get(post), language)
        shown.append(join(": ", [_name(post, language), where]))
        if post in threads:
            name = phrase("here.undo", language, post=_name(post, language)).text
            buttons.append(Button(name, f"unhere:{post.value}"))
    text = lines(bold(t("here.places", language)), *shown, phrase("here.how", language))
    return message(text, [*([one] for one in buttons), [back_button(language, back)]])


def said(threads: Threads, chat: int, language: str) -> Rich:
    """The kinds of post that have a topic of their own, each with the way there."""
    named: list[Rich] = []
    for post in _in_order(threads):
        named.append(link(_name(post, language), message_address(chat, threads[post])))
    return join(", ", named)


def thread_link(chat: int, thread: int | None, language: str) -> Rich:
    """General, or the way to a forum topic: Telegram tells a bot no topic's name."""
    if thread is None:
        return Rich(t("here.to_general", language))
    return link(t("here.to_topic", language), message_address(chat, thread))


def message_address(chat: int, number: int) -> str | None:
    """The address of a message, or of a forum topic, for who is in the channel or the group; None
    where that is no supergroup.
    """
    shown = str(chat)
    if not shown.startswith("-100"):
        return None
    return f"https://t.me/c/{shown[4:]}/{number}"


def _all_in(threads: Threads, thread: int | None) -> bool:
    return all(threads.get(post) == thread for post in Post)


def _in_order(threads: Threads) -> Iterable[Post]:
    return (post for post in Post if post in threads)


def _name(post: Post, language: str) -> str:
    return t(f"post.{post.value}", language)
