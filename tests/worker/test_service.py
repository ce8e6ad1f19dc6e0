"""The whole with its real processes, a real store and real traffic; only HTTP is left out."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta

import numpy as np
import pytest

from forecaster.errors import NoUsablePlan
from forecaster.planning import ScalingRule, Source
from forecaster.settings import PrometheusSettings
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection
from forecaster.worker import ConfiguredSource, Service, open_store, utc_now
from tests.worker.processes import helpers_of
from tests.worker.sources import STEP, FileClock, TraceSource, fleet

WORKLOADS = ("tv/a", "tv/b")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "preroll.sqlite"


@pytest.fixture
def down_file(tmp_path):
    """The source is down while this file exists."""
    return tmp_path / "down"


@pytest.fixture
def make_service(path, down_file):
    def make(of=None, clock=utc_now, **source):
        factory = TraceSource(WORKLOADS, down_file=down_file, **source)
        store = open_store(path, utc_now())
        return Service(of or fleet(*WORKLOADS), factory, store, clock=clock, tick_seconds=0.05)

    return make


def until(condition, seconds=180):
    """Wait for something to come true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


def children():
    """The helper processes of this process, oldest first."""
    return helpers_of(os.getpid())


def targets(service, count=200):
    snapshot, now = service.snapshot(), utc_now()
    return [
        snapshot.target(name, now + n * STEP).planned_replicas
        for name in WORKLOADS
        for n in range(count)
    ]


def not_at_the_end_of_a_step():
    """Wait where a step is about to end: what a test compares belongs to one step."""
    into = utc_now().timestamp() % STEP.total_seconds()
    if into > STEP.total_seconds() - 15:
        time.sleep(STEP.total_seconds() - into)


def test_it_trains_serves_stores_and_serves_again_before_any_training(
    make_service, down_file, path
):
    not_at_the_end_of_a_step()
    with make_service() as service:
        assert not service.snapshot().ready
        until(lambda: service.snapshot().ready)
        until(lambda: service.snapshot().state("tv/a").observed is not None)
        until(lambda: all(one.live.told for one in service.snapshot().workloads.values()))
        snapshot = service.snapshot()
        first = targets(service)
        assert max(first) > 1
        assert snapshot.target("tv/a", utc_now()).source is Source.LEAD_PEAK
        assert snapshot.state("tv/a").training.runs == 1
        assert snapshot.state("tv/a").plan.end - utc_now() > timedelta(hours=47.9)
        assert snapshot.notices == ()
    assert children() == []
    assert not path.with_name("preroll.sqlite-wal").exists()  # closed in order: one sound file

    down_file.touch()
    with make_service() as service:
        assert service.snapshot().ready  # there was no time for anything else
        assert targets(service) == first
        assert service.snapshot().target("tv/a", utc_now()).source is Source.LEAD_PEAK
        until(lambda: service.snapshot().notices)
        assert "connection refused" in service.snapshot().notices[0]
        assert "serving the plan made at" in service.snapshot().notices[0]
        assert targets(service) == first

    small = ScalingRule(capacity_rps=1.0, max_replicas=3)
    changed = fleet(*WORKLOADS)
    changed = dataclasses.replace(
        changed,
        workloads=tuple(dataclasses.replace(one, rule=small) for one in changed.workloads),
    )
    with make_service(changed) as service:  # the new rule needs no training
        assert max(targets(service)) == 3


@pytest.mark.slow
def test_before_the_source_was_ever_up_the_reason_is_told_and_then_it_trains(
    make_service, down_file
):
    down_file.touch()
    with make_service() as service:
        until(lambda: service.snapshot().ready)
        with pytest.raises(NoUsablePlan, match="connection refused"):
            service.snapshot().target("tv/a", utc_now())
        down_file.unlink()
        until(lambda: service.snapshot().state("tv/b").plan is not None)
        assert service.snapshot().target("tv/b", utc_now()).replicas > 0


