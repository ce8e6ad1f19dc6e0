from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given

from forecaster.events import EVERY_WORKLOAD, Event, Selector, Shape
from forecaster.programme.document import EventDocument
from forecaster.programme.problems import EntryProblem, problems_of
from tests.programme.strategies import events

MATCH = {"start": "2026-06-11T19:00:00Z", "kind": "football"}


def read(**keys: Any) -> Event:
    return EventDocument.model_validate({**MATCH, **keys}).to_event()


def refusals(**keys: Any) -> tuple[EntryProblem, ...]:
    try:
        EventDocument.model_validate({**MATCH, **keys}).to_event()
    except ValueError as error:
        return problems_of(error, place="event 3")
    return ()


@given(events())
def test_an_event_survives_its_document_and_the_document_its_json(event: Event) -> None:
    document = EventDocument.from_event(event)
    assert document.to_event() == event
    told = json.loads(json.dumps(document.as_written()))
    assert EventDocument.model_validate(told).to_event() == event
    whole = EventDocument.model_validate_json(document.model_dump_json())
    assert whole.to_event() == event


def test_every_key_says_what_it_says() -> None:
    event = read(
        end="2026-06-11T23:00:00+02:00",
        importance="high",
        name=" Mexico v South Africa ",
        id="m1",
        selector={"namespaces": "video", "workloads": ["video/player-*"], "labels": {"a": "b"}},
        floor={"replicas": 40, "traffic": 12_000},
        shape={"95m": 1, "-5m": 1, "0": 2, "2m": "×5"},
        audience="sport",
        start_uncertainty="5m",
        ceiling="4h",
        hold=True,
        cancelled=True,
    )
    assert event == Event(
        start=datetime(2026, 6, 11, 19, tzinfo=UTC),
        end=datetime(2026, 6, 11, 21, tzinfo=UTC),
        kind="football",
        importance=4,
        name="Mexico v South Africa",
        event_id="m1",
        selector=Selector(("video",), ("video/player-*",), (("a", "b"),)),
        floor_replicas=40,
        floor_rps=12_000,
        shape=Shape(
            (
                (timedelta(minutes=-5), 1),
                (timedelta(0), 2),
                (timedelta(minutes=2), 5),
                (timedelta(minutes=95), 1),
            )
        ),
        audience="sport",
        start_uncertainty=timedelta(minutes=5),
        ceiling=timedelta(hours=4),
        hold=True,
        cancelled=True,
    )


@pytest.mark.parametrize("written", [1.7, "1.7", "×1.7", "x1.7", "X 1.7", "1.7×", " ×1.7 "])
def test_an_uplift_is_a_number_or_a_times(written: Any) -> None:
    assert read(uplift=written).uplift == 1.7


def test_an_empty_selector_is_every_workload() -> None:
    assert read(selector={}).selector is EVERY_WORKLOAD


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        pytest.param("Europe/Paris", "2026-06-11T21:00", "2026-06-11T23:00", 2, id="summer"),
        pytest.param("Europe/Paris", "2026-03-28T23:00", "2026-03-29T04:00", 4, id="spring"),
        pytest.param("Europe/Paris", "2026-10-24T23:00", "2026-10-25T04:00", 6, id="autumn"),
        pytest.param("America/New_York", "2026-03-07T23:00", "2026-03-08T04:00", 4, id="NY spring"),
        pytest.param("America/New_York", "2026-10-31T23:00", "2026-11-01T04:00", 6, id="NY autumn"),
        pytest.param("Europe/Paris", "2026-10-25T02:30", "2026-10-25T02:30", 1, id="02:30 twice"),
        pytest.param("Europe/Paris", "2026-03-29T02:30", "2026-03-29T03:45", 0.25, id="skipped"),
        pytest.param("Europe/Paris", "2026-03-29T01:30", "2026-03-29T02:30", 1, id="end skipped"),
    ],
)
def test_wall_clocks_are_read_in_their_zone(zone: str, start: str, end: str, hours: float) -> None:
    event = read(start=start, end=end, timezone=zone)
    assert event.duration == timedelta(hours=hours)


