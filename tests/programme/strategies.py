"""Events of every sort, for round trips."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from forecaster.events import Event, Selector, Shape

WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=" \u2028\u2029\x85"),
    min_size=1,
    max_size=20,
).filter(lambda text: text == text.strip() and text != "")
NAMES = st.from_regex(r"[a-z0-9*]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
FACTORS = st.floats(0.001, 1000)
INSTANTS = st.datetimes(
    datetime(1998, 1, 1),
    datetime(2040, 1, 1),
    timezones=st.just(UTC),
)


def durations(low: timedelta, high: timedelta) -> st.SearchStrategy[timedelta]:
    return st.timedeltas(low, high)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    seconds = draw(st.lists(st.integers(-86_400, 86_400), min_size=2, max_size=6, unique=True))
    return Shape(tuple((timedelta(seconds=at), draw(FACTORS)) for at in sorted(seconds)))


@st.composite
def selectors(draw: st.DrawFn) -> Selector:
    workloads = draw(st.lists(st.tuples(NAMES, NAMES).map("/".join) | NAMES, max_size=3))
    labels = draw(st.dictionaries(NAMES, NAMES, max_size=3))
    namespaces = draw(st.lists(NAMES, max_size=3))
    return Selector(tuple(namespaces), tuple(workloads), tuple(labels.items()))


@st.composite
def events(draw: st.DrawFn) -> Event:
    start = draw(INSTANTS)
    length = draw(st.none() | durations(timedelta(microseconds=1), timedelta(days=31)))
    shape = draw(st.none() | shapes())
    return Event(
        start=start,
        end=None if length is None else start + length,
        kind=draw(WORDS),
        importance=draw(st.floats(0, 100)),
        name=draw(st.just("") | WORDS),
        event_id=draw(st.just("") | WORDS),
        selector=draw(selectors()),
        uplift=draw(st.none() | FACTORS) if shape is None else None,
        floor_replicas=draw(st.none() | st.integers(0, 1_000_000)),
        floor_rps=draw(st.none() | st.floats(0, 1e12)),
        shape=shape,
        audience=draw(st.just("") | WORDS),
        start_uncertainty=draw(durations(timedelta(0), timedelta(hours=12))),
        ceiling=draw(durations(timedelta(microseconds=1), timedelta(days=31))),
        hold=draw(st.booleans()),
        cancelled=draw(st.booleans()),
    )
