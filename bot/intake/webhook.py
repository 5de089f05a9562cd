"""The webhook: Telegram posts updates to us. A request without our secret is nobody's."""

from __future__ import annotations

import hmac
import math
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from aiohttp import web
from yarl import URL

from bot.alerts.notices import Notice, OnTrouble
from bot.clock import boottime, pause
from bot.errors import StorageError
from bot.intake.inbox import Inbox
from bot.intake.received import KINDS, has_number
from bot.intake.salvage import first_number, tolerantly
from bot.intake.told import Lost, Tell, unwatched
from bot.reasons import Reason, reason, said
from bot.telegram import retry
from bot.telegram.api import BotApi
from bot.telegram.outcomes import answers, why
from bot.telegram.results import Posts, posts_of

log = structlog.get_logger(__name__)

LARGEST_REQUEST = 1024 * 1024  # bytes of a request
REFUSALS_REMEMBERED = 100  # numbers of refused updates that are remembered
HEADER = "X-Telegram-Bot-Api-Secret-Token"
WEBHOOK_LOOK = 30.0  # seconds between looks whether it is still ours, and whether posts arrive
#: Seconds between two times that it is set again at our own address: whoever set it otherwise, an
#: old replica perhaps, may do the same.
SET_AGAIN_EVERY = 300.0
#: Looks in a row at which updates waited and none had come since the look before, until we are deaf
#: though Telegram tells of no failure, as while a post hangs: one may meet an update on its way.
LOOKS_IN_VAIN = 2
NO_REASON = reason("webhook.no_reason", "no reason given")
REFUSED_BY_US = "403"  # in Telegram's words, when a post had another secret


@dataclass(slots=True, kw_only=True)
class Hook:
    """The address that Telegram posts to, and the secret by which a post is its own."""

    url: str
    secret: str
    refused: int = 0  # posts to it with another secret, or none


def webhook_app(inbox: Inbox, hook: Hook) -> web.Application:
    """A server with one address, the path of the hook: POST, JSON, at most a megabyte, with its
    secret.

    It answers 200 once the update is stored. Telegram repeats what is refused, and sends nothing
    else meanwhile. So what has a number and cannot be read is set aside; what is too large, when it
    comes a second time.
    """
    too_large: deque[int] = deque(maxlen=REFUSALS_REMEMBERED)
    path = in_one_form(urlsplit(hook.url).path)

    async def receive(request: web.Request) -> web.Response:
        refused = _refused(request, path, hook.secret)
        if refused is not None:
            hook.refused += refused == web.HTTPForbidden.status_code
            return web.Response(status=refused)
        body = await at_most(request, LARGEST_REQUEST + 1)
        if len(body) > LARGEST_REQUEST:
            number = first_number(body + b"}")  # which only reads what was not cut off
            if number is not None and number in too_large:
                return await _stored(inbox.set_aside(number))
            if number is not None:
                too_large.append(number)
            return web.Response(status=413)
        update = _decoded(body)
        if has_number(update):
            return await _stored(inbox.receive([update]))
        number = first_number(body)
        # JSON without a number is no update; where nobody reads it, its number may still be seen
        if update is not None or number is None:
            return web.Response(status=400)
        return await _stored(inbox.set_aside(number))

    application = web.Application(client_max_size=LARGEST_REQUEST)
    # the path is compared by us: a route would read percent signs and braces as a pattern
    application.router.add_post("/{path:.*}", receive)
    return application


def in_one_form(path: str) -> str:
    """A path with one spelling of what may be written in several: percent signs, dots, no path."""
    return URL(f"http://host{path}").raw_path


def _refused(request: web.Request, path: str, secret: str) -> int | None:
    """The status for a request that is not Telegram's; None when it is."""
    if in_one_form(request.rel_url.raw_path) != path:
        return 404
    given = request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode(errors="surrogateescape"), secret.encode()):
        return 403
    if request.content_type != "application/json":
        return 415
    return None


async def at_most(request: web.Request, limit: int) -> bytes:
    """The beginning of a request's body; what comes after `limit` bytes stays unread.

    What breaks off, or is packed otherwise than it says, is a bad request.
    """
    body = bytearray()
    try:
        while len(body) < limit and (piece := await request.content.read(limit - len(body))):
            body += piece
    except (web.RequestPayloadError, ConnectionError):
        raise web.HTTPBadRequest from None
    return bytes(body)


