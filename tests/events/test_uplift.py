import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.events import Calendar, Event, Overlap
from forecaster.events.course import KNOTS, course_knots, on_course, rows_on_course, sample_course
from forecaster.events.effects import Effects, centres_of, effects_between
from forecaster.events.uplift import UpliftModel
from forecaster.events.uplift_learning import learn_uplift

STEP = timedelta(minutes=1)
FIRST = datetime(2026, 5, 1, 19, 0, tzinfo=UTC)
MATCH = timedelta(minutes=105)


def matches(count, factor_of, *, kind="football", importance=3.0, start=FIRST):
    """Events a day apart, and a log ratio that is log(factor) from start to end of each."""
    steps = (count + 2) * 1440
    begin = start - timedelta(hours=12)
    centres = centres_of(begin, STEP, steps)
    ratio = np.zeros(steps)
    events = []
    for i in range(count):
        at = start + timedelta(days=i)
        event = Event(at, at + MATCH, kind, importance)
        events.append(event)
        seconds = centres - at.timestamp()
        ratio[(seconds >= 0) & (seconds < MATCH.total_seconds())] = np.log(factor_of(i))
    return centres, ratio, events, begin + steps * STEP


def centres_end(centres):
    return datetime.fromtimestamp(centres[-1] + 30, UTC)


def inside(event, curve):
    knots = course_knots(event.duration)
    return curve[(knots > 120) & (knots < event.duration.total_seconds() - 120)]


@pytest.mark.parametrize("minutes", [5, 20, 60, 105, 600, 1440])
def test_the_places_of_a_course_rise_whatever_its_length(minutes):
    knots = course_knots(timedelta(minutes=minutes))
    assert len(knots) == KNOTS
    assert (np.diff(knots) > 0).all()


def test_a_course_that_is_sampled_and_laid_out_again_is_the_same():
    event = Event(FIRST, FIRST + MATCH, "football")
    centres = centres_of(FIRST - timedelta(hours=2), STEP, 60 * 7)
    minutes = (centres - FIRST.timestamp()) / 60
    values = np.interp(minutes, [-20, 10, 50, 100, 125], [0, 1.2, 0.8, 1.0, 0.0])
    curve = sample_course(event, centres, values, 60.0)
    again = on_course(event, curve, centres, 0.0)
    assert np.abs(again - values).max() < 0.13  # the middle's places are some minutes apart


def test_what_is_not_observed_is_not_made_up():
    event = Event(FIRST, FIRST + MATCH, "football")
    centres = centres_of(FIRST - timedelta(hours=2), STEP, 60 * 7)
    values = np.ones(len(centres))
    values[(centres > FIRST.timestamp()) & (centres < FIRST.timestamp() + 1200)] = np.nan
    curve = sample_course(event, centres, values, 60.0)
    hidden = np.isnan(curve)
    at = course_knots(MATCH)
    assert hidden[(at > 120) & (at < 1080)].all()
    assert not hidden[(at < 0) | (at > 1320)].any()


def test_many_like_examples_are_told_as_they_were():
    centres, ratio, events, now = matches(12, lambda i: 2.0)
    model = learn_uplift(centres, ratio, STEP, events, now)
    assert len(model.examples) == 12
    coming = Event(now + timedelta(hours=12), now + timedelta(hours=12) + MATCH, "football")
    told = model.curve(coming, now)
    assert told.examples == 12
    assert np.exp(inside(coming, told.log_uplift)) == pytest.approx(2.0, rel=0.1)
    assert (told.log_quantile(0.98) >= told.log_uplift - 1e-9).all()


def test_one_example_is_believed_less_than_many():
    few = matches(1, lambda i: 4.0)
    many = matches(10, lambda i: 4.0)
    tops = []
    for centres, ratio, events, now in (few, many):
        model = learn_uplift(centres, ratio, STEP, events, now)
        coming = Event(events[-1].start + timedelta(days=1), None, "football")
        tops.append(float(model.curve(coming, now).log_uplift.max()))
    assert 0 < tops[0] < tops[1] <= np.log(4.0)


