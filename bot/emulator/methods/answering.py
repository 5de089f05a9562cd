"""Answers to pressed buttons and inline queries."""

from __future__ import annotations

import asyncio
import itertools

from bot.emulator import text as texts
from bot.emulator.commands import Profile
from bot.emulator.errors import Json, bad_request
from bot.emulator.files import Files
from bot.emulator.markup import checked_markup
from bot.emulator.methods.shared import Method, Shared
from bot.emulator.params import Params
from bot.emulator.updates import Updates
from bot.emulator.world import World

_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
_INLINE_RESULTS = 50
_OFFSET_BYTES = 64


class Answering(Shared):
    """Answers; `questions` are the queries that wait for one, with the future it will be in."""

    def __init__(self, world: World, updates: Updates, files: Files, profile: Profile) -> None:
        super().__init__(world, updates, files, profile)
        self.questions: dict[str, asyncio.Future[Json]] = {}
        self._ids = itertools.count(4_000_000_000_000_001)

    def methods(self) -> tuple[Method, ...]:
        """The methods of this subject."""
        return (
            self.answer_callback_query,
            self.answer_inline_query,
        )

    def answer_callback_query(self, params: Params) -> bool:
        """End the progress bar on a pressed button, perhaps with a word."""
        text = params.text("text")
        # characters here, where most limits are UTF-16 units (Bot API, answerCallbackQuery)
        if len(text) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        answer = {"text": text, "show_alert": params.flag("show_alert"), "url": params.text("url")}
        return self._answer(params.text("callback_query_id"), answer)

    def answer_inline_query(self, params: Params) -> bool:
        """Up to 50 results, each with its own id."""
        results = params.items("results")
        ids: list[str] = []
        for result in results:
            ids.append(str(result.get("id", "")))
        if len(results) > _INLINE_RESULTS:
            raise bad_request("RESULTS_TOO_MUCH")
        if len(set(ids)) != len(ids):
            raise bad_request("RESULT_ID_DUPLICATE")
        for result_id in ids:
            if not 1 <= len(result_id.encode()) <= 64:  # bytes, as in a button's data
                raise bad_request("RESULT_ID_INVALID")
        for result in results:
            if result.get("type") == "article":
                _check_article(result)
        onward = params.text("next_offset")
        if len(onward.encode()) > _OFFSET_BYTES:
            raise bad_request("NEXT_OFFSET_INVALID")
        answer: Json = {"results": results, "next_offset": onward}
        if params.mapping("button"):
            answer["button"] = params.mapping("button")
        return self._answer(params.text("inline_query_id"), answer)

    def _answer(self, query_id: str, answer: Json) -> bool:
        # once: a second answer to the same query is too late, as Telegram says
        question = self.questions.pop(query_id, None)
        if question is None or question.done():
            raise bad_request(_TOO_OLD)
        question.set_result(answer)
        return True

    def ask(self) -> tuple[str, asyncio.Future[Json]]:
        """A new query id and the future its answer will be in."""
        query_id = str(next(self._ids))
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.questions[query_id] = answer
        return query_id, answer


def _check_article(result: Json) -> None:
    """A title, and words that could be sent as a message, with buttons as under one."""
    if not str(result.get("title", "")).strip():
        raise bad_request("ARTICLE_TITLE_EMPTY")
    content = result.get("input_message_content") or {}
    words, _ = texts.clean(str(content.get("message_text", "")), content.get("entities") or [])
    if not words:
        raise bad_request("MESSAGE_EMPTY")
    if texts.utf16_length(words) > texts.TEXT_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    checked_markup(result.get("reply_markup"), inline_only=True)
