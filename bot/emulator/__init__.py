"""A Bot API on loopback with a chat page, for the demonstration, tests and benchmarks.

It stands alone: nothing of the bot is imported here, so it can be wrong only about Telegram, never
agree with the bot by mistake. Start with `Emulator`; `python -m bot.emulator` runs it in a process
of its own.
"""

from bot.emulator.calls import Call, Calls
from bot.emulator.emulator import TEST_TOKEN, Emulator
from bot.emulator.errors import ScenarioError, Words
from bot.emulator.faults import Fault, Faults, Kind, Limits
from bot.emulator.panel import Control, DayField, Reading
from bot.emulator.people import Member, User
from bot.emulator.scenario import Dates, Tongue
from bot.emulator.tally import Tally
from bot.emulator.updates import Backoff
from bot.emulator.world import Chat

__all__ = [
    "TEST_TOKEN",
    "Backoff",
    "Call",
    "Calls",
    "Chat",
    "Control",
    "Dates",
    "DayField",
    "Emulator",
    "Fault",
    "Faults",
    "Kind",
    "Limits",
    "Member",
    "Reading",
    "ScenarioError",
    "Tally",
    "Tongue",
    "User",
    "Words",
]
