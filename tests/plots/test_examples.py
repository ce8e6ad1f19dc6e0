import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "forecaster.backtest.phrases",
        "forecaster.plots.policies",
        "forecaster.plots.proof_tables",
        "forecaster.plots.replay",
        "forecaster.plots.thin",
    ],
)
def test_the_examples_of_the_docstrings_come_out_as_written(module):
    found = doctest.testmod(import_module(module))
    assert (found.failed, found.attempted > 0) == (0, True)
