"""Words for filters of the news in English: how long one holds, what one may be about."""

from bot.languages.parts import FilterWords

FILTERS = FilterWords(
    spans={
        1: "d day days",
        7: "w week weeks",
        14: "fortnight fortnights",
        30: "month months",
        365: "year years",
    },
    hours="h hour hours",
    lead="for",
    beside="the next coming",
    one="a an one",
    both="and or",
    nouns=(
        "earthquake,tremor,explosion,blast,fire,flood,mudflow,landslide,avalanche,"
        "rockfall,storm,drought,crash,accident,collision,shooting,shootout,shelling,"
        "attack,ambush,clash,terrorism,militant,drone,missile,strike,war,ceasefire,"
        "murder,kidnapping,hostage,robbery,theft,brawl,arrest,detention,raid,trial,"
        "court,prison,escape,border,border guard,checkpoint,army,military,exercise,"
        "mobilisation,smuggling,drugs,heroin,weapon,ammunition,gold,dam,bridge,road,"
        "pass,mine,factory,depot,power station,power cut,gas,water,hospital,school,"
        "university,market,mosque,airport,plane,helicopter,train,bus,poisoning,"
        "outbreak,quarantine,protest,rally,unrest,election,parliament,president,"
        "minister,talks,summit,sanctions,treaty,embassy,extradition,deportation,"
        "espionage,police,rescuer,evacuation,state of emergency,curfew,corruption,tax,"
        "budget,price,inflation,loan,bank,export,harvest,livestock,weather,football,"
        "sport,concert,festival"
    ),
)
