"""What newsrooms write in Kyrgyz."""

from bot.languages.parts import News

NEWS = News(
    denials="төгүн жокко четке",
    follow_ups="жооп түшүн тактад комме",
    endings=True,
    clause="жана",
    not_people="жаш жыл саат пайыз",
)
