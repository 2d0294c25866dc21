"""A few plain sentences are understood; all that may mean something else is left to a person."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.intake.reply.grammar import MOST_PLAIN, read_words
from services.intake.reply.phrase_book import BOOK, tokens
from shared.events.intake import OperatingStatus

WORDS_OF_THE_BOOK = {word for sentence in BOOK for word in sentence.split()}
NORMAL, LIMITED, SUSPENDED = OperatingStatus.NORMAL, OperatingStatus.LIMITED, OperatingStatus.SUSPENDED
KEY_SENTENCES = {
    NORMAL: ("Toimimme normaalisti", "Toimimme kuten ennenkin", "Vi verkar normalt", "We operate normally", "normal"),
    LIMITED: (
        *("Toimimme rajoitetusti", "Toimimme vain osittain", "Vi verkar i begränsad omfattning", "We operate in part"),
        *("Osa toiminnasta on nyt tauolla.", "En del av verksamheten är pausad.", "Part of our activity is paused."),
    ),
    SUSPENDED: (
        *("Toimintamme on keskeytynyt", "Emme toimi nyt", "Vår verksamhet är avbruten", "Our activity is suspended"),
        *("Emme pysty nyt toimimaan.", "Vi kan inte verka just nu.", "We cannot operate at present.", "stängt"),
    ),
}
UNCLEAR = (
    *(
        "",
        "?",
        "0",
        "4",
        "12",
        "1 2",
        "1/2",
        "1.5",
        "1,5",
        "+1",
        "<3",
        ":3",
        "3:00",
        "1 %",
        "#1",
        "2 km",
        "²",
        "٢",
        "½",
    ),
    *(
        "2...",
        "1…",
        "2. kerho",
        "1. kerta meille",
        "2 kerhoa tauolla",
        "3 viikkoa",
        "1 - 2",
        "3 – 4 viikkoa",
        "2:n mukaan",
    ),
    *("ei 1", "emme normaalisti", "ei kiinni", "not closed", "inte stängt", "ei osittain", "vi är inte igång normalt"),
    *("toimimme", "emme", "toimi", "vi verkar", "we operate", "ei toimi", "fungerar inte", "does not work", "auki"),
    *("normaalisti vai osittain", "normalt?", "closed?", "1?", "jos normaalisti", "toimimme huomenna normaalisti"),
    *("olimme kiinni", "we were closed", "vi hade stängt", "toimimme melkein normaalisti", "as usual, no", "ok", "joo"),
)
SECOND_THOUGHTS = (
    *("3", "Emme toimi.", "Eikun 3", "tai 2", "Huomenna emme.", "Paitsi viikonloppuna", "Vai oliko se 2?", "Osittain."),
    *(
        "Jos sähköt riittävät",
        "Kerho on kiinni",
        "Men inte på kvällen",
        "Actually 2",
        "But closed on Sunday",
        "Ei varmaan",
    ),
    *(
        "Terveisin Aino\nPS. Emme toimi",
        "En ole varma",
        "Jag vet inte",
        "I am not sure",
        "Inte i morgon",
        "kaksi",
        "Stängt",
    ),
)


@pytest.mark.parametrize(
    ("status", "sentence"), [(status, sentence) for status, said in KEY_SENTENCES.items() for sentence in said]
)
def test_what_the_form_says_is_understood_as_an_answer(status: OperatingStatus, sentence: str) -> None:
    assert read_words(sentence) is status
    assert read_words(f"Hei,\n\n{sentence.upper()}!\n\nTerveisin\nAino Kuura\nKylätie 3") is status


@pytest.mark.parametrize("words", UNCLEAR)
def test_what_is_not_plain_is_not_guessed(words: str) -> None:
    assert read_words(words) is None


@pytest.mark.parametrize("more", SECOND_THOUGHTS)
def test_a_second_thought_takes_the_plainness_away(more: str) -> None:
    assert read_words(f"1\n\n{more}") is None
    assert read_words(f"Toimimme normaalisti.\n{more}") is None


@pytest.mark.parametrize(
    "more",
    [
        "Tarvitsemme auton ja 5 vapaaehtoista.",
        "Terveisin Aino\n040 123 4567",
        "Mvh Bertta Sumu, Kyrkovägen 3",
        "Lämmin tila löytyy seuratalolta.",
        "Normaalisti.",
        "Puheenjohtaja Aino Kuura, toiminnanjohtaja Eino Halla",
    ],
)
def test_what_changes_nothing_may_follow(more: str) -> None:
    assert read_words(f"1\n\n{more}") is NORMAL


def test_a_sentence_that_goes_on_in_the_next_line_is_read_whole() -> None:
    assert read_words("Toimimme\nnormaalisti.") is NORMAL
    assert read_words("Emme voi toimia\ntäysillä") is None
    assert read_words("2\nterveisin aino") is LIMITED


def test_a_long_text_is_for_a_person() -> None:
    assert read_words(f"1\n\n{'Kaikki kylän lapset laulavat. ' * 10}") is NORMAL
    assert read_words(f"1\n\n{'a' * MOST_PLAIN}") is None


@settings(deadline=None)
@given(st.sampled_from(sorted(BOOK)), st.sampled_from(["{}", "{}.", "Hei! {}", "\n\n{}\n\nT. Aino", "*{}*", "({})"]))
def test_every_sentence_of_the_book_is_read_as_the_book_says(sentence: str, frame: str) -> None:
    assert read_words(frame.format(sentence.capitalize())) is BOOK[sentence]


@settings(deadline=None)
@given(st.text(max_size=300))
@example("hei\n\n1")
def test_random_texts_never_set_a_status(text: str) -> None:
    status = read_words(text)

    assert status is None or WORDS_OF_THE_BOOK & set(tokens(text.casefold()))


DENIALS = ("ei", "emme", "inte", "not", "eikä", "jos", "om", "if", "vai", "tai", "eller", "or", "ehkä")


@settings(deadline=None)
@given(st.sampled_from(sorted(BOOK)), st.sampled_from(DENIALS))
def test_a_sentence_that_is_denied_or_doubted_is_not_taken_at_its_word(sentence: str, word: str) -> None:
    for words in (
        f"{word} {sentence}",
        f"{sentence} {word}",
        f"{sentence}, {word} sittenkin",
        f"{sentence}\n\n{word}?",
    ):
        assert read_words(words) in {None, BOOK.get(words)}
