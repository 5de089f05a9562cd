"""python-telegram-bot over our client, for its types and handlers (`Bot`, `Application`)."""

from __future__ import annotations

from typing import Any, TypeVar

from telegram import User, ext
from telegram.error import InvalidToken, NetworkError
from telegram.ext import CallbackContext, ContextTypes, ExtBot

from bot.telegram.api import BotApi
from bot.telegram.outcomes import Outcome, Rejected, Retry, Sent, why
from bot.telegram.request import AiohttpRequest

_Data = dict[Any, Any]
C = TypeVar("C", bound=CallbackContext[ExtBot[None], _Data, _Data, _Data])


class NotIntroducedError(NetworkError):
    """Telegram did not say who we are; `outcome` is what became of the question."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


class Bot(ExtBot[None]):
    """python-telegram-bot's bot, which knows itself by our own `getMe`.

    A field that a server does not send is no reason not to start.
    """

    def __init__(self, api: BotApi, token: str, *, url: str, request: AiohttpRequest) -> None:
        super().__init__(
            token,
            base_url=f"{url}/bot",
            base_file_url=f"{url}/file/bot",
            request=request,
            get_updates_request=request,
        )
        self._api = api

    @property
    def known_as(self) -> str:
        """Our name at Telegram, without @; empty until Telegram has told it."""
        try:
            return self.username
        except RuntimeError:
            return ""

    async def get_me(self, *_unused: Any, **_others: Any) -> User:  # noqa: ANN401 - as its parent
        """The bot's own account. InvalidToken of an unknown token, else NotIntroducedError."""
        outcome = await self._api.call("getMe")
        if isinstance(outcome, Rejected) and outcome.token:
            raise InvalidToken
        if isinstance(outcome, Sent) and not isinstance(outcome.result, dict):
            outcome = Retry(why(outcome))
        if not isinstance(outcome, Sent):
            raise NotIntroducedError(outcome)
        about = {
            "id": int(self.token.partition(":")[0]),
            "is_bot": True,
            "first_name": "",
            "username": "",
        }
        self._bot_user = User.de_json(about | outcome.result, self)
        return self._bot_user


class Application(ext.Application[Any, Any, Any, Any, Any, Any]):
    """python-telegram-bot's dispatcher, which lets a handler's error out to its caller.

    By itself it keeps errors for error handlers, which cannot raise them to the inbox that tries an
    update again.
    """

    async def process_error(
        self,
        update: object,  # noqa: ARG002 - as its parent
        error: Exception,
        *_unused: Any,  # noqa: ANN401 - as its parent
        **_others: Any,  # noqa: ANN401 - as its parent
    ) -> bool:
        """Raise the error, to the inbox."""
        raise error


def dispatcher(
    bot: ExtBot[None], context: type[C]
) -> ext.Application[ExtBot[None], C, _Data, _Data, _Data, None]:
    """The application that hands an update to its handler, in a context of that type.

    It fetches no updates and keeps no clock of its own.
    """
    builder = Application.builder().application_class(Application).bot(bot)
    contexts = ContextTypes(context=context)
    return builder.updater(None).job_queue(None).context_types(contexts).build()
