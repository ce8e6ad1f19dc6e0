"""Every scenario of this folder, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.scenarios.scenario import Check, Load, Scenario, ScenarioError, read_scenario
from tests.scenarios.stage import Staged, failures, happenings, stage

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


GOOD = """
about: One day of a wave.
load:
  base: {wave: {mean_rps: 100}, from: 2026-03-02}
  days: 3
  events: [{kind: match, at: "19:00", factor: 5, late: -2m}]
checks:
  - {at: match.start - 5m, expect: {ratio_to_truth: {above: 1}}}
"""


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("about:", "abuot:", "the file: unknown key 'abuot'; known are about, checks, "),
        ("days: 3", "dyas: 3", "load: unknown key 'dyas'"),
        ("  days: 3\n", "", "load: 'days' is missing"),
        ("mean_rps: 100", "mean: 100", "load.base.wave: unknown key 'mean'"),
        ("{wave:", "{trace: tournament, wave:", "load.base: either a trace or a wave"),
        ("2026-03-02", "monday", "load.base.from: a day, for example 1998-05-05, not 'monday'"),
        ("factor: 5", "fcator: 5", "load.events[0]: unknown key 'fcator'"),
        ('"19:00"', "19:00", 'load.events[0].at: a clock in quotes, for example "19:00", not 1140'),
        ("late: -2m", "late: soon", "'soon' is not a duration"),
        ("late: -2m", "every: 2, day: 1", "load.events[0]: either every or day"),
        ("match.start - 5m", "match.begin", "'match.begin' is no instant; write for example"),
        ("at: match.start - 5m", 'at: ["19:00", "19:05", "19:10"]', "checks[0].at: one instant or"),
        ("expect:", "expects:", "checks[0]: unknown key 'expects'"),
    ],
    ids=[
        "a key of the file",
        "a key of the load",
        "a key that is missing",
        "a key of the wave",
        "two bases",
        "no day",
        "a key of an event",
        "a clock without quotes",
        "no duration",
        "every and day",
        "no instant",
        "three instants",
        "a key of a check",
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, good: str, bad: str, said: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD)
    read_scenario(path)
    path.write_text(GOOD.replace(good, bad, 1))
    with pytest.raises(ScenarioError) as error:
        read_scenario(path)
    assert str(error.value).startswith("bad.yaml: ")
    assert said in str(error.value)


@pytest.fixture(scope="session")
def quick(staged: Callable[[Load], Staged]) -> Staged:
    return staged(read_scenario(Path(__file__).with_name("quick-announced.yaml")).load)


def _wrong(staged: Staged, at: str | list[str], expect: dict[str, object]) -> list[str]:
    edges = [at] if isinstance(at, str) else at
    check = Check(" to ".join(edges), edges[0], edges[1] if edges[1:] else None, expect)
    return list(failures(staged, check))


@pytest.mark.parametrize(
    ("expect", "value"),
    [
        ({"needed": {"above": "ordinary"}}, ""),
        ({"needed": {"below": "ordinary"}}, "needed is "),
        ({"needed": {"between": ["ordinary", "lead_peak_0.98"]}}, ""),
        ({"lead_peak_0.5": {"above": "lead_peak_0.98"}}, "lead_peak_0.5 is "),
        ({"ratio_to_ordinary": {"above": 4}}, ""),
        ({"ratio_to_ordinary": {"below": 4}}, "ratio_to_ordinary is "),
        ({"source": "lead_peak"}, ""),
        ({"source": "outlook"}, "source is lead_peak, not outlook"),
        ({"ready_ratio": {"below": 0.99}}, "ready_ratio is "),
    ],
)
def test_what_does_not_hold_is_told_with_its_instant_and_value(
    quick: Staged, expect: dict[str, object], value: str
) -> None:
    wrong = _wrong(quick, "match.start", expect)
    assert len(wrong) == bool(value)
    assert all(one.startswith(f"match.start (19:00:00): {value}") for one in wrong)


def test_a_stretch_is_looked_at_step_by_step_and_sums_once(quick: Staged) -> None:
    stretch = ["match.start - 10m", "match.start + 10m"]
    assert [one.split(":")[0] for one in _wrong(quick, stretch, {"needed": {"below": 0}})] == [
        f"match.start - 10m to match.start + 10m ({clock}" for clock in ("18", "18", "19", "19")
    ]
    assert len(_wrong(quick, stretch, {"short_minutes": 5})) == 1


@pytest.mark.parametrize(
    ("at", "expect", "said"),
    [
        ("final.start", {"short_minutes": 0}, "0 judged events are called 'final'"),
        ("match.start + 1d", {"short_minutes": 0}, "is not judged"),
        ("match.start", {"replicas": 0}, "'replicas' cannot be expected"),
        ("match.start", {"needed": {"least": 0}}, "one of above, below or between"),
        (["match.start", "match.start - 5m"], {"short_minutes": 0}, "ends before it begins"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    quick: Staged, at: str | list[str], expect: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        _wrong(quick, at, expect)


def test_events_that_vary_are_those_of_the_seed_and_the_judged_one_is_as_written() -> None:
    load = read_scenario(Path(__file__).with_name("announced-x5.yaml")).load
    first, again, other = (
        list(happenings(load, np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    assert first == again
    assert first[:-1] != other[:-1]
    assert first[-1] == other[-1]
    cliff = first[-1].cliff
    assert cliff is not None
    assert (cliff.factor, cliff.start) == (5.0, first[-1].event.start)
