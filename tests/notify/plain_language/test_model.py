"""What is hard to read is found, what is easy is left alone, and nothing can make the reader stumble."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.plain_language.hard_words import HARD_WORDS
from services.notify.plain_language.model import EXTRACT, MOST, Hardness, findings
from shared.i18n import Locale

EASY = "### Mitä voitte tehdä\n\n- Pukeutukaa lämpimästi.\n- Kysykää naapurilta, pärjääkö hän."


def kinds(text: str, locale: Locale = Locale.FI) -> list[Hardness]:
    return [finding.hardness for finding in findings("Sähköt poikki", text, locale)]


def test_an_easy_text_has_no_findings() -> None:
    assert kinds(EASY) == []


@pytest.mark.parametrize(
    ("more", "locale", "hardness"),
    [
        ("sana " * 21 + ".", Locale.FI, Hardness.LONG_SENTENCE),
        ("sana " * 13 + ".", Locale.SELKO, Hardness.LONG_SENTENCE),
        ("ord " * 21 + ".", Locale.SV, Hardness.LONG_SENTENCE),
        ("word " * 21 + ".", Locale.EN, Hardness.LONG_SENTENCE),
        ("Vesilaitostoimikuntamme kertoo.", Locale.FI, Hardness.LONG_WORD),
        ("Mikäli vesi nousee, soittakaa.", Locale.FI, Hardness.HARD_WORD),
        ("Vi vidtar åtgärder.", Locale.SV, Hardness.HARD_WORD),
        ("Prior to leaving, call.", Locale.EN, Hardness.HARD_WORD),
        ("Antakaa VAARATIEDOTTEEN kuulua.", Locale.FI, Hardness.RESERVED),
        ("Ett varningsmeddelande.", Locale.SV, Hardness.RESERVED),
        ("Tämä ei ole harjoitus.", Locale.FI, Hardness.NO_DRILL),
        ("Detta är ingen övning.", Locale.SV, Hardness.NO_DRILL),
        ("This is not a drill.", Locale.EN, Hardness.NO_DRILL),
        ("Tulkaa paikkaan [paikka].", Locale.FI, Hardness.UNFILLED),
    ],
)
def test_what_is_hard_is_found(more: str, locale: Locale, hardness: Hardness) -> None:
    assert hardness in kinds(f"{EASY}\n\n{more}", locale)


def test_a_text_that_says_nothing_to_do_is_told_how_to_begin() -> None:
    [finding] = findings("Strömmen är borta", "Vi vet inte mer.", Locale.SV)

    assert finding.hardness is Hardness.NOTHING_TO_DO
    assert finding.better == "Vad ni kan göra"


def test_a_list_is_many_short_sentences_and_a_link_no_open_place() -> None:
    items = "\n".join(f"- kohta {number} on lyhyt" for number in range(20))
    link = "[ohjeet](https://example.org/" + "a" * 60 + ")"

    assert kinds(f"{EASY}\n\n{items}\n\n{link}") == []


def test_only_what_the_law_or_an_exercise_forbids_and_open_places_block() -> None:
    assert {hardness for hardness in Hardness if hardness.blocks} == {
        Hardness.RESERVED,
        Hardness.NO_DRILL,
        Hardness.UNFILLED,
    }


def test_what_blocks_comes_first() -> None:
    text = "Mikäli vaaratiedote tulee [aika], toimikaa viipymättä. " + "sana " * 30

    assert [kind.blocks for kind in kinds(text)] == sorted((kind.blocks for kind in kinds(text)), reverse=True)


def test_every_hard_word_is_found_and_its_easier_words_are_not_hard() -> None:
    for locale, words in HARD_WORDS.items():
        for hard, easy in words.items():
            found = findings("", f"{hard}.", locale)
            assert any(finding.better == easy for finding in found), hard
            assert not any(finding.hardness is Hardness.HARD_WORD for finding in findings("", easy, locale)), easy


@given(st.text(max_size=300), st.text(max_size=3000), st.sampled_from(Locale))
def test_any_text_can_be_read(headline: str, text: str, locale: Locale) -> None:
    found = findings(headline, text, locale)

    assert len(found) <= MOST
    assert len(set(found)) == len(found)
    assert all(len(finding.extract) <= EXTRACT or finding.blocks for finding in found)


@pytest.mark.slow
@given(st.lists(st.sampled_from(["[", "]", "(", ")", "_", ".", "ei ole ", "vaara", " ", "\n", "-", "a"]), max_size=400))
def test_text_made_to_be_slow_is_read_too(parts: list[str]) -> None:
    assert len(findings("", "".join(parts), Locale.FI)) <= MOST
