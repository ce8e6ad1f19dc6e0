"""Traps in one trigger: what KEDA takes without a word, and then does not do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from forecaster.keda.fields import METADATA_KEYS
from forecaster.keda.manifests import mapping_at
from forecaster.keda.naming import is_headroom_trigger, is_preroll_trigger, target_path
from forecaster.keda.options import ScaledObjectOptions
from forecaster.keda.trap import Trap

__all__ = ["trigger_traps"]

_POLLING_SECONDS = 30  # KEDA's own default
_SYNC_SECONDS = 15  # of HPA: a cached value that is no older costs nothing
_SENT = ("apiKey", "basic", "bearer", "tls")
_SENDS_NOTHING = ("custom", "oauth")


def trigger_traps(
    subject: str,
    place: str,
    trigger: Mapping[str, Any],
    spec: Mapping[str, Any],
    workload: str,
    options: ScaledObjectOptions,
) -> Iterator[Trap]:
    """The traps of the trigger at ``place``; ``workload`` is ``namespace/name`` of what it scales.

    Misspelt keys are told of every kind of trigger that is known; the rest of Preroll's own.
    """
    yield from _unknown_keys(subject, place, trigger)
    yield from _wrong_kinds(subject, place, trigger)
    if trigger.get("type") == "metrics-api":
        yield from _aggregation(subject, place, trigger)
        yield from _authentication(subject, place, trigger, options)
    if is_preroll_trigger(trigger):
        yield from _value(subject, place, trigger)
        yield from _cached(subject, place, trigger, spec)
        yield from _address(subject, place, trigger, workload)
    elif is_headroom_trigger(trigger):
        yield from _value(subject, place, trigger)


def _unknown_keys(subject: str, place: str, trigger: Mapping[str, Any]) -> Iterator[Trap]:
    known = METADATA_KEYS.get(str(trigger.get("type")))
    if known is None:
        return
    by_letters = {key.lower(): key for key in known}
    for key, value in mapping_at(trigger, "metadata").items():
        if key in known or key.endswith("FromEnv"):
            continue
        near = by_letters.get(key.lower()) or next(iter(get_close_matches(key, known)), None)
        advice = f"write {near}" if near else f"it knows {', '.join(known)}"
        told = "KEDA ignores a key that it does not know, without a word"
        yield Trap("unknown-key", subject, f"{place}.metadata.{key}", _shown(value), told, advice)


def _wrong_kinds(subject: str, place: str, trigger: Mapping[str, Any]) -> Iterator[Trap]:
    for key, value in mapping_at(trigger, "metadata").items():
        if not isinstance(value, str):
            told = "the API server takes nothing but strings here, and refuses the object"
            shown = _shown(value)
            advice = f'write {key}: "{shown}"'
            yield Trap("not-a-string", subject, f"{place}.metadata.{key}", shown, told, advice)


def _value(subject: str, place: str, trigger: Mapping[str, Any]) -> Iterator[Trap]:
    metric_type = trigger.get("metricType", "AverageValue")
    if metric_type != "AverageValue":
        told = "HPA multiplies the value by the replicas that are ready, anew at every sync"
        if metric_type != "Value":
            told = "KEDA refuses it here"
        yield Trap(
            "metric-type",
            subject,
            f"{place}.metricType",
            str(metric_type),
            told,
            "write metricType: AverageValue",
        )
    target = mapping_at(trigger, "metadata").get("targetValue")
    field, advice = f"{place}.metadata.targetValue", 'write targetValue: "1"'
    number = _as_number(target)
    if target is None:
        told = "KEDA refuses the trigger without one, and nothing is scaled by it"
        yield Trap("target-value", subject, field, "missing", told, advice)
    elif number is None or number <= 0:
        told = "KEDA refuses it, and nothing is scaled by the trigger"
        yield Trap("target-value", subject, field, _shown(target), told, advice)
    elif number != 1:
        told = "HPA divides the replicas that Preroll asks for by it"
        yield Trap("target-value", subject, field, _shown(target), told, advice)


def _cached(
    subject: str, place: str, trigger: Mapping[str, Any], spec: Mapping[str, Any]
) -> Iterator[Trap]:
    polling = spec.get("pollingInterval", _POLLING_SECONDS)
    if trigger.get("useCachedMetrics") is not True or _as_number(polling) is None:
        return
    if polling <= _SYNC_SECONDS:
        return
    told = (
        f"with a pollingInterval of {polling} s HPA sees values up to {polling} s old, and acts up "
        f"to {_SYNC_SECONDS} s later"
    )
    yield Trap(
        "cached-metrics",
        subject,
        f"{place}.useCachedMetrics",
        "true",
        told,
        "leave useCachedMetrics out: Preroll answers from memory",
    )


def _address(subject: str, place: str, trigger: Mapping[str, Any], workload: str) -> Iterator[Trap]:
    metadata = mapping_at(trigger, "metadata")
    url = str(metadata.get("url") or "")
    asked, field = target_path(url), f"{place}.metadata.url"
    right = f"write a url that ends in /v1/targets/{workload}"
    if asked is None:
        told = "that is no address of a target, and Preroll answers 404"
        yield Trap("address", subject, field, url or "missing", told, right)
    elif asked != workload:
        told = f"the workload that is scaled is {workload}, and it gets the target of {asked}"
        yield Trap("address", subject, field, url, told, f"{right}, unless that is meant")
    if metadata.get("valueLocation") != "replicas" and metadata.get("format", "json") == "json":
        shown = _shown(metadata.get("valueLocation", "missing"))
        told = "the number of replicas stands elsewhere in the answer"
        advice = "write valueLocation: replicas"
        yield Trap("address", subject, f"{place}.metadata.valueLocation", shown, told, advice)


def _aggregation(subject: str, place: str, trigger: Mapping[str, Any]) -> Iterator[Trap]:
    metadata = mapping_at(trigger, "metadata")
    url = str(metadata.get("url") or "")
    if str(metadata.get("aggregateFromKubeServiceEndpoints", "")).lower() != "true":
        return
    parts, field = urlsplit(url), f"{place}.metadata.url"
    if parts.query:
        told = "under aggregateFromKubeServiceEndpoints KEDA drops the part behind the ?"
        advice = "put what it says into the path"
        yield Trap("query-dropped", subject, field, url, told, advice)
    host = (parts.hostname or "").split(".")
    if len(host) < 3 or host[2] != "svc":
        told = "under aggregateFromKubeServiceEndpoints KEDA reads service and namespace from it"
        advice = "write a host such as preroll.preroll.svc"
        yield Trap("query-dropped", subject, field, url, told, advice)


def _authentication(
    subject: str, place: str, trigger: Mapping[str, Any], options: ScaledObjectOptions
) -> Iterator[Trap]:
    metadata = mapping_at(trigger, "metadata")
    said = str(metadata.get("authMode") or metadata.get("authModes") or "")
    modes = [one.strip() for one in said.split(",") if one.strip()]
    field = f"{place}.metadata.authMode"
    reference = mapping_at(trigger, "authenticationRef")
    for mode in modes:
        if mode in _SENDS_NOTHING:
            told = "KEDA takes it and sends nothing with a metrics-api trigger"
            yield Trap("auth-mode", subject, field, mode, told, "write authMode: bearer")
        elif mode not in _SENT:
            told = "KEDA does not know it"
            yield Trap("auth-mode", subject, field, mode, told, f"write {', '.join(_SENT)}")
    ours = is_preroll_trigger(trigger) or is_headroom_trigger(trigger)
    needed = ours and options.authenticate
    if not modes and (needed or reference):
        told = "without it KEDA sends no token, and Preroll answers 401"
        if not ours:
            told = "without it KEDA sends nothing of the authenticationRef"
        yield Trap("auth-mode", subject, field, "missing", told, 'write authMode: "bearer"')
    if modes and not reference.get("name"):
        told = "the token comes from nowhere else, and KEDA refuses the trigger"
        advice = f"write authenticationRef: {{name: {options.authentication}}}"
        yield Trap("auth-mode", subject, f"{place}.authenticationRef", "missing", told, advice)


def _as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) and _as_number(value) is not None else str(value)
