"""Few bytes, and the same targets."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from forecaster.errors import StoreError
from forecaster.planning import ScalingRule, build_plan
from forecaster.store import pack


def test_an_outlook_comes_back_as_it_was_to_seven_digits(make_outlook):
    outlook = make_outlook()
    back = pack(outlook).unpack()
    np.testing.assert_allclose(back.rate_rps, outlook.rate_rps, rtol=1e-7)
    for field in ("series_id", "cutoff", "start", "step", "quantiles", "model", "reasons"):
        assert getattr(back, field) == getattr(outlook, field)


def test_packing_again_changes_nothing(make_outlook):
    once = pack(make_outlook()).unpack()
    np.testing.assert_array_equal(pack(once).unpack().rate_rps, once.rate_rps)


@pytest.mark.parametrize("capacity", [0.5, 3.7, 120.0])
def test_every_target_of_the_plan_is_the_same(make_outlook, capacity):
    rule = ScalingRule(capacity_rps=capacity, max_replicas=10_000)
    served = build_plan(pack(make_outlook()).unpack(), rule)
    again = build_plan(pack(served.outlook).unpack(), rule)
    for step in range(len(served)):
        at = served.start + step * timedelta(minutes=1)
        assert served.target(at) == again.target(at)


def test_rounding_moves_a_target_only_at_the_very_edge_of_a_replica(make_outlook):
    outlook, rule = make_outlook(), ScalingRule(capacity_rps=0.5, max_replicas=10_000)
    exact, rounded = build_plan(outlook, rule), build_plan(pack(outlook).unpack(), rule)
    moved = exact.needed != rounded.needed
    whole = np.rint(exact.peak_rps / rule.capacity_rps)
    distance = np.abs(exact.peak_rps / rule.capacity_rps - whole) / whole
    assert (distance[moved] < 1e-7).all()
    assert np.abs(exact.needed - rounded.needed).max() <= 1


def test_two_days_of_minutes_are_less_than_100_kilobytes(make_outlook):
    assert len(pack(make_outlook()).rates) < 100_000


@pytest.mark.parametrize(
    "change",
    [
        {"rates": b"rubbish"},
        {"rates": b""},
        {"steps": 7},
        {"quantiles": "[0.1]"},
        {"quantiles": "[0.1"},
        {"step_seconds": "x"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_bytes_that_hold_no_outlook_are_a_store_error(make_outlook, change):
    packed = dataclasses.replace(pack(make_outlook()), **change)
    with pytest.raises(StoreError, match="tv/api: the stored outlook cannot be read"):
        packed.unpack()


def test_a_truncated_outlook_is_not_taken_for_a_shorter_one(make_outlook):
    packed = pack(make_outlook())
    for cut in (1, 100, len(packed.rates) - 1):
        with pytest.raises(StoreError):
            dataclasses.replace(packed, rates=packed.rates[:cut]).unpack()
