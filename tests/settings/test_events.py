"""The ``events`` section: from text to values, and how it is refused."""

import pickle
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from forecaster.events import Overlap, Selector
from forecaster.programme.mapping import Unmatched
from forecaster.programme.options import CalendarFormat, OnBadEntry
from forecaster.settings import NO_EVENTS

WHOLE = """\
timezone: Europe/Paris
history: 14d
events:
  overlap: largest
  on_bad_entry: refuse
  sources:
    - name: guide
      url: https://me:s3cret@guide.example.com/s3cret/guide.xml.gz
      format: xmltv
      every: 30m
      timeout: 10s
      max_size: 20MiB
      bearer_token_file: token
      ca_file: ca.crt
      timezone: Europe/London
      default_kind: show
      mapping:
        - {title: "Football: *", kind: football}
        - {category: sport, drop: true}
      unmatched: keep
    - {name: matches, file: data/matches.csv, mapping_file: mapping.yaml}
  events:
    - start: 2026-06-11T21:00:00
      end: 2026-06-11T23:00
      kind: football
      importance: high
      selector: {workloads: streaming/*}
      floor: {replicas: 40}
  daily:
    - {kind: prime-time, start: "20:00", end: "00:30", days: [sat], first: 2026-06-11}
  holidays:
    - {country: FR, timezone: America/Martinique}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "token").write_text("5ecret\n")
    (tmp_path / "ca.crt").write_text("pem")
    (tmp_path / "mapping.yaml").write_text("unmatched: drop\nmapping: [{title: a, kind: b}]\n")
    return tmp_path


def test_without_the_section_nothing_is_known_ahead(load, valid):
    assert load(valid).events == NO_EVENTS
    assert load(valid + "events:\n").events == NO_EVENTS


def test_the_whole_section_is_understood(load, valid, folder):
    events = load(valid + WHOLE).events
    assert events.overlap is Overlap.LARGEST

    guide, matches = events.sources
    assert guide.location == "https://me:s3cret@guide.example.com/s3cret/guide.xml.gz"
    assert guide.format is CalendarFormat.XMLTV
    assert (guide.every, guide.timeout) == (timedelta(minutes=30), timedelta(seconds=10))
    assert guide.options.most_bytes == 20 * 2**20
    assert (guide.bearer_token, guide.token_file) == (None, folder / "token")
    assert guide.ca_file == folder / "ca.crt"
    assert guide.options.timezone == "Europe/London"
    assert guide.options.default_kind == "show"
    assert guide.options.on_bad_entry is OnBadEntry.REFUSE
    assert [one.kind for one in guide.options.mapping.rules] == ["football", None]
    assert guide.options.mapping.unmatched is Unmatched.KEEP

    assert matches.location == folder / "data" / "matches.csv"
    assert matches.options.timezone == "Europe/Paris"
    assert (matches.every, matches.options.most_bytes) == (timedelta(seconds=10), 64 * 2**20)
    assert matches.options.mapping.unmatched is Unmatched.DROP
    assert timedelta(days=14) < matches.past < timedelta(days=20)

    (event,) = events.events
    assert event.start == datetime(2026, 6, 11, 19, tzinfo=UTC)
    assert event.selector == Selector(workloads=("streaming/*",))
    assert (event.importance, event.floor_replicas) == (4, 40)
    assert event.event_id

    window, holidays = events.recurring
    assert (window.timezone, window.days, window.first) == ("Europe/Paris", (5,), date(2026, 6, 11))
    assert (holidays.country, holidays.timezone) == ("FR", "America/Martinique")
    assert len(events.calendar.within(event.start, event.start + timedelta(days=8)).events) >= 2


def test_it_shows_no_secret_and_can_be_sent_to_another_process(load, valid, folder):
    settings = load(valid + WHOLE)
    assert "s3cret" not in repr(settings)
    assert "5ecret" not in repr(settings)
    assert pickle.loads(pickle.dumps(settings)).events.events == settings.events.events


@pytest.mark.parametrize(
    ("section", "place", "line", "said"),
    [
        ("overlap: sum", "overlap", 10, "'sum' is not one of add, multiply, largest"),
        ("on_bad_entry: ignore", "on_bad_entry", 10, "not one of skip, refuse"),
        ("timezone: Mars", "timezone", 10, "not a time zone"),
        ("source: []", "source", 10, "did you mean sources?"),
        ("sources: [{name: a}]", "sources[0]", 10, "one of file and url is needed"),
        ("sources: [{name: a, file: b, url: 'http://c'}]", "sources[0]", 10, "keep one of"),
        ("sources: [{file: b}]", "sources[0].name", 10, "it is required"),
        ("sources: [{name: rest, file: b}]", "sources[0].name", 10, "other events"),
        ("sources: [{name: settings, file: b}]", "sources[0].name", 10, "other events"),
        ("sources: [{name: a:b, file: b}]", "sources[0].name", 10, "small letters"),
        ("sources: [{name: a, file: b}, {name: a, file: c}]", "sources[1].name", 10, "twice"),
        ("sources: [{name: a, url: ftp://b}]", "sources[0].url", 10, "http:// or https://"),
        ("sources: [{name: a, file: b, every: 15}]", "sources[0].every", 10, "no unit"),
        ("sources: [{name: a, file: b, every: 10ms}]", "sources[0].every", 10, "too often"),
        ("sources: [{name: a, file: b, max_size: 5}]", "sources[0].max_size", 10, "unit"),
        ("sources: [{name: a, file: b, max_size: 5GB}]", "sources[0].max_size", 10, "unit"),
        ("sources: [{name: a, file: b, max_size: 999MB}]", "sources[0].max_size", 10, "256MiB"),
        ("sources: [{name: a, file: b, format: ics}]", "sources[0].format", 10, "icalendar"),
        ("sources: [{name: a, file: b, ca_file: c}]", "sources[0].ca_file", 10, "No such file"),
        (
            "sources: [{name: a, file: b, bearer_token_file: c}]",
            "sources[0].bearer_token_file",
            10,
            "No such file",
        ),
        (
            "sources: [{name: a, file: b, mapping: [{titel: c}]}]",
            "sources[0].mapping[0].titel",
            10,
            "did you mean title?",
        ),
        (
            "sources: [{name: a, file: b, mapping: [{title: /(/, kind: c}]}]",
            "sources[0].mapping[0].title[0]",
            10,
            "no regular expression",
        ),
        (
            "sources: [{name: a, file: b, mapping_file: c}]",
            "sources[0].mapping_file",
            10,
            "there is no such file",
        ),
        (
            "sources: [{name: a, file: b, mapping: [], mapping_file: c}]",
            "sources[0].mapping_file",
            10,
            "keep one",
        ),
        ("events: [{start: now, kind: a}]", "events[0].start", 10, "'now' is not a time"),
        ("events: [{start: 2026-06-11T19:00Z}]", "events[0].kind", 10, "it is required"),
        (
            "events: [{kind: a, start: 2026-06-11T19:00Z, end: 2026-06-11T18:00Z}]",
            "events[0].end",
            10,
            "is not after the start",
        ),
        (
            "events: [{kind: a, start: 2026-06-11T19:00Z, floor: {replicas: -1}}]",
            "events[0].floor.replicas",
            10,
            "-1 is too small",
        ),
        (
            "events: [{kind: a, start: 2026-06-11T19:00Z}, {kind: a, start: 2026-06-11T19:00Z}]",
            "events[1].id",
            10,
            "give another id",
        ),
        ("daily: [{kind: a, start: '20:00'}]", "daily[0].end", 10, "it is required"),
        (
            "daily: [{kind: a, start: '20:00', end: '21:00', days: [someday]}]",
            "daily[0].days[0]",
            10,
            "not a weekday",
        ),
        ("holidays: [{country: XX}]", "holidays[0].country", 10, "'XX' is not known"),
    ],
)
def test_what_cannot_be_is_named_with_its_place(problems, valid, section, place, line, said):
    (problem,) = problems(f"{valid}events:\n  {section}\n")
    assert (problem.place, problem.line) == (f"events.{place}", line)
    assert said in problem.message


def test_no_secret_of_a_url_is_shown(problems, valid):
    text = f"{valid}events:\n  sources: [{{name: a, url: 'http://u:5ecret@ho st/', every: x}}]\n"
    assert "5ecret" not in "\n".join(map(str, problems(text)))


def test_a_variable_reaches_a_source(load, valid, tmp_path):
    text = f"{valid}events:\n  sources: [{{name: a, file: b.ics}}]\n"
    settings = load(
        text, {"PREROLL_EVENTS__SOURCES__0__EVERY": "1h", "PREROLL_EVENTS__OVERLAP": "multiply"}
    )
    assert settings.events.sources[0].every == timedelta(hours=1)
    assert settings.events.overlap is Overlap.MULTIPLY
    assert settings.events.sources[0].location == Path(tmp_path / "b.ics")
