"""preroll.yaml and ``PREROLL_*``: read, checked all at once, and turned into frozen values.

document.py       the YAML with the line of every value
environment.py    variables laid over it
fields.py         kinds of values: durations, names, secrets
shape.py          the keys, their meaning, defaults and examples (pydantic), with a module for each
                  large section: workload_shape.py, source_shape.py, events_shape.py and others
problems.py       what pydantic refuses, in words
pieces.py         a document read section by section
build.py          from sections to values, and so are source_build.py, events_build.py and others
values.py         the frozen values
versions.py       of Kubernetes and KEDA
schema.py         the JSON schema for editors
"""

from __future__ import annotations

from forecaster.settings.build import load_settings
from forecaster.settings.schema import settings_schema
from forecaster.settings.values import (
    NO_CAPACITY,
    NO_EVENTS,
    NO_KUBERNETES,
    NOTHING_MEASURED,
    PLAN_HORIZON,
    CapacitySettings,
    EventSettings,
    FileSettings,
    Fleet,
    KedaSettings,
    KubernetesSettings,
    LogSettings,
    Measured,
    PrometheusSettings,
    ServerSettings,
    Settings,
    WorkloadSettings,
)

__all__ = [
    "NOTHING_MEASURED",
    "NO_CAPACITY",
    "NO_EVENTS",
    "NO_KUBERNETES",
    "PLAN_HORIZON",
    "CapacitySettings",
    "EventSettings",
    "FileSettings",
    "Fleet",
    "KedaSettings",
    "KubernetesSettings",
    "LogSettings",
    "Measured",
    "PrometheusSettings",
    "ServerSettings",
    "Settings",
    "WorkloadSettings",
    "load_settings",
    "settings_schema",
]
