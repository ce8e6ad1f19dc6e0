"""A whole migration: what moves, what stays, and what is known of both."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import time, timedelta

from forecaster.events import Calendar, DailyWindow, Event
from forecaster.keda import DEFAULT_OPTIONS, ScaledObjectOptions
from forecaster.migration.calendar_file import migrate_events
from forecaster.migration.manifests import as_mapping
from forecaster.migration.old_setup import OldAutoscaler, OldSetup
from forecaster.migration.settings_file import PLACEHOLDER_URL
from forecaster.migration.workload import MigratedWorkload, migrate_workload, taken

__all__ = ["MoveOptions", "Moves", "plan_moves", "quiet_clock"]

_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class MoveOptions:
    """What the old set-up does not say: where Prometheus is, the exporter's time zone (IANA), how
    long a pod takes to be ready, and how KEDA's objects are written."""

    prometheus: str = PLACEHOLDER_URL
    timezone: str = "UTC"
    lead_time: timedelta = timedelta(minutes=5)
    keda: ScaledObjectOptions = DEFAULT_OPTIONS


@dataclass(frozen=True)
class Moves:
    """``stay`` are HPAs that are left as they are; ``notes`` are what could not be read."""

    setup: OldSetup
    options: MoveOptions
    workloads: tuple[MigratedWorkload, ...]
    stay: tuple[OldAutoscaler, ...]
    calendar: Calendar
    notes: tuple[str, ...]

    @property
    def windows(self) -> tuple[DailyWindow, ...]:
        """The daily windows."""
        return tuple(one for one in self.calendar.recurring if isinstance(one, DailyWindow))

    @property
    def events(self) -> tuple[Event, ...]:
        """One for each PrescalingEvent, by start, whatever workloads it is for."""
        seen = {(one.start, one.end, one.name): one for one in self.calendar.events}
        return tuple(seen[key] for key in sorted(seen, key=str))


def plan_moves(setup: OldSetup, options: MoveOptions) -> Moves:
    """What becomes of everything that was read. A second HPA of one workload stays, and is told."""
    moving: dict[str, OldAutoscaler] = {}
    stay, notes = [], list(setup.notes)
    for old in setup.autoscalers:
        if not taken(old, setup.rules):
            stay.append(old)
        elif old.workload in moving:
            notes.append(
                f"{old.manifest.place}: {old.manifest.called} scales {old.workload}, as "
                f"{moving[old.workload].manifest.called} does; a workload has one autoscaler: "
                "delete one of them first"
            )
        else:
            moving[old.workload] = old
    notes += _scaled_already(setup, moving)
    events = migrate_events(setup.manifests, moving.values(), options.timezone)
    return Moves(
        setup=setup,
        options=options,
        workloads=tuple(
            migrate_workload(old, setup, options.prometheus) for old in moving.values()
        ),
        stay=tuple(stay),
        calendar=events.calendar,
        notes=tuple(dict.fromkeys((*notes, *events.notes))),
    )


def _scaled_already(setup: OldSetup, moving: Container[str]) -> Iterator[str]:
    """KEDA refuses a second ScaledObject of a workload."""
    for one in setup.manifests:
        target = as_mapping(one.spec.get("scaleTargetRef")).get("name")
        workload = f"{one.namespace}/{target}"
        if one.kind == "ScaledObject" and workload in moving:
            yield (
                f"{one.place}: {one.called} scales {workload} already, and a workload has one: put "
                "its triggers into the written one, and delete it before that is applied"
            )


def quiet_clock(windows: tuple[DailyWindow, ...], margin: timedelta) -> tuple[time, time] | None:
    """The longest stretch of the day that is ``margin`` away from every daily window.

    None where there is none of an hour; the whole day, 00:00 to 00:00, where there is no window.
    """
    if not windows:
        return time(0), time(0)
    busy = [False] * (_DAY_SECONDS // 60)
    pad = int(margin.total_seconds() // 60)
    for one in windows:
        start, end = _minute(one.start), _minute(one.end)
        length = (end - start) % len(busy) or len(busy)
        for minute in range(start - pad, start + length + pad):
            busy[minute % len(busy)] = True
    best, run, first = (0, 0), 0, 0
    for minute in range(2 * len(busy)):
        if busy[minute % len(busy)]:
            run = 0
            continue
        first = minute if run == 0 else first
        run += 1
        if run > best[0] and run <= len(busy):
            best = (run, first)
    if best[0] < 60:
        return None
    begin = best[1] % len(busy)
    return _clock(begin), _clock((begin + best[0]) % len(busy))


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60)
