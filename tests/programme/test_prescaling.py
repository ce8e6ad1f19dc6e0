"""The exporter's manifests: their meaning, and its eight faults, which are not ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import yaml

from forecaster.errors import EventFileError
from forecaster.events import Calendar, Event
from forecaster.programme.mapping import MappingRule, MappingRules
from forecaster.programme.options import OnBadEntry, ReadCalendar, ReadOptions
from forecaster.programme.prescaling import read_prescaling
from forecaster.programme.reading import read_calendar


def prescaling_event(
    name: str = "final",
    start: str = "20:30:00",
    end: str = "23:30:00",
    multiplier: Any = 3,
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    return {
        "apiVersion": "prescaling.bedrock.tech/v1",
        "kind": "PrescalingEvent",
        "metadata": {"name": name, "namespace": "ops", "annotations": annotations or {}},
        "spec": {
            "date": "2026-07-19",
            "start_time": start,
            "end_time": end,
            "multiplier": multiplier,
            "description": "the final",
            **spec,
        },
    }


def autoscaler(
    name: str, window: tuple[str, str] | None = ("18:00:00", "23:00:00"), least: str = "10"
) -> dict[str, Any]:
    prefix = "annotations.scaling.exporter."
    annotations = {"kubectl.example.com/x": "y"}
    if window is not None:
        start, end = window
        annotations |= {
            f"{prefix}time.start": start,
            f"{prefix}time.end": end,
            f"{prefix}replica.min": least,
        }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"{name}-hpa", "namespace": "tv", "annotations": annotations},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": name}, "maxReplicas": 99},
    }


def read(*objects: Any, **options: Any) -> ReadCalendar:
    return read_prescaling(yaml.safe_dump_all(objects), "manifests.yaml", ReadOptions(**options))


def going_on(calendar: Calendar, workload: str, at: datetime) -> list[Event]:
    namespace, _, name = workload.partition("/")
    return list(calendar.selecting(namespace, name).between(at, at + timedelta(seconds=1)))


def floor(calendar: Calendar, workload: str, at: datetime) -> int:
    """What the planner makes of floors: the largest."""
    return max((one.floor_replicas or 0 for one in going_on(calendar, workload, at)), default=0)


def at(clock: str, day: int = 19) -> datetime:
    return datetime.fromisoformat(f"2026-07-{day:02}T{clock}:00+00:00")


def test_an_annotated_window_is_a_floor_every_day() -> None:
    calendar = read(autoscaler("player")).calendar
    for day in (1, 19, 31):
        assert floor(calendar, "tv/player", at("17:59", day)) == 0
        assert floor(calendar, "tv/player", at("18:00", day)) == 10
        assert floor(calendar, "tv/player", at("23:00", day)) == 0
    assert floor(calendar, "tv/other", at("20:00")) == 0


def test_a_multiplier_multiplies_the_minimum_of_those_that_have_one() -> None:
    found = read(prescaling_event(), autoscaler("player"), autoscaler("drm", least="3"))
    assert found.problems == ()
    assert floor(found.calendar, "tv/player", at("21:00")) == 30
    assert floor(found.calendar, "tv/drm", at("21:00")) == 9
    (event,) = going_on(found.calendar.selecting("tv", "drm"), "tv/drm", at("23:15"))
    assert event.label() == 'prescaling-event "the final"'
    assert event.uplift is None


def test_fault_1_events_and_windows_cross_midnight() -> None:
    calendar = read(
        prescaling_event(start="22:00:00", end="01:30:00"),
        autoscaler("player", ("20:00:00", "02:00:00")),
    ).calendar
    assert floor(calendar, "tv/player", at("00:00", 20)) == 30
    assert floor(calendar, "tv/player", at("01:29", 20)) == 30
    assert floor(calendar, "tv/player", at("01:30", 20)) == 10
    assert floor(calendar, "tv/player", at("02:00", 20)) == 0


def test_fault_2_of_overlapping_events_the_larger_counts_whatever_their_order() -> None:
    events = [prescaling_event("small", multiplier=2), prescaling_event("large", multiplier=5)]
    for order in (events, events[::-1]):
        calendar = read(*order, autoscaler("player"), autoscaler("web", None)).calendar
        assert floor(calendar, "tv/player", at("21:00")) == 50
        uplifts = [one.uplift for one in going_on(calendar, "tv/web", at("21:00"))]
        assert sorted(one for one in uplifts if one) == [2, 5]
        groups = {one.group for one in going_on(calendar, "tv/web", at("21:00"))}
        assert len(groups) == 1  # one audience: the larger uplift wins


def test_fault_3_an_event_adds_to_the_daily_window_and_may_be_for_some() -> None:
    calendar = read(
        prescaling_event(start="21:00:00", multiplier=0.5),
        prescaling_event(
            "other",
            start="21:00:00",
            multiplier=4,
            annotations={"preroll/workloads": "tv/drm, web-*"},
        ),
        autoscaler("player"),
        autoscaler("drm"),
        autoscaler("web-a", None),
        autoscaler("x", None),
    ).calendar
    assert floor(calendar, "tv/player", at("20:00")) == 10
    assert floor(calendar, "tv/player", at("22:00")) == 10  # the window's, not 5
    assert floor(calendar, "tv/drm", at("22:00")) == 40
    assert [one.uplift for one in going_on(calendar, "tv/web-a", at("22:00"))] == [0.5, 4]
    assert [one.uplift for one in going_on(calendar, "tv/x", at("22:00"))] == [0.5]


def test_fault_4_multipliers_may_be_fractions_and_nought_is_told() -> None:
    found = read(
        prescaling_event("half", multiplier=1.25),
        prescaling_event("nought", multiplier=0),
        autoscaler("player"),
    )
    assert floor(found.calendar, "tv/player", at("21:00")) == 13  # 12.5, rounded up
    (problem,) = found.problems
    assert "PrescalingEvent ops/nought" in problem.place
    assert (problem.field, problem.value) == ("multiplier", "0")


def test_fault_5_workloads_without_a_window_are_reached() -> None:
    calendar = read(prescaling_event(), autoscaler("player"), autoscaler("web", None)).calendar
    (event,) = going_on(calendar, "tv/web", at("21:00"))
    assert (event.uplift, event.floor_replicas) == (3, None)
    assert all(one.uplift is None for one in going_on(calendar, "tv/player", at("21:00")))
    alone = read(prescaling_event()).calendar  # no HPA is known: it is for everybody
    assert going_on(alone, "any/thing", at("21:00"))[0].uplift == 3


def test_fault_6_a_broken_object_is_told_and_stops_nothing() -> None:
    broken: list[Any] = [
        {"apiVersion": "prescaling.bedrock.tech/v1", "kind": "PrescalingEvent"},
        {**prescaling_event("null"), "spec": None},
        {**autoscaler("null"), "metadata": None},
        prescaling_event("late", start="25:00:00"),
        prescaling_event("empty", start="20:00:00", end="20:00:00"),
        prescaling_event("moon", annotations={"preroll/timezone": "Moon/Base"}),
        autoscaler("bad", ("20h", "21:00:00")),
        autoscaler("none", least="many"),
        autoscaler("same", ("20:00:00", "20:00:00")),
        "text",
        ["list"],
        None,
    ]
    found = read(*broken, prescaling_event(), autoscaler("player"))
    assert floor(found.calendar, "tv/player", at("21:00")) == 30
    told = "\n".join(map(str, found.problems))
    for part in (
        "ops/null, date: it is required",
        "ops/late, start_time: '25:00:00' is not a time of day",
        "ops/empty, end_time: 20:00:00 is the start",
        "ops/moon, timezone: 'Moon/Base'",
        "tv/bad-hpa, time.start: '20h'",
        "tv/none-hpa, replica.min: 'many' is not a whole number; for example: 10",
        "tv/same-hpa, time.end: 20:00:00 is the start",
    ):
        assert part in told
    with pytest.raises(EventFileError, match="problems"):
        read(*broken, on_bad_entry=OnBadEntry.REFUSE)


def test_fault_7_a_floor_holds_in_full_from_its_first_second() -> None:
    calendar = read(prescaling_event(multiplier=10), autoscaler("player")).calendar
    assert floor(calendar, "tv/player", at("20:29")) == 10
    assert floor(calendar, "tv/player", at("20:30")) == 100  # not in 21 steps of a tenth
    (event,) = read(prescaling_event(multiplier=10)).calendar.events
    assert event.declared_factors(np.array([-1.0, 0.0, 1.0])).tolist() == [1, 10, 10]


def test_fault_8_each_object_may_have_a_zone_of_its_own() -> None:
    objects = [
        prescaling_event(),
        prescaling_event("ny", annotations={"preroll/timezone": "America/New_York"}),
    ]
    paris, new_york = read(*objects, timezone="Europe/Paris").calendar.events
    assert (paris.start.hour, new_york.start.hour) == (18, 0)
    assert read(*objects).calendar.events[0].start.hour == 20  # UTC, where nothing is said
    window = autoscaler("player")
    window["metadata"]["annotations"]["preroll/timezone"] = "Asia/Tokyo"
    calendar = read(window, timezone="Europe/Paris").calendar
    assert floor(calendar, "tv/player", at("09:00")) == 10


def test_an_event_lasts_an_hour_more_when_clocks_go_back() -> None:
    event = prescaling_event(start="23:00:00", end="04:00:00", date="2026-10-24")
    (found,) = read(event, timezone="Europe/Paris").calendar.events
    assert found.duration == timedelta(hours=6)


def test_lists_and_json_and_unquoted_times_are_read_as_kubectl_and_people_write_them() -> None:
    text = """
