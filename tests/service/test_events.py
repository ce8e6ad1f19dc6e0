"""Events on a running service: over REST, from calendars, over kills and restarts."""

from __future__ import annotations

import http.server
import json
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from forecaster.store import CalendarShelf
from forecaster.traffic.history import TrafficSeries
from forecaster.worker import utc_now
from tests.service.running import running, sound
from tests.worker.sources import STEP, moved_trace, write_traffic_file

pytestmark = pytest.mark.slow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRITE = {"Authorization": "Bearer writer"}


@pytest.fixture
def folder(tmp_path):
    """A folder with traffic up to now."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    end = epoch + (utc_now() - epoch) // STEP * STEP
    write_traffic_file(tmp_path / "traffic.csv.gz", moved_trace("x", end, 3))
    return tmp_path


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("PREROLL_SERVER__EVENTS_TOKENS", "writer")


def bands(service) -> dict[str, dict]:
    answer = service.get("/v1/workloads/tv/api/forecast")
    assert answer.status_code == 200, answer.text
    return {one["id"]: one for one in answer.json()["events"]}


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def test_an_event_made_with_curl_is_a_band_of_the_forecast_and_is_there_after_a_kill(
    folder, environment
):
    start = utc_now() + timedelta(hours=3)
    with running(folder) as service:
        service.wait_until_ready()
        curl = subprocess.run(
            [
                *("curl", "-sS", "-w", " %{http_code}", "-X", "POST", service.url + "/v1/events"),
                *("-H", "Authorization: Bearer writer", "-H", "Content-Type: application/json"),
                "-d",
                json.dumps({"id": "final", "start": start.isoformat(), "kind": "football"}),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert curl.stdout.endswith(" 201"), curl.stdout + curl.stderr
        assert bands(service)["final"]["open"]
        extended = httpx.post(
            service.url + "/v1/events/final/extend", json={"by": "15m"}, headers=WRITE
        )
        assert extended.status_code == 200
        code, _ = service.stop(signal.SIGKILL)
        assert code == -signal.SIGKILL
    assert sound(folder / "preroll.sqlite")
    with running(folder) as service:
        service.wait_until_ready(seconds=60)
        band = bands(service)["final"]
        assert (band["kind"], band["source"]) == ("football", "rest")
        assert datetime.fromisoformat(band["end"]) == start + timedelta(hours=6, minutes=15)
        shelf = CalendarShelf(folder / "preroll.sqlite")
        assert [one.event_id for one in shelf.load()[1].events] == ["final"]
        assert httpx.delete(service.url + "/v1/events/final", headers=WRITE).status_code == 204
        assert bands(service) == {}
        until(lambda: not shelf.load()[1].events)
        assert service.stop()[0] == 0
        assert not [line for line in service.lines() if line["level"] in {"warning", "error"}]


@dataclass(frozen=True)
class Forecast:
    """The outlook's middle and the plan's replicas, step by step."""

    start: datetime
    middle: list[float]
    replicas: list[int]

    @classmethod
    def of(cls, service) -> Forecast:
        answer = service.get("/v1/workloads/tv/api/forecast?quantiles=0.5").json()
        first = datetime.fromisoformat(answer["timestamps"][0])
        return cls(first, answer["quantiles"]["0.5"], answer["replicas"])

    def over(self, other: Forecast, at: datetime) -> tuple[float, float]:
        """What the middle, and the replicas, are of the other's at an instant, rounded."""
        place = (at - self.start) // STEP
        assert other.start == self.start
        replicas = self.replicas[place] / other.replicas[place]
        return round(self.middle[place] / other.middle[place], 1), replicas


