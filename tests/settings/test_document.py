"""YAML with lines: what editors call text is text, and nothing is lost in silence."""

import pytest

from forecaster.errors import SettingsError
from forecaster.settings.document import read_document


@pytest.fixture
def read(tmp_path):
    def call(text):
        path = tmp_path / "any.yaml"
        path.write_text(text)
        return read_document(path)

    return call


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-05-30", "2026-05-30"),
        ("0123", "0123"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("5m", "5m"),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("0.98", 0.98),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(read, text, value):
    found = read(f"key: {text}\n").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_every_value_knows_its_line(read):
    document = read("a: 1\nb:\n  - c: 2\n    d: [3,\n      4]\n")
    assert document.lines[("a",)] == 1
    assert document.lines[("b",)] == 2
    assert document.lines[("b", 0)] == 3
    assert document.lines[("b", 0, "d")] == 4
    assert document.lines[("b", 0, "d", 1)] == 5


def test_a_key_that_stands_twice_is_a_problem_at_its_second_line(read):
    (problem,) = read("a:\n  b: 1\n  c: 2\n  b: 3\n").problems
    assert (problem.place, problem.line) == ("a.b", 4)
    assert "first in line 2" in problem.message


def test_anchors_and_merge_keys_work_and_override_is_no_repetition(read):
    document = read("base: &base {a: 1, b: 2}\nderived:\n  <<: *base\n  b: 3\n")
    assert document.data["derived"] == {"a": 1, "b": 3}
    assert document.problems == ()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "not YAML, column 2"),
        ("a: 1\n\tb: 2\n", 2, "spaces, not with tabs"),
        ("a: *nobody\n", 1, "undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, "single document"),
        ("a: &x [*x]\n", 1, "refers to the value that it stands in"),
        ("a: !!python/object:os.system x\n", 1, "could not determine a constructor"),
        ("? [a, b]\n: 1\n", 1, "a key must be a word"),
        ("a: 1\nb: 'open\n", 3, "not YAML"),
    ],
    ids=["bracket", "tab", "alias", "two documents", "loop", "tag", "list as key", "quote"],
)
def test_what_is_not_yaml_is_told_with_its_line(read, text, line, said):
    with pytest.raises(SettingsError) as caught:
        read(text)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert said in problem.message


def test_a_control_character_is_not_yaml(read):
    with pytest.raises(SettingsError, match="not YAML"):
        read("a: \x07\n")
