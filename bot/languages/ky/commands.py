"""Words behind commands, in Kyrgyz: /rates доллар жана евро, /chart RUB жыл, /digest өчүр."""

from bot.languages.parts import CommandWords

COMMANDS = CommandWords(
    chart=r"графи[кг]\w*|диаграмм\w*",
    around=r"графи[кг]\w*|курс\w*|бер\w*|көрсөт\w*|бир|жана|менен|"
    r"үчүн|акыркы|соңку|баасы|болгон|күнкү|күнү|күнгө",
    ranges={
        1: "күн күндүк",
        7: "апта апталык жума",
        30: "ай айлык",
        365: "жыл жылдык",
    },
    one_range={7: "апта жума", 30: "ай", 365: "жыл"},
    whole="баары,бүт",
    off="өчүр өчүк өчүрүү жок",
    on="күйгүз күйгүзүү ооба",
)
