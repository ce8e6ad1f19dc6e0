"""From past traffic to a model: what it knows, what it refuses, how well it is calibrated."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import pytest

from forecaster.errors import ForecastError, HistoryTooShort
from forecaster.models.day_path import DayAheadPath
from forecaster.models.peak import LeadPeakModel, Taught, lead_peaks, train_lead_peak
from forecaster.models.peak.features import FEATURES, decisions_at, epsilon_rps
from forecaster.models.peak.training import teaching_rows
from forecaster.traffic.history import FloatArray, TrafficSeries
from tests.models.peak.conftest import LEAD_STEPS, QUICK


@pytest.fixture(scope="module")
def model(trace: TrafficSeries, cutoff: datetime, path: DayAheadPath) -> LeadPeakModel:
    return train_lead_peak(trace, cutoff, path, LEAD_STEPS, QUICK)


def _said(
    model: LeadPeakModel,
    series: TrafficSeries,
    path: DayAheadPath | None,
    levels: tuple[float, ...],
) -> tuple[FloatArray, FloatArray]:
    """Peaks (rows, levels) of the day after the cutoff, without feedback, and what came."""
    first = series.index_of(model.cutoff)
    rows = np.arange(first, first + 1440)
    decisions = decisions_at(series, path, LEAD_STEPS, rows)
    scores = model.calibration(levels).scores()
    highest = np.nanmax(decisions.recent, axis=1)
    said = model.peaks(model.tell(decisions), scores, highest)
    return said, lead_peaks(series.rate_rps, LEAD_STEPS)[rows]


def test_the_next_day_is_told_about_as_often_as_the_quantiles_say(
    model: LeadPeakModel, trace: TrafficSeries, path: DayAheadPath
) -> None:
    """Without any feedback: the online calibration has its own test."""
    said, came = _said(model, trace, path, (0.5, 0.9, 0.98))
    covered = (came[:, None] <= said).mean(axis=0)
    assert 0.35 < covered[0] < 0.65 and 0.83 < covered[1] < 0.97 and 0.94 < covered[2] < 0.999


def test_it_is_sharper_than_the_highest_of_the_last_hour(
    model: LeadPeakModel, trace: TrafficSeries, path: DayAheadPath
) -> None:
    """At the same coverage as a multiple of recent traffic, its pinball loss is far lower."""
    (said, came), first = _said(model, trace, path, (0.9,)), trace.index_of(model.cutoff)
    now = trace.rate_rps[first - 1 : first + 1439]
    factor = np.quantile(came / now, 0.9)  # chosen with hindsight, which is kind to it
    loss = [
        np.where(e > 0, 0.9 * e, -0.1 * e).mean() for e in (came - said[:, 0], came - factor * now)
    ]
    assert loss[0] < 0.85 * loss[1]


def test_what_comes_after_the_cutoff_changes_no_byte(
    model: LeadPeakModel, trace: TrafficSeries, cutoff: datetime, path: DayAheadPath
) -> None:
    future = trace.rate_rps.copy()
    future[trace.index_of(cutoff) :] *= 9
    changed = TrafficSeries(trace.series_id, trace.start, trace.step, future)
    again = train_lead_peak(changed, cutoff, path, LEAD_STEPS, QUICK)
    assert again.to_bytes() == model.to_bytes()


def test_a_model_survives_being_bytes(
    model: LeadPeakModel, trace: TrafficSeries, path: DayAheadPath
) -> None:
    again = LeadPeakModel.from_bytes(model.to_bytes())
    assert (again.taught, again.lead_steps, again.cutoff) == (Taught.OWN, LEAD_STEPS, model.cutoff)
    before, _ = _said(model, trace, path, (0.5, 0.98))
    after, _ = _said(again, trace, again.path, (0.5, 0.98))
    np.testing.assert_allclose(after, before, rtol=1e-5)


@pytest.mark.parametrize("damage", [b"", b"no archive", None], ids=["empty", "text", "cut"])
def test_damaged_bytes_are_an_error_of_ours(model: LeadPeakModel, damage: bytes | None) -> None:
    data = model.to_bytes()[:-500] if damage is None else damage
    with pytest.raises(ForecastError, match="cannot be read"):
        LeadPeakModel.from_bytes(data)


def test_too_little_history_says_how_much_there_is(trace: TrafficSeries) -> None:
    cutoff = trace.start + timedelta(hours=2)
    with pytest.raises(HistoryTooShort, match=r"114 whole lead windows of 6m .* needs 300"):
        train_lead_peak(trace, cutoff, None, LEAD_STEPS, QUICK)
    with pytest.raises(HistoryTooShort, match="no traffic before"):
        train_lead_peak(trace, trace.start, None, LEAD_STEPS, QUICK)


def test_a_row_that_teaches_sees_no_path_of_the_next_day(
    trace: TrafficSeries, cutoff: datetime, path: DayAheadPath
) -> None:
    """The next day's path was made with the traffic that this row has yet to foretell."""
    known = trace.before(cutoff)
    assert known is not None
    day_end = len(known) - 1440
    rows = np.array([day_end - 200, day_end - 10, day_end])
    taught = teaching_rows(known, path, LEAD_STEPS, rows, 0.5).features
    column = FEATURES.index
    assert not np.isnan(taught[0, column("path_after_120m")])
    assert np.isnan(taught[1, column("path_after_15m")])
    assert not np.isnan(taught[1, column("path_peak")])  # the window itself ends before
    assert not np.isnan(taught[2, column("path_after_120m")])  # the next day's own
    later = np.array(path.rate_rps)
    index = (known.start + day_end * known.step - path.start) // path.step
    later[index : index + 1440] *= 3
    beyond = DayAheadPath(path.start, path.step, later)
    again = teaching_rows(known, beyond, LEAD_STEPS, rows[:2], 0.5).features
    np.testing.assert_array_equal(again, taught[:2])


