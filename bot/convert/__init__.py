"""Readers' typing, read: questions, currencies, days, time zones; and arithmetic with rates."""

from __future__ import annotations

from bot.convert.commands import RangeFound, behind_filler, range_at, says_off
from bot.convert.dates import day_at, read_day, wrong_date
from bot.convert.exchange import Answer, convert
from bot.convert.greetings import is_courtesy, is_greeting, says_cancel
from bot.convert.inquiry import Inquiry, parse_inquiry
from bot.convert.mentions import Mention, currency_at
from bot.convert.plain import plain_text
from bot.convert.question import Question, looks_like_question, parse_question
from bot.convert.zones import country_zones, read_zone

__all__ = [
    "Answer",
    "Inquiry",
    "Mention",
    "Question",
    "RangeFound",
    "behind_filler",
    "convert",
    "country_zones",
    "currency_at",
    "day_at",
    "is_courtesy",
    "is_greeting",
    "looks_like_question",
    "parse_inquiry",
    "parse_question",
    "plain_text",
    "range_at",
    "read_day",
    "read_zone",
    "says_cancel",
    "says_off",
    "wrong_date",
]
