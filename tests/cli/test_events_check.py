"""``preroll events check``."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"


def test_the_next_events_come_first_then_the_rules_then_the_kinds(preroll):
    said = preroll(
        "events",
        "check",
        EXAMPLES / "events.yaml",
        "--at",
        "2026-07-11 08:00",
        "--timezone",
        "Europe/Paris",
    )
    assert (said.code, said.err) == (0, "")
    lines = [line.strip() for line in said.out.splitlines() if line.strip()]
    assert lines[0].endswith("events.yaml: 5 events, 2 rules")
    assert lines[1] == "The next 4 of 4 from Sat 2026-07-11 08:00 Europe/Paris on:"
    assert lines[4].startswith("Sun 2026-07-19 21:00     1h55m   football       5   Cup, final")
    assert "120 replicas at least" in said.out
    assert "cancelled" in said.out
    kinds = {line.split()[0]: line.split()[1:4] for line in lines[-4:]}
    assert kinds["football"] == ["2", "1", "0"]
    assert kinds["concert"] == ["1", "0", "1"]
    assert any("daily 20:45 to 23:15" in line and "2026-07-11 20:45" in line for line in lines)


def test_a_calendar_of_the_past_says_so(preroll):
    said = preroll("events", "check", EXAMPLES / "matches.csv", "--at", "2027-01-01T00:00:00Z")
    assert "All are over, the last since Sun 2026-07-19 20:55 UTC:" in said.out


def test_a_guide_needs_its_mapping(preroll):
    guide, mapping = EXAMPLES / "programme.xmltv", EXAMPLES / "programme-mapping.yaml"
    said = preroll("events", "check", guide)
    assert "0 events, 6 dropped by the mapping" in said.out
    assert "--mapping FILE" in said.err
    said = preroll("events", "check", guide, "--mapping", mapping)
    assert "3 events, 3 dropped" in said.out


def test_problems_are_warnings_with_their_place_and_strict_exits_with_1(preroll, tmp_path):
    path = tmp_path / "matches.csv"
    path.write_text("start,category\nsoon,football\n2026-06-11T19:00:00Z,football\n")
    said = preroll("events", "check", path)
    assert said.code == 0
    assert "1 event, 1 problem" in said.out
    assert f"warning: {path}: line 2, start: 'soon' is not a time" in said.err
    assert "for example: 2026-06-11T19:00:00Z" in said.err
    assert preroll("events", "check", path, "--strict").code == 1
    assert preroll("events", "check", EXAMPLES / "matches.csv", "--strict").code == 0


def test_many_problems_are_cut_short(preroll, tmp_path):
    path = tmp_path / "matches.csv"
    path.write_text("start,category\n" + "soon,football\n" * 60)
    said = preroll("events", "check", path)
    assert said.err.count("warning:") == 51
    assert "and 10 more bad entries" in said.err


def test_names_are_shown_as_they_are_and_are_no_markup(preroll, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text('- {start: 2026-06-11T19:00:00Z, kind: "[bold]x", name: "[/red] a"}')
    said = preroll("events", "check", path)
    assert said.code == 0
    assert "[bold]x" in said.out
    assert "[/red] a" in said.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--format", "xls"], "is not one of yaml, csv, icalendar, xmltv, prescaling"),
        (["--timezone", "Mars"], "'Mars' is not a time zone"),
        (["--at", "soon"], "'soon' is not an instant"),
        (["--mapping", "none.yaml"], "none.yaml: there is no such file"),
        (["--format", "icalendar"], "stands where BEGIN:VCALENDAR should"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_exit_code_is_2(preroll, options, told):
    said = preroll("events", "check", EXAMPLES / "matches.csv", *options)
    assert said.code == 2
    assert told in " ".join(said.err.replace("│", " ").split())


def test_a_file_that_is_no_calendar_is_an_error(preroll, tmp_path):
    path = tmp_path / "a.ics"
    path.write_text("<html></html>")
    said = preroll("events", "check", path)
    assert said.code == 2
    assert "this is a web page" in said.err


def test_the_commands_are_listed_with_what_they_do(preroll):
    assert "check" in preroll("events", "--help").out
    assert any(line.split()[1:2] == ["events"] for line in preroll("--help").out.splitlines())
