"""Words for how long a filter of the news holds, in English: for 7 days."""

from bot.languages.parts import FilterWords

FILTERS = FilterWords(
    spans={1: "d day days", 7: "w week weeks", 30: "month months"},
    lead="for",
    one="a one",
)
