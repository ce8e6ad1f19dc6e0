"""train(now) over a source, a store and a clock; real traffic, real models, no processes."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from forecaster.errors import ForecastError
from forecaster.models.peak import LeadPeakModel, Taught
from forecaster.models.peak.starter import load_starter
from forecaster.planning import build_plan
from forecaster.store import PeakShelf, PlanStore, TrainingRecord
from forecaster.traffic.history import TrafficHistory, TrafficSeries
from forecaster.traffic.prometheus import FetchedTraffic
from forecaster.worker.messages import SourceFailed, Started, Trained, TrainingFailed
from forecaster.worker.training import Trainer, train
from tests.worker.sources import NOW, STEP, failing, fetch_from, fleet, history


@pytest.fixture
def store(tmp_path):
    with PlanStore(tmp_path / "preroll.sqlite") as opened:
        yield opened


@pytest.fixture
def run(store):
    """``run(fleet, fetch)``: what the trainer tells."""

    def call(of, fetch, *, records=None, tell=None, into=store):
        told = []
        trainer = Trainer(of, fetch, into, lambda: NOW, records or {}, tell or told.append)
        train(trainer, of.workloads)
        return told

    return call


def test_each_outlook_is_stored_before_the_next_workload_is_begun(run, store):
    stored = {}

    def tell(message):
        if isinstance(message, Started):
            stored[message.workload] = {one.workload for one in store.outlooks()}

    tv = fleet("tv/b", "tv/a")
    run(tv, fetch_from(history("tv/a", "tv/b")), tell=tell)
    assert stored == {"tv/b": set(), "tv/a": {"tv/b"}}
    assert store.records()["tv/a"].state.trained_at == NOW
    assert store.records()["tv/a"].training_key == tv.training_key(tv.workloads[0].rule)


def test_what_is_told_is_what_is_stored(run, store):
    told = run(fleet("tv/a"), fetch_from(history("tv/a")))
    assert [type(message) for message in told] == [Started, Trained]
    assert list(store.outlooks()) == [told[1].outlook]
    assert list(store.uplifts()) == [told[1].uplift]
    assert store.records() == {"tv/a": told[1].record}
    assert told[1].store_error is None


@pytest.mark.parametrize("lead", [1, 45], ids="{} min".format)
def test_the_plan_covers_the_next_48_hours(run, lead):
    tv = fleet("tv/a", lead_time=timedelta(minutes=lead))
    told = run(tv, fetch_from(history("tv/a")))
    plan = build_plan(told[1].outlook.unpack(), tv.workloads[0].rule)
    assert plan.covers(NOW)
    assert plan.end == NOW + timedelta(hours=48)


def test_a_workload_with_too_short_a_past_does_not_stop_the_others(run, store):
    long, short = history("tv/long").series[0], history("tv/short", days=0.5).series[0]
    told = run(fleet("tv/short", "tv/long"), fetch_from(TrafficHistory([long, short])))
    kinds = [type(message) for message in told]
    assert kinds == [Started, Trained, Started, TrainingFailed]
    reason = store.records()["tv/short"].state.last_error
    assert reason.startswith("11h55m of traffic before")  # whoever shows it adds the name
    assert store.records()["tv/short"].failed_in_a_row == 1
    assert [one.workload for one in store.outlooks()] == ["tv/long"]


def models_in(store, *workloads):
    """The stored lead-peak models by workload, and why they are borrowed."""
    found = {one.workload: one for one in PeakShelf(store.path).load(workloads)}
    models = {name: LeadPeakModel.from_bytes(one.model) for name, one in found.items()}
    return models, {name: one.why_taught for name, one in found.items()}


def test_each_workload_gets_a_lead_peak_model_of_its_own_beside_its_outlook(run, store):
    lead = timedelta(minutes=12)
    told = run(fleet("tv/a", "tv/b", lead_time=lead), fetch_from(history("tv/a", "tv/b")))
    assert [one.taught for one in told if isinstance(one, Trained)] == [Taught.OWN, Taught.OWN]
    models, why = models_in(store, "tv/a", "tv/b")
    assert why == {"tv/a": "", "tv/b": ""}
    for name, model in models.items():
        assert (model.series_id, model.step, model.lead_steps) == (name, STEP, 3)
        assert model.cutoff == NOW - STEP  # the last interval may be half there
        assert model.path.between(NOW, 12).min() > 0


def test_the_rules_own_quantile_is_calibrated_with_the_others(run, store):
    run(fleet("tv/a", quantile=0.97), fetch_from(history("tv/a")))
    models, _ = models_in(store, "tv/a")
    assert 0.97 in models["tv/a"].levels


def test_a_workload_with_hours_of_history_is_served_by_the_model_of_the_fleet(run, store):
    known = [*history("tv/a", "tv/b", "tv/c"), *history("tv/new", days=0.25)]
    of = fleet("tv/new", "tv/a", "tv/b", "tv/c")
    told = run(of, fetch_from(TrafficHistory(known)))
    assert isinstance(told[-1], TrainingFailed)
    assert told[-1].taught is Taught.FLEET
    models, why = models_in(store, "tv/new", "tv/a")
    assert why["tv/new"] == "5h55m of own history"
    assert (models["tv/new"].taught, models["tv/a"].taught) == (Taught.FLEET, Taught.OWN)
    assert models["tv/new"].path is None


def test_a_first_workload_on_its_first_day_is_served_by_the_starter(run, store):
    told = run(fleet("tv/new"), fetch_from(history("tv/new", days=0.25)))
    assert told[1].taught is Taught.STARTER
    models, why = models_in(store, "tv/new")
    assert why == {"tv/new": "5h55m of own history"}
    np.testing.assert_array_equal(
        models["tv/new"].location.leaf, load_starter(STEP, 1).location.leaf
    )


def test_a_workload_that_the_source_does_not_know_yet_has_a_model_for_when_it_does(run, store):
    run(fleet("tv/new"), fetch_from(history("tv/other")))
    assert models_in(store, "tv/new")[1] == {"tv/new": "no own history"}


def test_a_day_of_coarse_history_has_an_outlook_and_a_borrowed_model_that_sees_it(run, store):
    """Three days by the half hour: an outlook, and half of the lead windows that it takes."""
    step = timedelta(minutes=30)
    fine = history("tv/a").series[0]
    rates = fine.rate_rps.reshape(-1, 6).mean(axis=1)
    coarse = TrafficHistory([TrafficSeries("tv/a", fine.start, step, rates)])
    told = run(fleet("tv/a", step=step), fetch_from(coarse))
    assert isinstance(told[1], Trained)
    assert told[1].taught is Taught.STARTER
    models, why = models_in(store, "tv/a")
    assert why == {"tv/a": "2d23h30m of own history"}
    assert models["tv/a"].path.between(NOW, 48).min() > 0
    # What events have taught counts as it was known to this training, not to the starter's.
    assert models["tv/a"].cutoff == told[1].outlook.cutoff


def test_the_fleets_model_is_made_once_a_run_and_lead_window_and_only_when_it_is_needed(
    run, monkeypatch
):
    from forecaster.worker import peak_training

    made = []

    def counted(histories, cutoff, lead_steps):
        made.append((len(histories), lead_steps))
        raise ForecastError("not here")

    monkeypatch.setattr(peak_training, "train_fleet", counted)
    known = [*history("tv/a", "tv/b"), *history("tv/x", "tv/y", "tv/z", days=0.5)]
    fetch = fetch_from(TrafficHistory(known))
    run(fleet("tv/a", "tv/b"), fetch)
    assert made == []
    slow = fleet("tv/z", lead_time=2 * STEP).workloads
    of = fleet("tv/x", "tv/y", "tv/a", "tv/b")
    run(dataclasses.replace(of, workloads=(*of.workloads, *slow)), fetch)
    assert made == [(2, 1), (2, 2)]  # who has less than a day has nothing to teach


@pytest.mark.parametrize(
    ("most", "order"),
    [(100, "bcaxyz"), (2, "bcxyza")],
    ids=["all lend a path", "two lend a path"],
)
def test_who_borrows_waits_for_the_paths_that_teach_the_fleet_and_for_no_more(
    run, monkeypatch, most, order
):
    """x has half a day, y is not known, z has a day of which nearly all is a hole."""
    from forecaster.worker import peak_training

    paths = {}

    def seen(histories, cutoff, lead_steps):
        paths.update({series.series_id: path is not None for series, path in histories})
        raise ForecastError("not here")

    monkeypatch.setattr(peak_training, "train_fleet", seen)
    monkeypatch.setattr(peak_training, "_MOST_PATHS", most)
    (holed,) = history("tv/z").series
    rates = holed.rate_rps.copy()
    rates[50:-50] = np.nan
    known = [
        *history("tv/a", "tv/b", "tv/c"),
        *history("tv/x", days=0.5),
        TrafficSeries("tv/z", holed.start, STEP, rates),
    ]
    of = fleet("tv/x", "tv/b", "tv/y", "tv/z", "tv/c", "tv/a")
    told = run(of, fetch_from(TrafficHistory(known)))
    assert [one.workload[-1] for one in told if isinstance(one, Started)] == list(order)
    with_path = {name[-1] for name, there in paths.items() if there}
    assert with_path == set(order[:most]) & set("abc")


def test_without_lightgbm_there_is_an_outlook_and_the_starter_and_the_reason(
    run, store, monkeypatch
):
    """Its wheel needs an OpenMP library that may be missing: then its import fails."""
    import sys

    monkeypatch.setitem(sys.modules, "lightgbm", None)
    (_, told) = run(fleet("tv/a"), fetch_from(history("tv/a")))
    assert isinstance(told, Trained)
    assert told.taught is Taught.STARTER
    assert models_in(store, "tv/a")[1]["tv/a"].startswith("LightGBM cannot be loaded")


def test_a_past_that_was_lost_at_the_source_does_not_cost_the_model_that_was_learnt_from_it(
    run, store
):
    run(fleet("tv/a"), fetch_from(history("tv/a")))
    told = run(fleet("tv/a"), fetch_from(history("tv/a", days=0.5)))
    assert told[1].taught is None
    assert models_in(store, "tv/a")[0]["tv/a"].taught is Taught.OWN


def test_a_workload_that_fails_keeps_its_old_outlook(run, store):
    tv = fleet("tv/a")
    (_, good) = run(tv, fetch_from(history("tv/a")))
    short = fetch_from(history("tv/a", days=0.5))
    (_, bad) = run(tv, short, records={"tv/a": good.record})
    assert list(store.outlooks()) == [good.outlook]
    assert bad.record.state.trained_at == NOW
    assert (bad.record.state.runs, bad.record.state.failures) == (2, 1)


def test_whatever_a_model_raises_is_the_reason_of_that_workload(run, caplog):
    rule = fleet("tv/a", lead_time=timedelta(hours=40)).workloads[0].rule  # beyond what models do
    (far, near) = fleet("tv/far", "tv/near").workloads
    both = dataclasses.replace(fleet("tv/a"), workloads=(dataclasses.replace(far, rule=rule), near))
    told = run(both, fetch_from(history("tv/far", "tv/near")))
    assert isinstance(told[1], TrainingFailed)
    assert told[1].record.state.last_error.startswith("the training broke (ValueError: horizon")
    assert isinstance(told[3], Trained)
    assert any(record.exc_info for record in caplog.records)


def test_a_name_that_the_source_does_not_know_is_told_with_the_nearest(run):
    told = run(fleet("tv/player-api"), fetch_from(history("tv/web", "tv/player-app")))
    assert told[1].record.state.last_error == (
        "the source has no traffic of this name among its 2 series; did you mean tv/player-app?"
    )


@pytest.mark.parametrize("known", [history("tv/web"), None], ids=["one is known", "none is"])
def test_the_nearest_name_may_be_one_that_is_not_configured(run, known):
    others = ("tv/player-app", "tv/zoo")
    told = run(fleet("tv/player-api"), lambda *_: FetchedTraffic(known, (), others=others))
    assert "did you mean tv/player-app?" in told[1].record.state.last_error


def test_a_workload_whose_traffic_cannot_be_used_fails_with_the_reason_and_the_others_train(run):
    refused = {"tv/bad": "tv/bad at 2026-05-04T17:00:00Z: the query gives inf"}
    known = fetch_from(history("tv/good"))

    def fetch(*asked):
        return dataclasses.replace(known(*asked), refused=refused)

    told = run(fleet("tv/bad", "tv/good"), fetch)
    assert [type(message) for message in told] == [Started, TrainingFailed, Started, Trained]
    assert told[1].record.state.last_error == "at 2026-05-04T17:00:00Z: the query gives inf"


def test_where_nobodys_traffic_can_be_used_each_has_its_own_reason(run):
    refused = {"tv/a": "two results", "tv/b": "the query gives -1"}
    told = run(fleet("tv/a", "tv/b"), lambda *_: FetchedTraffic(None, (), refused))
    reasons = [one.record.state.last_error for one in told if isinstance(one, TrainingFailed)]
    assert reasons == ["two results", "the query gives -1"]


def test_an_interval_whose_scrapes_may_not_have_arrived_is_not_trained_on(run):
    """The last interval is half there: the outlook is the one without it, and covers 48 h."""
    whole = history("tv/a").series[0]
    rates = whole.rate_rps.copy()
    rates[-1] /= 2
    half = TrafficSeries("tv/a", whole.start, STEP, rates)
    outlooks = []
    for series in (half, whole, whole.before(NOW - STEP)):
        (_, told) = run(fleet("tv/a"), fetch_from(TrafficHistory([series])))
        outlooks.append(told.outlook)
    assert outlooks[0].rates == outlooks[1].rates == outlooks[2].rates
    assert outlooks[0].unpack().start == NOW


def test_what_was_left_out_is_logged_and_is_no_warning(run, caplog):
    known = fetch_from(history("tv/a"))

    def fetch(*asked):
        return dataclasses.replace(known(*asked), left_out=("7 series of others",))

    with caplog.at_level("INFO"):
        run(fleet("tv/a"), fetch)
    (line,) = [one for one in caplog.records if one.message == "traffic source"]
    assert (line.levelname, line.notice) == ("INFO", "7 series of others")


def test_a_source_that_is_down_fails_nobody_in_particular(run, store):
    (told,) = run(fleet("tv/a", "tv/b"), failing)
    assert told == SourceFailed(NOW, "http://prometheus:9090: connection refused")
    assert store.records() == {}


def test_a_source_without_any_traffic_says_what_it_was_warned_of(run):
    (told,) = run(fleet("tv/a"), lambda *_: FetchedTraffic(None, ("the query matched nothing",)))
    assert isinstance(told, SourceFailed)
    assert "the query matched nothing" in told.error


def test_without_a_store_outlooks_are_told_all_the_same(run):
    (_, told) = run(fleet("tv/a"), fetch_from(history("tv/a")), into=None)
    assert isinstance(told, Trained)
    assert told.outlook.unpack().series_id == "tv/a"
    assert told.store_error == "the store could not be opened"


def test_the_source_is_asked_once_for_the_configured_past(run):
    asked = []
    known = fetch_from(history("tv/a", "tv/b"))

    def fetch(start, end, step):
        asked.append((start, end, step))
        return known(start, end, step)

    run(dataclasses.replace(fleet("tv/a", "tv/b"), history=timedelta(days=3)), fetch)
    assert asked == [(NOW - timedelta(days=3), NOW - timedelta(seconds=15), STEP)]


def test_the_zone_of_the_audience_reaches_the_models(run):
    """A day that is 23 hours long in Paris is trained on as such: other outlooks come out."""
    week = history("tv/a")
    end = NOW.replace(month=3, day=30, hour=12)  # the clocks changed the day before
    (one,) = week.series
    moved = TrafficHistory([TrafficSeries("tv/a", end - one.span, STEP, one.rate_rps)])
    outlooks = []
    for zone in ("UTC", "Europe/Paris"):
        told = []
        of = dataclasses.replace(fleet("tv/a"), timezone=zone)
        trainer = Trainer(of, fetch_from(moved), None, lambda: end, {}, told.append)
        train(trainer, of.workloads)
        outlooks.append(told[1].outlook)
    assert outlooks[0].rates != outlooks[1].rates


def test_the_count_of_runs_goes_on(run):
    before = TrainingRecord().failed(NOW, "x").failed(NOW, "y")
    (_, told) = run(fleet("tv/a"), fetch_from(history("tv/a")), records={"tv/a": before})
    assert (told.record.state.runs, told.record.state.failures) == (3, 2)
    assert (told.record.failed_in_a_row, told.record.state.last_error) == (0, None)
