"""The guide says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from forecaster.cluster.annotations import ENABLED, KEYS, DeclaredWorkload, read_annotations
from forecaster.cluster.client import PAGE_SIZE
from forecaster.cluster.pace import Pace
from forecaster.cluster.parsing import seen_of
from forecaster.cluster.reporting import INVALID_ANNOTATION
from forecaster.cluster.resources import SCALED_OBJECTS
from forecaster.cluster.seen import ScaledObjectSeen
from forecaster.cluster.streams import Timeouts
from forecaster.settings.workload_shape import DefaultsShape
from tests.cluster.objects import scaled_object

GUIDE = (Path(__file__).parents[2] / "docs" / "annotations.md").read_text()


def test_the_guide_has_every_annotation_and_no_other() -> None:
    assert re.findall(r"^\| `(preroll\.io/[a-z-]+)` \|", GUIDE, re.MULTILINE) == [ENABLED, *KEYS]


def test_the_guides_example_declares_a_workload() -> None:
    example: dict[str, Any] = yaml.safe_load(GUIDE.partition("```yaml\n")[2].partition("```")[0])
    item = scaled_object()
    item["metadata"] |= {"resourceVersion": "1", **example["metadata"]}
    seen = seen_of(SCALED_OBJECTS, item)
    assert isinstance(seen, ScaledObjectSeen)
    found = read_annotations(seen, DefaultsShape())
    assert isinstance(found, DeclaredWorkload)
    assert found.settings.workload == "streaming/player-api"
    assert found.settings.rule.capacity_rps == 120.0


def test_the_guides_figures_are_the_codes() -> None:
    assert f"lists of {PAGE_SIZE} objects a page" in " ".join(GUIDE.split())
    assert f"nothing comes for {Timeouts().silence:g} s" in GUIDE
    pace = Pace()
    assert f"after {pace.first:g} s, {2 * pace.first:g} s … {pace.longest:g} s" in GUIDE
    assert pace.refused == 60.0
    assert f"reason={INVALID_ANNOTATION}" in GUIDE
