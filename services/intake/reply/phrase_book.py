"""Phrase book format: every sentence that says how an association operates, in Finnish, Swedish and English."""

import re
from itertools import product

from shared.events.intake import OperatingStatus

NORMAL, LIMITED, SUSPENDED = OperatingStatus.NORMAL, OperatingStatus.LIMITED, OperatingStatus.SUSPENDED

_WORD = re.compile(r"[^\W_]+")


def tokens(sentence: str) -> list[str]:
    """The words and numbers of a sentence, without its signs."""
    return _WORD.findall(sentence)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(" | "))


GREETINGS = _listed(
    "hei | heippa | hei taas | hei vaan | moi | moikka | terve | tervehdys | huomenta | hyvää huomenta | "
    "hyvää päivää | hyvää iltaa | päivää | iltaa | arvoisa vastaanottaja | hyvä vastaanottaja | hej | hejsan "
    "| hej igen | god dag | god morgon | god kväll | goddag | hello | hi | dear all | good morning | good "
    "evening | good afternoon"
)
GREETED = re.compile(
    rf"^(?:{'|'.join(sorted(map(re.escape, GREETINGS), key=len, reverse=True))})(?=[\s,!.:]|$)[,!.:\s]*"
)
COURTESIES = frozenset(
    _listed(
        "kiitos | kiitos kyselystä | kiitos kysymästä | kiitos viestistä | kiitos viestistänne | tack | tack för "
        "frågan | tack för meddelandet | thank you | thank you for asking | thanks | thanks for asking"
    )
) | {""}
CLOSINGS = _listed(
    "terveisin | terv | t | ystävällisin terveisin | yst terv | yt | parhain terveisin | lämpimin terveisin | "
    "hälsningar | med vänlig hälsning | med vänliga hälsningar | vänliga hälsningar | mvh | hälsar | regards "
    "| best regards | kind regards | yours sincerely | best"
)

NUMBER_WORDS = {
    NORMAL: ("1", "yksi", "ykkönen", "ett", "one"),
    LIMITED: ("2", "kaksi", "kakkonen", "två", "two"),
    SUSPENDED: ("3", "kolme", "kolmonen", "tre", "three"),
}
BARE = frozenset(word for words in NUMBER_WORDS.values() for word in words)
_BEFORE_NUMBER = _listed(
    "vastaus | vastauksemme | vastauksemme on | vastaus on | vastaamme | vastaan | vaihtoehto | numero | nro "
    "| kohta | valitsemme | valinta | svar | svaret | svaret är | vårt svar | vårt svar är | vi svarar | "
    "alternativ | nummer | nr | answer | our answer | our answer is | the answer is | option | number | "
    "choice | we choose"
)

_WE_FI = ("", "me")
_IT_FI = _listed(
    "yhdistys | yhdistyksemme | yhdistyksen toiminta | seura | seuramme | kerho | kerhomme | toiminta | "
    "toimintamme | järjestömme | kyläyhdistys | osasto | osastomme"
)
_WE_SV = ("", "vi", "föreningen", "vår förening", "klubben")
_WORK_SV = ("verksamheten", "vår verksamhet", "föreningens verksamhet")
_WE_EN = ("", "we", "our association", "the association")


