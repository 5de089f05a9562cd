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
    filler="than,if,when,as soon as,in,within,by,is,the,a,rate,of,at,for,goes,gets,reaches,"
    "hits,becomes,will,be,or,and,me,please,tell",
    rises="rises,rise,rose,rising,gains,grows,goes up,go up,going up,went up",
    falls="falls,fall,fell,drops,drop,dropped,falling,goes down,go down,going down,went down",
    to="to",
    by="by",
    when="when,as soon as,if",
    tell="alert,warn,notify,let me know,remind",
    one_span={1: "day", 7: "week", 30: "month"},
    days={1: "d day days", 7: "w week weeks", 30: "m month months"},
    percent="percent",
)
