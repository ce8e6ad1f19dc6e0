from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.backtest.losses import wape
from forecaster.errors import ForecastError, HistoryTooShort
from forecaster.models import OutlookConfig, train_outlook
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 1, 5, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
OWN = OutlookConfig(zoo=False)  # most of what is tested here does not need the library models


def weeks(count: float, *, seed: int = 0, noise: float = 0.1, base: float = 100.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n = int(count * 336)
    t = np.arange(n)
    shape = np.exp(np.sin(t / 48 * 2 * np.pi) - 0.5 * (t // 48 % 7 >= 5))
    return base * shape * np.exp(rng.normal(0, noise, n))


def series(rates: np.ndarray, step: timedelta = HALF_HOUR) -> TrafficSeries:
    return TrafficSeries("streaming/player-api", START, step, rates)


def test_an_outlook_starts_at_the_cutoff_and_covers_the_horizon() -> None:
    past = series(weeks(4))
    outlook = train_outlook(past, past.end, OWN).outlook
    assert outlook.start == outlook.cutoff == past.end
    assert outlook.end - outlook.start == timedelta(hours=48)
    assert outlook.step == HALF_HOUR
    assert outlook.quantiles == OutlookConfig().quantiles


def test_what_comes_after_the_cutoff_changes_nothing(tournament: TrafficSeries) -> None:
    cutoff = datetime(1998, 6, 12, 17, 30, tzinfo=UTC)
    known = tournament.index_of(cutoff)
    rates = np.array(tournament.rate_rps)
    rates[known:] = np.random.default_rng(5).uniform(0, 1e6, len(rates) - known)
    changed = TrafficSeries(tournament.series_id, tournament.start, tournament.step, rates)
    ours, theirs = train_outlook(tournament, cutoff), train_outlook(changed, cutoff)
    np.testing.assert_array_equal(ours.outlook.rate_rps, theirs.outlook.rate_rps)
    assert ours.outlook.reasons == theirs.outlook.reasons


def test_it_beats_the_value_one_week_earlier_on_noise_around_a_pattern() -> None:
    rates = weeks(6, noise=0.3, seed=4)
    past = series(rates[:-336])
    errors, naive = [], []
    for day in range(6):
        cutoff = past.end + day * timedelta(days=1)
        first = len(past) + 48 * day
        outlook = train_outlook(series(rates), cutoff, OWN).outlook
        actual = rates[first : first + 48]
        errors.append(wape(actual, outlook.at(0.5)[:48]))
        naive.append(wape(actual, rates[first - 336 : first - 288]))
    # The best possible ratio is about 1/√2: the naive value carries its own noise.
    assert np.mean(errors) < 0.85 * np.mean(naive)


def test_where_last_week_simply_repeats_the_forecast_is_as_good_as_naive() -> None:
    rates = np.tile(weeks(1, noise=0.8), 5)
    past = series(rates[:-96])
    trained = train_outlook(past, past.end, OWN)
    assert wape(rates[-96:], trained.outlook.at(0.5)[:96]) < 0.02


def test_quantiles_cover_as_often_as_they_say_on_steady_noise() -> None:
    rates = weeks(9, noise=0.25, seed=8)
    covered = {0.1: [], 0.9: [], 0.98: []}
    for day in range(14):
        first = len(rates) - (14 - day) * 48
        cutoff = START + first * HALF_HOUR
        outlook = train_outlook(series(rates), cutoff, OWN).outlook
        for quantile, hits in covered.items():
            hits.extend(rates[first : first + 48] <= outlook.at(quantile)[:48])
    for quantile, hits in covered.items():
        assert np.mean(hits) == pytest.approx(quantile, abs=0.05)


def test_errors_that_vary_over_the_day_make_a_band_that_does() -> None:
    rng = np.random.default_rng(3)
    wild = np.tile(np.repeat([0.05, 0.6], 24), 28)
    past = series(100 * np.exp(rng.normal(0, 1, 28 * 48) * wild))
    outlook = train_outlook(past, past.end, OWN).outlook
    width = np.log(outlook.at(0.9) / outlook.at(0.1))
    calm, noisy = width[:24], width[24:48]
    assert noisy.mean() > 2 * calm.mean()


@pytest.mark.parametrize(
    ("days", "said"),
    [
        pytest.param(1.0, "assumed", id="one day"),
        pytest.param(1.5, "assumed", id="a day and a half"),
        pytest.param(3.0, "weekly one cannot be told", id="three days"),
        pytest.param(13.0, "weekly one cannot be told", id="thirteen days"),
    ],
)
def test_less_than_two_seasons_give_a_simpler_model_and_a_reason(days: float, said: str) -> None:
    past = series(weeks(days / 7))
    outlook = train_outlook(past, past.end, OWN).outlook
    assert any(said in reason for reason in outlook.reasons)
    actual = weeks(5, noise=0)[len(past) : len(past) + 48]
    assert wape(actual, outlook.at(0.5)[:48]) < 0.6


def test_under_a_day_is_refused_with_what_is_needed() -> None:
    past = series(weeks(1)[:47])
    with pytest.raises(HistoryTooShort, match=r"23h30m of traffic .* needs at least 24 h"):
        train_outlook(past, past.end, OWN)


def test_a_cutoff_before_the_history_is_refused() -> None:
    with pytest.raises(HistoryTooShort, match="no traffic was observed before"):
        train_outlook(series(weeks(4)), START - timedelta(days=1))


def test_gaps_at_the_front_do_not_count_as_history() -> None:
    rates = weeks(4)
    rates[:-40] = np.nan
    with pytest.raises(HistoryTooShort, match="20h of traffic"):
        train_outlook(series(rates), START + len(rates) * HALF_HOUR, OWN)


def test_a_daily_step_is_refused() -> None:
    past = TrafficSeries("a/b", START, timedelta(days=1), np.arange(60.0))
    with pytest.raises(ForecastError, match="too coarse"):
        train_outlook(past, past.end, OWN)


def test_a_source_that_stopped_hours_ago_still_gets_an_outlook_from_the_cutoff() -> None:
    past = series(weeks(4))
    cutoff = past.end + timedelta(hours=9)
    outlook = train_outlook(past, cutoff, OWN).outlook
    assert outlook.start == cutoff
    actual = weeks(5, noise=0)[len(past) + 18 : len(past) + 18 + 48]
    assert wape(actual, outlook.at(0.5)[:48]) < 0.2


def test_nothing_heard_for_a_month_is_refused() -> None:
    past = series(weeks(4))
    with pytest.raises(HistoryTooShort, match="28 days before"):
        train_outlook(past, past.end + timedelta(days=29))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda rng, n: np.zeros(n), id="all zero"),
        pytest.param(lambda rng, n: np.full(n, 7.0), id="constant"),
        pytest.param(lambda rng, n: rng.poisson(0.02, n).astype(float), id="almost always zero"),
        pytest.param(lambda rng, n: rng.pareto(1.1, n), id="bursts without a mean"),
        pytest.param(
            lambda rng, n: np.where(rng.random(n) < 0.6, np.nan, rng.gamma(2, 5, n)), id="gappy"
        ),
        pytest.param(
            lambda rng, n: np.where(np.arange(n) % 48 < 20, np.nan, 5 + rng.random(n)),
            id="closed at night",
        ),
        pytest.param(lambda rng, n: np.exp(np.arange(n) / 100), id="growing without bound"),
    ],
)
def test_odd_series_get_a_finite_outlook(make) -> None:
    past = series(make(np.random.default_rng(7), 22 * 48))
    outlook = train_outlook(past, past.end).outlook
    assert np.isfinite(outlook.rate_rps).all()
    assert (outlook.rate_rps >= 0).all()


