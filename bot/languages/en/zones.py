"""Cities as English calls them; those with a zone of their own are CLDR's."""

from bot.languages.parts import Zones

ZONES = Zones(
    countries={"US": "usa,us,america,united states of america", "RU": "russian federation,ru"},
    cities={
        "Asia/Bishkek": "osh,jalal abad,manas,karakol,naryn,talas,batken,tokmok,kant,balykchy,"
        "cholpon ata,kyzyl kiya,uzgen,kara balta,frunze,issyk kul,"
        "kyrgyzstan,kyrgyz,kg",
        "Asia/Almaty": (
            "alma ata,astana,nur sultan,shymkent,karaganda,taraz,kokshetau,pavlodar,kazakhstan,"
            "qazaqstan,kz"
        ),
        "Asia/Tashkent": "namangan,andijan,fergana,uzbekistan,uz",
        "Asia/Samarkand": "bukhara,khiva,nukus,urgench",
        "Asia/Dushanbe": "khujand,khorog,tj",
        "Europe/Moscow": "msk,saint petersburg,st petersburg,petersburg,kazan,nizhny novgorod,"
        "sochi,rostov,krasnodar,voronezh,tula,tver,murmansk,makhachkala,grozny",
        "Asia/Yekaterinburg": "ekaterinburg,ufa,chelyabinsk,perm,tyumen,surgut,orenburg",
        "Europe/Samara": "togliatti,tolyatti,izhevsk",
        "Asia/Vladivostok": "khabarovsk",
        "Asia/Krasnoyarsk": "abakan,norilsk",
        "Asia/Irkutsk": "ulan ude",
        "Asia/Shanghai": "beijing,peking,guangzhou,shenzhen,yiwu,china,cn",
        "Asia/Urumqi": "kashgar",
        "Asia/Kolkata": "delhi,new delhi,mumbai,bangalore,india",
        "Asia/Dubai": "abu dhabi,uae,emirates",
        "Asia/Riyadh": "mecca,medina,jeddah",
        "Asia/Tokyo": "osaka",
        "Asia/Seoul": "busan,korea",
        "Asia/Ho_Chi_Minh": "hanoi",
        "Europe/Istanbul": "ankara,antalya,izmir,turkiye,turkey",
        "Europe/Berlin": "munich,hamburg,frankfurt,cologne,germany,de",
        "Europe/Zurich": "geneva,basel,bern",
        "Europe/Rome": "milan,venice",
        "Europe/Madrid": "barcelona,spain",
        "Europe/Paris": "lyon,marseille,nice",
        "Europe/Warsaw": "krakow,wroclaw,gdansk",
        "Europe/Kyiv": "kyiv,kiev,odesa,odessa,lviv,kharkiv,ukraine",
        "Europe/London": "manchester,liverpool,england,uk",
        "Asia/Jerusalem": "tel aviv,haifa",
        "America/New_York": "washington,boston,miami,philadelphia,atlanta,nyc",
        "America/Chicago": "houston,dallas",
        "America/Los_Angeles": "san francisco,seattle,san diego,las vegas,la",
        "America/Denver": "salt lake city",
        "Pacific/Honolulu": "hawaii",
        "America/Toronto": "ottawa,montreal",
        "America/Edmonton": "calgary",
        "America/Halifax": "nova scotia",
        "America/Sao_Paulo": "rio de janeiro,rio",
        "America/Mexico_City": "mexico city",
        "Australia/Sydney": "canberra",
        "Asia/Yakutsk": "yakutia",
        "America/Argentina/Buenos_Aires": "buenos aires",
        "Etc/UTC": "utc,gmt,z,zulu,greenwich",
    },
    utc="utc gmt",
    moscow="msk",
    beside="time zone timezone city the in of",
    hours="h|hours?",
)
