"""A chat's own rules: made by taps, previewed before one is saved, listed, changed, passed on.

What a button sends back belongs to the handlers; it is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.i18n import clock, currency_name, day, day_since, day_until, name_of, number, share, t
from bot.model.rates import Pair, Rate, RateKind
from bot.model.rules import Condition, Direction, Rule, RuleStanding
from bot.model.subjects import DigestSubject, Subject, TopicSubject, WeekSubject
from bot.render.buttons import back_button, rows_of, share_button, switch
from bot.render.news import topic_name
from bot.render.numbers import as_printed
from bot.render.phrases import counted, phrase
from bot.render.rates import kind_name
from bot.render.text import Button, Colour, Message, Rich, bold, code, join, lines, link, message

DAYS_NAMED = 3  # in a preview; the picture shows all
NUMBERS_IN_A_ROW = 8  # buttons of one or two digits
DAYS_OF_A_YEAR = 350  # a history of so many may be called one
#: What a pair's rate is when nothing else is said.
PLAIN_KINDS = frozenset({RateKind.OFFICIAL, RateKind.REFERENCE})
#: A level's sign below and above, not touched and touched; a move's.
_LEVEL_SIGNS = {Direction.DOWN: ("<", "≤"), Direction.UP: (">", "≥")}
_MARKS = {RuleStanding.PAUSED: "⏸", RuleStanding.DONE: "✓", RuleStanding.EXPIRED: "⌛"}
_MOVE_SIGNS = {Direction.UP: "+", Direction.DOWN: "−", Direction.BOTH: "±"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A saved rule in the list: its number in the store, how it stands, the day it last told.

    `latest` is the rate that it watches.
    """

    number: int
    rule: Rule
    standing: RuleStanding = RuleStanding.ON
    spoke_on: date | None = None
    latest: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadLine:
    """A saved rule of a newer version of the program: its number in the store, and its pair."""

    number: int
    pair: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewButtons:
    """The data of the buttons under a preview; the amounts they lead to, where there are such."""

    save: str
    cancel: str
    once: str
    less: tuple[str, Decimal] | None = None
    more: tuple[str, Decimal] | None = None


def words(rule: Rule, language: str) -> str:
    """A whole rule: "RUB/KGS < 1", "USD/KGS (selling rate) ±1 % in 7 days, once"."""
    kind = None
    if rule.kind not in PLAIN_KINDS:
        kind = f"({kind_name(rule.kind, language)})"
    parts: list[Rich | str] = [join(" ", [str(rule.pair), kind, condition(rule, language)])]
    if rule.once:
        parts.append(t("rule.once", language))
    if rule.until is not None:
        parts.append(phrase("rule.until", language, day=day_until(rule.until, language)))
    return join(", ", parts).text


def condition(rule: Rule, language: str) -> str:
    """The condition of a rule, for a button: "< 84.5", "±3 % in 7 days"."""
    amount = _amount(rule, rule.amount, language)
    if rule.condition is Condition.LEVEL:
        return f"{_LEVEL_SIGNS[rule.direction][rule.inclusive]} {amount}"
    what = f"{_MOVE_SIGNS[rule.direction]}{amount}"
    if rule.window is None:
        return what
    return counted("rule.window", rule.window, language, amount=what).text


def _in_words(rule: Rule, language: str) -> str:
    """The condition of a rule, for a button: a level in words, "below 84.5", a move by its sign."""
    if rule.condition is not Condition.LEVEL:
        return condition(rule, language)
    side = "rule.below"
    if rule.direction is Direction.UP:
        side = "rule.above"
    return phrase(side, language, amount=_amount(rule, rule.amount, language)).text


