"""``preroll serve`` from start to end, as a process among processes."""

import os
import signal
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from forecaster.worker import utc_now
from tests.service.running import STOP_SECONDS, running, sound, wait_until_stored
from tests.worker.processes import below, helpers_of
from tests.worker.sources import STEP, moved_trace, write_traffic_file

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    """A folder with traffic up to now."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    end = epoch + (utc_now() - epoch) // STEP * STEP
    write_traffic_file(tmp_path / "traffic.csv.gz", moved_trace("x", end, 3))
    return tmp_path


def test_from_the_first_start_over_a_stop_to_a_restart_without_a_source(folder):
    with running(folder) as service:
        service.wait_until_ready()
        target = service.target_by("lead_peak")
        assert target["replicas"] > 0
        assert target["mode"] == "active"
        wait_until_stored(folder / "preroll.sqlite", "lead_peaks")
        code, seconds = service.stop()
        assert code == 0
        assert seconds < STOP_SECONDS
        events = service.events()
        assert events[:2] == ["plans loaded", "training begins"]
        assert "trained" in events
        assert events[-1] == "stopped"
        assert not [line for line in service.lines() if line["level"] in {"warning", "error"}]
    assert sound(folder / "preroll.sqlite")
    assert not (folder / "preroll.sqlite-wal").exists()

    (folder / "traffic.csv.gz").unlink()
    with running(folder) as service:
        service.wait_until_ready(seconds=60)
        again = service.target_by("lead_peak", seconds=60)  # what was told before the restart
        assert abs(again["planned_replicas"] - target["planned_replicas"]) <= 3  # a minute later
        assert "trained" not in service.events()
        deadline = time.monotonic() + 60
        while not (notices := service.target()["notices"]) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert "No such file" in notices[0]
        assert "serving the plan made at" in notices[0]
        assert service.stop()[0] == 0


def test_a_workload_on_its_first_day_gets_a_target_from_the_starter_and_traffic_that_stops_a_503(
    tmp_path,
):
    """Five hours of traffic that goes on only until a quarter of an hour ago, then up to now."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    end = epoch + (utc_now() - epoch) // STEP * STEP
    traffic = moved_trace("x", end, 0.25)
    write_traffic_file(tmp_path / "traffic.csv.gz", traffic.before(end - 6 * STEP))
    with running(tmp_path) as service:
        service.wait_until_ready()
        answer = service.get("/v1/targets/tv/api")
        assert answer.status_code == 503
        assert "an outlook needs at least 24 h" in answer.json()["reason"]
        service.stop()
    write_traffic_file(tmp_path / "traffic.csv.gz", traffic)
    with running(tmp_path) as service:
        service.wait_until_ready()
        deadline = time.monotonic() + 30
        while (answer := service.get("/v1/targets/tv/api")).status_code == 503:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        target = answer.json()
        assert (target["source"], target["lead_peak"]["taught"]) == ("lead_peak", "starter")
        assert target["replicas"] >= target["lead_peak"]["now_rps"] / 5
        assert "starter model: 5h" in target["reasons"][-1]
        assert "no outlook yet" in target["reasons"][-1]
        assert service.stop()[0] == 0


@pytest.mark.parametrize("moment", ["at once", "while it trains", "with open connections"])
def test_sigterm_ends_everything_in_time_and_well_at_any_moment(folder, moment):
    with running(folder) as service, ExitStack() as stack:
        if moment == "at once":
            while not Path(f"/proc/{service.process.pid}").exists():
                time.sleep(0.01)
            deadline = time.monotonic() + 30
            while "plans loaded" not in service.log.read_text() and time.monotonic() < deadline:
                time.sleep(0.001)
        elif moment == "while it trains":
            while "training begins" not in service.log.read_text():
                time.sleep(0.01)
            while not helpers_of(service.process.pid):
                time.sleep(0.01)
            time.sleep(0.5)
        else:
            service.wait_until_ready()
            for _ in range(20):
                client = stack.enter_context(httpx.Client(base_url=service.url))
                assert client.get("/v1/targets/tv/api").status_code == 200  # and stays connected
        code, seconds = service.stop()
        assert seconds < STOP_SECONDS
        assert code == 0
        assert below(service.process.pid) == []
    if (folder / "preroll.sqlite").exists():
        assert sound(folder / "preroll.sqlite")