def test_a_day_by_the_minute_is_not_enough_for_a_model_of_its_own(trace: TrafficSeries) -> None:
    """1,435 windows, but of one day: what others taught is calibrated better then."""
    cutoff = trace.start + timedelta(days=1)
    with pytest.raises(
        HistoryTooShort, match=r"1434 whole .* over 23h54m .* needs 600 over 2d, or 300 over"
    ):
        train_lead_peak(trace, cutoff, None, LEAD_STEPS)
    few = TrafficSeries("few", trace.start, timedelta(minutes=15), trace.rate_rps[:400])
    with pytest.raises(HistoryTooShort, match=r"394 whole .* over 4d"):
        train_lead_peak(few, few.end, None, LEAD_STEPS)


def _hard(kind: str) -> FloatArray:
    rng = np.random.default_rng(11)
    rates = np.zeros(4000)
    if kind == "constant":
        rates[:] = 5.0
    elif kind == "rare":
        rates[rng.choice(4000, 40, replace=False)] = 1 / 60
    elif kind == "bursts":
        rates[:] = 1.0
        for start in rng.choice(3900, 12, replace=False):
            rates[start : start + 20] = 500.0
    elif kind == "holes":
        rates[:] = 10 + rng.poisson(5, 4000)
        rates[rng.random(4000) < 0.4] = np.nan
    elif kind == "hour of gaps":
        rates[:] = 10 + rng.poisson(5, 4000)
        rates[3000:3060] = np.nan
        rates[-30:] = np.nan
    elif kind == "some days":  # whole days fall into one fold, if days are dealt out in turn
        rates = np.full(7 * 1440, np.nan)
        for day in (0, 3, 6):
            rates[day * 1440 + 600 : day * 1440 + 900] = 10 + rng.poisson(5, 300)
    elif kind == "one afternoon":
        rates = np.full(3 * 1440, np.nan)
        rates[600:1100] = 10 + rng.poisson(5, 500)
    return rates


@pytest.mark.parametrize(
    "kind",
    ["zeros", "constant", "rare", "bursts", "holes", "hour of gaps", "some days", "one afternoon"],
)
@pytest.mark.parametrize("lead_steps", [1, 60])
def test_hard_series_give_finite_bounded_peaks(kind: str, lead_steps: int) -> None:
    rates = _hard(kind)
    start = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    series = TrafficSeries(kind, start, timedelta(minutes=1), rates)
    model = train_lead_peak(series, series.end, None, lead_steps, QUICK)
    rows = np.arange(605, 4001, 7)
    decisions = decisions_at(series, None, lead_steps, rows)
    seen = ~np.isnan(decisions.recent[:, -1])
    highest = np.nanmax(np.nan_to_num(decisions.recent), axis=1)
    said = model.peaks(model.tell(decisions), model.score_at((0.5, 0.98, 0.999)), highest)[seen]
    assert np.isfinite(said).all() and (said >= 0).all() and (np.diff(said, axis=1) >= 0).all()
    top = max(2 * float(np.nanmax(rates)), 10 * epsilon_rps(series.step))
    assert said.max() <= top * (1 + 1e-9)
    if kind == "constant":
        assert math.isclose(float(np.median(said[:, 1])), 5.0, rel_tol=0.02)
