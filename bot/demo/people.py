"""The people and chats of the demonstration: heralds, a channel and a group of the reader's own.

There is one of each in every language; the page shows those of the reader's.
"""

from __future__ import annotations

from bot.demo.words import words
from bot.demo.world import HERALDS
from bot.emulator import Emulator
from bot.languages import LANGUAGES

READER = 1001
OWN_CHANNELS = {code: -1002021103000 - index for index, code in enumerate(LANGUAGES)}
GROUPS = {code: -1002021104000 - index for index, code in enumerate(LANGUAGES)}
#: The group's forum topics, besides General, by their numbers.
TOPICS = {2: "demo.topic_rates", 3: "demo.topic_news"}


def populate(emulator: Emulator) -> None:
    """A reader who has not met the bot, the channels it posts in, and where it can be put.

    Which language the reader speaks the page says.
    """
    emulator.add_private(emulator.add_user(READER, "Aigul"), started=False)
    for code in LANGUAGES:
        emulator.add_channel(
            HERALDS[code], words("demo.herald")[code], f"jarchy_herald_{code}", language=code
        )
        emulator.add_channel(
            OWN_CHANNELS[code],
            words("demo.own_channel")[code],
            owner=READER,
            bot_status="left",
            language=code,
        )
        emulator.add_group(
            GROUPS[code],
            words("demo.group")[code],
            owner=READER,
            bot_status="left",
            is_forum=True,
            language=code,
        )
        for number, name in TOPICS.items():
            emulator.add_topic(GROUPS[code], number, words(name)[code])
