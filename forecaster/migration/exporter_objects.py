"""What prescaling-exporter was told, as it reads it: annotations of HPAs, and PrescalingEvents.

What it does not use is noted, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

from forecaster.backtest.policies.exporter import DailyWindow
from forecaster.migration.manifests import Manifest

__all__ = ["PREFIX", "OldEvent", "is_event", "read_event", "read_window"]

PREFIX = "annotations.scaling.exporter."
_GROUP = "prescaling.bedrock.tech/"


@dataclass(frozen=True)
class OldEvent:
    """A PrescalingEvent as the exporter reads it; ``multiplier`` is a whole number."""

    namespace: str
    name: str
    day: date
    start: time
    end: time
    multiplier: int


def read_window(one: Manifest, notes: list[str]) -> DailyWindow | None:
    """As the exporter takes it: all three annotations, hh:mm:ss, a minimum that is not 0."""
    own = {k.removeprefix(PREFIX): v for k, v in one.annotations.items() if k.startswith(PREFIX)}
    if not own:
        return None
    try:
        window = DailyWindow(
            _clock(own.get("time.start", "")),
            _clock(own.get("time.end", "")),
            int(own.get("replica.min", "")),
        )
    except ValueError as error:
        notes.append(
            f"{one.place}: {one.called}: the exporter does not use its annotations: {error}"
        )
        return None
    return window if window.replicas > 0 else None


def _clock(text: str) -> time:
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not a time as the exporter reads it, such as 20:00:00")
    hour, minute, second = map(int, parts)
    return time(hour, minute, second)


def is_event(one: Manifest) -> bool:
    """Whether it is a PrescalingEvent."""
    return one.kind == "PrescalingEvent" and one.api_version.startswith(_GROUP)


def read_event(one: Manifest, notes: list[str]) -> OldEvent | None:
    """The event; None, and a note, where the exporter would not use it."""
    spec = one.spec
    multiplier = spec.get("multiplier", 0)
    try:
        if isinstance(multiplier, bool) or not isinstance(multiplier, int):
            raise ValueError(f"multiplier {multiplier!r} is not a whole number")
        return OldEvent(
            one.namespace,
            one.name,
            date.fromisoformat(str(spec.get("date", ""))),
            _clock(str(spec.get("start_time", ""))),
            _clock(str(spec.get("end_time", ""))),
            multiplier,
        )
    except ValueError as error:
        notes.append(f"{one.place}: {one.called}: the exporter does not use it: {error}")
        return None
