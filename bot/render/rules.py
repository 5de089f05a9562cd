"""A chat's own rules: made by taps, previewed before one is saved, listed, changed, passed on.

What a button sends back belongs to the handlers; it is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.i18n import currency_name, day, day_until, name_of, number, t
from bot.model.rates import Rate, RateKind
from bot.model.rules import Condition, Direction, Rule, RuleStanding
from bot.render.buttons import back_button, rows_of, share_button, switch
from bot.render.numbers import as_printed
from bot.render.phrases import counted, phrase
from bot.render.rates import kind_name
from bot.render.text import Button, Message, Rich, bold, code, fill, join, lines, link, message

SHOWN = 6  # days named under a preview; the picture shows all
WHOLE = 350  # days of history that may be called a year
PLAIN_KINDS = frozenset(
    {RateKind.OFFICIAL, RateKind.REFERENCE}
)  # what a pair's rate is when nothing else is said


#: A level's sign below and above, not touched and touched; a move's.
_LEVEL_SIGNS = {Direction.DOWN: ("<", "≤"), Direction.UP: (">", "≥")}
_MOVE_SIGNS = {Direction.UP: "+", Direction.DOWN: "−", Direction.BOTH: "±"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A saved rule in the list: its number in the store, how it stands, the day it last told."""

    number: int
    rule: Rule
    standing: RuleStanding = RuleStanding.ON
    spoke_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewButtons:
    """What the buttons under a preview send; the amounts they lead to, where there are such."""

    save: str
    cancel: str
    once: str
    less: tuple[str, Decimal] | None = None
    more: tuple[str, Decimal] | None = None


def words(rule: Rule, language: str) -> str:
    """A whole rule: "RUB/KGS < 1", "USD/KGS (selling rate) ±1 % in 7 days, once, until 31 Dec
    2026".
    """
    kind = "" if rule.kind in PLAIN_KINDS else f" ({kind_name(rule.kind, language)})"
    end = (
        phrase("rule.until", language, day=day_until(rule.until, language)) if rule.until else None
    )
    once = t("rule.once", language) if rule.once else None
    return join(", ", [f"{rule.pair}{kind} {condition(rule, language)}", once, end]).text


def condition(rule: Rule, language: str) -> str:
    """What has to happen, for a button: "< 84.5", "±3 % in 7 days"."""
    amount = number(rule.amount, language)
    if rule.condition is Condition.LEVEL:
        what = f"{_LEVEL_SIGNS[rule.direction][rule.inclusive]} {amount}"
    else:
        unit = " %" if rule.condition is Condition.PERCENT else ""
        what = f"{_MOVE_SIGNS[rule.direction]}{amount}{unit}"
    window = counted("rule.window", rule.window, language) if rule.window else None
    return join(" ", [what, window]).text


# --- three taps -----------------------------------------------------------------------------------


def currencies(offers: Sequence[tuple[str, str]], language: str) -> Message:
    """The first tap: (currency, button data) pairs."""
    rows = rows_of([Button(one, data) for one, data in offers], 4)
    return message(phrase("rule.which", language, example=code("/alert RUB < 1")), rows)


def conditions(
    latest: Rate,
    offers: Sequence[Sequence[tuple[Rule, str]]],
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
            phrase(
                "rule.when",
                language,
                example=code(f"/alert {latest.pair.base} > {as_printed(latest.per_unit, 'en')}"),
            ),
        ),
        [*rows, [back_button(language, back)]],
    )


# --- the preview ----------------------------------------------------------------------------------


def preview(
    rule: Rule,
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
        counted("rule.preview", len(fired), language, rule=bold(words(rule, language))),
        phrase("rule.last", language, days=days) if fired else None,
        _short(since, language, today),
        _reading(rule, beside, language) if beside is not None else None,
    )
    unit = " %" if rule.condition is Condition.PERCENT else ""
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


def _reading(rule: Rule, beside: Rate, language: str) -> Rich:
    """What a bare number was taken for, and how the other reading is written."""
    amount = format(rule.amount, "f")
    moves = rule.condition is not Condition.LEVEL
    other = f"{'<' if rule.amount < beside.per_unit else '>'} {amount}" if moves else f"+{amount}"
    return phrase(
        "rule.bare_move" if moves else "rule.bare_level",
        language,
        amount=number(rule.amount, language),
        rate=as_printed(beside.per_unit, language),
        example=code(f"/alert {rule.pair} {other}"),
    )


def _short(since: date | None, language: str, today: date) -> Rich | None:
    """What a year is called that is not one."""
    if since is None:
        return phrase("rule.no_history", language)
    if (today - since).days >= WHOLE:
        return None
    return phrase("rule.short_history", language, day=day(since, language, today=today))


# --- the list, and one rule -----------------------------------------------------------------------


def rules(rules: Sequence[RuleLine], language: str, *, make: str) -> Message:
    """The chat's rules, each a button that opens it: data `rule:open:7`; `make` begins another."""
    new = [Button(t("button.new", language), make)]
    if not rules:
        return message(phrase("rule.none", language, example=code("/alert RUB < 1")), [new])
    said, opened = [], []
    for place, line in enumerate(rules, 1):
        shown = join(" ", [f"{place}.", words(line.rule, language), _mark(line.standing)])
        said.append(shown)
        opened.append([Button(shown.text, f"rule:open:{line.number}")])
    return message(lines(bold(t("rule.title", language)), *said), [*opened, new])


def rule(line: RuleLine, language: str, *, address: str, today: date) -> Message:
    """One rule: how it stands, when it last spoke, the link that shows it to others; pause, change,
    delete, share.

    Data `rule:pause:7`, `resume`, `edit`, `delete`, and `rule:list:0` back to the list.
    """
    spoke = (
        phrase("rule.spoke", language, day=day(line.spoke_on, language, today=today))
        if line.spoke_on
        else None
    )
    text = lines(
        bold(words(line.rule, language)),
        join(" · ", [t(f"rule.standing.{line.standing.value}", language), spoke]),
        phrase("rule.link", language, link=link(address.removeprefix("https://"), address)),
    )
    verbs = ["pause" if line.standing is RuleStanding.ON else "resume", "edit", "delete"]
    if line.standing is RuleStanding.EXPIRED:
        verbs.remove("resume")
    acts = [Button(t(f"button.{verb}", language), f"rule:{verb}:{line.number}") for verb in verbs]
    share = share_button(address, language)
    return message(text, [*rows_of([*acts, share], 2), [back_button(language, "rule:list:0")]])


def _mark(standing: RuleStanding) -> str:
    return {RuleStanding.PAUSED: "⏸", RuleStanding.DONE: "✓", RuleStanding.EXPIRED: "⌛"}.get(
        standing, ""
    )
