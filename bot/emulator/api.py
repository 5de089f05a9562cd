"""The methods of the Bot API, by name.

Each method reads its parameters, checks them in the order the server does, changes the world and
returns what goes under `result`. They stand in `bot/emulator/methods/`, a file a subject.
"""

from __future__ import annotations

from bot.emulator.commands import Profile
from bot.emulator.errors import ApiError
from bot.emulator.files import Files
from bot.emulator.methods.answering import Answering
from bot.emulator.methods.changing import Changing
from bot.emulator.methods.chats import Chats
from bot.emulator.methods.profile import Describing
from bot.emulator.methods.sending import Sending
from bot.emulator.methods.shared import Method
from bot.emulator.methods.topics import Topics
from bot.emulator.methods.updates import GettingUpdates
from bot.emulator.updates import Updates
from bot.emulator.world import World


class BotApi:
    """All methods over one world; `questions` are callback and inline queries not answered yet."""

    def __init__(self, world: World, updates: Updates, files: Files, profile: Profile) -> None:
        around = (world, updates, files, profile)
        self.profile = profile
        self.itself = GettingUpdates(*around)
        self.answers = Answering(*around)
        self.chats = Chats(*around)
        self._methods: dict[str, Method] = {}
        for subject in (
            self.itself,
            Sending(*around),
            Changing(*around),
            self.answers,
            Describing(*around),
            self.chats,
            Topics(*around),
        ):
            for method in subject.methods():
                self._methods[method.__name__.replace("_", "")] = method

    def method(self, name: str) -> Method:
        """The method of this name in any case; 404 for what is not there."""
        try:
            return self._methods[name.lower()]
        except KeyError:
            raise ApiError(404, "Not Found: method not found") from None
