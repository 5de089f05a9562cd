"""Words for how long a filter of the news holds, in Kyrgyz: 7 күнгө."""

from bot.languages.parts import FilterWords

FILTERS = FilterWords(
    spans={
        1: "күн күнгө күндө",
        7: "жума жумага апта аптага",
        30: "ай айга",
    },
    one="бир",
)