def test_a_kind_never_seen_has_the_declared_uplift_or_none():
    centres, ratio, events, now = matches(5, lambda i: 2.0)
    model = learn_uplift(centres, ratio, STEP, events, now)
    at = now + timedelta(hours=5)
    show = Event(at, at + MATCH, "live-show")
    assert model.curve(show, now).log_uplift.tolist() == [0.0] * KNOTS
    declared = model.curve(Event(at, at + MATCH, "live-show", uplift=1.7), now)
    assert np.exp(declared.log_uplift.max()) == pytest.approx(1.7)
    assert declared.source == "declared"


def test_importance_tells_examples_apart():
    centres, ratio, events, now = matches(12, lambda i: 4.0 if i % 2 else 1.5)
    events = [
        Event(one.start, one.end, "football", 5.0 if i % 2 else 1.0) for i, one in enumerate(events)
    ]
    model = learn_uplift(centres, ratio, STEP, events, now)
    at = now + timedelta(hours=12)
    final = model.curve(Event(at, at + MATCH, "football", 5.0), now).log_uplift.max()
    friendly = model.curve(Event(at, at + MATCH, "football", 1.0), now).log_uplift.max()
    assert np.exp(final) > 3.2
    assert np.exp(friendly) < 1.9


def test_only_what_was_settled_counts():
    centres, ratio, events, now = matches(8, lambda i: 1.2 if i < 7 else 9.0)
    model = learn_uplift(centres, ratio, STEP, events, now)
    coming = Event(events[7].start, events[7].end, "football")
    before = model.curve(coming, events[7].start - timedelta(hours=6))
    assert before.examples == 7
    assert np.exp(before.log_uplift.max()) < 1.25


def test_of_an_event_that_was_just_over_what_it_did_later_does_not_count():
    """It is settled half an hour after its end, and moves traffic for an hour and a half more."""
    centres, ratio, events, _ = matches(6, lambda i: 2.0)
    now = events[-1].planned_end + timedelta(minutes=30)
    wild = np.where(centres > now.timestamp() + 60, 5.0, ratio)
    was, again = (
        learn_uplift(centres, one, STEP, events, centres_end(centres)) for one in (ratio, wild)
    )
    coming = Event(now + timedelta(hours=20), now + timedelta(hours=20) + MATCH, "football")
    for event in (events[-1], coming):
        told, then = was.curve(event, now), again.curve(event, now)
        np.testing.assert_array_equal(told.log_uplift, then.log_uplift)
        assert told.peak == then.peak
    assert (was.curve(coming, now).log_uplift != 0).any()


def test_the_time_that_others_own_teaches_nothing_of_an_event():
    """Against a loop over all of them, place by place."""
    centres, ratio, events, now = matches(4, lambda i: 2.0)
    between = Event(events[1].start + MATCH + timedelta(minutes=40), None, "show")
    same = replace(events[2], kind="show")
    everything = [*events, between, same]
    model = learn_uplift(centres, ratio, STEP, everything, now)
    half = timedelta(minutes=30)

    def owns(one, at):
        begin, end = one.start - half, one.planned_end + half
        return begin.timestamp() <= at < end.timestamp()

    for one in model.examples:
        event = next(e for e in everything if (e.start, e.kind) == (one.start, one.kind))
        others = [e for e in everything if e.start != event.start]
        at = course_knots(event.duration) + event.start.timestamp()
        deep = [
            any(owns(e, t - 150) and owns(e, t + 150) for e in others)
            and not owns(event, t - 150)
            and not owns(event, t + 150)
            for t in at
        ]
        assert np.isnan(one.log_ratio[deep]).all()
        free = [not any(owns(e, t - 150) or owns(e, t + 150) for e in others) for t in at]
        assert not np.isnan(one.log_ratio[free]).any()


