"""Russian is the first language of Cyrillic letters.

Kyrgyz has no prepositions: one of these outweighs a president's name.
"""

from bot.languages.parts import Reading, Script

READING = Reading(
    script=Script.CYRILLIC,
    optional={"ё": "е"},  # newsrooms do not agree on the dots
    letterless=True,  # most of our newsrooms write it
    sounds={
        **dict(zip("абвгдежзийклмнопрстуфхцчшщыэ", "abvgdeJziyklmnoprstufhcCSSye", strict=True)),
        "ю": "yu",
        "я": "ya",
        "ь": "",
        "ъ": "",
    },
    common="оеаинтсрвлкмдпу",
    words="в во на с со к по о об от из за для не что при под до без как",
)
