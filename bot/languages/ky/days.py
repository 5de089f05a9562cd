"""Days as Kyrgyz writes them: 2021-жылдын 20-октябры, 20-ноябрда, кечээ, 3 күн мурун.

The months are Russian's with Kyrgyz endings. What is typed without ө, ү and ң is read too.
"""

from bot.languages.parts import Days

DAYS = Days(
    months=(
        r"январ\w*",
        r"феврал\w*",
        r"март\w*",
        r"апрел\w*",
        r"май\w*",
        r"июн\w*",
        r"июл\w*",
        r"август\w*",
        r"сентябр\w*",
        r"октябр\w*",
        r"ноябр\w*",
        r"декабр\w*",
    ),
    named={
        -2: "мурдагы күнү|мурунку күнү|мурда күнү",
        -1: "кечээ(?:ги|ки|нки)?|кече",
        0: "бүгүн(?:кү)?|бугун(?:ку)?",
        1: "эртең(?:ки)?|эртен(?:ки)?",
    },
    day="күн",
    week="апта|жума",
    one="бир",
    ago="мурун|мурда|мурунку",
    year="ж|жылы",
    year_before=r"жылдын|жылы|ж\.",
)
