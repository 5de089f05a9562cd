"""The menu of subscriptions, and what a chat gets from now on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import time

from bot.i18n import clock, t
from bot.render.buttons import back_button, rows_of, switch
from bot.render.news import topic_name
from bot.render.phrases import phrase
from bot.render.text import Button, Message, Rich, bold, code, lines, message

AT_ONCE = "security"  # the topic that is told as it comes; of the others the digest tells
HOURS = ("0800", "1800")  # offered for a first digest,
#: and where several may be chosen.
MORE_HOURS = ("0700", "0800", "0900", "1200", "1500", "1800", "2000", "2200")


def subscribe(
    language: str,
    *,
    currencies: Sequence[str],
    topics: Sequence[str],
    chosen: Collection[str] = (),
    back: str = "",
) -> Message:
    """The menu of subscriptions: a tap switches one on or off, what is on carries ✓. As a page of
    the settings it has the way `back`, and one to the order of currencies: data `set:order`.
    """
    text = phrase("subscribe.choose" if topics else "subscribe.choose_rates", language)
    rows = [*switches(language, currencies, topics, chosen)]
    if back:
        rows += order_button(chosen, "set:order", language)
    rows.append([done_button(language)])
    if back:
        rows.append([back_button(language, back)])
    return message(text, rows)


def order_button(chosen: Collection[str], data: str, language: str) -> list[list[Button]]:
    """The way to the order of currencies, where several are among the switches that are on."""
    if sum(one.startswith("cur:") for one in chosen) < 2:
        return []
    return [[Button(t("order.title", language), data)]]


def currency_order(codes: Sequence[str], language: str, *, before: str = "", back: str) -> Message:
    """The currencies in their order; a tap puts one first: data `first:RUB`, with what stands
    `before` it.
    """
    named = phrase("order.now", language, codes=bold(", ".join(codes)))
    ups = [Button(f"↑ {code}", f"{before}first:{code}") for code in codes[1:]]
    text = lines(bold(t("order.title", language)), named, t("order.what", language))
    return message(text, [*rows_of(ups, 4), [back_button(language, back)]])


def subscribed(
    language: str,
    currencies: Sequence[str],
    topics: Sequence[str],
    *,
    digest: bool,
    awake: bool = True,
) -> Message:
    """The subjects that the chat gets from now on, after `done`.

    Where it follows topics that only a `digest` brings, and has none, it is asked when one should
    come: data `hour:0800`, `hour:off`. One that is not `awake` is told what wakes it.
    """
    kept = [*currencies, *(topic_name(topic, language).lower() for topic in topics)]
    if not kept:
        return message(phrase("subscribe.nothing", language))
    saved = phrase("subscribe.saved", language, what=bold(", ".join(kept)))
    if not awake:
        return message(lines(saved, phrase("rule.saved_asleep", language)))
    waiting = [topic_name(topic, language) for topic in topics if topic != AT_ONCE]
    if digest or not waiting:
        return onward(message(saved), language)
    # without a digest nothing of these topics would ever come
    asked = phrase("digest.when", language, topics=", ".join(waiting))
    hours = [Button(f"{hour[:2]}:{hour[2:]}", f"hour:{hour}") for hour in HOURS]
    hours.append(Button(t("digest.none", language), "hour:off"))
    return message(lines(saved, asked), [hours])


def onward(said: Message, language: str) -> Message:
    """The end of the choosing of /start, with what one may do next."""
    return message(lines(Rich(said.text, said.entities), phrase("subscribe.next", language)))


def said_hours(times: Collection[time], language: str) -> Rich:
    """The hours of a chat's digests; without one of theirs topics bring nothing: said too."""
    if not times:
        return phrase("settings.no_digest", language)
    return phrase("settings.digest", language, times=_listed(times))


def said_week(at: time | None, language: str) -> Rich | None:
    """The hour of the week's summary; None where none comes."""
    if at is None:
        return None
    return phrase("settings.week", language, time=clock(at))


def week_switch(at: time | None, before: str, language: str) -> Button:
    """A switch of the summary of the week: data `week:on` and `week:off`, with what stands
    `before` it.
    """
    on = at is not None
    return switch(t("week.on", language), f"{before}week:{'off' if on else 'on'}", on=on)


def hours(
    times: Collection[time],
    language: str,
    *,
    example: str,
    week: time | None,
    back: str = "",
) -> Message:
    """Switches of the hours of digests: data `at:0800`, `at:off`; `example` writes any other. And
    of the summary of the week, which comes at an hour of theirs.
    """
    text = lines(
        said_hours(times, language),
        said_week(week, language),
        phrase("digest.hours", language, example=code(example)),
    )
    rows = [*rows_of(hour_switches(times, "at:"), 4)]
    if times:
        rows.append([Button(t("digest.none", language), "at:off")])
    rows.append([week_switch(week, "", language)])
    if back:
        rows.append([back_button(language, back)])
    return message(text, rows)


def hour_switches(times: Collection[time], before: str) -> list[Button]:
    """A switch for each hour that is offered or chosen; its data begin with `before`."""
    offered = {time(int(hour[:2]), int(hour[2:])) for hour in MORE_HOURS}
    found: list[Button] = []
    for at in sorted(offered | set(times)):
        found.append(switch(clock(at), f"{before}{at:%H%M}", on=at in times))
    return found


def hours_kept(
    times: Collection[time], gone: Collection[time], language: str, *, awake: bool = True
) -> Message:
    """The hours of the digests from now on; where others are `gone` for that, how to have both.
    None comes to a chat that is not `awake`: it is told what wakes it.
    """
    if not times:
        return message(phrase("digest.off", language))
    if not awake:
        kept = said_hours(times, language)
        return message(lines(kept, phrase("rule.saved_asleep", language)))
    kept = phrase("digest.time_set", language, times=_listed(times))
    if not gone:
        return message(kept)
    both = code(" ".join(["/digest", *map(clock, sorted({*gone, *times}))]))
    before = phrase("digest.replaced", language, times=_listed(gone), example=both)
    return message(lines(kept, before))


def _listed(times: Collection[time]) -> str:
    return ", ".join(map(clock, sorted(times)))


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
    """The button that ends the choosing."""
    return Button(t("button.done", language), "done")
