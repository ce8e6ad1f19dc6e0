"""Where the files of a migration stand, below its folder."""

from __future__ import annotations

from forecaster.migration.manifests import Manifest
from forecaster.migration.old_setup import OldApi
from forecaster.migration.workload import MigratedWorkload

__all__ = [
    "AUTHENTICATION",
    "EVENTS",
    "EVENTS_BACKUP",
    "PLAN",
    "SETTINGS",
    "api_backup",
    "configuration_backup",
    "hpa_backup",
    "object_file",
]

SETTINGS = "preroll.yaml"
EVENTS = "events.yaml"
PLAN = "PLAN.md"
AUTHENTICATION = "trigger-authentication.yaml"


EVENTS_BACKUP = "backup/prescalingevents.yaml"


def object_file(one: MigratedWorkload) -> str:
    """The ScaledObject of a workload; a namespace has no dot, so no two share a file."""
    return f"scaledobjects/{one.old.namespace}.{one.object_name}.yaml"


def hpa_backup(one: MigratedWorkload) -> str:
    """Its HPA as it was read."""
    return f"backup/hpa-{one.old.namespace}.{one.old.name}.yaml"


def api_backup(api: OldApi) -> str:
    """An APIService as it was read."""
    return f"backup/apiservice-{api.name}.yaml"


def configuration_backup(one: Manifest) -> str:
    """The adapter's ConfigMap as it was read."""
    return f"backup/configmap-{one.namespace}.{one.name}.yaml"
