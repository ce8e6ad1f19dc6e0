"""All files that a migration writes; the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from forecaster.durations import format_duration
from forecaster.keda import Trap, find_traps, reasons_of, without_server_fields, write_yaml
from forecaster.keda.yaml_text import Comments
from forecaster.migration.adapter import read_adapter_rules
from forecaster.migration.calendar_file import events_text
from forecaster.migration.comparison import Compared
from forecaster.migration.comparison_text import comparison_markdown, comparison_page
from forecaster.migration.exporter_objects import is_event
from forecaster.migration.moves import Moves
from forecaster.migration.old_setup import OldSetup
from forecaster.migration.paths import (
    AUTHENTICATION,
    EVENTS,
    EVENTS_BACKUP,
    PLAN,
    SETTINGS,
    api_backup,
    configuration_backup,
    hpa_backup,
    object_file,
)
from forecaster.migration.plan import plan_text
from forecaster.migration.scaled_objects import authentications, existing_hpa, moved_object
from forecaster.migration.settings_file import settings_text
from forecaster.migration.workload import MigratedWorkload

__all__ = ["MigrationFiles", "migration_files"]

_WORKLOADS = ("Deployment", "StatefulSet")


@dataclass(frozen=True)
class MigrationFiles:
    """``texts`` are the files by their place below the folder; ``traps`` is what is wrong in them,
    or could not be made."""

    texts: Mapping[str, str]
    traps: tuple[Trap, ...]


def migration_files(
    moves: Moves, compared: Sequence[Compared] = (), left_out: Sequence[str] = ()
) -> MigrationFiles:
    """Settings, events, KEDA's objects, the backup and the plan; the comparison where there is one.

    ``left_out`` says which workloads were not compared, and why.
    """
    options, keda = moves.options, moves.options.keda
    texts: dict[str, str] = {
        SETTINGS: settings_text(
            moves.workloads,
            url=options.prometheus,
            timezone=options.timezone,
            lead_time=format_duration(options.lead_time),
            versions=(keda.keda, keda.kubernetes),
        ),
        EVENTS: events_text(moves.calendar, options.timezone),
    }
    keys = authentications(moves.workloads, keda)
    texts[AUTHENTICATION] = write_yaml(keys, lambda one: reasons_of(one, keda))
    traps: list[Trap] = []
    objects: list[Mapping[str, Any]] = []
    for moved in moves.workloads:
        made = moved_object(moved, keda)
        found = existing_hpa(moved)
        objects.append(made.data)
        traps += made.traps
        comments = {**reasons_of(made.data, keda, found), "": _head(moved)}
        texts[object_file(moved)] = write_yaml([made.data], partial(_said, comments))
        texts[hpa_backup(moved)] = write_yaml([without_server_fields(moved.old.manifest.data)])
    texts |= _backup(moves.setup)
    beside = [
        one.data for one in moves.setup.manifests if one.kind in ("Deployment", "StatefulSet")
    ]
    traps += find_traps([*keys, *objects, *beside], None, keda)
    if compared or left_out:
        texts["comparison.md"] = comparison_markdown(compared, left_out)
        texts["comparison.html"] = comparison_page(compared, left_out)
    told = list(dict.fromkeys(map(str, traps)))
    texts[PLAN] = plan_text(moves, told, compared=bool(compared))
    return MigrationFiles(texts, tuple(dict.fromkeys(traps)))


def _backup(setup: OldSetup) -> dict[str, str]:
    """What the way back needs besides the HPAs: APIServices, the adapter's rules, the events."""
    texts: dict[str, str] = {}
    apis = {api.name: api for api in setup.apis}
    for one in setup.manifests:
        if one.kind == "APIService" and one.name in apis:
            texts[api_backup(apis[one.name])] = write_yaml([without_server_fields(one.data)])
        elif one.kind == "ConfigMap" and read_adapter_rules([one]):
            texts[configuration_backup(one)] = write_yaml([without_server_fields(one.data)])
    events = [one for one in setup.manifests if is_event(one)]
    if events:
        by_name = sorted(events, key=lambda one: (one.namespace, one.name))
        texts[EVENTS_BACKUP] = write_yaml([without_server_fields(one.data) for one in by_name])
    return texts


def _said(comments: Comments, _: Mapping[str, Any]) -> Comments:
    return comments


def _head(moved: MigratedWorkload) -> str:
    return (
        f"{moved.workload} under Preroll's floor, beside what its HPA asked for until now. Made by "
        f"preroll migrate of the HPA {moved.old.name}, which KEDA takes over by the annotation and "
        "the name below, so that the workload is never without an autoscaler. PLAN.md, step 5, "
        "says when to apply it, and the way back."
    )
