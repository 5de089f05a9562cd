"""Free-text currency questions: words and numbers in, amount and currencies out; and the arithmetic with rates."""

from __future__ import annotations

from bot.convert.exchange import Answer, convert
from bot.convert.question import Question, looks_like_question, parse_question

__all__ = ["Answer", "Question", "convert", "looks_like_question", "parse_question"]
