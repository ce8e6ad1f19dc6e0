from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The demo as a user starts it: the process, its address, and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "forecaster.cli", "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    printed = ""
    assert process.stdout is not None
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            break
    found = re.search(r"target +(http://127\.0\.0\.1:\d+)/", printed)
    assert found, printed
    yield process, found[1], printed
    if process.poll() is None:
        process.terminate()
    process.communicate(timeout=10)


def get(url: str) -> tuple[int, dict[str, object]]:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status, json.load(answer)


def test_the_printed_curl_line_gives_a_target_with_its_reason(
    running: tuple[subprocess.Popen[str], str, str],
) -> None:
    _, _, printed = running
    curl = re.search(r"curl -s (\S+)", printed)
    assert curl
    status, body = get(curl[1])
    assert status == 200
    assert isinstance(body["replicas"], int)
    assert body["replicas"] >= 2
    assert "÷ 50 rps" in str(body["reasons"])


def test_the_lead_peak_speaks_from_the_first_answer_on(
    running: tuple[subprocess.Popen[str], str, str],
) -> None:
    _, url, _ = running
    body = get(f"{url}/v1/targets/streaming/player-api")[1]
    assert body["source"] == "lead_peak"
    assert body["lead_peak"]["taught"] == "own"  # type: ignore[index]
    assert str(body["reasons"]).startswith("['lead peak 0.98 quantile ")


def test_it_is_ready_and_live_traffic_has_arrived(
    running: tuple[subprocess.Popen[str], str, str],
) -> None:
    _, url, _ = running
    assert get(f"{url}/readyz")[0] == 200
    deadline = time.monotonic() + 20
    while (observed := get(f"{url}/v1/workloads")[1]["workloads"][0]["observed"]) is None:  # type: ignore[index]
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert observed["rate_rps"] > 100


def test_the_matches_are_known_as_events_and_marked_in_the_forecast(
    running: tuple[subprocess.Popen[str], str, str],
) -> None:
    _, url, printed = running
    curl = re.search(r'curl -s "(\S+/v1/events\S+)"', printed)
    clock = re.search(r"kicks off at (\d\d:\d\d) UTC", printed)
    assert curl
    assert clock
    body = get(curl[1])[1]
    events = body["events"]
    first = events[0]  # type: ignore[index]
    assert (first["name"], first["kind"]) == ("South Africa v Denmark", "football")
    assert first["start"][11:16] == clock[1]
    assert {one["source"] for one in events} == {"matches"}  # type: ignore[attr-defined]
    forecast = get(f"{url}/v1/workloads/streaming/player-api/forecast")[1]
    marked = [one["name"] for one in forecast["events"]]  # type: ignore[attr-defined]
    assert marked[:2] == [one["name"] for one in events][:2]  # type: ignore[attr-defined]
    assert any("events: football" in one for one in forecast["reasons"])  # type: ignore[attr-defined]


def test_every_printed_address_answers(
    running: tuple[subprocess.Popen[str], str, str],
) -> None:
    _, _, printed = running
    addresses = set(re.findall(r'http://127[^\s"]+', printed))
    assert len(addresses) >= 6
    for address in addresses:
        with urllib.request.urlopen(address, timeout=5) as answer:
            assert answer.status == 200, address


def test_the_printed_trigger_is_what_keda_takes(
    running: tuple[subprocess.Popen[str], str, str],
) -> None:
    import yaml

    _, url, printed = running
    text = printed[printed.index("  triggers:") : printed.index("Ctrl-C")]
    (trigger,) = yaml.safe_load(text)["triggers"]
    assert trigger["type"] == "metrics-api"
    assert trigger["metricType"] == "AverageValue"
    assert trigger["metadata"]["targetValue"] == "1"
    assert trigger["metadata"]["url"] == f"{url}/v1/targets/streaming/player-api"


def test_sigterm_ends_all_its_processes_within_five_seconds(
    running: tuple[subprocess.Popen[str], str, str],
) -> None:
    process, _, _ = running
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    children = [pid for task in tasks for pid in task.read_text().split()]
    assert children
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    while any(alive(int(pid)) for pid in children):
        assert time.monotonic() - started < 5
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()[0]
    return status != "Z"


def test_a_port_that_is_taken_is_said_with_an_example() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "forecaster.cli", "demo", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=ROOT,
            check=False,
        )
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr
