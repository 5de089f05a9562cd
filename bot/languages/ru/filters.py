"""Words for how long a filter of the news holds, in Russian: на 7 дней."""

from bot.languages.parts import FilterWords

FILTERS = FilterWords(
    spans={
        1: "д дн день дня дней сутки суток",
        7: "неделя неделю недели недель",
        30: "мес месяц месяца месяцев",
    },
    lead="на",
    one="один одну одни",
)