@pytest.mark.slow
def test_a_trainer_that_is_killed_is_told_and_started_again(make_service):
    with make_service(delay_seconds=1.5) as service:
        # The trainer is the first one started; it waits for its source.
        until(lambda: len(children()) == 2)
        os.kill(children()[0], signal.SIGKILL)
        until(lambda: service.snapshot().notices)
        assert "the trainer died (killed by SIGKILL" in service.snapshot().notices[0]
        until(lambda: all(one.plan for one in service.snapshot().workloads.values()))
        state = service.snapshot().state("tv/a")
        assert (state.training.failures, state.training.last_error) == (1, None)
        until(lambda: not service.snapshot().notices)


@pytest.mark.slow
def test_a_refresher_that_is_killed_is_started_again(make_service):
    with make_service() as service:
        until(lambda: all(one.plan for one in service.snapshot().workloads.values()))
        until(lambda: len(children()) == 1)  # the trainer is gone when its work is done
        until(lambda: service.snapshot().state("tv/a").observed)
        (before,) = children()
        os.kill(before, signal.SIGKILL)
        until(lambda: any("refresher died" in one for one in service.snapshot().notices))
        until(lambda: not service.snapshot().notices)
        assert children() != [before]


@pytest.mark.slow
def test_a_damaged_store_is_moved_aside_and_everything_begins_anew(make_service, path, caplog):
    path.write_bytes(b"no database at all " * 1000)
    with make_service() as service:
        until(lambda: service.snapshot().ready)
        assert targets(service, 10)
    (aside,) = path.parent.glob("preroll.sqlite.damaged-*")
    assert aside.read_bytes().startswith(b"no database at all")
    assert "store damaged" in [record.message for record in caplog.records]


@pytest.mark.slow
def test_a_stored_outlook_that_cannot_be_read_costs_that_workload_its_plan_alone(
    make_service, path, down_file
):
    with make_service() as service:
        until(lambda: service.snapshot().ready)
        until(lambda: all(one.plan for one in service.snapshot().workloads.values()))
    with open_store(path, utc_now()) as store:
        (a,) = (one for one in store.outlooks() if one.workload == "tv/a")
        broken = dataclasses.replace(a, rates=a.rates[:-9])
        store.save_outlook(broken, store.records()["tv/a"])
    with make_service() as service:
        assert service.snapshot().state("tv/a").plan is None
        assert service.snapshot().state("tv/b").plan is not None
        until(lambda: service.snapshot().state("tv/a").plan is not None)  # due at once


def test_the_serving_process_never_loads_what_only_a_trainer_needs():
    script = """
import sys
import forecaster.cli.http_service, forecaster.worker, forecaster.settings
heavy = ["statsforecast", "numba", "sklearn", "plotly", "scipy.stats",
         "forecaster.traffic.files", "forecaster.worker.training"]
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout == "[]\n"


def test_a_trainer_never_loads_a_web_framework():
    script = """
