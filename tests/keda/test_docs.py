"""docs/scaledobject.md knows every trap, every default and every formula."""

from __future__ import annotations

import re
from pathlib import Path

import forecaster.keda
from forecaster.cluster.annotations import ENABLED
from forecaster.keda import ScaledObjectOptions
from forecaster.keda.formula import scaling_modifiers

PAGE = (Path(__file__).parents[2] / "docs" / "scaledobject.md").read_text()
SOURCES = sorted(Path(forecaster.keda.__file__).parent.glob("*.py"))


def test_every_trap_is_in_the_table_and_no_other():
    code = re.compile(r"\bTrap\(\s*\"([a-z-]+)\"")
    made = {one for path in SOURCES for one in code.findall(path.read_text())}
    table = PAGE[PAGE.index("| code | what |") : PAGE.index("KEDA's own delay")]
    told = {
        one
        for row in table.splitlines()[2:]
        for one in re.findall(r"`([a-z-]+)`", row.split("|")[1] if "|" in row else "")
    }
    assert made == told
    assert len(made) > 20


def test_its_formula_is_the_one_that_is_written():
    requests = {"type": "prometheus", "name": "requests", "metadata": {"threshold": "120"}}
    made, _ = scaling_modifiers([requests], {}, "")
    assert f'formula: "{made["formula"]}"' in PAGE


def test_its_defaults_are_those_of_the_options():
    options = ScaledObjectOptions()
    assert f"a `cpu` trigger of {options.cpu_utilisation} %" in PAGE
    assert f"{options.failure_threshold} failures" in PAGE
    assert f"a window of {options.scale_down_seconds // 60} minutes" in PAGE


def test_a_workload_that_declares_itself_is_known_by_the_readers_annotation():
    text = (Path(forecaster.keda.__file__).parent / "traps.py").read_text()
    assert f'_DECLARED = "{ENABLED}"' in text
