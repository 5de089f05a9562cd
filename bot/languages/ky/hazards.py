"""Words for dangers in warnings, in Kyrgyz."""

from bot.languages.parts import HazardWords

HAZARDS = HazardWords(
    events={
        "tsunami": "цунами",
        "earthquake": "жер титир",
        "landslide": "жер көчкү",
        "avalanche": "кар көчкү",
        "volcano": "вулкан",
        "flood": "суу ташк",
        "wildfire": "өрт",
        "storm": "бороон",
        "drought": "кургакчыл",
        "cold": "суук",
    }
)
