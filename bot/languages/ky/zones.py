"""Cities where Kyrgyz has another word than Russian, which readers type as well."""

from bot.languages.parts import Zones

ZONES = Zones(
    countries={"US": "акш,америка", "RU": "орусия,россия федерациясы"},
    cities={
        "Asia/Bishkek": "жалал абад,өзгөн,ысык көл",
        "Asia/Almaty": "казакстан,қазақстан",
        "Asia/Tashkent": "анжиян,өзбекстан",
        "Asia/Dushanbe": "кожент",
        "Asia/Shanghai": "бээжин,кытай",
        "Asia/Urumqi": "кашкар",
        "Asia/Dubai": "бае",
        "Asia/Riyadh": "меке",
        "Europe/Istanbul": "ыстамбул",
    },
    beside="убактысы убакыты убактысында убакыт боюнча шаары алкагы",
    hours="саат",
    city_endings=("[дт][аеоө](?:гы|ги|гу|гү)?|[дтн][ыиуү]н",),  # "Бишкекте"
)
