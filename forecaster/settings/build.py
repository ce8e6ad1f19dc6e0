"""From preroll.yaml and the environment to frozen values; all problems are told at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from forecaster.durations import format_duration
from forecaster.errors import SettingsError, SettingsProblem
from forecaster.settings.capacity_build import build_capacity
from forecaster.settings.document import Document, Keys, read_document
from forecaster.settings.environment import NEVER_BLANK, overlay
from forecaster.settings.events_build import build_events
from forecaster.settings.keda_build import build_keda
from forecaster.settings.kubernetes_shape import KubernetesShape
from forecaster.settings.pieces import Pieces
from forecaster.settings.shape import (
    LiveShape,
    LogShape,
    ServerShape,
    SettingsShape,
    StoreShape,
    TrainingShape,
)
from forecaster.settings.source_build import build_source
from forecaster.settings.values import (
    PLAN_HORIZON,
    Fleet,
    KubernetesSettings,
    LogSettings,
    ServerSettings,
    Settings,
    WorkloadSettings,
)
from forecaster.settings.workload_build import BoundsCross, build_workload
from forecaster.settings.workload_shape import DefaultsShape, WorkloadShape

__all__ = ["load_settings"]

_DEFAULT_LEAST: Final[Keys] = ("defaults", "min_replicas")


def load_settings(path: Path, environ: Mapping[str, str], *, elsewhere: bool = False) -> Settings:
    """The settings in the file at ``path``, with the variables of ``environ`` laid over it.

    Relative paths start at the file's folder. ``elsewhere`` says that the settings are for another
    machine: files with secrets and certificates are not looked for, and a stand-in is in their
    place. Raises SettingsError with every problem found.
    """
    document = overlay(read_document(path), environ, SettingsShape.model_fields)
    document = Document(
        document.source,
        _without_blanks(document.data),
        document.lines,
        document.variables,
        document.problems,
    )
    pieces = Pieces(document, path.absolute().parent, elsewhere=elsewhere)
    source = build_source(pieces)
    fleet = _fleet(pieces)
    capacity = build_capacity(pieces, source)
    events = build_events(pieces)
    kubernetes = _kubernetes(pieces, fleet)
    server = _server(pieces)
    keda = build_keda(pieces, server)
    store = pieces.piece(StoreShape, "store")
    log = pieces.piece(LogShape, "log")
    if pieces.problems or not (
        source
        and fleet
        and capacity
        and events
        and kubernetes
        and keda
        and server
        and store
        and log
    ):
        raise SettingsError(sorted(set(pieces.problems), key=_reading_order), document.source)
    return Settings(
        source=source,
        fleet=fleet,
        store_path=pieces.path(store.path),
        server=server,
        log=LogSettings(log.level, log.format),
        events=events,
        kubernetes=kubernetes,
        keda=keda,
        capacity=capacity,
    )


def _fleet(pieces: Pieces) -> Fleet | None:
    workloads = tuple(_workloads(pieces))
    training = pieces.piece(TrainingShape, "training")
    if training is not None and training.every > PLAN_HORIZON / 2:
        pieces.note(
            ("training", "every"),
            f"{format_duration(training.every)} is too long: a plan ends after "
            f"{format_duration(PLAN_HORIZON)}, and a training may have to be tried again",
        )
    live, whole = pieces.piece(LiveShape, "live"), pieces.whole
    if live is None or whole is None:
        return None
    stale_after = live.stale_after
    if stale_after is not None and stale_after < 2 * whole.step:
        # Just before the next interval is known, the last one is older than a step already.
        least = format_duration(2 * whole.step)
        told = f"{format_duration(stale_after)} is too short, it must be at least 2 steps, {least}"
        pieces.note(("live", "stale_after"), told)
    return Fleet(
        workloads, whole.step, whole.history, whole.timezone, whole.training.every, stale_after
    )


def _workloads(pieces: Pieces) -> list[WorkloadSettings]:
    defaults = pieces.piece(DefaultsShape, "defaults") or DefaultsShape()
    first: dict[str, Keys] = {}
    built = []
    for index in range(pieces.count_at("workloads")):
        keys: Keys = ("workloads", index)
        shape = pieces.piece(WorkloadShape, *keys)
        if shape is None:
            continue
        name = f"{shape.namespace}/{shape.name}"
        if name in first:
            line = pieces.line(first[name])
            where = "" if line is None else f" (line {line})"
            already = f"{name} stands already at workloads[{first[name][1]}]{where}"
            pieces.note((*keys, "name"), already, f"{shape.name}-2")
        first.setdefault(name, keys)
        try:
            built.append(build_workload(shape, defaults))
        except BoundsCross as error:
            own = "min_replicas" if shape.min_replicas is not None else "max_replicas"
            place = (*keys, own) if getattr(shape, own) is not None else _DEFAULT_LEAST
            of = (shape.min_replicas, defaults.min_replicas)
            most = (shape.max_replicas, defaults.max_replicas)
            wanted = of if place[-1] == "max_replicas" else most
            pieces.note(place, str(error), str(next(one for one in wanted if one is not None)))
    return built


def _kubernetes(pieces: Pieces, fleet: Fleet | None) -> KubernetesSettings | None:
    shape = pieces.piece(KubernetesShape, "kubernetes")
    if shape is None or fleet is None:
        return None
    kubeconfig = pieces.readable(("kubernetes", "kubeconfig"), shape.kubeconfig)
    defaults = pieces.piece(DefaultsShape, "defaults") or DefaultsShape()
    if defaults.lead_time_floor > defaults.lead_time_ceiling:
        floor, ceiling = map(
            format_duration, (defaults.lead_time_floor, defaults.lead_time_ceiling)
        )
        told = f"lead_time_floor {floor} is above lead_time_ceiling {ceiling}"
        pieces.note(("defaults", "lead_time_floor"), told, ceiling)
    if not (fleet.workloads or pieces.problems or (shape.watch and shape.annotations)):
        told = "at least one is needed, here or declared by ScaledObjects (kubernetes.watch: true)"
        pieces.note(("workloads",), told)
    measured = any(one.measured.lead_time for one in fleet.workloads)
    if measured and not shape.watch:
        told = "lead_time: auto is measured from the cluster's pods, and nobody watches them"
        pieces.note(("kubernetes", "watch"), told, "true")
    return KubernetesSettings(
        shape.watch,
        tuple(shape.namespaces),
        shape.annotations,
        shape.nodes,
        shape.events,
        shape.node_lead_time,
        None if kubeconfig is None else Path(kubeconfig),
        shape.context,
        defaults,
    )


def _server(pieces: Pieces) -> ServerSettings | None:
    shape = pieces.piece(ServerShape, "server")
    if shape is None:
        return None
    tokens = _tokens(pieces, "tokens", shape.tokens, shape.tokens_file)
    writers = _tokens(pieces, "events_tokens", shape.events_tokens, shape.events_tokens_file)
    if set(tokens) & set(writers):
        pieces.note(
            ("server", "events_tokens" if shape.events_tokens else "events_tokens_file"),
            "a token stands here and among the tokens that may only read; who writes events needs "
            "one of its own",
            _TOKEN_EXAMPLE,
        )
    return ServerSettings(shape.host, shape.port, tokens, writers, shape.prescaling_metrics)


def _tokens(
    pieces: Pieces, key: str, listed: Sequence[SecretStr] | None, file: str | None
) -> tuple[str, ...]:
    """The tokens in the list at ``key`` and in the file that ``key`` with ``_file`` names."""
    tokens = [token.get_secret_value() for token in listed or ()]
    for index, token in enumerate(tokens):
        if not _is_token(token):
            pieces.note(("server", key, index), _BAD_TOKEN, _TOKEN_EXAMPLE)
    if file is not None:
        text, _ = pieces.secret(("server", key), None, file)
        for number, line in enumerate((text or "").splitlines(), start=1):
            if line.strip() and not _is_token(line.strip()):
                message = f"in its line {number}: {_BAD_TOKEN}"
                pieces.note(("server", f"{key}_file"), message, _TOKEN_EXAMPLE)
            elif line.strip():
                tokens.append(line.strip())
    return tuple(tokens)


_BAD_TOKEN = "the token has white space or characters in it that a header cannot carry"  # noqa: S105  words, no secret
_TOKEN_EXAMPLE = "the output of: openssl rand -hex 32"  # noqa: S105  words, no secret


def _is_token(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _without_blanks(value: Any, keys: Keys = ()) -> Any:
    """A key with nothing behind it counts as left out; where that must not be, as an empty text."""
    if isinstance(value, dict):
        named = {
            key: "" if one is None and (*keys, key) in NEVER_BLANK else one
            for key, one in value.items()
        }
        return {
            key: _without_blanks(one, (*keys, key)) for key, one in named.items() if one is not None
        }
    if isinstance(value, list):
        return [_without_blanks(one, (*keys, place)) for place, one in enumerate(value)]
    return value


def _reading_order(problem: SettingsProblem) -> tuple[int, str]:
    return (problem.line if problem.line is not None else sys.maxsize, problem.place)
