from __future__ import annotations

from pathlib import Path

import pytest

from forecaster.errors import EventFileError
from forecaster.programme.mapping import Listing, MappingRule, MappingRules, Unmatched
from forecaster.programme.mapping_file import read_mapping
from forecaster.programme.reading import read_mapping_file

TEXT = """\
unmatched: keep
mapping:
  - {title: "Football: *", repeat: false, kind: football, start_uncertainty: 5m, hold: true}
  - {category: [Sport*, /olympic/], channel: one.example.com, selector: {namespaces: video}}
  - {title: "*highlights*", drop: true}
"""


def test_rules_are_read_from_a_mapping_or_a_list(tmp_path: Path) -> None:
    rules = read_mapping(TEXT, "mapping.yaml")
    assert rules.unmatched is Unmatched.KEEP
    assert len(rules.rules) == 3
    path = tmp_path / "mapping.yaml"
    path.write_text(TEXT.split("mapping:\n")[1])
    assert read_mapping_file(path) == MappingRules(rules.rules)


def test_what_a_rule_gives_is_what_it_says_and_no_default() -> None:
    rules = read_mapping(TEXT, "mapping.yaml")
    assert set(rules.rules[0].given) == {"kind", "start_uncertainty", "hold"}
    assert set(rules.rules[1].given) == {"selector"}
    assert rules.given_to(Listing(["Sport highlights"])) is None
    assert rules.given_to(Listing(["News"])) == {}
    assert rules.given_to(Listing(["Football: Cup"], repeat=True)) == {}
    dropping = MappingRules(rules.rules)
    assert dropping.given_to(Listing(["News"]), Unmatched.DROP) is None


@pytest.mark.parametrize(
    ("written", "title", "fits"),
    [
        ("Football", "football", True),
        ("Football", "Football: Cup", False),
        ("football*", "FOOTBALL: Cup", True),
        ("/ball/", "Football: Cup", True),
        ("/^ball/", "Football: Cup", False),
        ("F?otball", "Football", True),
        ("[abc]*", "Concert", True),
        ("*Ā*", "xāx", True),
        ("//", "a//b", False),
        ("a.c", "abc", False),
    ],
)
def test_texts_are_whole_and_expressions_are_searched_for(
    written: str, title: str, fits: bool
) -> None:
    assert MappingRule(title=(written,)).fits(Listing([title])) is fits


def test_all_problems_of_a_mapping_are_told_with_their_lines() -> None:
    with pytest.raises(EventFileError) as caught:
        read_mapping(
            """\
- {title: "/(/", kind: football, start_uncertainty: 5}
- title: x
  knd: 3
- {drop: true, kind: x}
- {title: "", repeat: maybe}
""",
            "mapping.yaml",
        )
    told = str(caught.value).splitlines()
    assert told[0] == "mapping.yaml:line 1: 6 problems"
    for part in (
        "line 1, mapping[0].start_uncertainty: 5 has no unit",
        "line 1, mapping[0].title[0]: '/(/' is no regular expression",
        "line 3, mapping[1].knd: unknown key; did you mean kind?",
        "line 4, mapping[2]: a rule that drops gives nothing; leave out kind",
        "line 5, mapping[3].title[0]",
        "line 5, mapping[3].repeat: 'maybe' is neither true nor false",
    ):
        assert any(part in line for line in told)


@pytest.mark.parametrize("text", ["", "3", "mapping: 3", "rules: []"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(EventFileError, match=r"mapping\.yaml"):
        read_mapping(text, "mapping.yaml")
