"""prescaling-exporter's manifests: ``PrescalingEvent`` objects and the annotations of HPAs.

As ``kubectl get hpa,prescalingevents -A -o yaml`` writes them, or files with several documents,
YAML or JSON. What they mean is kept:

- An HPA's annotated window is a daily window with a floor of ``replica.min`` for its workload.
- An event's multiplier multiplied that minimum. So an HPA with a window gets, for the event, a
  floor of ``replica.min`` × multiplier, rounded up.
- For all others the multiplier had no number to multiply. For them it is a declared uplift: so
  many times the traffic that was forecast. They are the HPAs of the manifests that have no window,
  or everybody where the manifests hold no HPA at all.

What did not work is not kept: windows and events may cross midnight; overlapping ones all count,
the largest deciding; an event adds to the daily window; multipliers may be fractions, 0 is told
instead of read as 1; a broken object is told and costs no other; floors hold at once instead of
growing by a tenth at each sync; each object may have a zone and a selector of its own, by the
annotations ``preroll/timezone``, ``preroll/namespaces`` and ``preroll/workloads`` (commas
between).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ConfigDict, Field

from forecaster.events import EVERY_WORKLOAD, DailyWindow, Event, Selector
from forecaster.programme.entries import Entries
from forecaster.programme.fields import Factor
from forecaster.programme.identity import fitting_id
from forecaster.programme.mapping import Listing
from forecaster.programme.options import ReadCalendar, ReadOptions
from forecaster.programme.parts import Document
from forecaster.programme.times import Day, TimeOfDay, later_reading, zone_named
from forecaster.programme.yaml_data import Keys, YamlData, read_yaml_documents

__all__ = ["PRESCALING_EXAMPLE", "WINDOW_KIND", "read_prescaling"]

PRESCALING_EXAMPLE = """\
apiVersion: prescaling.bedrock.tech/v1
kind: PrescalingEvent
metadata: {name: final}
spec: {date: "2026-07-19", start_time: "20:30:00", end_time: "23:30:00", multiplier: 3}"""

_GROUP = "prescaling.bedrock.tech/"
_WINDOW = "annotations.scaling.exporter."
WINDOW_KIND = "prescaling-window"
"""The kind of daily windows that are made of annotations."""

_EVENT_KIND = "prescaling-event"
_ANY_START = datetime(2000, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


class _Spec(Document):
    model_config = ConfigDict(extra="ignore")

    date: Day = Field(examples=["2026-07-19"])
    start_time: TimeOfDay = Field(examples=["20:30:00"])
    end_time: TimeOfDay = Field(examples=["23:30:00"])
    multiplier: Factor = Field(examples=[3])
    description: str | None = Field(default=None, examples=["the final"])


class _Window(Document):
    """The three annotations of an HPA, by what is behind their common prefix."""

    start: TimeOfDay = Field(alias="time.start", examples=["20:00:00"])
    end: TimeOfDay = Field(alias="time.end", examples=["23:30:00"])
    least: int = Field(alias="replica.min", ge=0, le=1_000_000, examples=["10"])


@dataclass(frozen=True)
class _Object:
    """One Kubernetes object: ``place`` is for messages."""

    data: dict[str, Any]
    kind: str
    namespace: str
    name: str
    annotations: dict[str, str]
    place: str

    @property
    def target(self) -> str:
        """The workload that an HPA scales, ``namespace/name``."""
        reference = _mapping(_mapping(self.data.get("spec")).get("scaleTargetRef"))
        return f"{self.namespace}/{reference.get('name') or self.name}"


def read_prescaling(text: str, source: str, options: ReadOptions) -> ReadCalendar:
    """The events and daily windows of manifests; other objects are let be.

    Times are read in the options' zone, or UTC, as the exporter did. The mapping's rules see an
    event's description and name as titles, and may drop it, or give it a kind, an importance and
    a start that is uncertain. EventFileError for what is no YAML, or where an object is bad and
    the options refuse that.
    """
    entries = Entries(source, options)
    objects = [one for document in read_yaml_documents(text, source) for one in _objects(document)]
    autoscalers = [one for one in objects if one.kind == "HorizontalPodAutoscaler"]
    least: dict[str, int] = {}
    for one in autoscalers:
        window = _window(one, entries)
        if window is not None and window.pattern.floor_replicas is not None:
            entries.add_rule(window)
            most = max(window.pattern.floor_replicas, least.get(one.target, 0))
            least[one.target] = most
    others = tuple(dict.fromkeys(one.target for one in autoscalers if one.target not in least))
    for one in objects:
        version = str(one.data.get("apiVersion", ""))
        if one.kind == "PrescalingEvent" and version.startswith(_GROUP):
            _add_event(one, least, others if autoscalers else None, entries)
    return entries.finish()


def _objects(document: YamlData) -> Iterator[_Object]:
    found: list[tuple[Keys, Any]] = [((), document.data)]
    if isinstance(document.data, dict) and isinstance(document.data.get("items"), list):
        found = [(("items", i), one) for i, one in enumerate(document.data["items"])]
    for keys, data in found:
        if not isinstance(data, dict):
            continue
        metadata = _mapping(data.get("metadata"))
        kind, name = str(data.get("kind", "")), str(metadata.get("name", ""))
        namespace = str(metadata.get("namespace") or "default")
        annotations = {k: str(v) for k, v in _mapping(metadata.get("annotations")).items()}
        place = f"line {document.line_of(keys)}, {kind} {namespace}/{name}"
        yield _Object(data, kind, namespace, name, annotations, place)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _window(one: _Object, entries: Entries) -> DailyWindow | None:
    own = {
        key.removeprefix(_WINDOW): value
        for key, value in one.annotations.items()
        if key.startswith(_WINDOW)
    }
    if not own:
        return None
    try:
        window = _Window.model_validate(own)
        if window.start == window.end:
            raise ValueError(f"time.end: {window.end} is the start; the window is empty")
        pattern = Event(
            start=_ANY_START,
            end=_ANY_START + timedelta(hours=1),
            kind=WINDOW_KIND,
            name=one.name,
            event_id=fitting_id(f"prescaling-window:{one.namespace}/{one.name}"),
            selector=Selector(workloads=(one.target,)),
            floor_replicas=window.least,
        )
        return DailyWindow(window.start, window.end, _zone(one, entries), pattern)
    except ValueError as error:
        entries.refusals(error, _Window, one.place)
        return None


def _zone(one: _Object, entries: Entries) -> str:
    zone = one.annotations.get("preroll/timezone") or entries.options.timezone or "UTC"
    try:
        zone_named(zone)
    except ValueError as error:
        raise ValueError(f"timezone: {error}") from error
    return zone


def _add_event(
    one: _Object, least: dict[str, int], others: tuple[str, ...] | None, entries: Entries
) -> None:
    """``others`` are the workloads without a window; None: nobody knows, so all."""
    try:
        spec = _Spec.model_validate(_mapping(one.data.get("spec")))
        start, end = _times(spec, _zone(one, entries))
        own = _selector(one)
        title = " ".join((spec.description or "").split())[:300]
        given = entries.options.mapping.given_to(Listing([title, one.name], ["PrescalingEvent"]))
        if given is None:
            entries.dropped += 1
            return
        event = Event(
            start=start,
            end=end,
            kind=given.get("kind", _EVENT_KIND),
            importance=given.get("importance", 3.0),
            name=title or one.name,
            audience=given.get("audience", _EVENT_KIND),
            start_uncertainty=given.get("start_uncertainty", timedelta(0)),
        )
    except ValueError as error:
        entries.refusals(error, _Spec, one.place)
        return
    known = f"prescaling:{one.namespace}/{one.name}"
    for target, replicas in least.items():
        if not _concerns(own, target):
            continue
        floor = replace(
            event,
            selector=Selector(workloads=(target,)),
            floor_replicas=min(math.ceil(replicas * spec.multiplier), 1_000_000),
        )
        entries.add_event(floor, one.place, event_id=fitting_id(f"{known}:{target}"))
    if others is None:
        selector = own
    else:
        chosen = [target for target in others if _concerns(own, target)]
        if not chosen:
            return
        selector = Selector(workloads=tuple(chosen))
    entries.add_event(
        replace(event, selector=selector, uplift=spec.multiplier),
        one.place,
        event_id=fitting_id(known),
    )


def _selector(one: _Object) -> Selector:
    """What the object is for, by our annotations; all where it has none."""

    def listed(name: str) -> tuple[str, ...]:
        texts = one.annotations.get(name, "").split(",")
        return tuple(text.strip() for text in texts if text.strip())

    found = Selector(listed("preroll/namespaces"), listed("preroll/workloads"))
    return EVERY_WORKLOAD if found.everything else found


def _concerns(selector: Selector, target: str) -> bool:
    namespace, _, name = target.partition("/")
    return selector.matches(namespace, name)


def _times(spec: _Spec, zone: str) -> tuple[datetime, datetime]:
    if spec.start_time == spec.end_time:
        raise ValueError(f"end_time: {spec.end_time} is the start; the event is empty")
    last = spec.date if spec.end_time > spec.start_time else spec.date + _DAY
    start = datetime.combine(spec.date, spec.start_time, zone_named(zone)).astimezone(UTC)
    end = later_reading(datetime.combine(last, spec.end_time), zone)
    return start, max(end, start + timedelta(minutes=1))