apiVersion: v1
kind: List
items:
- apiVersion: prescaling.bedrock.tech/v1
  kind: PrescalingEvent
  metadata: {name: final}
  spec: {date: 2026-07-19, start_time: 20:30:00, end_time: 0:30:00, multiplier: 2}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: player}}
"""
    (event,) = read_calendar(text.encode()).calendar.events
    assert (event.name, event.duration) == ("final", timedelta(hours=4))
    as_json = json.dumps({"kind": "List", "items": [prescaling_event()]}).encode()
    assert len(read_calendar(as_json).calendar.events) == 1


def test_a_moved_event_stays_the_same_event() -> None:
    before, after = (
        [
            one.event_id
            for one in read(
                prescaling_event(start=start), autoscaler("player"), autoscaler("web", None)
            ).calendar.events
        ]
        for start in ("20:30:00", "21:30:00")
    )
    assert before == after
    assert len(set(before)) == 2


def test_a_mapping_gives_kinds_by_description() -> None:
    rules = MappingRules(
        (
            MappingRule(title=("*final*",), kind="football", importance=5),
            MappingRule(title=("test-*",), drop=True),
        )
    )
    found = read(prescaling_event(), prescaling_event("test-1", description=""), mapping=rules)
    assert [(one.kind, one.importance) for one in found.calendar.events] == [("football", 5)]
    assert found.dropped == 1


def test_the_times_are_aware() -> None:
    (event,) = read(prescaling_event()).calendar.events
    assert event.start == datetime(2026, 7, 19, 20, 30, tzinfo=UTC)
