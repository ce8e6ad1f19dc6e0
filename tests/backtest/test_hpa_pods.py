from __future__ import annotations

import math

import numpy as np
import pytest

from forecaster.backtest.hpa import Pods, StartUpTime


def test_what_is_asked_for_is_ready_a_start_up_time_later() -> None:
    pods = Pods(2, StartUpTime(30))
    pods.scale_to(10, 5)
    assert pods.asked == 5
    assert [pods.ready(at) for at in (10, 39, 40)] == [2, 2, 5]


def test_without_a_start_up_time_pods_are_ready_at_once() -> None:
    pods = Pods(1, StartUpTime(0))
    pods.scale_to(15, 4)
    assert pods.ready(15) == 4


def test_fewer_are_fewer_at_once_and_starting_ones_go_first() -> None:
    pods = Pods(2, StartUpTime(30))
    pods.scale_to(10, 5)
    pods.scale_to(20, 3)
    assert pods.ready(20) == 2
    assert pods.ready(40) == 3


def test_ready_ones_go_when_no_starting_ones_are_left() -> None:
    pods = Pods(4, StartUpTime(30))
    pods.scale_to(10, 5)
    pods.scale_to(20, 3)
    assert pods.ready(20) == 3
    assert pods.next_ready_seconds == math.inf


def test_of_the_starting_ones_the_youngest_go_first() -> None:
    pods = Pods(1, StartUpTime(30))
    pods.scale_to(0, 3)
    pods.scale_to(20, 5)
    pods.scale_to(25, 3)
    assert [pods.ready(at) for at in (29, 30, 50)] == [1, 3, 3]


def test_the_youngest_is_the_last_asked_for_though_it_would_be_ready_first() -> None:
    rng = np.random.default_rng(2)
    drawn = np.random.default_rng(2).choice([10.0, 300.0], size=2).tolist()
    assert drawn == [300.0, 10.0], "the seed gives the slow one first"
    pods = Pods(1, StartUpTime([10, 300]), rng)
    pods.scale_to(0, 3)
    pods.scale_to(5, 2)
    assert [pods.ready(at) for at in (10, 299, 300)] == [1, 1, 2]


def test_a_pod_that_was_let_go_starts_from_the_beginning() -> None:
    pods = Pods(1, StartUpTime(60))
    for at, replicas in ((0, 2), (50, 1), (55, 2)):
        pods.scale_to(at, replicas)
    assert [pods.ready(at) for at in (60, 114, 115)] == [1, 1, 2]


def test_start_up_times_are_drawn_from_what_was_measured() -> None:
    samples = [20, 30, 30, 240]
    pods = Pods(0, StartUpTime(samples), np.random.default_rng(7))
    pods.scale_to(0, 4000)
    ready = pods.ready_timeline(300, 1)
    assert set(ready.seconds.tolist()) == {0, 20, 30, 240}
    after = {second: int(ready.at(np.array([second]))[0]) for second in (20, 30, 240)}
    assert after[240] == 4000
    assert after[20] == pytest.approx(1000, rel=0.1)
    assert after[30] == pytest.approx(3000, rel=0.1)


def test_the_same_generator_gives_the_same_pods() -> None:
    def ready() -> list[float]:
        pods = Pods(0, StartUpTime([20, 30, 240]), np.random.default_rng(11))
        pods.scale_to(0, 50)
        return pods.ready_timeline(60, 10).mean().tolist()

    assert ready() == ready()


def test_drawing_needs_a_generator() -> None:
    with pytest.raises(ValueError, match=r"rng=numpy\.random\.default_rng"):
        Pods(1, StartUpTime([10, 300])).scale_to(0, 2)


@pytest.mark.parametrize("samples", [[], [30, -1], math.nan, [math.inf]])
def test_a_start_up_time_that_cannot_be_is_refused(samples: list[float]) -> None:
    with pytest.raises(ValueError, match=r"for example 90 or \[45, 60, 240\]"):
        StartUpTime(samples)


def test_fewer_replicas_than_none_are_refused() -> None:
    with pytest.raises(ValueError, match="not -1"):
        Pods(-1, StartUpTime(30))