def test_an_event_over_rest_lifts_the_plan_within_seconds_and_after_a_kill_until_it_is_removed(
    tmp_path, environment
):
    """Live traffic is an hour old, so the outlook speaks, and KEDA gets what it says."""
    now = utc_now()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    end = epoch + (now - epoch) // STEP * STEP - timedelta(hours=1)
    write_traffic_file(tmp_path / "traffic.csv.gz", moved_trace("x", end, 3))
    during, later = now + timedelta(minutes=30), now + timedelta(minutes=150)
    more = "defaults: {max_replicas: 5000}"

    def lifted(at: datetime) -> bool:
        """The middle is what was declared; the quantile that is planned by is not sure of it."""
        middle, replicas = Forecast.of(service).over(plain, at)
        return middle == 3 and 3 < replicas < 10

    body = {
        "id": "final",
        "start": (now - timedelta(minutes=15)).isoformat(),
        "end": (now + timedelta(minutes=90)).isoformat(),
        "kind": "football",
        "uplift": 3,
    }
    with running(tmp_path, more) as service:
        service.wait_until_ready()
        plain, target = Forecast.of(service), service.target_by("outlook")
        posted = time.monotonic()
        answer = httpx.post(service.url + "/v1/events", json=body, headers=WRITE)
        assert answer.status_code == 201, answer.text
        until(lambda: lifted(during), 30)
        until(lambda: service.target()["replicas"] > 3 * target["replicas"], 30)
        assert time.monotonic() - posted < 10
        assert Forecast.of(service).over(plain, later) == (1, 1)
        url = service.url + "/v1/events/final/extend"
        assert httpx.post(url, json={"by": "2h"}, headers=WRITE).status_code == 200
        until(lambda: lifted(later), 30)
        assert service.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    with running(tmp_path, more) as service:
        service.wait_until_ready(seconds=60)
        assert lifted(later)
        assert service.stop()[0] == 0
        assert "trained" not in service.events()
    with running(tmp_path, more) as service:
        service.wait_until_ready(seconds=60)
        assert lifted(during)
        assert httpx.delete(service.url + "/v1/events/final", headers=WRITE).status_code == 204
        until(lambda: Forecast.of(service) == plain, 30)
        until(lambda: service.target()["replicas"] < 2 * target["replicas"], 30)
        assert service.stop()[0] == 0
        assert "trained" not in service.events()


def test_an_event_of_a_kind_that_past_ones_taught_lifts_the_plan_at_once(tmp_path, environment):
    """Two launches trebled traffic; a third one is announced, and nobody says what it brings."""
    now = utc_now()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    end = epoch + (now - epoch) // STEP * STEP
    hour, day = timedelta(hours=1), timedelta(days=1)
    launches = [end - 2 * day + 3 * hour, end - day + 3 * hour]
    series = moved_trace("x", end, 3)
    rates = series.rate_rps.copy()
    for at in launches:
        first = (at - series.start) // STEP
        rates[first : first + 24] *= 3
    write_traffic_file(tmp_path / "traffic.csv.gz", TrafficSeries("x", series.start, STEP, rates))
    past = [
        {"start": at.isoformat(), "end": (at + 2 * hour).isoformat(), "kind": "launch"}
        for at in launches
    ]
    with running(tmp_path, f"events: {{events: {json.dumps(past)}}}") as service:
        service.wait_until_ready()
        plain = Forecast.of(service)
        at = end + 3 * hour
        body = {"start": at.isoformat(), "end": (at + 2 * hour).isoformat(), "kind": "launch"}
        answer = httpx.post(service.url + "/v1/events", json=body, headers=WRITE)
        assert answer.status_code == 201, answer.text
        # 2 on a workday that two workdays taught, 1.4 on a Saturday that they did.
        until(lambda: Forecast.of(service).over(plain, at + hour)[0] > 1.3, 30)
        assert Forecast.of(service).over(plain, at + hour)[0] < 3.2
        assert Forecast.of(service).over(plain, at + 6 * hour) == (1, 1)


def test_who_may_only_read_changes_nothing(folder, environment, monkeypatch):
    monkeypatch.setenv("PREROLL_SERVER__TOKENS", "reader")
    body = {"start": utc_now().isoformat(), "kind": "show"}
    with running(folder) as service:
        until(lambda: _answers(service))

        def post(token: str | None) -> int:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            return httpx.post(service.url + "/v1/events", json=body, headers=headers).status_code

        assert [post(one) for one in (None, "wrong", "reader", "writer")] == [401, 401, 403, 201]
        service.stop()
        assert "writer" not in service.log.read_text()


