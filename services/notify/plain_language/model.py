"""Model of plain language: reads guidance as a tired reader would, and says what is hard in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.notify.plain_language.hard_words import HARD_WORDS
from shared.i18n import N_, Locale

SENTENCE_WORDS: Mapping[Locale, int] = {Locale.FI: 20, Locale.SELKO: 12, Locale.SV: 20, Locale.EN: 20}
WORD_LETTERS: Mapping[Locale, int] = {Locale.FI: 22, Locale.SELKO: 18, Locale.SV: 22, Locale.EN: 18}
MOST = 12
"""Findings for one language; a longer list is not read."""

EXTRACT = 80


class Hardness(StrEnum):
    """What makes a text hard to read, or forbids it."""

    LONG_SENTENCE = "long_sentence"
    LONG_WORD = "long_word"
    HARD_WORD = "hard_word"
    NOTHING_TO_DO = "nothing_to_do"
    RESERVED = "reserved"
    NO_DRILL = "no_drill"
    UNFILLED = "unfilled"

    @property
    def blocks(self) -> bool:
        """True for what may not be saved."""
        return self in {Hardness.RESERVED, Hardness.NO_DRILL, Hardness.UNFILLED}


MESSAGES = {
    Hardness.LONG_SENTENCE: N_("A long sentence. Make two of it."),
    Hardness.LONG_WORD: N_("A long word. Is there a shorter one?"),
    Hardness.HARD_WORD: N_("A hard word."),
    Hardness.NOTHING_TO_DO: N_("The text does not say under a heading of its own what the reader can do."),
    Hardness.RESERVED: N_("This word belongs to the warnings of the authorities (Act 466/2012). Use another."),
    Hardness.NO_DRILL: N_("Never write that something is not an exercise: in an exercise it would be taken for real."),
    Hardness.UNFILLED: N_("A place that is not filled in."),
}
BEGIN_TO_DO: Mapping[Locale, str] = {
    Locale.FI: "Mitä voitte tehdä",
    Locale.SELKO: "Mitä voit tehdä",
    Locale.SV: "Vad ni kan göra",
    Locale.EN: "What you can do",
}
_TO_DO = re.compile(
    r"mit[äa] voi(t|tte) tehd[äa]|(toimi|tee|toimikaa|tehk[äa][äa]) n[äa]in|vad (ni|du) kan göra|gör så här"
    r"|what (you can|to) do|do this",
    re.IGNORECASE,
)
_RESERVED = re.compile(
    r"\w{0,40}vaaratiedo\w*|\w{0,40}varningsmeddeland\w*|vaaramerk\w*|emergency warning\w*", re.IGNORECASE
)
_NO_DRILL = re.compile(
    r"ei ole (mik[äa][äa]n )?harjoitus\w*|är (ingen|inte en|inte någon) övning\w*"
    r"|(is|was) (not an?|no) (drill|exercise)\w*|ei harjoitus\b",
    re.IGNORECASE,
)
_UNFILLED = re.compile(r"\[[^\]\[\n]{1,60}\](?![(\[])|_{3,}")
_LINK = re.compile(r"\[([^\]\[]{0,300})\]\([^()\s]{0,500}\)")
_ADDRESS = re.compile(r"https?://\S+|\S{1,80}@\S+")
_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n\s*(?:\n|[-*+#>]|\d+[.)])|\n\s*$")
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True)
class Finding:
    """One thing that is hard, the words of the text that it means, and what could stand there instead."""

    hardness: Hardness
    extract: str = ""
    better: str = ""

    @property
    def message(self) -> str:
        """What to say of it, to be translated."""
        return MESSAGES[self.hardness]

    @property
    def blocks(self) -> bool:
        """True if the text may not be saved with it."""
        return self.hardness.blocks


def findings(headline: str, text: str, locale: Locale) -> list[Finding]:
    """What is hard in a text in Markdown, what blocks first; at most MOST."""
    whole = f"{headline}\n\n{text}"
    plain = _ADDRESS.sub("", _LINK.sub(r"\1", whole)).replace("*", "")
    found = [*_forbidden(whole, plain), *_to_do(text, locale), *_long_sentences(plain, locale), *_words(plain, locale)]
    return list(dict.fromkeys(found))[:MOST]


def _forbidden(whole: str, plain: str) -> Iterable[Finding]:
    for hardness, pattern in ((Hardness.RESERVED, _RESERVED), (Hardness.NO_DRILL, _NO_DRILL)):
        yield from (Finding(hardness, match.group()) for match in pattern.finditer(plain))
    yield from (Finding(Hardness.UNFILLED, match.group()) for match in _UNFILLED.finditer(whole))


def _to_do(text: str, locale: Locale) -> Iterable[Finding]:
    if text.strip() and not _TO_DO.search(text):
        yield Finding(Hardness.NOTHING_TO_DO, better=BEGIN_TO_DO[locale])


def _long_sentences(plain: str, locale: Locale) -> Iterable[Finding]:
    for sentence in _SENTENCE_END.split(plain):
        if len(_WORD.findall(sentence)) > SENTENCE_WORDS[locale]:
            yield Finding(Hardness.LONG_SENTENCE, _short(" ".join(sentence.split())))


def _words(plain: str, locale: Locale) -> Iterable[Finding]:
    lowered = plain.casefold()
    for hard, easy in HARD_WORDS[locale].items():
        match = re.search(rf"(?<!\w){re.escape(hard)}\w*", lowered)
        if match:
            yield Finding(Hardness.HARD_WORD, _short(match.group()), easy)
    for word in _WORD.findall(plain):
        if len(word) > WORD_LETTERS[locale] and "-" not in word:
            yield Finding(Hardness.LONG_WORD, _short(word))


def _short(text: str) -> str:
    return text if len(text) <= EXTRACT else f"{text[: EXTRACT - 1]}…"