def test_the_future_does_not_change_what_was_taught():
    centres, ratio, events, _ = matches(9, lambda i: 2.0 + i / 10)
    now = events[6].start
    known = centres < now.timestamp()
    model = learn_uplift(centres[known], ratio[known], STEP, events, now)
    wild = np.where(known, ratio, 5.0)
    again = learn_uplift(centres, wild, STEP, events, now)
    for one, other in zip(model.examples, again.examples, strict=True):
        after = course_knots(one.duration) + one.start.timestamp() < now.timestamp() - 600
        np.testing.assert_array_equal(one.log_ratio[after], other.log_ratio[after])


def test_a_model_is_the_same_after_storage():
    centres, ratio, events, now = matches(4, lambda i: 3.0)
    learned = learn_uplift(centres, ratio, STEP, events, now, "Europe/Paris")
    model = replace(learned, ordinary=frozenset({"news"}))
    again = UpliftModel.from_bytes(model.to_bytes())
    assert (again.timezone, again.ordinary) == ("Europe/Paris", {"news"})
    coming = Event(now, now + MATCH, "football")
    np.testing.assert_allclose(
        again.curve(coming, now).log_uplift, model.curve(coming, now).log_uplift, atol=1e-4
    )


def example(**other):
    at = FIRST.isoformat()
    row = {"start": at, "seconds": 60, "kind": "a", "importance": 3, "name": "", "log_ratio": []}
    return {**row, "log_ratio": [0.5] * KNOTS, **other}


@pytest.mark.parametrize(
    "changed",
    [
        {"timezone": "Mars/Olympus"},
        {"examples": 5},
        {"examples": [example(start="2026-05-01T19:00:00")]},
        {"examples": [example(seconds=1e300)]},
        {"examples": [example(log_ratio=[0.5] * (KNOTS - 1))]},
        {"examples": [example(log_ratio=[float("inf")] * KNOTS)]},
        {"ordinary": None},
    ],
    ids=["zone", "no list", "no offset", "endless", "a place too few", "infinite", "no kinds"],
)
def test_what_is_no_model_is_refused_when_it_is_read_and_not_when_it_is_used(changed):
    sound = {"timezone": "UTC", "ordinary": [], "examples": [example()]}
    assert UpliftModel.from_bytes(json.dumps(sound).encode()).knows("a")
    with pytest.raises(ValueError, match="this is no uplift model"):
        UpliftModel.from_bytes(json.dumps({**sound, **changed}).encode())
    with pytest.raises(ValueError, match="this is no uplift model"):
        UpliftModel.from_bytes(json.dumps(sound).encode()[:-9])


def test_the_last_example_held_out_has_an_error_of_its_own():
    centres, ratio, events, now = matches(6, lambda i: 2.0 if i < 5 else 4.0)
    model = learn_uplift(centres, ratio, STEP, events, now)
    last, error = model.held_out_error("football", events[-1].importance)
    assert last.start == events[-1].start
    assert error == pytest.approx(np.log(2.0), abs=0.15)
    assert model.held_out_error("live-show", events[-1].importance) is None
    assert model.held_out_error("football", 99.0) is None


def test_of_each_importance_it_is_the_last_one_that_is_held_out_and_the_first_has_none_before_it():
    centres, ratio, events, now = matches(6, lambda i: 4.0 if i == 3 else 2.0)
    events[3] = replace(events[3], importance=5.0)
    events[0] = replace(events[0], importance=1.0)
    model = learn_uplift(centres, ratio, STEP, events, now)
    last, error = model.held_out_error("football", 5.0)
    assert last.start == events[3].start
    assert np.log(2.0) <= error < np.log(4.0)  # ×4 after ×2, of other importances
    assert model.held_out_error("football", 1.0) is None


def declared(uplift, *, kind, minutes=60, audience="", start=FIRST, unsure=0):
    end = start + timedelta(minutes=minutes)
    return Event(
        start, end, kind, uplift=uplift, audience=audience,
        start_uncertainty=timedelta(minutes=unsure),
    )  # fmt: skip


