"""Words around quiet hours, in English: from 11 pm to 7 am."""

from bot.languages.parts import QuietWords

QUIET = QuietWords(
    beside="from to till until and between through the in at h hours o clock every day daily",
    spans="from to till until between through",
    morning="am morning",
    evening="pm evening evenings",
    night="night nights midnight",
)
