"""The bot itself, and how it gets its updates."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bot.emulator.commands import Profile
from bot.emulator.errors import Json, bad_request
from bot.emulator.files import Files
from bot.emulator.methods.shared import Method, Shared
from bot.emulator.params import Params
from bot.emulator.updates import Updates, Webhook
from bot.emulator.world import World

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class GettingUpdates(Shared):
    """The bot itself, and how it gets its updates."""

    def __init__(self, world: World, updates: Updates, files: Files, profile: Profile) -> None:
        super().__init__(world, updates, files, profile)
        # fields of getMe that an older or a newer server does not send
        self.unsaid: frozenset[str] = frozenset()

    def methods(self) -> tuple[Method, ...]:
        """The methods of this subject."""
        return (
            self.get_me,
            self.log_out,
            self.close,
            self.get_updates,
            self.set_webhook,
            self.delete_webhook,
            self.get_webhook_info,
        )

    def get_me(self, _: Params) -> Json:
        """The bot itself."""
        abilities = {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_guest_queries": False,
            "supports_inline_queries": True,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": False,
            "allows_users_to_create_topics": False,
            "can_manage_bots": False,
            "supports_join_request_queries": False,
        }
        card = self.world.bot_json | abilities
        for name in self.unsaid:
            card.pop(name, None)
        return card

    def log_out(self, _: Params) -> bool:
        """There is no other server to move to."""
        return True

    def close(self, _: Params) -> bool:
        """Nothing ends here: the emulator ends with whoever runs it."""
        return True

    async def get_updates(self, params: Params) -> list[Json]:
        """Long polling."""
        return await self.updates.get(
            offset=params.count("offset", 0),
            # out of its bounds each is taken for the nearest that is allowed, not refused
            limit=min(max(params.count("limit", 100), 1), 100),
            wait=min(max(params.count("timeout", 0), 0), 50),
            allowed=_kinds(params),
        )

    async def set_webhook(self, params: Params) -> bool:
        """Push updates to an address; unlike the real server, plain http is taken, for loopback."""
        url, secret = params.text("url"), params.text("secret_token")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
            raise bad_request("bad webhook: invalid URL specified")
        hook: Webhook | None = None
        if url:  # an empty one takes the webhook away, as deleteWebhook does
            most = params.count("max_connections", 40)
            hook = Webhook(url=url, secret=secret or None, max_connections=most)
        await self.updates.set_webhook(
            hook,
            allowed=_kinds(params),
            drop_pending=params.flag("drop_pending_updates"),
        )
        return True

    async def delete_webhook(self, params: Params) -> bool:
        """Back to polling."""
        await self.updates.set_webhook(
            None, allowed=None, drop_pending=params.flag("drop_pending_updates")
        )
        return True

    def get_webhook_info(self, _: Params) -> Json:
        """The webhook: where updates go, and the last failure there."""
        return self.updates.info()


def _kinds(params: Params) -> list[str] | None:
    """The kinds of updates a call asks for; None where it does not say."""
    allowed = params.structure("allowed_updates")
    if not isinstance(allowed, list):
        return None
    return list(map(str, allowed))
