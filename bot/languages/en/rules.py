"""Words of a chat's own rules in English: USD below 87 until Dec 31."""

from bot.languages.parts import RuleWords

RULES = RuleWords(
    kinds={
        "official": "official",
        "reference": "reference",
        "buy": "buy,buying",
        "sell": "sell,selling",
        "mid": "mid",
        "cross": "cross",
    },
    below="below,under,less",
    above="above,over,more",
    once="once",
    until="until,till",
    link="to,vs,against",
    filler="than,if,when,in,within,by,is,the,a,rate,of,at,for,falls,drops,rises,goes,gets",
    days={1: "d day days", 7: "w week weeks", 30: "m month months"},
    percent="percent",
)
