"""What newsrooms write in Kyrgyz."""

from bot.languages.parts import News

NEWS = News(
    denials="төгүн жокко четке",
    follow_ups="жооп түшүн тактад комме",
    over="кайра ачыл, кайрадан ачыл, өчүрүл, калыбына кел, калыбына кир, коркунуч жок, чектөө алын",
    endings=True,
    clause="жана болуп алып таап",  # "and", or the form of a verb after which another follows
    not_people="жаш жыл саат пайыз",
)