import sys
import forecaster.cli, forecaster.worker.trainer, forecaster.worker.refresher
web = ["fastapi", "starlette", "uvicorn", "uvloop", "api"]
print([name for name in web if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_what_was_served_is_held_over_a_restart(make_service, path, down_file):
    """A capacity doubled at a restart halves the need, and not before the hold-down is over."""
    not_at_the_end_of_a_step()
    down_file.touch()
    generous = fleet(*WORKLOADS, capacity_rps=1.0, hold_down=timedelta(minutes=30))
    with make_service() as service:
        down_file.unlink()
        until(lambda: all(one.plan for one in service.snapshot().workloads.values()))
    down_file.touch()
    with make_service(generous) as service:
        needed = {
            name: one.target(utc_now()).planned_replicas  # a lead peak's, while it is fresh
            for name, one in service.snapshot().workloads.items()
        }
        until(lambda: service.snapshot().notices)  # a round has passed: it was noted
    thrifty = fleet(*WORKLOADS, capacity_rps=100.0, hold_down=timedelta(minutes=30))
    with make_service(thrifty) as service:
        now = utc_now()
        for name, replicas in needed.items():
            plan = service.snapshot().state(name).plan
            assert plan.target(now).planned_replicas >= replicas
            later = plan.target(now + timedelta(hours=2)).planned_replicas
            assert later < replicas
            assert np.all(plan.replicas[-100:] < replicas)


@pytest.mark.slow
def test_two_days_without_a_source_are_served_from_the_plan_and_then_it_recovers(
    make_service, down_file, tmp_path
):
    """The clock is the test's own, in every process: days pass at once."""
    clock = FileClock(tmp_path / "clock")
    clock.move_to(0)

    def notices():
        return " ".join(service.snapshot().notices)

    with make_service(clock=clock) as service:
        until(lambda: all(one.plan for one in service.snapshot().workloads.values()))
        down_file.touch()
        for hours in (0.2, 7, 24, 47.9):
            clock.move_to(hours)
            until(lambda: "no traffic from the source since 2026-05-04 17:55 UTC" in notices())
            until(lambda: "connection refused" in notices())
            assert "serving the plan made at 2026-05-04 18:00 UTC" in notices()
            assert service.snapshot().target("tv/a", clock()).replicas > 0
        until(lambda: service.snapshot().state("tv/a").training.failures > 0)
        clock.move_to(48)
        until(lambda: service.snapshot().state("tv/a").plan is None)
        with pytest.raises(NoUsablePlan, match=r"the plan made at .*; no traffic from the source"):
            service.snapshot().target("tv/a", clock())
        down_file.unlink()
        clock.move_to(48.5)
        until(lambda: service.snapshot().state("tv/a").plan is not None)
        until(lambda: notices() == "")
        assert service.snapshot().target("tv/a", clock()).replicas > 0


def test_a_wrong_address_shows_at_the_first_attempt_not_after_the_last(path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # free, and nobody listens on it any more
    connection = PrometheusConnection(f"http://127.0.0.1:{port}", max_attempts=1000)
    source = ConfiguredSource(PrometheusSettings(connection, FleetQuery("up")), WORKLOADS)
    with Service(fleet(*WORKLOADS), source, open_store(path, utc_now()), tick_seconds=0.05) as one:
        until(lambda: one.snapshot().ready)
        with pytest.raises(NoUsablePlan) as caught:
            one.snapshot().target("tv/a", utc_now())
    assert str(caught.value).startswith("tv/a: not trained yet: no traffic from the source since")
    assert f"cannot reach http://127.0.0.1:{port}: " in str(caught.value)


def test_a_workload_that_the_cluster_declares_is_trained_foretold_and_gone_again(make_service):
    """Another fleet, while it runs: nobody is restarted, and the others notice nothing."""
    _, two = fleet(*WORKLOADS).workloads
    with make_service(fleet("tv/a")) as service:
        until(lambda: service.snapshot().state("tv/a").live.told)
        until(lambda: len(children()) == 1)
        refresher, trainings = children(), service.snapshot().state("tv/a").training.runs
        service.roster.take_declared([two])
        until(lambda: "tv/b" in service.snapshot().workloads)
        until(lambda: service.snapshot().state("tv/b").live.told and service.snapshot().ready)
        assert service.snapshot().target("tv/b", utc_now()).source is Source.LEAD_PEAK
        before = service.snapshot().target("tv/b", utc_now()).planned_replicas

        smaller = dataclasses.replace(two, rule=dataclasses.replace(two.rule, max_replicas=2))
        service.roster.take_declared([smaller])
        until(lambda: service.snapshot().state("tv/b").rule.max_replicas == 2)
        assert before > service.snapshot().target("tv/b", utc_now()).planned_replicas == 2
        assert service.snapshot().state("tv/b").live.told  # the same model, at work as before

        service.roster.take_declared([])
        until(lambda: "tv/b" not in service.snapshot().workloads)
        until(lambda: children() == refresher)
        assert service.snapshot().state("tv/a").training.runs == trainings
    with make_service(fleet("tv/a")) as service:
        service.roster.take_declared([two])  # it comes back, and its plan is there at once
        until(lambda: "tv/b" in service.snapshot().workloads, seconds=5)
        assert service.snapshot().state("tv/b").plan is not None
        assert service.snapshot().state("tv/b").training.runs == 1
