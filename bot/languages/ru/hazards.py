"""Words for dangers in warnings, in Russian."""

from bot.languages.parts import HazardWords

HAZARDS = HazardWords(
    events={
        "tsunami": "цунами",
        "earthquake": "землетрясен",
        "landslide": "оползн|сел[ьея]",
        "avalanche": "лавин",
        "volcano": "вулкан",
        "flood": "наводнен|паводк|подтопл",
        "wildfire": "пожар",
        "storm": "ветер|ветр|шторм|ливн|снег|град",
        "drought": "засух",
        "heat": r"жар[аы]\b",
        "cold": "мороз|заморозк",
    }
)
