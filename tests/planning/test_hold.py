import doctest
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.planning.hold import hold


def test_the_worked_example_in_the_docstring_holds():
    assert doctest.testmod(import_module("forecaster.planning.hold")).failed == 0


@given(st.lists(st.integers(0, 500), max_size=40), st.integers(0, 50))
def test_it_is_the_highest_of_the_last_steps(needed, steps):
    held = hold(np.array(needed, dtype=np.int64), steps)
    assert held.tolist() == [max(needed[max(0, i - steps) : i + 1]) for i in range(len(needed))]


def test_a_negative_hold_down_is_refused():
    with pytest.raises(ValueError, match="-1"):
        hold(np.array([1]), -1)
