"""Scenarios: the ready ones are whole, a wrong one is told of with line and column, and no bytes crash the reader."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli import app
from services.exercise.scenario.marked_tree import DEEPEST, LARGEST, Mistake, UnreadableError, read_tree
from services.exercise.scenario.model import MARKS, Scenario, Words
from services.exercise.scenario.scenario_yaml import ScenarioError, read_scenario
from services.exercise.scenario.store import FOLDER, ready_scenarios
from tests.exercise.schema_document import DOCUMENT, written

STORM = (FOLDER / "winter-storm.yaml").read_text(encoding="utf-8")
READY = sorted(path.stem for path in FOLDER.glob("*.yaml"))
FORBIDDEN = ("vaaratiedot", "varningsmeddelande", "not a drill", "ei ole harjoitus", "ingen övning")


def mistakes(text: str) -> list[tuple[int, int, str]]:
    """Line, column and sentence of everything that is wrong in it."""
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text.encode())
    return [(one.position.line, one.position.column, one.text) for one in caught.value.mistakes]


def line_of(text: str, part: str) -> int:
    """The number of the first line that holds this."""
    return text[: text.index(part)].count("\n") + 1


def all_words(scenario: Scenario) -> list[Words]:
    """Every text of an inject."""
    scripted = (*scenario.injects, *scenario.contingencies)
    return [words for one in scripted for words in (one.text, one.expected)]


def test_there_is_a_ready_scenario_for_each_of_the_six_emergencies() -> None:
    kinds = {scenario.kind for scenario in ready_scenarios().values()}

    assert kinds == {"storm", "pandemic", "water", "evacuation", "cyber", "wildfire"}


@pytest.mark.parametrize("name", READY)
def test_a_ready_scenario_is_whole_and_says_nothing_that_the_law_reserves(name: str) -> None:
    scenario = ready_scenarios()[name]
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").lower()

    assert scenario.key == name
    assert len(scenario.injects) >= 12
    assert len(scenario.contingencies) >= 2
    assert {"situation", "round"} == {one.opens for one in scenario.injects if one.opens}
    assert scenario.phase_at(scenario.injects[-1].at) == scenario.phases[-1]
    assert [word for word in FORBIDDEN if word in text] == []


@pytest.mark.parametrize("name", READY)
def test_languages_of_a_text_differ(name: str) -> None:
    same = [words.en for words in all_words(ready_scenarios()[name]) if len({words.fi, words.sv, words.en}) < 3]

    assert same == []


@pytest.mark.parametrize("name", READY)
def test_every_text_that_reaches_people_begins_with_the_word_exercise(name: str) -> None:
    for words in all_words(ready_scenarios()[name]):
        assert {locale: text.split(":")[0] for locale, text in words.told().items()} == MARKS


def test_a_text_that_begins_so_by_itself_is_refused() -> None:
    found = mistakes(STORM.replace("en: Winter storm\n", "en: Exercise winter storm\n"))

    assert found == [(line_of(STORM, "en: Winter storm\n"), 7, found[0][2])]
    assert "the system puts that before every text" in found[0][2]


@pytest.mark.parametrize(
    ("before", "after", "column", "sentence"),
    [
        ("title:\n", "titel:\n", 1, '"titel" is not known here; did you mean "title"?'),
        ("channel: radio", "chanel: radio", 5, '"chanel" is not known here; did you mean "channel"?'),
        ("controller: field", "controller: feild", 17, '"feild": no role has this key; did you mean "field"?'),
        ("controller: field", "controller: rescue", 17, '"rescue" is a role, but no controller'),
        ('done_by: half-answered\n    done_within: "1:00"', 'done_within: "1:00"\n', 18, "done_by is missing"),
        ("objective: warm-rooms", "objective: warm", 16, '"warm": no objective has this key; did you mean'),
        ("unless: 7", "unless: 70", 13, '"70": no inject has this number; did you mean "7"?'),
        ('at: "0:50"', 'at: "50 min"', 9, '"at" must be hours and minutes after the start, like 1:30'),
        ('at: "0:50"', 'at: "0:20"', 9, "0:20 is earlier than what stands before it in line"),
        ('at: "5:30"', 'at: "6:30"', 9, "6:30 is after the end of the exercise"),
        ("number: 12", "number: 11", 13, '"11" is given already in line'),
        ("number: 12", "number: twelve", 13, '"number" must be a whole number'),
        ("answering: 0.45", "answering: 45", 18, '"answering" must be at most 1'),
        ("answering: 0.45", "answering: .nan", 18, '"answering" must be a number'),
        ("[Tammela, Loppi, Ypäjä]", "[Tammela, Tampere]", 33, '"Tampere" is not a municipality of the region'),
        ("[Tammela, Loppi, Ypäjä]", "[Tammela, Hattula]", 33, '"Hattula" is not among the scenario\'s municipalities'),
        ("[Tammela, Loppi, Ypäjä]", "[Tammela, '834']", 33, '"834" is given already in line'),
        ("capability: equipment", "capability: tractors", 24, '"capability" is not a capability; these are:'),
        ("{normal: 12, limited: 53, suspended: 35}", "{normal: 0, limited: 0, suspended: 0}", 17, "one of the weights"),
        ("opens: round", "opens: situation", 12, "the situation is open already"),
        ("length: \"6:00\"", "length: \"6:00\"\nlength: \"7:00\"", 1, '"length" is given already in line'),
        ("seed: 2026", "seed: [1]", 9, '"seed" must be a whole number'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(before: str, after: str, column: int, sentence: str) -> None:
    found = mistakes(STORM.replace(before, after, 1))

    expected_line = line_of(STORM, before) + after.count("\n") - before.count("\n")
    assert [told for told in found if told[:2] == (expected_line, column) and told[2].startswith(sentence)], found


def test_everything_is_told_at_once_in_the_order_of_the_file() -> None:
    text = STORM.replace("kind: storm", "kind: strom").replace("objective: warm-rooms", "objective: cold-rooms")

    found = mistakes(text)

    assert found == sorted(found)
    assert len({sentence for _, _, sentence in found}) >= 3
    assert found[0] == (3, 7, found[0][2])


def test_an_objective_that_no_inject_rehearses_is_told() -> None:
    found = mistakes(STORM.replace("objective: warm-rooms", "objective: picture"))

    assert (line_of(STORM, "- key: warm-rooms"), 10, 'no inject rehearses the objective "warm-rooms"') in found


def test_what_is_missing_is_told_where_it_should_stand() -> None:
    found = mistakes(STORM.replace("    channel: radio\n", ""))

    assert found == [(line_of(STORM, "  - number: 10"), 5, '"channel" is missing')]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"a: [1, 2", "this is no YAML"),
        (b"a: &x 1\nb: *x\n", "anchors (&) and tags (!) are not taken"),
        (b"a: !!python/object/apply:os.system ['true']\n", "anchors (&) and tags (!) are not taken"),
        (b"a: 1\n--- \nb: 2\n", "a second document begins here"),
        (b"? [a, b]\n: c\n", "a name must be a plain word here"),
        (b"title: \xff\xfe\n", "this is not UTF-8 text"),
        (b"title: a\x07b\n", "this is a character that no text has"),
        (b"[" * 5000, "this is nested more than"),
        (b"a" * (LARGEST + 1), "the file is larger than 256 kB"),
    ],
)
def test_what_is_no_tree_of_plain_values_is_refused(source: bytes, sentence: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(source)

    assert caught.value.mistakes[0].text.startswith(sentence)


def test_texts_mean_themselves() -> None:
    tree = read_tree(b"code: 061\nanswer: no\nat: 1:30\nempty:\nsaid: 'null'\n")

    assert tree.root == {"code": "061", "answer": "no", "at": "1:30", "empty": None, "said": "null"}


@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbf")
@example(b"%YAML 9.9\n---\n")
@example(b"- " * DEEPEST * 2)
def test_any_bytes_are_a_scenario_or_mistakes_inside_the_file(source: bytes) -> None:
    inside(source)


@given(st.data())
@settings(max_examples=40)
def test_a_damaged_scenario_is_read_or_its_mistakes_stand_inside_the_file(data: st.DataObject) -> None:
    source = STORM.encode()
    at = data.draw(st.integers(0, len(source) - 1))
    length = data.draw(st.integers(0, 60))
    damage = data.draw(st.binary(max_size=12) | st.sampled_from([b"- ", b": ", b"\n", b"{", b"[", b"'", b'"', b"\t"]))

    inside(source[:at] + damage + source[at + length :])


def inside(source: bytes) -> None:
    """Read it, or find each mistake at a place that the file has."""
    found = found_in(source)
    if found is not None:
        lines = source.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        most = max(map(len, lines.splitlines()), default=0) + 2
        assert found
        for mistake in found:
            assert mistake.text
            assert 1 <= mistake.position.line <= len(lines.splitlines()) + 2
            assert 1 <= mistake.position.column <= most


def found_in(source: bytes) -> tuple[Mistake, ...] | None:
    """Its mistakes; None if it is a scenario."""
    try:
        read_scenario(source)
    except ScenarioError as error:
        return error.mistakes
    return None


def test_a_tree_is_refused_before_it_is_deep() -> None:
    with pytest.raises(UnreadableError):
        read_tree(b"- " * (DEEPEST + 1) + b"x")

    assert read_tree(b"- " * DEEPEST + b"x").values


def test_the_schema_in_the_documentation_is_that_of_the_model() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == written()


def test_the_command_says_what_a_scenario_is() -> None:
    done = CliRunner().invoke(app, ["exercise", "check", str(FOLDER / "wildfire.yaml")])

    assert done.exit_code == 0
    assert "injects: 13" in done.stdout


def test_the_command_says_everything_that_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(STORM.replace("title:\n", "titel:\n", 1), encoding="utf-8")

    plain = CliRunner().invoke(app, ["exercise", "check", str(file)])
    told = CliRunner().invoke(app, ["exercise", "check", str(file), "--json"])

    assert plain.exit_code == told.exit_code == 1
    assert f'{file}:4:1: "titel" is not known here; did you mean "title"?' in plain.stdout
    assert [mistake["line"] for mistake in json.loads(told.stdout)["mistakes"]] == [2, 4]


def test_the_command_prints_the_schema() -> None:
    assert CliRunner().invoke(app, ["exercise", "schema"]).stdout == written()
