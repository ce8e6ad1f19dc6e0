from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from forecaster.backtest.losses import wape
from forecaster.errors import HistoryTooShort
from forecaster.models.day_grid import make_day_grid
from forecaster.models.seasons import Seasons
from forecaster.models.zoo import (
    ZooModel,
    fill_gaps,
    fit_coarse,
    forecast_candidate,
    refine,
    zoo_models,
)
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 1, 5, tzinfo=UTC)


def hours(days: int, seed: int = 0) -> TrafficSeries:
    t = np.arange(days * 24)
    noise = np.random.default_rng(seed).normal(0, 0.05, len(t))
    rates = 50 * np.exp(np.sin(t / 24 * 2 * np.pi) - 0.4 * (t // 24 % 7 >= 5) + noise)
    return TrafficSeries("tv/api", START, timedelta(hours=1), rates)


def test_the_models_asked_for_are_there() -> None:
    wanted = {"SeasonalNaive", "WindowAverage", "AutoETS", "AutoTheta", "MSTL", "MFLES"}
    assert wanted <= set(zoo_models())


@pytest.mark.parametrize("name", sorted(zoo_models()))
def test_each_model_foretells_the_next_day_of_a_clear_pattern(name: str) -> None:
    series = hours(29)
    known = series.before(series.end - timedelta(days=1))
    assert known is not None
    path = forecast_candidate(name, known, 24)
    assert path.shape == (24,)
    limit = 0.6 if name in ("WindowAverage", "AutoETS", "AutoTheta") else 0.25  # know no weekends
    assert wape(series.rate_rps[-24:], path) < limit


def test_seasonal_naive_of_the_zoo_repeats_the_last_season_to_the_value() -> None:
    known = hours(28)
    path = forecast_candidate("SeasonalNaive", known, 48)
    np.testing.assert_allclose(path, known.rate_rps[-168:-120])


def test_the_zoo_counts_its_days_by_the_wall_clock() -> None:
    from zoneinfo import ZoneInfo

    paris = ZoneInfo("Europe/Paris")
    cutoff = datetime(2026, 3, 29, 12, tzinfo=paris).astimezone(UTC)  # the clock moved at 2
    stamps = [cutoff + i * timedelta(hours=1) for i in range(-20 * 24, 24)]
    rates = np.array([900.0 if s.astimezone(paris).hour == 20 else 100.0 for s in stamps])
    known = TrafficSeries("tv/api", stamps[0], timedelta(hours=1), rates[:-24])
    path = forecast_candidate("SeasonalNaive", known, 24, "Europe/Paris")
    np.testing.assert_allclose(path, rates[-24:])


def test_a_minute_series_is_fitted_by_the_hour_and_the_reason_says_so() -> None:
    rng = np.random.default_rng(1)
    rates = 5 + rng.random(4 * 1440)
    known = TrafficSeries("tv/api", START, timedelta(minutes=1), rates)
    path = forecast_candidate("WindowAverage", known, 120)
    assert path == pytest.approx(path[0])
    assert "1h steps" in zoo_models()["WindowAverage"].reason


def test_less_than_two_days_are_refused() -> None:
    with pytest.raises(HistoryTooShort, match="two days"):
        forecast_candidate("MSTL", hours(1), 24)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda h: {"mean": np.full(h, np.nan)}, id="nan"),
        pytest.param(lambda h: {"mean": np.zeros(h - 1)}, id="too short"),
        pytest.param(lambda h: 1 / 0, id="raises"),
    ],
)
def test_a_model_that_fails_drops_out(answer) -> None:
    class Broken:
        def forecast(self, *, h: int, **_: object) -> object:
            return answer(h)

    grid = make_day_grid(hours(10))
    model = ZooModel("broken", lambda seasons: Broken(), 10, 1)
    assert fit_coarse(model, grid, Seasons(True, False, ""), 10, 2) is None


def test_gaps_are_filled_from_the_same_time_a_week_else_a_day_away() -> None:
    rates = np.arange(15 * 24, dtype=float).reshape(15, 24)
    holed = rates.copy()
    holed[10, 5] = np.nan
    holed[3, 6] = np.nan
    filled = fill_gaps(holed, 24)
    assert filled is not None
    assert filled[10, 5] == rates[3, 5]
    assert filled[3, 6] == rates[2, 6]
    assert np.isfinite(filled).all()


def test_nothing_known_fills_nothing() -> None:
    assert fill_gaps(np.full((3, 24), np.nan), 24) is None


def test_refining_keeps_the_coarse_means_and_takes_the_shape() -> None:
    shape = np.tile([1.0, 3.0, 2.0, 2.0], 6)[None, :]
    coarse = np.arange(1.0, 13.0)[None, :]
    fine = refine(coarse, shape)
    np.testing.assert_allclose(fine.reshape(12, 2).mean(axis=1), coarse[0])
    assert fine[0, 1] == pytest.approx(3 * fine[0, 0])


def test_statsforecast_drives_the_outlook_and_the_zoo_in_its_own_cross_validation() -> None:
    from statsforecast import StatsForecast

    from forecaster.models import OutlookConfig, train_outlook
    from forecaster.models.adapter import OutlookModel, ZooCandidateModel
    from forecaster.traffic.history import TrafficHistory

    series = hours(20)
    step = series.step
    config = OutlookConfig(zoo=False)
    sf = StatsForecast(
        models=[OutlookModel(step, config=config), ZooCandidateModel("MFLES", step)], freq="h"
    )
    frame = TrafficHistory([series]).to_frame()
    found = sf.cross_validation(df=frame, h=24, step_size=24, n_windows=3)
    assert {"unique_id", "ds", "cutoff", "y", "Outlook", "MFLES-coarse"} <= set(found.columns)
    for cutoff, rows in found.groupby("cutoff"):
        # statsforecast's cutoff is the start of the last known interval.
        instant = pd.Timestamp(cutoff).tz_localize("UTC") + step
        config_day = OutlookConfig((0.5,), timedelta(days=1), zoo=False)
        ours = train_outlook(series, instant.to_pydatetime(), config_day).outlook
        np.testing.assert_allclose(rows["Outlook"], ours.at(0.5), rtol=1e-6)


def test_levels_become_the_outlooks_quantiles() -> None:
    from forecaster.models import OutlookConfig
    from forecaster.models.adapter import OutlookModel

    series = hours(20)
    model = OutlookModel(series.step, config=OutlookConfig(zoo=False)).new()
    answer = model.fit(series.rate_rps).predict(24, level=[80])
    assert (answer["lo-80"] <= answer["mean"]).all()
    assert (answer["mean"] <= answer["hi-80"]).all()
