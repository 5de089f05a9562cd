"""The words of questions about money in English."""

from bot.languages.parts import Questions

QUESTIONS = Questions(
    words={
        "q": "what,what's,whats,what is",
        "Q": "how much,how many",
        "t": "in,to,into,vs,versus,against",
        "f": "from,of,for,per",
        "r": "rate,rates,exchange rate,price,value,at the rate",
        "i": "convert,calculate,exchange,buy,sell,swap,show,show me,tell me,find,find me",
        "x": "was,were,"
        "is,are,will be,will,be,does,do,cost,costs,worth,equal to,equal,equals,it,this,now,"
        "today,today's,current,currently,right now,for today",
        "p": "please,pls,plz,bot",
    },
    articles="a an the",
    greetings="hello,hi,hey,hi there,hello there,hey there,good morning,good afternoon,good day,"
    "good evening,greetings,how are you",
    courtesies="thanks,thank you,thank you very much,thanks a lot,thanks for the news,"
    "thx,ok,okay,got it,great,good,"
    "fine,sorry,bye,goodbye",
    cancel="cancel,never mind,forget it,undo",
    greeted="bot friend everyone all",
    between_amounts="and,plus",
    between_targets="and,in,to,into",
    before_day="on,for,from,of,as of",
)