def factor_at(events, overlap, minutes, quantile=None):
    effects = effects_between(
        UpliftModel(), Calendar(tuple(events), (), overlap), FIRST, FIRST, STEP, 90
    )
    assert isinstance(effects, Effects)
    return float(np.exp(effects.log_factors(quantile))[minutes])


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [(Overlap.ADD, 1.7), (Overlap.MULTIPLY, 1.8), (Overlap.LARGEST, 1.5)],
)
def test_different_audiences_come_together_as_it_is_set(overlap, expected):
    both = [declared(1.5, kind="football"), declared(1.2, kind="live-show")]
    assert factor_at(both, overlap, 30) == pytest.approx(expected)


@pytest.mark.parametrize("overlap", list(Overlap))
def test_of_one_audience_the_larger_wins(overlap):
    both = [declared(1.5, kind="football"), declared(1.2, kind="football")]
    assert factor_at(both, overlap, 30) == pytest.approx(1.5)
    shared = [declared(1.5, kind="a", audience="tv"), declared(1.2, kind="b", audience="tv")]
    assert factor_at(shared, overlap, 30) == pytest.approx(1.5)


def test_an_unsure_start_widens_the_window_above_the_middle():
    event = declared(3.0, kind="football", start=FIRST + timedelta(minutes=20), unsure=10)
    assert factor_at([event], Overlap.ADD, 12) == pytest.approx(1.0)
    assert factor_at([event], Overlap.ADD, 12, 0.98) >= 3.0
    assert factor_at([event], Overlap.ADD, 5, 0.98) == pytest.approx(1.0)


def test_an_unsure_start_leaves_no_hole_however_short_the_event_is():
    """Twenty minutes, two hours either way: it may be on at any moment between."""
    start = FIRST + timedelta(hours=3)
    event = Event(
        start, start + timedelta(minutes=20), "flash", uplift=5.0,
        start_uncertainty=timedelta(hours=2),
    )  # fmt: skip
    effects = effects_between(UpliftModel(), Calendar((event,)), FIRST, FIRST, STEP, 480)
    told = np.exp(effects.log_factors(0.9))
    minutes = (np.arange(480) + 0.5) - 180
    on = (minutes > -120) & (minutes < 140)
    assert (told[on] >= 5.0).all()
    np.testing.assert_allclose(told[(minutes < -122) | (minutes > 142)], 1.0)


def test_a_kind_that_is_ordinary_traffic_adds_nothing_even_where_it_is_declared():
    calendar = Calendar((declared(3.0, kind="news"), declared(2.0, kind="football")))
    ordinary = UpliftModel(ordinary=frozenset({"news"}))
    effects = effects_between(ordinary, calendar, FIRST, FIRST, STEP, 90)
    assert [one.event.kind for one in effects.curves] == ["football"]
    assert np.exp(effects.log_factors())[30] == pytest.approx(2.0)


def test_many_events_together_are_told_as_each_alone():
    centres, ratio, events, now = matches(12, lambda i: 1.5 + i / 10)
    kinds = ["football", "live-show", "football"]
    events = [replace(one, kind=kinds[i % 3]) for i, one in enumerate(events)]
    model = learn_uplift(centres, ratio, STEP, events, now, "Europe/Paris")
    coming = [
        Event(at, at + timedelta(minutes=60 + 15 * i), kind, float(i), uplift=uplift)
        for i, (kind, uplift) in enumerate(
            [("live-show", None), ("news", 2.0), ("football", 4.0), ("football", None)]
        )
        for at in [now + timedelta(hours=5 * i)]
    ]
    for one, alone in zip(model.curves(coming, now), coming, strict=True):
        other = model.curve(alone, now)
        assert (one.event, one.examples) == (alone, other.examples)
        for quantile in (0.02, 0.5, 0.98):
            np.testing.assert_allclose(
                one.log_quantile(quantile), other.log_quantile(quantile), atol=1e-12
            )


