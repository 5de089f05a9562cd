"""An answer, as a call of the Bot API, and the same in other ways where it is refused as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

#: What makes a message one that nobody but its receiver sees.
EPHEMERAL = "ephemeral_message_parameters"
#: What words can do without, when Telegram refuses the whole.
ORNAMENTS = (
    "entities",
    "caption_entities",
    "reply_markup",
    "reply_parameters",
    "link_preview_options",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that is uploaded beside an answer's parameters."""

    field: str
    content: bytes
    filename: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A method of the Bot API with its parameters, which somebody waits for.

    `postponable` says whether the outbox may send it when Telegram does not take it now. An answer
    whose sender has words to send in its place is not, and neither is one with a file. `words` are
    parameters that say the same in words, of a rich message, which may be refused as it is.
    """

    method: str
    parameters: Mapping[str, Any]
    file: File | None = None
    postponable: bool = True
    words: Mapping[str, Any] | None = None

    @property
    def chat(self) -> int | None:
        """The chat it is for; None for the answer to a query, which is in no chat."""
        return self.parameters.get("chat_id")


def with_plain_results(answer: Answer) -> Answer | None:
    """Inline results without what stands around their words; None of what has none, or no more."""
    results = answer.parameters.get("results", [])
    plain: list[Mapping[str, Any]] = []
    for one in results:
        bare = without(one, *ORNAMENTS)
        if "input_message_content" in one:
            bare["input_message_content"] = without(one["input_message_content"], *ORNAMENTS)
        plain.append(bare)
    return changed(answer, results=plain) if plain != results else None


def in_words(answer: Answer) -> Answer:
    """A rich message as the words that say the same; any other answer as it is."""
    if answer.words is None:
        return answer
    method = "sendMessage" if answer.method == "sendRichMessage" else answer.method
    said = {**without(answer.parameters, "rich_message"), **answer.words}
    return replace(answer, method=method, parameters=said, words=None)


def without(parameters: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A request's parameters without some; the request itself stays as it was."""
    return {name: value for name, value in parameters.items() if name not in names}


def shown_to_all(answer: Answer) -> Answer:
    """An ephemeral answer as one that everybody in the chat sees; another as it is."""
    if EPHEMERAL not in answer.parameters:
        return answer
    return replace(answer, parameters=without(answer.parameters, EPHEMERAL, "reply_parameters"))


def changed(answer: Answer, **changes: object) -> Answer:
    """An answer with other values of some parameters."""
    return replace(answer, parameters={**answer.parameters, **changes})