def _phrases(*parts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(" ".join(words) for words in product(*parts))


_NORMAL = (
    _phrases(("normaali", "normaalisti", "normaalia", "ei häiriöitä", "kaikki kunnossa", "kaikki on kunnossa"))
    | _phrases(_WE_FI, ("toimimme", "toimitaan"), ("", "ihan", "aivan", "täysin"), ("normaalisti",))
    | _phrases(_WE_FI, ("toimimme",), ("kuten ennenkin", "kuten ennen", "niin kuin ennenkin", "tavalliseen tapaan"))
    | _phrases(_WE_FI, ("toimimme",), ("entiseen tapaan", "kuten tavallisesti"))
    | _phrases(_IT_FI, ("toimii", "jatkuu", "sujuu"), ("normaalisti", "normaaliin tapaan", "kuten ennenkin"))
    | _phrases(("toiminta", "toimintamme"), ("", "on"), ("normaali", "normaalia"))
    | _phrases(("kaikki",), ("", "toimii", "toiminta jatkuu"), ("normaalisti",))
    | _phrases(("normal", "normalt", "som vanligt", "inga störningar", "allt normalt", "allt är normalt"))
    | _phrases(("allt är som vanligt", "allt fungerar normalt", "allt fungerar som vanligt"))
    | _phrases(_WE_SV, ("verkar", "fungerar", "arbetar"), ("", "helt"), ("normalt", "som vanligt"))
    | _phrases(("", "vi är"), ("igång", "i gång"), ("", "som vanligt", "normalt"))
    | _phrases(_WORK_SV, ("", "är"), ("normal", "som vanligt"))
    | _phrases(_WORK_SV, ("löper", "fortsätter", "fungerar"), ("normalt", "som vanligt"))
    | _phrases(("normally", "all normal", "everything is normal", "as usual", "business as usual", "no disruption"))
    | _phrases(_WE_EN, ("operate", "operates", "are operating", "is operating", "operating"), ("normally", "as usual"))
)
_LIMITED = (
    _phrases(("", "vain"), ("osittain", "osin", "rajoitetusti", "rajoitettu", "rajoitettua", "supistetusti"))
    | _phrases(_WE_FI, ("toimimme",), ("", "vain", "nyt"), ("osittain", "osin", "rajoitetusti", "supistetusti"))
    | _phrases(_IT_FI, ("toimii",), ("", "vain"), ("osittain", "osin", "rajoitetusti"))
    | _phrases(("toiminta", "toimintamme"), ("", "on"), ("rajoitettu", "rajoitettua", "osittaista"))
    | _phrases(("osa toiminnasta", "osa toiminnastamme"), ("", "on", "on nyt"), ("tauolla", "keskeytynyt"))
    | _phrases(("", "bara", "endast"), ("begränsat", "begränsad", "delvis", "i begränsad omfattning"))
    | _phrases(_WE_SV, ("verkar", "fungerar", "arbetar"), ("", "bara", "endast"), ("delvis", "begränsat"))
    | _phrases(_WE_SV, ("verkar", "fungerar"), ("i begränsad omfattning",))
    | _phrases(("", "vi är"), ("delvis igång", "delvis i gång"))
    | _phrases(_WORK_SV, ("", "är"), ("begränsad", "delvis begränsad"))
    | _phrases(("en del av verksamheten är pausad", "en del av vår verksamhet är pausad"))
    | _phrases(("", "only"), ("partly", "partially", "in part", "limited", "limited operation", "limited operations"))
    | _phrases(_WE_EN, ("operate", "operates", "are operating", "operating"), ("", "only"), ("in part", "partly"))
    | _phrases(("part of our activity is paused", "our activity is limited"))
)
_SUSPENDED = (
    _phrases(("keskeytynyt", "keskeytetty", "kiinni", "suljettu", "suljettuna"))
    | _phrases(_WE_FI, ("emme toimi", "emme pysty toimimaan", "emme pysty nyt toimimaan", "emme voi toimia"))
    | _phrases(_WE_FI, ("olemme",), ("kiinni", "suljettu", "keskeyttäneet toiminnan", "keskeyttäneet toimintamme"))
    | _phrases(_IT_FI, ("", "on"), ("keskeytynyt", "keskeytetty", "keskeytyksissä"))
    | _phrases(("yhdistys", "yhdistyksemme", "seuramme", "kerhomme"), ("on",), ("kiinni", "suljettu"))
    | _phrases(("avbruten", "avbrutet", "stängt", "stängd", "stängda"))
    | _phrases(("vi har stängt", "vi är stängda", "vi håller stängt", "föreningen är stängd", "föreningen har stängt"))
    | _phrases(("vi",), ("verkar inte", "kan inte verka", "kan inte verka just nu"))
    | _phrases(("", "vi är"), ("inte igång", "inte i gång"))
    | _phrases(_WORK_SV, ("", "är"), ("avbruten", "avbrutet"))
    | _phrases(("closed", "we are closed", "suspended", "our activity is suspended", "activity suspended"))
    | _phrases(_WE_EN, ("do not operate", "don't operate", "cannot operate", "can not operate", "can't operate"))
    | _phrases(("not operating", "we are not operating", "we aren't operating", "the association is closed"))
)
_NOW = _listed(
    "nyt | tällä hetkellä | toistaiseksi | just nu | för tillfället | tills vidare | nu | at present | at the "
    "moment | now | for now | currently | until further notice"
)


def _book() -> dict[str, OperatingStatus]:
    """Every sentence that is a choice, as words with single spaces between."""
    book: dict[str, OperatingStatus] = {}
    for status, phrases in ((NORMAL, _NORMAL), (LIMITED, _LIMITED), (SUSPENDED, _SUSPENDED)):
        numbers = NUMBER_WORDS[status]
        said = {" ".join(tokens(phrase)) for phrase in phrases}
        book |= dict.fromkeys(said | {f"{phrase} {now}" for phrase in said for now in _NOW}, status)
        book |= dict.fromkeys({f"{numbers[0]} {phrase}" for phrase in said}, status)
        book |= dict.fromkeys({f"{phrase} {numbers[0]}" for phrase in said}, status)
        book |= dict.fromkeys({f"{before} {number}" for before in _BEFORE_NUMBER for number in numbers}, status)
        book |= dict.fromkeys(numbers, status)
    return book


BOOK = _book()
"""The status by sentence: words in one case with single spaces between."""