def test_a_calendar_whose_server_dies_stays_known_over_a_restart_and_that_is_said(
    folder, monkeypatch
):
    start = utc_now().replace(microsecond=0) + timedelta(hours=2)

    class Calendar(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            text = f"start,name,category\n{start.isoformat()},A v B,football\n"
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Calendar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    more = f"""
events:
  sources: [{{name: matches, url: "http://127.0.0.1:{server.server_port}/m.csv", every: 1s}}]
"""
    try:
        with running(folder, more) as service:
            service.wait_until_ready()
            until(lambda: bands(service))
            (event_id,) = bands(service)
            assert event_id.startswith("matches:")
            trained = [line for line in service.lines() if line["event"] == "trained"]
            assert trained[0]["events"] == 1  # the first training waited for the calendar
            server.shutdown()
            server.server_close()
            until(lambda: service.get("/v1/workloads").json()["notices"])
            (notice,) = service.get("/v1/workloads").json()["notices"]
            assert notice.startswith("the calendar matches fails since ")
            metrics = service.get("/metrics").text
            assert 'preroll_event_source_up{source="matches"} 0.0' in metrics
            assert 'preroll_events{source="matches"} 1.0' in metrics
            assert service.stop(signal.SIGKILL)[0] == -signal.SIGKILL
        with running(folder, more) as service:
            service.wait_until_ready(seconds=60)
            assert set(bands(service)) == {event_id}
            until(lambda: service.get("/v1/workloads").json()["notices"])
            assert service.stop()[0] == 0
    finally:
        server.server_close()


def _answers(service) -> bool:
    try:
        return service.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_floor_over_rest_is_served_at_once_where_its_start_is_within_the_lead_time(
    folder, environment
):
    now = utc_now()
    body = {
        "id": "final",
        "start": (now + timedelta(minutes=2)).isoformat(),
        "end": (now + timedelta(hours=1)).isoformat(),
        "kind": "live-show",
        "name": "Final night",
        "floor": {"replicas": 4000},
    }
    with running(folder, "defaults: {max_replicas: 5000, lead_time: 5m}") as service:
        service.wait_until_ready()
        before = service.target_by("lead_peak")
        assert before["replicas"] < 4000
        posted = time.monotonic()
        answer = httpx.post(service.url + "/v1/events", json=body, headers=WRITE)
        assert answer.status_code == 201, answer.text
        until(lambda: service.target()["replicas"] == 4000, 30)
        assert time.monotonic() - posted < 5
        target = service.target()
        assert target["source"] == "lead_peak"
        assert target["reasons"][-1].startswith("event floor 4,000 replicas from ")
        made = Forecast.of(service)
        place = (utc_now() - made.start) // STEP
        assert made.replicas[place : place + 12] == [4000] * 12
        assert httpx.delete(service.url + "/v1/events/final", headers=WRITE).status_code == 204
        until(lambda: service.target()["replicas"] < 4000, 30)
        assert service.stop()[0] == 0


def test_a_floor_is_served_when_it_begins_and_until_it_ends_where_no_forecast_speaks(
    tmp_path, environment, monkeypatch
):
    """Three hours of traffic, which ended yesterday; steps of ten seconds, to wait for few."""
    monkeypatch.setenv("PREROLL_STEP", "10s")
    step, lead = timedelta(seconds=10), timedelta(seconds=5)
    yesterday = utc_now().replace(second=0, microsecond=0) - timedelta(days=1)
    rates = moved_trace("x", yesterday, 1080 / 288).rate_rps
    write_traffic_file(
        tmp_path / "traffic.csv.gz", TrafficSeries("x", yesterday - 1080 * step, step, rates)
    )
    with running(tmp_path, "defaults: {lead_time: 5s}") as service:
        until(lambda: _answers(service))
        begins = utc_now() + timedelta(seconds=12)
        ends = begins + timedelta(seconds=13)
        body = {
            "start": (begins + lead).isoformat(),
            "end": ends.isoformat(),
            "kind": "live-show",
            "floor": {"traffic": 199},
        }
        posted = httpx.post(service.url + "/v1/events", json=body, headers=WRITE)
        assert posted.status_code == 201, posted.text
        told = {True: [], False: []}
        while (now := utc_now()) < ends + 2 * step:
            answer = service.get("/v1/targets/tv/api")
            since = EPOCH + (now - EPOCH) // step * step
            if utc_now() < since + step:  # asked and answered within one step
                told[begins < since + step and since < ends].append(answer)
            time.sleep(0.1)
        assert len(told[False]) > 10
        assert len(told[True]) > 10
        assert {one.status_code for one in told[False]} == {503}
        assert {one.status_code for one in told[True]} == {200}
        assert {one.json()["replicas"] for one in told[True]} == {40}  # 199 ÷ 5
        assert {one.json()["source"] for one in told[True]} == {"event"}
        assert told[True][-1].json()["reasons"][1].startswith("no forecast speaks: ")
        assert service.stop()[0] == 0
