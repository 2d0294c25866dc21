"""Grammar format: whether a person's own words say plainly how an association operates."""

import re
import unicodedata
from collections.abc import Iterator

from services.intake.reply.phrase_book import BARE, BOOK, CLOSINGS, COURTESIES, GREETED, GREETINGS, NUMBER_WORDS, tokens
from shared.events.intake import OperatingStatus

NORMAL = OperatingStatus.NORMAL
MOST_PLAIN = 1000
"""Characters of what can be plain; in a longer text a person finds what matters."""


def read_words(words: str) -> OperatingStatus | None:
    """What these words say plainly; None for all else.

    The first sentence, greetings left out, must be a choice and nothing but a choice; nothing that follows may be able
    to mean another one. A person reads the rest: a letter too many in the tray costs less than one wrong status.
    """
    sentences = _after_greetings(list(_sentences(words))) if len(words) <= MOST_PLAIN else []
    if not sentences:
        return None
    first, *rest = sentences
    status = _choice(first)
    if status is None:
        head, _, tail = _PAUSE.sub("\0", first, count=1).partition("\0")
        status, rest = _choice(head), [tail, *rest]
        if tail[:1].isdigit():  # `3 - 4 weeks`
            return None
    return None if status is None or _doubtful(rest, status) else status


_LIST_MARK = re.compile(r"^[\s*_\"'”“»«•·–—-]+")
_KEYCAP = re.compile("[\ufe0e\ufe0f\u20e3]")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])(?<!\d\.)\s+")
"""Not after `2.` on the same line: in Finnish that is an ordinal, `2. kerho on kiinni`."""

_PAUSE = re.compile(r"(?<=\w)[)\"'”*]*(?:[,;:]|\s[–—-])\s+")
_ALLOWED = re.compile(r"[\w(][\w\s.,!:;()*\"'“”«»=–—-]*")
"""A choice has no other signs in it: `<3`, `+1` and `2 %` are none."""


def _sentences(words: str) -> Iterator[str]:
    """The sentences in one case. A line that goes on in the next without a capital letter is one sentence with it."""
    plain = _KEYCAP.sub("", unicodedata.normalize("NFC", words)).replace("’", "'")
    for paragraph in re.split(r"\n\s*\n", plain):
        for line in _whole_lines(paragraph.split("\n")):
            for part in _SENTENCE_ENDS.split(line.casefold()):
                sentence = _LIST_MARK.sub("", part).strip()
                if tokens(sentence):
                    yield sentence


def _whole_lines(lines: list[str]) -> list[str]:
    whole: list[str] = []
    for line in map(str.strip, lines):
        if whole and line[:1].islower() and not _closing(line.casefold()) and not _ended(whole[-1]):
            whole[-1] += f" {line}"
        else:
            whole.append(line)
    return whole


def _ended(line: str) -> bool:
    """True if a line ends by itself: with a sign, or because it is a number or a greeting and nothing more."""
    spoken = " ".join(tokens(line.casefold()))
    return line[-1:] in ".!?,:;" or spoken in BARE or spoken in GREETINGS or not line


def _after_greetings(sentences: list[str]) -> list[str]:
    """The sentences from the first that says more than good day, somebody's name, and thanks."""
    for number, sentence in enumerate(sentences):
        greeted = GREETED.match(sentence)
        left = sentence[greeted.end() :] if greeted else sentence
        name, _, tail = left.partition(",")
        if greeted and _only_a_name(name):
            left = tail.strip()
        if " ".join(tokens(left)) not in COURTESIES:
            return [left, *sentences[number + 1 :]]
    return []


def _only_a_name(text: str) -> bool:
    words = tokens(text)
    means = _STATUS_WORDS.search(text) or _NEGATIONS.search(text) or _DOUBTS.search(text) or _ASKS in text
    return len(words) <= 3 and all(word.isalpha() for word in words) and not means and _choice(text) is None


_ASKS = "?"


def _choice(sentence: str) -> OperatingStatus | None:
    """The choice that this sentence is; None if it asks, or is anything more or else than a choice."""
    plain = _ALLOWED.fullmatch(sentence) and ".." not in sentence
    return BOOK.get(" ".join(tokens(sentence))) if plain else None


_STATUS_WORDS = re.compile(
    r"\b(?:toimi(?:mme|i|a|vat|taan|maan|nut|neet|nta|ntaa|ntamme|nnan|nnassa|nnasta|nnastamme|si|simme)?"
    r"|toimintaan|toiminnalle|normaal\w*|rajoit\w*|osittai\w*|osin|supist\w*|keskey\w*|kiinni|auki|avoin|avoinna|suljet\w*|sulje\w*|tauolla"
    r"|peru\w*|lopet\w*|jatk\w*|ennallaan"
    r"|normal\w*|begräns\w*|delvis|avbr\w*|stäng\w*|öpp\w*|verka\w*|fungera\w*|igång|inställ\w*|paus\w*|vanligt"
    r"|clos\w*|open\w*|operat\w*|limit\w*|part|partly|partial\w*|suspend\w*|usual\w*|cancel\w*|halt\w*|stop\w*)\b"
)
_NEGATIONS = re.compile(
    r"\b(?:ei|emme|eivät|älkää|eikä|emmekä|ilman|inte|ej|icke|ingen|inget|inga|utan|not|no|none|never|cannot|without"
    r"|don't|doesn't|can't|won't|isn't|aren't)\b"
)
_DOUBTS = re.compile(
    r"\b(?:jos|mikäli|ellei\w*|vai|tai|ehkä|kai|varmaan|luultavasti|mahdollisesti|oikeastaan|eiku\w*|paitsi|mutta|vaan"
    r"|korjaus|korjaan|tarkoit\w*|sittenkin|pikemminkin|aiemmin|aikaisemmin|eilen|huomenna|ylihuomenna|ensi|lähtien"
    r"|alkaen|jälkeen|vasta|vielä|entä|pitäisi|voisi\w*|aiomme|olimme|oli|tulemme|väärin|virhe\w*|varma\w*|epävarma\w*|osaa|tiedä|tiedetä|enää"
    r"|om|ifall|eller|kanske|möjligen|troligen|egentligen|utom|men|utan|rättelse|menade|menar|igår|imorgon|i morgon"
    r"|nästa|från|efter|tidigare|skulle|kommer|hade|var|fel|ännu|osäker\w*|vet"
    r"|if|unless|or|maybe|perhaps|probably|possibly|actually|rather|except|but|correction|meant|mean|yesterday|tomorrow"
    r"|next|from|after|before|earlier|would|could|will|had|was|were|wrong|mistake|anymore|yet|sure|unsure|know)\b"
)
_ASIDE = re.compile(r"\bp\.?\s?s\b")


def _doubtful(rest: list[str], status: OperatingStatus) -> bool:
    """True if anything after the choice may mean another."""
    closed = False
    for sentence in rest:
        choice = _choice(sentence)
        if choice is status:
            continue
        closed = closed or _closing(sentence)
        if choice is not None or _ASKS in sentence or _STATUS_WORDS.search(sentence) or _DOUBTS.search(sentence):
            return True
        if _ASIDE.search(sentence) or (status is NORMAL and _NEGATIONS.search(sentence)):
            return True
        if not closed and not _other_figures(status).isdisjoint(tokens(sentence)):
            return True
    return False


def _closing(sentence: str) -> bool:
    words = " ".join(tokens(sentence))
    return any(words == closing or words.startswith(f"{closing} ") for closing in CLOSINGS)


def _other_figures(status: OperatingStatus) -> set[str]:
    return {words[0] for other, words in NUMBER_WORDS.items() if other is not status}
