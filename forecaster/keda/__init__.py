"""KEDA's objects: made from the settings or from what is there, and looked through for traps.

options.py        how they are written, and for which versions
manifests.py, existing.py, hpa_metrics.py   what scales a workload today
objects.py, triggers.py, behavior.py, formula.py, naming.py, changes.py   the objects
headroom.py, headroom_reasons.py   the ScaledObject of placeholder pods, and head-room's comments
yaml_text.py, fields.py, reasons.py   the objects as text, with the reasons as comments
traps.py, object_traps.py, trigger_traps.py, formula_traps.py, trap.py   what would be taken, and
                  not do its work
"""

from __future__ import annotations

from forecaster.keda.existing import Existing, best_for_each, existing_of, read_existing
from forecaster.keda.headroom import headroom_object
from forecaster.keda.headroom_reasons import headroom_reasons
from forecaster.keda.manifests import read_manifests, without_server_fields
from forecaster.keda.objects import (
    Made,
    bounds_of,
    make_scaled_object,
    scaled_object,
    trigger_authentication,
)
from forecaster.keda.options import DEFAULT_OPTIONS, ScaledObjectOptions, options_of
from forecaster.keda.reasons import reasons_of
from forecaster.keda.trap import Trap
from forecaster.keda.traps import find_traps
from forecaster.keda.yaml_text import write_yaml

__all__ = [
    "DEFAULT_OPTIONS",
    "Existing",
    "Made",
    "ScaledObjectOptions",
    "Trap",
    "best_for_each",
    "bounds_of",
    "existing_of",
    "find_traps",
    "headroom_object",
    "headroom_reasons",
    "make_scaled_object",
    "options_of",
    "read_existing",
    "read_manifests",
    "reasons_of",
    "scaled_object",
    "trigger_authentication",
    "without_server_fields",
    "write_yaml",
]