def test_a_mean_is_that_of_a_loop_over_the_examples():
    """At each place: the sum of weight x ratio, drawn to what other kinds did."""
    centres, ratio, events, now = matches(8, lambda i: 1.5 + i / 4)
    events = [replace(one, kind="show" if i == 2 else "football") for i, one in enumerate(events)]
    model = learn_uplift(centres, ratio, STEP, events, now)
    coming = Event(now + timedelta(hours=12), now + timedelta(hours=14), "football", 4.0)
    own, own_weight, other, other_weight = 0.0, 0.0, 0.0, 0.0
    for one in model.examples:  # all of them start at 19:00
        hours = (coming.start - one.start) / timedelta(hours=1) % 24
        apart = min(hours, 24 - hours)
        weight = np.exp(-((apart / 1.5) ** 2)) + 0.05
        weight *= 1.0 if (one.start.weekday() >= 5) == (coming.start.weekday() >= 5) else 0.1
        weight *= np.exp(-0.25) + 0.05
        weight *= 0.5 ** ((now - one.start) / timedelta(days=15))
        if one.kind == "football":
            own, own_weight = own + weight * one.log_ratio, own_weight + weight
        else:
            other, other_weight = other + 0.1 * weight * one.log_ratio, other_weight + 0.1 * weight
    expected = (own + 0.3 * other / (other_weight + 1)) / (own_weight + 0.3)
    told = model.curve(coming, now)
    np.testing.assert_allclose(told.log_uplift, expected, atol=1e-12)
    assert told.effective == pytest.approx(own_weight)


def test_curves_are_laid_out_as_numpy_interpolates():
    event = Event(FIRST, FIRST + timedelta(minutes=25), "football")
    curves = np.random.default_rng(1).normal(size=(3, KNOTS))
    centres = centres_of(FIRST - timedelta(hours=2), STEP, 300)
    centres = np.append(centres, event.start.timestamp() + course_knots(event.duration)[[0, -1]])
    found = rows_on_course(event, curves, centres, -np.inf)
    knots = course_knots(event.duration)
    for curve, row in zip(curves, found, strict=True):
        seconds = centres - FIRST.timestamp()
        expected = np.interp(seconds, knots, curve, left=-np.inf, right=-np.inf)
        np.testing.assert_allclose(row, expected, atol=1e-12)


@pytest.mark.parametrize("overlap", list(Overlap))
@pytest.mark.parametrize("quantile", [None, 0.1, 0.98])
def test_factors_are_those_of_a_loop_over_intervals_and_audiences(overlap, quantile):
    events = [
        declared(3.0, kind="football", minutes=40),
        declared(0.4, kind="works", minutes=60, start=FIRST + timedelta(minutes=20)),
        declared(1.5, kind="show", minutes=30, start=FIRST + timedelta(minutes=30), audience="tv"),
        declared(2.0, kind="film", minutes=90, start=FIRST + timedelta(minutes=35), audience="tv"),
    ]
    effects = effects_between(
        UpliftModel(), Calendar(tuple(events), (), overlap), FIRST, FIRST, STEP, 240
    )
    expected = []
    for at in effects.centres:
        audiences: dict[str, float] = {}
        for one in effects.curves:
            curve = one.log_uplift if quantile is None else one.log_quantile(quantile)
            value = on_course(one.event, curve, np.array([at]), -np.inf)[0]
            if np.isfinite(value):
                group = one.event.audience or one.event.kind
                audiences[group] = max(value, audiences.get(group, -np.inf))
        found = [*audiences.values(), 0.0]
        if overlap is Overlap.MULTIPLY:
            expected.append(sum(found))
        elif overlap is Overlap.ADD:
            expected.append(np.log(max(1 + sum(np.exp(one) - 1 for one in found), 1e-3)))
        else:
            expected.append(max(found) if max(found) > 0 else min(found))
    np.testing.assert_allclose(effects.log_factors(quantile), expected, atol=1e-12)
    together = effects.log_factor_rows((0.5, quantile))
    np.testing.assert_allclose(together[1], expected, atol=1e-12)
