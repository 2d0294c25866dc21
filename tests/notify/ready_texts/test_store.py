"""The ready texts are whole: four languages, easy to read, with what to do."""

import re

import pytest

from services.notify.guidance.draft_form import HEADLINE_LIMIT, TEXT_LIMIT
from services.notify.guidance.model import VALID_HOURS
from services.notify.plain_language.model import Hardness, findings
from services.notify.ready_texts.model import ReadyText
from services.notify.ready_texts.store import ReadyTextError, read, ready_texts
from shared.i18n import Locale

IN_DANGER = {"power_cut", "evacuation_reception", "flooding", "missing_person_search", "heat_wave", "severe_frost"}
every_text = pytest.mark.parametrize("ready", ready_texts().values(), ids=list(ready_texts()))


def test_there_is_one_for_each_common_situation() -> None:
    assert len(ready_texts()) == 10
    assert ready_texts().keys() >= IN_DANGER


@every_text
def test_a_ready_text_is_whole_and_easy_in_every_language(ready: ReadyText) -> None:
    assert ready.valid_hours in VALID_HOURS
    assert ready.texts.keys() == set(Locale)
    for locale, words in ready.texts.items():
        hard = [found for found in findings(words.headline, words.text, locale) if not found.blocks]
        assert hard == []
        assert len(words.headline) <= HEADLINE_LIMIT
        assert len(words.text) <= TEXT_LIMIT


@every_text
def test_a_ready_text_has_places_to_fill_in_and_no_other_obstacle(ready: ReadyText) -> None:
    for locale, words in ready.texts.items():
        blocking = {found.hardness for found in findings(words.headline, words.text, locale) if found.blocks}
        assert blocking == {Hardness.UNFILLED}
        filled = re.sub(r"\[[^\]]+\]", "Forssa", words.text)
        headline = re.sub(r"\[[^\]]+\]", "Forssa", words.headline)
        assert findings(headline, filled, locale) == []


@pytest.mark.parametrize("name", sorted(IN_DANGER))
def test_where_life_is_in_danger_the_text_names_112(name: str) -> None:
    assert all("112" in words.text for words in ready_texts()[name].texts.values())


@pytest.mark.parametrize("file", ["", "# fi: A\n\nB", "valid_hours: 24\n\n# fi: Otsikko\n\nTeksti"])
def test_a_file_that_is_not_whole_is_refused(file: str) -> None:
    with pytest.raises(ReadyTextError, match="water"):
        read("water", file)
