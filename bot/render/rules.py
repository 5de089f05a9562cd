"""A chat's own rules: the preview before one is saved, and the list of them.

What a button sends back belongs to the handlers; it is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.i18n import day, t, tn
from bot.render.text import Button, Message, bold, code, fill, join, lines, message

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule in the list: its number in the store, its words ("RUB < 1"), whether it rests."""

    number: int
    words: str
    paused: bool = False


def preview(words: str, fired: Sequence[date], language: str, *, save: str, cancel: str, today: date) -> Message:
    """How often the rule would have fired in the past year, `fired` oldest first; buttons to save or drop it."""
    days = ", ".join(day(on, language, today=today) for on in reversed(fired[-SHOWN:]))
    return message(
        lines(
            fill(tn("rule.preview", len(fired), language), rule=bold(words), n=len(fired)),
            fill(t("rule.last", language), days=days) if fired else None,
        ),
        [[Button(t("button.save", language), save), Button(t("button.cancel", language), cancel)]],
    )


def rules(rules: Sequence[RuleLine], language: str) -> Message:
    """The chat's rules, each with pause and delete: data `rule:pause:7`, `rule:resume:7`, `rule:delete:7`."""
    if not rules:
        return message(fill(t("rule.none", language), example=code("/alert RUB < 1")))
    words = [join(" ", [f"{place}.", rule.words, "⏸" if rule.paused else ""]) for place, rule in enumerate(rules, 1)]
    return message(
        lines(bold(t("rule.title", language)), *words),
        [_buttons(place, rule, language) for place, rule in enumerate(rules, 1)],
    )


def _buttons(place: int, rule: RuleLine, language: str) -> list[Button]:
    verb = "resume" if rule.paused else "pause"
    return [
        Button(f"{place}. {t(f'button.{verb}', language)}", f"rule:{verb}:{rule.number}"),
        Button(f"{place}. {t('button.delete', language)}", f"rule:delete:{rule.number}"),
    ]
