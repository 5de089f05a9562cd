"""English is the first language of Latin letters: taken unless another is likelier."""

from bot.languages.parts import Reading, Script

READING = Reading(
    script=Script.LATIN,
    typed={"ö": "o", "ü": "u", "ı": "i", "ñ": "n"},  # Turkish and Spanish names
)
