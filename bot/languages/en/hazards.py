"""Words for dangers in warnings, in English."""

from bot.languages.parts import HazardWords

HAZARDS = HazardWords(
    events={
        "tsunami": "tsunami",
        "earthquake": "earthquake",
        "landslide": r"land\s?slide|mud\s?(?:slide|flow)|debris",
        "avalanche": "avalanche",
        "volcano": "volcan",
        "flood": "(?:flash)?flood",
        "wildfire": "(?:wild)?fire",
        "storm": "(?:thunder|wind)?storm|wind|tornado|cyclone|hurricane|typhoon|snow|blizzard|"
        "rain|hail",
        "drought": "drought",
        "heat": r"heat|hot\b",
        "cold": "cold|frost|freez",
    }
)
