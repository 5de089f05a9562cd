"""What newsrooms write in Russian."""

from bot.languages.parts import News

NEWS = News(
    denials="опров фейк",
    follow_ups=(
        "отреаг ответ объяс подро раскр восста назва оцен прокомм предуп отмен отказ уточн призна "
        "поясн"
    ),
    stemmer="russian",
    endings=True,
    clause="и а",
    common_names="министр министерство президент республика парламент генерал комитет центр "
    "академия федерация область район служба",
    not_people="лет год час км процент июн мая",
)