def test_hours_that_were_never_observed_are_said_in_the_reasons() -> None:
    rates = weeks(4)
    rates[np.arange(len(rates)) % 48 < 12] = np.nan
    past = series(rates)
    reasons = train_outlook(past, past.end, OWN).outlook.reasons
    assert any("never" not in reason and "25% of the day" in reason for reason in reasons)


def test_the_unit_does_not_matter() -> None:
    rates = weeks(5, base=1e6)
    plain = train_outlook(series(rates), START + len(rates) * HALF_HOUR, OWN).outlook
    scaled = train_outlook(series(rates / 8), START + len(rates) * HALF_HOUR, OWN).outlook
    np.testing.assert_allclose(plain.rate_rps / 8, scaled.rate_rps, rtol=0.02)


def test_a_dst_change_does_not_move_the_evening() -> None:
    from zoneinfo import ZoneInfo

    paris = ZoneInfo("Europe/Paris")
    start = datetime(2026, 3, 1, tzinfo=paris).astimezone(UTC)
    cutoff = datetime(2026, 3, 29, 12, tzinfo=paris).astimezone(UTC)  # the clock moved at 2
    count = (cutoff + timedelta(days=2) - start) // HALF_HOUR
    stamps = [start + i * HALF_HOUR for i in range(count)]
    rates = np.array([900.0 if s.astimezone(paris).hour == 20 else 100.0 for s in stamps])
    past = TrafficSeries("a/b", start, HALF_HOUR, rates)
    known = (cutoff - start) // HALF_HOUR
    local = train_outlook(past, cutoff, OutlookConfig(timezone="Europe/Paris", zoo=False)).outlook
    plain = train_outlook(past, cutoff, OWN).outlook
    actual = rates[known : known + 48]
    assert wape(actual, local.at(0.5)[:48]) < 0.05
    assert wape(actual, plain.at(0.5)[:48]) > 0.3


