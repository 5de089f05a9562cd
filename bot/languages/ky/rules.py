"""Words of a chat's own rules in Kyrgyz, which compares behind the number: доллар 87ден төмөн."""

from bot.languages.parts import RuleWords

RULES = RuleWords(
    kinds={"official": "расмий", "buy": "сатып алуу", "sell": "сатуу"},
    below="төмөн,аз,арзан",
    above="жогору,көп,кымбат",
    once="бир жолу",
    until="чейин",
    filler="ичинде,болсо,болгондо,түшсө,көтөрүлсө,өссө",
    days={1: "күн күндө", 7: "апта жума", 30: "ай"},
    percent=r"пайыз\w*",
    number_ending="д[аеоө]н|т[аеоө]н",
)