def _amount(rule: Rule, amount: Decimal, language: str) -> str:
    """An amount in the rule's unit: percent, a level's bare number, a move in money by its name."""
    if rule.condition is Condition.PERCENT:
        return share(amount, language)
    written = number(amount, language)
    if rule.condition is Condition.LEVEL:
        return written
    unit = currency_name(rule.pair.quote, language)
    if " " in unit:  # "0.5 Russian rouble" would want another form of the words
        unit = rule.pair.quote
    return f"{written} {unit}"


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
    rows: list[Sequence[Button]] = []
    for offer in offers:
        buttons = [Button(_in_words(rule, language), data) for rule, data in offer]
        width = 4
        if offer[0][0].window:  # "±3 % in 7 days" takes half of a phone's width
            width = 2
        rows += rows_of(buttons, width)
    heading = bold(f"{latest.pair} {as_printed(latest.per_unit, language)}")
    # as the language writes it: the figure above has the same mark, and both are read
    example = code(f"/alert {latest.pair.base} > {as_printed(latest.per_unit, language)}")
    return message(
        lines(
            heading + f"  {currency_name(latest.pair.base, language)}",
            join(" · ", said),
            phrase("rule.when", language, example=example),
            phrase("rule.move_what", language),
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
    latest: Rate | None = None,
    bare: bool = False,
) -> Message:
    """The rule, where the rate stands, how often it would have spoken; buttons to change and save.

    `fired` are its days, oldest first; `since` is the first day of the history it was tried on,
    None when there is none; `latest` is the last rate of it, and `bare` says that a number alone
    was taken for a level or for a move by that rate.
    """
    said: list[Rich | None] = [
        bold(words(rule, language)),
        _what_moves([rule], language),
        already_there(rule, latest, language),
        _would_have(fired, since, language, today),
    ]
    if bare and latest is not None:
        said.append(_reading(rule, latest, language))
    steps = []
    if buttons.less is not None:
        data, amount = buttons.less
        steps.append(Button(f"‹ {_amount(rule, amount, language)}", data))
    if buttons.more is not None:
        data, amount = buttons.more
        steps.append(Button(f"{_amount(rule, amount, language)} ›", data))
    once = switch(t("button.once", language), buttons.once, on=rule.once)
    end = [
        Button(t("button.save", language), buttons.save, colour=Colour.GREEN),
        Button(t("button.cancel", language), buttons.cancel),
    ]
    return message(lines(*said), [steps, [once], end])


def _what_moves(rules: Sequence[Rule], language: str) -> Rich | None:
    """The day since which a move is counted, where one of the rules has no days of its own."""
    for one in rules:
        if one.condition is not Condition.LEVEL and one.window is None:
            return phrase("rule.move_what", language)
    return None


def _reading(rule: Rule, beside: Rate, language: str) -> Rich:
    """The reading of a bare number, and how the other reading is written."""
    amount = number(rule.amount, language)
    if rule.condition is Condition.LEVEL:
        # a move of so much would be a part of the rate that no rate moves by
        msgid, other = "rule.bare_level", "1%"
    elif rule.amount < beside.per_unit:
        msgid, other = "rule.bare_move", f"< {amount}"
    else:
        msgid, other = "rule.bare_move", f"> {amount}"
    return phrase(
        msgid,
        language,
        amount=amount,
        rate=as_printed(beside.per_unit, language),
        example=code(f"/alert {rule.pair} {other}"),
    )


def already_there(rule: Rule, latest: Rate | None, language: str) -> Rich | None:
    """A note that a level is passed already, and what the rule waits for; None where it is not."""
    if latest is None or not rule.reached_by(latest.per_unit):
        return None
    side = "rule.now_below"
    if rule.direction is Direction.UP:
        side = "rule.now_above"
    return phrase(
        side,
        language,
        rate=as_printed(latest.per_unit, language),
        amount=_amount(rule, rule.amount, language),
    )


def _would_have(fired: Sequence[date], since: date | None, language: str, today: date) -> Rich:
    """The times the rule would have spoken, in the past year or in the shorter history there is."""
    if since is None:
        return phrase("rule.no_history", language)
    if (today - since).days >= DAYS_OF_A_YEAR:
        often = counted("rule.preview", len(fired), language)
        never = phrase("rule.preview_none", language)
    else:
        on = day_since(since, language, today=today)
        often = counted("rule.since", len(fired), language, day=on)
        never = phrase("rule.since_none", language, day=on)
    if not fired:
        return never
    # those of last year with their year: "5 November" could be yet to come
    named = [day(on, language, today=today) for on in reversed(fired[-DAYS_NAMED:])]
    if len(fired) <= DAYS_NAMED:
        return join(": ", [often, ", ".join(named)]) + "."
    return join(", ", [often, phrase("rule.last", language, days=", ".join(named))]) + "."


def saved(rule: Rule, latest: Rate | None, language: str, *, awake: bool) -> Message:
    """The answer that a rule is kept, and what it waits for; not `awake`, a chat hears nothing."""
    said = "rule.saved"
    if not awake:
        said = "rule.saved_asleep"
    return message(
        lines(
            bold(words(rule, language)),
            already_there(rule, latest, language),
            phrase(said, language),
        )
    )


# --- the list, and one rule -----------------------------------------------------------------------


def rules(
    rules: Sequence[RuleLine | UnreadLine],
    language: str,
    *,
    make: str,
    today: date,
    follows: Sequence[tuple[Subject, date | None]] = (),
) -> Message:
    """The chat's rules, a line each; buttons of their places open them, `make` begins another.

    Data `rule:open:7`. Below them what it `follows`, each with the day on which it last told
    something.
    """
    new = [Button(t("button.new", language), make)]
    below = _follows(follows, language, today=today)
    if not rules:
        none = phrase("rule.none", language, example=code("/alert RUB < 1"))
        return message(join("\n\n", [none, below]), [new])
    said, opened = [], []
    for index, line in enumerate(rules, 1):
        said.append(join(" ", [f"{index}.", _listed(line, language, today)]))
        opened.append(Button(str(index), f"rule:open:{line.number}"))
    rows = rows_of(opened, NUMBERS_IN_A_ROW)
    mine = lines(
        bold(t("rule.title", language)),
        *said,
        _what_moves([line.rule for line in rules if isinstance(line, RuleLine)], language),
        phrase("rule.open_hint", language),
    )
    return message(join("\n\n", [mine, below]), [*rows, new])


def _listed(line: RuleLine | UnreadLine, language: str, today: date) -> Rich:
    """A rule in the list: what it last told is more than where the rate stands."""
    if isinstance(line, UnreadLine):
        return join(" · ", [str(line.pair), t("rule.newer", language)])
    beside = None
    if line.spoke_on is not None:
        beside = phrase("rule.spoke", language, day=day(line.spoke_on, language, today=today))
    elif line.latest is not None:
        beside = phrase("rule.now", language, rate=as_printed(line.latest.per_unit, language))
    shown = join(" ", [words(line.rule, language), _mark(line.standing)])
    return join(" · ", [shown, beside])


def _follows(
    follows: Sequence[tuple[Subject, date | None]], language: str, *, today: date
) -> Rich | None:
    """The subscriptions, a line each; None where there are none."""
    if not follows:
        return None
    said: list[Rich | str] = [bold(t("rule.follows", language))]
    for subject, told_on in follows:
        beside = None
        if told_on is not None:
            on = day(told_on, language, today=today)
            beside = phrase("rule.spoke", language, day=on)
        said.append(join(" · ", [_followed(subject, language), beside]))
    return lines(*said, phrase("rule.follows_change", language))


def _followed(subject: Subject, language: str) -> Rich | str:
    match subject:
        case DigestSubject(at=at):
            return phrase("settings.digest", language, times=clock(at))
        case WeekSubject(at=at):
            return phrase("settings.week", language, time=clock(at))
        case TopicSubject():
            return topic_name(subject.which, language)
    return subject.which


def rule(line: RuleLine, language: str, *, address: str, today: date) -> Message:
    """One rule: how it stands, when it last spoke, the link that shows it to others.

    Buttons to pause, change, delete and share it: data `rule:pause:7`, `resume`, `edit`, `delete`,
    and `rule:list:0` back to the list.
    """
    stands: list[Rich | str] = [t(f"rule.standing.{line.standing.value}", language)]
    if line.spoke_on is not None:
        on = day(line.spoke_on, language, today=today)
        stands.append(phrase("rule.spoke", language, day=on))
    text = lines(
        bold(words(line.rule, language)),
        _what_moves([line.rule], language),
        join(" · ", stands),
        phrase("rule.link", language, link=link(address.removeprefix("https://"), address)),
    )
    verbs = ["edit", "delete"]
    if line.standing is RuleStanding.ON:
        verbs.insert(0, "pause")
    elif line.standing is not RuleStanding.EXPIRED:  # whose end has to be changed first
        verbs.insert(0, "resume")
    acts = [Button(t(f"button.{verb}", language), f"rule:{verb}:{line.number}") for verb in verbs]
    share = share_button(address, language)
    return message(text, [*rows_of([*acts, share], 2), [back_button(language, "rule:list:0")]])


def unread_rule(line: UnreadLine, language: str) -> Message:
    """One rule of a newer version: what is known of it, and a button to delete it, `rule:delete:7`.

    Another leads back to the list.
    """
    text = lines(bold(str(line.pair)), t("rule.newer_what", language))
    act = Button(t("button.delete", language), f"rule:delete:{line.number}")
    return message(text, [[act], [back_button(language, "rule:list:0")]])


def _mark(standing: RuleStanding) -> str:
    return _MARKS.get(standing, "")
