from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import norm

from forecaster.models.outlook import Outlook

START = datetime(2026, 6, 14, 20, 0, tzinfo=UTC)


def outlook(rates: list[list[float]], quantiles: tuple[float, ...]) -> Outlook:
    return Outlook("tv/api", START, START, timedelta(minutes=5), quantiles, np.array(rates), "test")


def test_a_known_quantile_is_given_as_it_is() -> None:
    assert outlook([[1, 2], [3, 4]], (0.5, 0.9)).at(0.9).tolist() == [3, 4]


def test_between_two_quantiles_a_normal_distribution_is_recovered() -> None:
    known = (0.5, 0.9, 0.99)
    rates = [[100 + 10 * norm.ppf(q)] for q in known]
    for quantile in (0.6, 0.8, 0.95, 0.98):
        assert outlook(rates, known).at(quantile)[0] == pytest.approx(100 + 10 * norm.ppf(quantile))


@pytest.mark.parametrize("quantile", [0.4, 0.995])
def test_nothing_is_extrapolated(quantile: float) -> None:
    with pytest.raises(ValueError, match=r"outside of the outlook's 0.5 to 0.99"):
        outlook([[1], [2]], (0.5, 0.99)).at(quantile)


@pytest.mark.parametrize(
    ("rates", "quantiles", "message"),
    [
        pytest.param([[1, 2]], (0.5, 0.9), "rate_rps", id="a row too few"),
        pytest.param([[2], [1]], (0.5, 0.9), "cross", id="crossing"),
        pytest.param([[1], [2]], (0.9, 0.5), "rise", id="quantiles out of order"),
        pytest.param([[1], [np.nan]], (0.5, 0.9), "finite", id="nan"),
        pytest.param([[-1], [2]], (0.5, 0.9), "not negative", id="negative"),
    ],
)
def test_an_outlook_that_makes_no_sense_is_refused(
    rates: list[list[float]], quantiles: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        outlook(rates, quantiles)


def test_nobody_can_change_a_published_outlook() -> None:
    with pytest.raises(ValueError, match="read-only"):
        outlook([[1.0]], (0.5,)).rate_rps[0, 0] = 7
