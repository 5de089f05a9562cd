"""A chat's own rules: made by taps, previewed before one is saved, listed, changed, passed on.

What a button sends back belongs to the handlers; it is handed in. A rule comes as `RuleWords`,
because what it means is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from bot.i18n import currency_name, day, day_until, name_of, number, t, tn
from bot.model.rates import Pair, Rate, RateKind
from bot.render.buttons import back_button, rows_of, share_button, switch
from bot.render.numbers import as_printed
from bot.render.rates import kind_name
from bot.render.text import Button, Message, Rich, bold, code, fill, join, lines, link, message

SHOWN = 6  # days named under a preview; the picture shows all
WHOLE = 350  # days of history that may be called a year
PLAIN_KINDS = frozenset(
    {RateKind.OFFICIAL, RateKind.REFERENCE}
)  # what a pair's rate is when nothing else is said


class Standing(StrEnum):
    """How a saved rule stands."""

    ON = "on"
    PAUSED = "paused"
    DONE = "done"  # it was to speak once, and has
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """What is said of a rule: `sign` is `<`, `≤`, `>`, `≥`, `±`, `+` or `−`; `window` is days."""

    pair: Pair
    kind: RateKind
    sign: str
    amount: Decimal
    percent: bool = False
    window: int | None = None
    once: bool = False
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A saved rule: its number in the store, its words, how it stands, the day it last spoke of."""

    number: int
    words: str
    standing: Standing = Standing.ON
    spoke_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewButtons:
    """What the buttons under a preview send; the amounts they lead to, where there are such."""

    save: str
    cancel: str
    once: str
    less: tuple[str, Decimal] | None = None
    more: tuple[str, Decimal] | None = None


def words(rule: RuleWords, language: str) -> str:
    """A whole rule: "RUB/KGS < 1", "USD/KGS (selling rate) ±1 % in 7 days, once, until 31 Dec
    2026".
    """
    kind = "" if rule.kind in PLAIN_KINDS else f" ({kind_name(rule.kind, language)})"
    end = (
        fill(t("rule.until", language), day=day_until(rule.until, language)) if rule.until else None
    )
    once = t("rule.once", language) if rule.once else None
    return join(", ", [f"{rule.pair}{kind} {condition(rule, language)}", once, end]).text


def condition(rule: RuleWords, language: str) -> str:
    """What has to happen, for a button: "< 84.5", "±3 % in 7 days"."""
    amount = f"{number(rule.amount, language)} %" if rule.percent else number(rule.amount, language)
    gap = " " if rule.sign in "<≤>≥" else ""
    window = fill(tn("rule.window", rule.window, language), n=rule.window) if rule.window else None
    return join(" ", [f"{rule.sign}{gap}{amount}", window]).text


# --- three taps -----------------------------------------------------------------------------------


def currencies(offers: Sequence[tuple[str, str]], language: str) -> Message:
    """The first tap: (currency, button data) pairs."""
    rows = rows_of([Button(one, data) for one, data in offers], 4)
    return message(fill(t("rule.which", language), example=code("/alert RUB < 1")), rows)


def conditions(
    latest: Rate,
    offers: Sequence[Sequence[tuple[RuleWords, str]]],
    language: str,
    *,
    source_names: dict[str, str],
    today: date,
    back: str,
) -> Message:
    """The second tap: where the rate stands, and rows of (rule, button data) to choose from."""
    said = [
        name_of(source_names, language) or latest.source,
        kind_name(latest.kind, language),
        day(latest.effective_on, language, today=today),
    ]
    rows = [
        row
        for offer in offers
        for row in rows_of(
            [Button(condition(rule, language), data) for rule, data in offer],
            2 if offer[0][0].window else 4,
        )
    ]
    return message(
        lines(
            bold(f"{latest.pair} {as_printed(latest.per_unit, language)}")
            + f"  {currency_name(latest.pair.base, language)}",
            join(" · ", said),
            fill(
                t("rule.when", language),
                example=code(f"/alert {latest.pair.base} > {as_printed(latest.per_unit, 'en')}"),
            ),
        ),
        [*rows, [back_button(language, back)]],
    )


# --- the preview ----------------------------------------------------------------------------------


