"""Numbers in Kyrgyz words, which never change."""

from bot.languages.parts import Numbers

ONES = ["нөл", "бир", "эки", "үч", "төрт", "беш", "алты", "жети", "сегиз", "тогуз", "он"]
TENS = ["жыйырма", "отуз", "кырк", "элүү", "алтымыш", "жетимиш", "сексен", "токсон"]

NUMBERS = Numbers(
    words={**dict(enumerate(ONES)), **dict(zip(range(20, 100, 10), TENS, strict=True))},
    people={2: "экөө", 3: "үчөө", 4: "төртөө", 5: "бешөө", 6: "алтоо", 7: "жетөө"},
    crowds={20: "ондогон", 200: "жүздөгөн", 2000: "миңдеген"},
    ten_joins=True,
    scales={
        1_000: "миң",
        1_000_000: "миллион млн",
        1_000_000_000: "миллиард млрд",
        1_000_000_000_000: "триллион трлн",
    },
    hundred="жүз",
    half="жарым",
)
