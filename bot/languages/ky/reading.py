"""Kyrgyz beside Russian: many of its texts contain no letter of its own.

A quarter of its sentences have none of ө, ү, ң, and people type о, у, н for them. So the letters
only add to what `odds.tsv` says of letter triples, counted with those letters folded. Kazakh, Tatar
and Uzbek in Cyrillic are closest to it of the languages here, and have letters that it lacks.
"""

from bot.languages.parts import Reading, Script

READING = Reading(
    script=Script.CYRILLIC,
    letters="өүңѳӊ",
    optional={"ѳ": "ө", "ӊ": "ң"},  # as keyboards had them before there was one of its own
    typed={
        "ө": "о",
        "ү": "у",
        "ң": "н",
        "қ": "к",
        "ғ": "г",
        "ұ": "у",
        "ә": "а",
        "һ": "х",
        "і": "и",  # Kazakh names
    },
)
