"""Every scenario of this folder, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.scenario import Load, Scenario, read_scenario
from tests.scenarios.stage import Staged, failures, stage

FILES = sorted(Path(__file__).parent.glob("*.yaml"))


def _marks(scenario: Scenario) -> list[pytest.MarkDecorator]:
    marks = [] if scenario.quick else [pytest.mark.slow]
    if scenario.known_limit:
        marks.append(pytest.mark.xfail(strict=True, reason=scenario.known_limit))
    return marks


def _parameters() -> list[object]:
    scenarios = [read_scenario(path) for path in FILES]
    return [pytest.param(one, id=one.path.stem, marks=_marks(one)) for one in scenarios]


@pytest.fixture(scope="session")
def staged() -> Callable[[Load], Staged]:
    """What was trained, shared by all scenarios of one load and calendar."""
    known: dict[Load, Staged] = {}

    def find(load: Load) -> Staged:
        if load not in known:
            known[load] = stage(load)
        return known[load]

    return find


@pytest.mark.parametrize("scenario", _parameters())
def test_scenario(scenario: Scenario, staged: Callable[[Load], Staged]) -> None:
    found = staged(scenario.load)
    wrong = [text for check in scenario.checks for text in failures(found, check)]
    assert not wrong, "\n".join([f"{scenario.path.name}: {scenario.about}", *wrong])
