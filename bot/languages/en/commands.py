"""Words behind commands, in English: /rates for USD, /chart RUB last 90 days, /digest off."""

from bot.languages.parts import CommandWords

COMMANDS = CommandWords(
    chart="charts?|graphs?",
    around="show|send|give|me|please|charts?|rates?|graph|exchange|price|for|"
    "on|of|in|to|vs|and|an?|the|last|past|was",
    ranges={
        1: "day days",
        7: "week weeks",
        30: "mon month months",
        365: "yr yrs year years",
    },
    one_range={1: "day", 7: "week", 30: "month", 365: "year"},
    whole="all,all time",
    off="off no none never stop",
    on="on yes start",
    called={
        "rates": "rates,rate,exchange rates,exchange rate,currencies,currency rates,rates today",
        "news": "news,latest news,the news,stories",
        "security": "security,security news",
        "digest": "digest,summary,the digest",
        "alerts": "alerts,my alerts,my rules",
        "subscribe": "subscribe,subscription,subscriptions,unsubscribe",
        "settings": "settings,options,preferences,language,time zone",
        "quiet": "quiet hours,do not disturb",
        "channel": "my channel,my channels,channels",
        "status": "status,sources",
        "help": "help,menu,commands,what can you do",
        "mute": "filters,my filters",
    },
)