def _decoded(body: bytes) -> Any | None:  # noqa: ANN401 - any JSON value
    """The JSON value, read tolerantly where need be; None when nobody can read it."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return tolerantly(body)


async def _stored(storing: Awaitable[None]) -> web.Response:
    try:
        await storing
    except StorageError as error:
        log.warning("updates wait at Telegram", error=str(error))
        return web.Response(status=503)
    return web.Response()


async def keep_webhook(
    api: BotApi,
    inbox: Inbox,
    hook: Hook,
    *,
    tell: Tell,
    on_trouble: OnTrouble,
    lost: Lost = unwatched,
) -> None:
    """Have updates posted to the hook, for ever: set until Telegram takes it, and again when it is
    not ours any more.

    Which kinds are wanted is said each time: Telegram would go on with what an earlier program
    asked for. `on_trouble` is told that Telegram posts them in vain.
    """
    tell(reason("webhook.not_set", "webhook: not set yet"))

    async def not_set(failure: retry.Failure) -> float | None:
        because = why(failure.outcome)
        tell(reason("webhook.refused", "webhook: {why}", why=because))
        log.warning("webhook not set", why=str(because), again_in=failure.wait)
        if not answers(failure.outcome):
            await lost()
        return failure.wait

    setting = partial(
        api.call, "setWebhook", url=hook.url, secret_token=hook.secret, allowed_updates=KINDS
    )
    watch = _Watch(api=api, inbox=inbox, hook=hook, tell=tell, on_trouble=on_trouble, lost=lost)
    while True:
        await retry.insist(setting, retry.LISTENING, react=not_set)
        tell(watch.deaf)  # whoever was deaf is well when an update has come
        await watch.until_changed()


@dataclass(slots=True, kw_only=True)
class _Watch:
    """The looks at what Telegram makes of the hook."""

    api: BotApi
    inbox: Inbox
    hook: Hook
    tell: Tell
    on_trouble: OnTrouble
    lost: Lost
    deaf: Reason | None = None  # why no update can come, as of the last look
    _newest_at: datetime | None = None  # when the newest update had come by the last look
    _in_vain: int = 0  # looks in a row at which updates waited, and none had come since another
    _heard_at: datetime | None = None  # by the last look at which we were deaf
    _set_again_at: float = -math.inf  # by the clock of `boottime`

    async def until_changed(self) -> None:
        """Return when the hook is to be set again: updates go to another address, or to none, or
        to ours as somebody else wants them; say when they are posted in vain, or when there is no
        answer at all.
        """
        refused = self.hook.refused
        while True:
            await pause(WEBHOOK_LOOK)
            looking = partial(self.api.call, "getWebhookInfo")
            posts = posts_of(await retry.insist(looking, retry.LISTENING, react=self._unseen))
            if posts is None:
                continue
            if posts.url not in {None, self.hook.url}:
                log.warning("the webhook was changed by somebody else")
                return
            was_deaf = self.deaf is not None
            try:
                await self._look(posts)
            except StorageError:  # whoever watches the store says so
                continue
            # what more than one look finds is not the first moment of a new secret, which some
            # replica knows: those with the old one would take it back
            is_refused = REFUSED_BY_US in posts.why and self.hook.refused > refused
            is_anothers = was_deaf and self.deaf is not None and is_refused
            if (is_anothers or _lacks(posts)) and self._may_be_set_again():
                log.warning("the webhook was set otherwise by somebody else")
                return

    async def _unseen(self, failure: retry.Failure) -> float | None:
        if not answers(failure.outcome):
            because = why(failure.outcome)
            self.tell(reason("webhook.unseen", "webhook: not seen: {why}", why=because))
            log.warning("webhook not seen", why=str(because), again_in=failure.wait)
            await self.lost()
        return failure.wait

    async def _look(self, posts: Posts) -> None:
        """Say whether updates come."""
        newest_at = await self.inbox.last_received()
        trouble = _trouble(posts, newest_at)
        waits_still = posts.waiting > 0 and newest_at == self._newest_at
        self._in_vain = self._in_vain + 1 if waits_still else 0
        self._newest_at = newest_at
        if trouble is None and self._in_vain >= LOOKS_IN_VAIN:
            trouble = NO_REASON
        if trouble is not None:
            if self.deaf is None:
                await self.on_trouble(Notice.of("notice.deaf"), trouble)
            self._heard_at = newest_at
            words = "webhook: Telegram cannot deliver updates: {why}"
            self.deaf = reason("webhook.deaf", words, why=trouble)
            log.warning("telegram cannot deliver updates", why=str(trouble), waiting=posts.waiting)
        elif self.deaf is not None and not self._is_untried(posts):
            log.info("telegram delivers updates again")
            self.deaf = None
        self.tell(self.deaf)

    def _is_untried(self, posts: Posts) -> bool:
        """Whether updates wait, and none has come, nor failed, since the hook was set again."""
        if not posts.waiting or posts.failed_at is not None:
            return False
        return self._newest_at == self._heard_at

    def _may_be_set_again(self) -> bool:
        """Whether it was not just now, and is from now on."""
        now = boottime()
        if now - self._set_again_at < SET_AGAIN_EVERY:
            return False
        self._set_again_at = now
        return True


def _lacks(posts: Posts) -> bool:
    """Whether Telegram keeps kinds of updates back that we want; more of them do no harm."""
    return posts.kinds is not None and not posts.kinds.issuperset(KINDS)


def _trouble(posts: Posts, newest_at: datetime | None) -> Reason | None:
    """The failure of Telegram's last post, when updates wait and none came since; else None."""
    if not posts.waiting or posts.failed_at is None:
        return None
    # what came since the failure came through: Telegram is only slow to forget it
    if newest_at is not None and newest_at.timestamp() >= posts.failed_at:
        return None
    return said(posts.why) if posts.why else NO_REASON
