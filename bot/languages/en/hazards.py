"""Words for dangers in warnings, in English."""

from bot.languages.parts import HazardWords

HAZARDS = HazardWords(
    events={
        "tsunami": "tsunami",
        "earthquake": "earthquake",
        "landslide": r"land\s?slide|(?:rock|mud)\s?(?:slide|flow|fall)|debris",
        "avalanche": "avalanche",
        "volcano": "volcan",
        "flood": "(?:flash)?flood",
        "wildfire": "(?:wild)?fire",
        "storm": "(?:thunder|wind)?storm|wind(?!ow)|tornado|cyclone|hurricane|typhoon|snow|"
        "blizzard|rain|hail",
        "drought": "drought",
        "heat": r"heat|hot\b",
        "cold": "cold|frost|freez",
    },
    figures=r"(?:flood\w*|avalanches?|storms?|hurricanes?) of "
    r"(?!(?:water|mud|rock|stone|snow|ice|debris|sand|dust))|flooded with (?!(?:water|mud))|"
    r"landslide (?:win|victory|majority|defeat|vote|election)|"
    r"(?:wins?|won|victory|elected)\b.{0,30}\blandslide|"
    r"(?:water|burst|broken|leaking) (?:pipe|main)|pipe (?:burst|leak)",
    centre=r"epicent|cent(?:red|ered)|kilomet|km\b|miles\b",
)
