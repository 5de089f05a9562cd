"""Words behind commands, in English: /rates for USD, /chart RUB last 90 days, /digest off."""

from bot.languages.parts import CommandWords

COMMANDS = CommandWords(
    chart="charts?|graphs?|trends?",
    around="show|send|give|me|please|charts?|rates?|graph|trends?|how|has|did|changed?|this|"
    "exchange|price|for|"
    "on|of|in|to|vs|and|an?|the|last|past|was",
    ranges={
        1: "day days",
        7: "week weeks",
        30: "mon month months",
        365: "yr yrs year years",
    },
    one_range={
        1: "day",
        7: "week",
        14: "fortnight",
        30: "month",
        90: "quarter",
        180: "half a year,half year",
        365: "year",
    },
    whole="all,all time,everything",
    off="off no none never stop disable",
    on="on yes start",
    called={
        "rates": "rates,rate,exchange rates,exchange rate,currencies,currency rates,rates today,"
        "best rate,best rates",
        "news": "news,latest news,the news,stories,what's new,what is new,what happened",
        "security": "security,security news",
        "search": "search",
        "digest": "digest,summary,the digest,daily digest,my digest,every morning,every day",
        "alert": "alert,new alert,set an alert",
        "alerts": "alerts,my alerts,my rules,delete alert,delete alerts,delete my alerts,delete my "
        "alert,delete all alerts,remove alert,remove alerts,remove my alerts,remove all alerts,"
        "cancel alert,cancel alerts,cancel my alert,cancel my alerts",
        "subscribe": "subscribe,subscription,subscriptions,unsubscribe,stop alerts,stop the alerts,"
        "turn off alerts,turn off notifications,stop notifications,no notifications,all currencies,"
        "list currencies,more currencies,messages,notifications,all messages,stop sending messages,"
        "leave me alone,don't send anything,do not send anything",
        "settings": "settings,options,preferences,language,change language,change the language,"
        "time zone,timezone,change time zone,change timezone,change the time zone,in english,"
        "speak english,in russian,speak russian,in kyrgyz,speak kyrgyz",
        "quiet": "quiet hours,do not disturb,don't disturb,quiet,quiet mode,night mode",
        "channel": "my channel,my channels,channels,connect my channel,connect a channel,"
        "how to connect my channel,add my channel",
        "status": "status,sources",
        "privacy": "privacy,privacy policy",
        "mydata": "my data",
        "delete": "delete my data,delete everything,forget me",
        "stop": "stop,stop it,stop everything,stop messages,stop all messages,stop writing",
        "help": "help,menu,commands,what can you do,who are you,what are you,what is this,"
        "how does it work,how does this work,how to use,how to use it,how to use this bot,"
        "list of commands,what can i ask",
        "mute": "mute,filter,filters,my filters,the filter,remove filter,remove the filter,"
        "remove filters,delete filter,delete filters,clear filters,unmute,unhide",
    },
    given={
        "mute": "mute,hide,don't send,do not send,don't show,do not show,no more,stop sending,"
        "don't write about,don't write to,i don't want,i do not want,not interested in",
        "search": "find,look for,search for,search",
        "subscribe": "follow,unfollow,subscribe to,unsubscribe from,add,remove",
    },
    beside="show send give open set turn tell i want me my the a please pls to is of for it this "
    "that them these can could are",
    idle="you him her anyone anybody anything nothing any some great good bad fake",
    about="about on in from of at news stories all everything",
)
