"""The words of newsrooms in Kyrgyz."""

from bot.languages.parts import News

NEWS = News(
    denials="төгүн жокко четке",
    follow_ups="жооп түшүн тактад комме",
    over="өчүрүлдү, өчүрүлгөн, коркунуч жок, чектөө алынды, чектөө алынган",
    again="кайра ачылды, кайра ачылган, кайрадан ачылды, кайрадан ачылган, калыбына келди, "
    "калыбына келтирилди, калыбына кирди",
    fighting="атыш согуш чабуул кагылыш аткыл",
    not_behind="жок элек эмес",
    endings=True,
    clause="жана болуп алып таап",  # "and", or the form of a verb after which another follows
    not_people="жаш жыл саат пайыз",
    shortened="млн млрд трлн обл ред",
)
