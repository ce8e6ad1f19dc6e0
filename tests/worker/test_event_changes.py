"""Merge patches and what they are made from."""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.errors import EventRefused
from forecaster.events import Event, Selector, Shape
from forecaster.worker.event_changes import extended, merged, patch_between, patched
from tests.worker.sources import NOW

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

JSON = st.recursive(
    st.integers() | st.text(max_size=2) | st.booleans(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7396, appendix A, where it is about objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_is_applied_as_the_rfc_has_it(target, patch, result):
    assert merged(target, patch) == result


def events():
    start = st.integers(-5, 5).map(lambda n: NOW + n * HOUR)
    names = st.lists(st.sampled_from(["a", "b", "c*"]), unique=True, max_size=2).map(tuple)
    labels = st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12"))
    selector = st.builds(Selector, names, names, labels.map(lambda d: tuple(sorted(d.items()))))
    shape = st.just(Shape(((0 * MINUTE, 1.0), (2 * MINUTE, 5.0)))) | st.just(
        Shape(((0 * MINUTE, 2.0), (5 * MINUTE, 5.0), (9 * MINUTE, 1.0)))
    )
    return st.builds(
        lambda start, minutes, uplift, shaped, **more: Event(
            start=start,
            end=None if minutes is None else start + minutes * MINUTE,
            uplift=None if shaped else uplift,
            shape=shaped,
            event_id="x",
            **more,
        ),
        start,
        st.none() | st.integers(1, 300),
        st.none() | st.sampled_from([1.5, 2.0]),
        st.none() | shape,
        kind=st.sampled_from(["football", "show"]),
        importance=st.sampled_from([1.0, 3.0]),
        name=st.sampled_from(["", "A v B"]),
        selector=selector,
        floor_replicas=st.none() | st.integers(0, 9),
        floor_rps=st.none() | st.just(1.5),
        audience=st.sampled_from(["", "sport"]),
        start_uncertainty=st.sampled_from([0 * MINUTE, 5 * MINUTE]),
        ceiling=st.sampled_from([6 * HOUR, 2 * HOUR]),
        hold=st.booleans(),
        cancelled=st.booleans(),
    )


@given(events(), events())
def test_what_is_between_two_events_makes_the_one_of_the_other(one, other):
    patch = patch_between(one, other)
    made = patched(one, patch)
    assert dataclasses.replace(made, selector=other.selector) == other
    assert made.selector.namespaces == other.selector.namespaces
    assert made.selector.workloads == other.selector.workloads
    assert dict(made.selector.labels) == dict(other.selector.labels)  # their order means nothing
    assert (patch == {}) is (one == other)


@given(events())
def test_the_same_difference_laid_over_another_version_keeps_what_it_does_not_name(one):
    longer = dataclasses.replace(one, end=one.planned_end + HOUR)
    patch = patch_between(one, longer)
    assert set(patch) == {"end"}
    renamed = dataclasses.replace(one, name="other", importance=7)
    assert patched(renamed, patch) == dataclasses.replace(longer, name="other", importance=7)


def test_an_open_end_stays_open_by_so_much_longer():
    event = Event(NOW, None, "show", ceiling=2 * HOUR)
    longer = extended(event, HOUR, NOW)
    assert (longer.end, longer.ceiling) == (None, 3 * HOUR)
    assert extended(event, NOW + 4 * HOUR, NOW).end == NOW + 4 * HOUR


def test_an_event_that_is_over_comes_back_only_where_its_new_end_lies_ahead():
    event = Event(NOW - 3 * HOUR, NOW - HOUR, "show")
    assert extended(event, 90 * MINUTE, NOW).end == NOW + 30 * MINUTE
    with pytest.raises(EventRefused, match="by: it would have ended at 2026-05-04T17:30:00Z"):
        extended(event, 30 * MINUTE, NOW)