def preview(
    rule: RuleWords,
    fired: Sequence[date],
    language: str,
    *,
    since: date | None,
    buttons: PreviewButtons,
    today: date,
    beside: Rate | None = None,
) -> Message:
    """How often the rule would have fired, `fired` oldest first; buttons to change, save or drop
    it.

    `since` is the first day of the history it was tried on, None when there is none; `beside` is
    the rate by which a bare number was taken for a level or for a move.
    """
    days = ", ".join(day(on, language, today=today) for on in reversed(fired[-SHOWN:]))
    text = lines(
        fill(
            tn("rule.preview", len(fired), language), rule=bold(words(rule, language)), n=len(fired)
        ),
        fill(t("rule.last", language), days=days) if fired else None,
        _short(since, language, today),
        _reading(rule, beside, language) if beside is not None else None,
    )
    unit = " %" if rule.percent else ""
    steps = [
        Button(fill(shape, amount=number(one[1], language) + unit).text, one[0])
        for shape, one in (("‹ {amount}", buttons.less), ("{amount} ›", buttons.more))
        if one
    ]
    once = switch(t("button.once", language), buttons.once, on=rule.once)
    end = [
        Button(t("button.save", language), buttons.save),
        Button(t("button.cancel", language), buttons.cancel),
    ]
    return message(text, [steps, [once], end])


def _reading(rule: RuleWords, beside: Rate, language: str) -> Rich:
    """What a bare number was taken for, and how the other reading is written."""
    amount = format(rule.amount, "f")
    moves = rule.sign == "±"
    other = f"{'<' if rule.amount < beside.per_unit else '>'} {amount}" if moves else f"+{amount}"
    return fill(
        t("rule.bare_move" if moves else "rule.bare_level", language),
        amount=number(rule.amount, language),
        rate=as_printed(beside.per_unit, language),
        example=code(f"/alert {rule.pair} {other}"),
    )


def _short(since: date | None, language: str, today: date) -> Rich | None:
    """What a year is called that is not one."""
    if since is None:
        return fill(t("rule.no_history", language))
    if (today - since).days >= WHOLE:
        return None
    return fill(t("rule.short_history", language), day=day(since, language, today=today))


# --- the list, and one rule -----------------------------------------------------------------------


def rules(rules: Sequence[RuleLine], language: str, *, make: str) -> Message:
    """The chat's rules, each a button that opens it: data `rule:open:7`; `make` begins another."""
    new = [Button(t("button.new", language), make)]
    if not rules:
        return message(fill(t("rule.none", language), example=code("/alert RUB < 1")), [new])
    said = [
        join(" ", [f"{place}.", rule.words, _mark(rule.standing)])
        for place, rule in enumerate(rules, 1)
    ]
    opened = [
        Button(
            join(" ", [f"{place}.", rule.words, _mark(rule.standing)]).text,
            f"rule:open:{rule.number}",
        )
        for place, rule in enumerate(rules, 1)
    ]
    return message(lines(bold(t("rule.title", language)), *said), [*([one] for one in opened), new])


def rule(rule: RuleLine, language: str, *, address: str, today: date) -> Message:
    """One rule: how it stands, when it last spoke, the link that shows it to others; pause, change,
    delete, share.

    Data `rule:pause:7`, `resume`, `edit`, `delete`, and `rule:list:0` back to the list.
    """
    spoke = (
        fill(t("rule.spoke", language), day=day(rule.spoke_on, language, today=today))
        if rule.spoke_on
        else None
    )
    text = lines(
        bold(rule.words),
        join(" · ", [t(f"rule.standing.{rule.standing.value}", language), spoke]),
        fill(t("rule.link", language), link=link(address.removeprefix("https://"), address)),
    )
    verbs = ["pause" if rule.standing is Standing.ON else "resume", "edit", "delete"]
    if rule.standing is Standing.EXPIRED:
        verbs.remove("resume")
    acts = [Button(t(f"button.{verb}", language), f"rule:{verb}:{rule.number}") for verb in verbs]
    share = share_button(address, language)
    return message(text, [*rows_of([*acts, share], 2), [back_button(language, "rule:list:0")]])


def _mark(standing: Standing) -> str:
    return {Standing.PAUSED: "⏸", Standing.DONE: "✓", Standing.EXPIRED: "⌛"}.get(standing, "")
