"""The simulator against what a real HPA controller did, sync by sync."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecaster.backtest.hpa import Band, ScaleBehavior
from tests.backtest.hpa_recorded.recording import SCENARIOS, Recording


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_sync_of_a_recorded_controller_comes_out_as_recorded(scenario: str) -> None:
    recording = Recording.read(scenario).with_syncs_for_polls()
    assert len(recording.sync_seconds) == 99
    assert recording.disagreements() == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_in_each_scenario_two_polls_of_keda_stand_in_for_syncs(scenario: str) -> None:
    recording = Recording.read(scenario)
    first, second = (recording.sync_seconds[index] for index in recording.polls)
    assert 589 < first < 594
    assert second - first == pytest.approx(600, abs=0.1)


def test_the_time_of_those_polls_explains_the_only_two_differences_of_the_raw_rows() -> None:
    wrong = {
        scenario: differences
        for scenario in SCENARIOS
        if (differences := Recording.read(scenario).disagreements())
    }
    assert wrong == {"walk-fast-no-band": [590.6, 1190.6]}


def test_the_fallback_explains_the_rest_of_the_outage() -> None:
    recording = Recording.read("outage-fallback").without_fallback()
    at = recording.sync_seconds
    # From the fourth failure until its 8 replicas have left the 60 s memory; then, in the second
    # outage, its 14 (no fewer than were running) keep that memory awake.
    first = [second for second in at if 158 < second < 459]
    second = [second for second in at if 984 < second < 1029]
    assert recording.disagreements() == first + second
    assert (len(first), len(second)) == (20, 3)


def test_the_recording_can_tell_a_wrong_rule() -> None:
    """Each rule changed on purpose is seen: agreement is not for want of looking."""
    no_memory = Recording.read("walk-no-behavior").with_syncs_for_polls()
    spec = replace(no_memory.spec, downscale_stabilization_seconds=0)
    assert len(replace(no_memory, spec=spec).disagreements()) > 50

    other_path = Recording.read("steps-no-behavior").with_syncs_for_polls()
    spec = replace(other_path.spec, behavior=ScaleBehavior())
    assert replace(other_path, spec=spec).disagreements() == pytest.approx([49.96], abs=0.01)

    older_band = Recording.read("band-edges").with_syncs_for_polls()
    spec = replace(older_band.spec, band=Band.DISTANCE)
    assert replace(older_band, spec=spec).disagreements() != []