def test_the_entrys_own_zone_counts_before_the_default() -> None:
    document = EventDocument.model_validate(
        {**MATCH, "start": "2026-06-11T21:00", "timezone": "Europe/Paris"}
    )
    assert document.to_event("America/New_York").start == datetime(2026, 6, 11, 19, tzinfo=UTC)
    document = EventDocument.model_validate({**MATCH, "start": "2026-06-11T15:00"})
    assert document.to_event("America/New_York").start == datetime(2026, 6, 11, 19, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused_and_told_how_to_write_it() -> None:
    (problem,) = refusals(start="2026-06-11T21:00")
    assert problem.field == "start"
    for told in ("2026-06-11T21:00:00Z", "2026-06-11T21:00:00+02:00", "timezone: Europe/Paris"):
        assert told in str(problem)


@pytest.mark.parametrize(
    ("keys", "field", "told"),
    [
        ({"start": "tomorrow"}, "start", "'tomorrow' is not a time"),
        ({"start": "2026-06-11"}, "start", "no time of day"),
        ({"start": "0001-01-01T00:00Z"}, "start", "outside the years"),
        ({"start": "1900-01-01T00:00+05:00"}, "start", "outside the years"),
        (
            {"end": "2199-12-31T23:00-05:00", "start": "2199-12-31T20:00Z"},
            "end",
            "outside the years",
        ),
        ({"hold": None}, "hold", "null is neither"),
        ({"start": 1781204400}, "start", "1781204400 is not a time"),
        ({"end": "2026-06-11T19:00Z"}, "end", "is not after the start"),
        ({"end": "2027-06-11T19:00Z"}, "end", "31d at the longest"),
        ({"kind": ""}, "kind", "it is empty"),
        ({"kind": 7}, "kind", "write it in quotes"),
        ({"kind": "foot\nball"}, "kind", "line break"),
        ({"kind": "\ud800"}, "kind", "no text"),
        ({"kind": "x" * 301}, "kind", "longer than 300"),
        ({"importance": "huge"}, "importance", "'huge' is neither"),
        ({"importance": True}, "importance", "true is neither"),
        ({"importance": 101}, "importance", "101 is neither"),
        ({"importance": float("nan")}, "importance", "nan is neither"),
        ({"uplift": "70%"}, "uplift", "70 % more is 1.7"),
        ({"uplift": 0}, "uplift", "above 0"),
        ({"uplift": -2}, "uplift", "above 0"),
        ({"uplift": 10**400}, "uplift", "at most 1000"),
        ({"uplift": float("inf")}, "uplift", "at most 1000"),
        ({"uplift": 2, "shape": {"0m": 1, "5m": 2}}, "shape", "not both"),
        ({"shape": {"0m": 1}}, "shape", "two points"),
        ({"shape": {"5": 1, "6": 2}}, "shape", "no unit"),
        ({"shape": {"1m": 1, "60s": 2}}, "shape", "twice"),
        ({"shape": {f"{i}s": 1 for i in range(1001)}}, "shape", "too many"),
        ({"floor": {}}, "floor", "give replicas or traffic"),
        ({"floor": {"replicas": 1.5}}, "floor.replicas", "not a whole number"),
        ({"floor": {"replicas": "4"}}, "floor.replicas", "without quotes"),
        ({"floor": {"replicas": 10**400}}, "floor.replicas", "too large"),
        ({"floor": {"traffic": float("inf")}}, "floor.traffic", "finite"),
        ({"start_uncertainty": 5}, "start_uncertainty", "no unit"),
        ({"start_uncertainty": "13h"}, "start_uncertainty", "12h"),
        ({"ceiling": "0s"}, "ceiling", "above 0s"),
        ({"hold": "yes"}, "hold", "neither true nor false"),
        ({"timezone": "Europe/Pari"}, "timezone", "IANA"),
        ({"timezone": "../../etc/passwd"}, "timezone", "IANA"),
        ({"upplift": 2}, "upplift", "did you mean uplift?"),
        ({"selector": {"workload": ["a"]}}, "selector.workload", "did you mean workloads?"),
        ({"selector": {"workloads": ["a b"]}}, "selector.workloads[0]", "no name or pattern"),
        ({"selector": {"labels": {"a": 1}}}, "selector.labels.a", "not text"),
        ({"selector": "video"}, "selector", "keys with values"),
    ],
)
def test_a_refusal_names_the_field_and_the_bad_value(
    keys: dict[str, Any], field: str, told: str
) -> None:
    (problem,) = refusals(**keys)
    assert problem.field == field
    assert told in problem.message
    assert str(problem).startswith(f"event 3, {field}: ")
    assert len(str(problem)) < 400


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = refusals(start="soon", uplift="much", hold=3)
    assert [one.field for one in found] == ["uplift", "hold", "start"]
    assert all(one.example for one in found)


def test_no_mapping_at_all_is_told_too() -> None:
    with pytest.raises(ValueError) as caught:
        EventDocument.model_validate([1])
    (problem,) = problems_of(caught.value, place="line 4")
    assert str(problem) == "line 4: keys with values are needed here"


def test_the_examples_of_the_schema_are_accepted() -> None:
    schema = EventDocument.model_json_schema()
    for name, field in schema["properties"].items():
        for example in field["examples"]:
            written = json.loads(json.dumps(example))
            others = {"start": "2026-06-11T18:00:00Z"} if name == "end" else {}
            read(**others, **{name: written})


def test_what_is_at_its_default_is_not_written() -> None:
    assert EventDocument.from_event(read()).as_written() == MATCH
    assert yaml.safe_dump(EventDocument.from_event(read(uplift=2)).as_written())
