"""The lead window, against a loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.models.peak import lead_peaks

_VALUES = st.lists(st.one_of(st.floats(0, 1e6), st.just(math.nan)), min_size=1, max_size=40)


@given(_VALUES, st.integers(1, 8), st.booleans())
def test_each_peak_is_that_of_a_loop_over_n_plus_one_intervals(
    values: list[float], lead_steps: int, whole: bool
) -> None:
    found = lead_peaks(np.array(values), lead_steps, whole=whole)
    for start in range(len(values)):
        window = values[start : start + lead_steps + 1]
        seen = [one for one in window if not math.isnan(one)]
        unknown = len(window) <= lead_steps or not seen or (whole and len(seen) < len(window))
        assert math.isnan(found[start]) if unknown else found[start] == max(seen)


def test_a_window_has_at_least_two_intervals() -> None:
    with pytest.raises(ValueError, match="lead_steps of 1 or more, not 0"):
        lead_peaks(np.ones(4), 0)
