"""What newsrooms write in Kyrgyz."""

from bot.languages.parts import News

NEWS = News(
    denials="төгүн жокко четке",
    follow_ups="жооп түшүн тактад комме",
    endings=True,
    clause="жана",
    not_people="жаш жыл саат пайыз",
    counted={
        2: "эки",
        3: "үч",
        4: "төрт",
        5: "беш",
        6: "алты",
        7: "жети",
        8: "сегиз тогуз",
        10: "он",
        20: "ондогон",
        200: "жүздөгөн",
        2000: "миңдеген",
    },
)