def test_a_killed_service_takes_its_helpers_along_and_serves_its_plan_when_it_is_back(folder):
    with running(folder) as service:
        service.wait_until_ready()
        before = service.target_by("lead_peak")["planned_replicas"]
        wait_until_stored(folder / "preroll.sqlite", "lead_peaks")
        code, seconds = service.stop(signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert seconds < 15  # a helper that is just starting looks for its parent when it is up
    with running(folder) as service:
        service.wait_until_ready(seconds=60)
        again = service.target_by("lead_peak", seconds=60)["planned_replicas"]
        assert abs(again - before) <= 3
        assert "training begins" not in service.events()  # nothing was lost: nothing is due


def test_a_killed_trainer_costs_no_answer(folder):
    """Asked without a pause while the trainer is killed: every answer is a target."""
    with running(folder) as service:
        service.wait_until_ready()
        service.stop()
    with running(folder, "timezone: Asia/Tokyo") as service:  # what is stored is served, and due
        service.wait_until_ready()
        answers: list[int] = []
        done = threading.Event()

        def ask() -> None:
            with httpx.Client(base_url=service.url) as client:
                while not done.is_set():
                    answers.append(client.get("/v1/targets/tv/api").status_code)

        asker = threading.Thread(target=ask)
        asker.start()
        try:
            deadline = time.monotonic() + 30
            while len(helpers_of(service.process.pid)) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(helpers_of(service.process.pid)[0], signal.SIGKILL)
            deadline = time.monotonic() + 120
            while "trained" not in service.events() and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            done.set()
            asker.join()
        events = service.events()
        assert events.index("trainer died") < events.index("trained")
        assert len(answers) > 100
        assert set(answers) == {200}
        metrics = service.get("/metrics").text
        assert 'preroll_training_failures_total{namespace="tv",workload="api"} 1.0' in metrics


def test_helpers_hold_no_web_server_and_the_trainer_is_polite(folder):
    with running(folder) as service:
        deadline = time.monotonic() + 30
        niceness: set[int] = set()
        while 10 not in niceness and time.monotonic() < deadline:
            for pid in helpers_of(service.process.pid):
                try:
                    maps = Path(f"/proc/{pid}/maps").read_text()
                    niceness.add(os.getpriority(os.PRIO_PROCESS, pid) - os.getpriority(0, 0))
                except OSError:
                    continue
                assert "uvloop" not in maps
                assert "httptools" not in maps
            time.sleep(0.05)
        assert 10 in niceness
        service.wait_until_ready()
        maps = Path(f"/proc/{service.process.pid}/maps").read_text()
        assert "uvloop" in maps
        assert "llvmlite" not in maps


def test_tokens_guard_what_keda_reads_and_are_not_logged(folder, monkeypatch):
    (folder / "tokens").write_text("open-sesame\n")
    monkeypatch.setenv("PREROLL_SERVER__TOKENS_FILE", "tokens")
    monkeypatch.setenv("PREROLL_LOG__LEVEL", "debug")
    with running(folder) as service:
        service.wait_until_ready()
        assert service.get("/v1/targets/tv/api").status_code == 401
        headers = {"Authorization": "Bearer open-sesame"}
        answer = httpx.get(service.url + "/v1/targets/tv/api", headers=headers)
        assert answer.status_code == 200
        service.stop()
        assert "open-sesame" not in service.log.read_text()


def test_placeholders_are_told_by_the_plan_and_the_settings_time_on_a_new_node(folder, monkeypatch):
    monkeypatch.setenv("PREROLL_KUBERNETES__NODE_LEAD_TIME", "8h")
    with running(folder) as service:
        service.wait_until_ready()
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:  # until nothing changed between the questions
            before = service.target()
            forecast = service.get("/v1/workloads/tv/api/forecast").json()
            answer = service.get("/v1/headroom/tv/api")
            now, after = utc_now(), service.target()
            if before == after and now.timestamp() % STEP.total_seconds() < 240:
                break
            time.sleep(0.5)
        columns = zip(forecast["timestamps"], forecast["replicas"], strict=True)
        until = now + timedelta(hours=8) - timedelta(minutes=5)  # less the lead time
        ahead = [
            replicas
            for stamp, replicas in columns
            if replicas is not None and now - STEP < datetime.fromisoformat(stamp) <= until
        ]
        assert (answer.status_code, len(ahead)) == (200, 96)
        told = answer.json()
        assert told["replicas"] == max(max(ahead) - max(after["replicas"], ahead[0]), 0)
        assert "a new node takes 8h (kubernetes.node_lead_time)" in told["reasons"][1]
        service.stop()