def test_the_scorecard_names_every_candidate_and_the_shares_add_up(
    tournament_quarters: TrafficSeries,
) -> None:
    trained = train_outlook(tournament_quarters, tournament_quarters.end)
    names = {score.model for score in trained.scorecard}
    assert {"profile", "seasonal_naive", "WindowAverage", "AutoETS", "AutoTheta"} <= names
    assert {"MSTL", "MFLES"} <= names
    assert sum(score.share for score in trained.scorecard) == pytest.approx(1)
    dear = next(score for score in trained.scorecard if score.model == "MSTL")
    assert dear.reason is not None
    assert "1h steps" in dear.reason


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"horizon": timedelta(days=4)}, id="horizon"),
        pytest.param({"quantiles": (0.5, 1.0)}, id="quantile"),
        pytest.param({"short_penalty": 0.0}, id="penalty"),
    ],
)
def test_settings_out_of_range_are_refused(bad: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        OutlookConfig(**bad)


def test_progress_is_told_and_ends_complete(tournament_quarters: TrafficSeries) -> None:
    told: list[tuple[int, int]] = []
    train_outlook(
        tournament_quarters,
        tournament_quarters.end,
        progress=lambda done, total: told.append((done, total)),
    )
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1] > 5


def evenings(days: int, *, seed: int = 0) -> np.ndarray:
    """Five-minute traffic of 20 to 180 rps with a clear day."""
    t = np.arange(days * 288)
    noise = np.random.default_rng(seed).normal(0, 0.05, len(t))
    return (100 - 80 * np.cos(t / 288 * 2 * np.pi)) * np.exp(noise)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            lambda rates, rng: np.where(rng.random(len(rates)) < 0.02, 0.0, rates),
            id="a zero now and then",
        ),
        pytest.param(
            lambda rates, rng: np.where(
                (np.arange(len(rates)) // 288) == len(rates) // 288 - 3, 0.0, rates
            ),
            id="an outage of a day, written as zeros",
        ),
        pytest.param(
            lambda rates, rng: np.where(
                (np.arange(len(rates)) // 288) >= len(rates) // 288 - 2, rates / 20, rates
            ),
            id="two days of a blizzard",
        ),
    ],
)
def test_what_fell_short_does_not_ask_for_more_than_was_ever_seen(spoil) -> None:
    rates = spoil(evenings(28), np.random.default_rng(1))
    past = series(rates, timedelta(minutes=5))
    high = train_outlook(past, past.end, OWN).outlook.at(0.98)
    assert high.max() < 2 * rates.max()


def test_a_quantile_is_held_within_reach_of_what_was_seen_and_says_so() -> None:
    rates = evenings(28)
    rates[-288 * 2 :: 7] *= 40  # bursts that nobody foresaw
    past = series(rates, timedelta(minutes=5))
    outlook = train_outlook(past, past.end, OutlookConfig((0.5, 0.999), zoo=False)).outlook
    assert outlook.at(0.999).max() <= 2 * rates.max() + 1e-9


@pytest.mark.parametrize("change", ["2026-03-27T22:00", "2026-10-23T22:00"])
def test_three_days_ahead_work_across_a_dst_change(change: str) -> None:
    cutoff = datetime.fromisoformat(change).replace(tzinfo=UTC)
    past = TrafficSeries("a/b", cutoff - timedelta(days=21), HALF_HOUR, weeks(3))
    config = OutlookConfig(horizon=timedelta(days=3), timezone="Europe/Paris", zoo=False)
    assert len(train_outlook(past, cutoff, config).outlook) == 144
