"""Words around quiet hours, in Russian: с 11 вечера до 7 утра."""

from bot.languages.parts import QuietWords

QUIET = QuietWords(
    beside="с со от до по и ч час часа часов в тихо тишина каждый день ежедневно",
    endings="ти и х",
    spans="с со от до по",
    morning="утра утром утрам",
    evening="вечера вечером вечерам дня",
    night="ночи ночью ночам",
)
