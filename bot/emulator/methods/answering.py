"""Answers to pressed buttons and inline queries."""

from __future__ import annotations

import asyncio
import itertools

from bot.emulator.commands import Profile
from bot.emulator.errors import Json, bad_request
from bot.emulator.files import Files
from bot.emulator.methods.shared import Method, Shared
from bot.emulator.params import Params
from bot.emulator.updates import Updates
from bot.emulator.world import World

_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
_INLINE_RESULTS = 50


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
        answer: Json = {"results": results, "next_offset": params.text("next_offset")}
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
