"""``preroll serve`` as its users run it: a process, a settings file, HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.worker.processes import below

__all__ = [
    "Running",
    "free_port",
    "running",
    "serve_command",
    "sound",
    "wait_until_stored",
    "write_settings",
]

STOP_SECONDS = 5.0


@dataclass
class Running:
    """A running service."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        """Ask it something."""
        return httpx.get(self.url + path, timeout=5)

    def target(self) -> dict[str, Any]:
        """What KEDA gets for tv/api; it must be a target."""
        answer = self.get("/v1/targets/tv/api")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def target_by(self, source: str, seconds: float = 120) -> dict[str, Any]:
        """The target for tv/api once ``source`` speaks: the other's number is another number."""
        began = time.monotonic()
        while (target := self.target())["source"] != source:
            assert time.monotonic() - began < seconds, target
            time.sleep(0.05)
        return target

    def wait_until_ready(self, seconds: float = 180) -> float:
        """How long it took until /readyz said yes."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.get("/readyz").status_code == 200:
                    return time.monotonic() - began
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"not ready after {seconds} s:\n{self.log.read_text()}")

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def events(self) -> list[str]:
        """The names of what it logged."""
        return [line["event"] for line in self.lines()]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; its exit code, and how long it took to end with all it had started."""
        started = below(self.process.pid)
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        while any(_alive(pid) for pid in started):
            assert time.monotonic() - began < 30
            time.sleep(0.01)
        return code, time.monotonic() - began


def _alive(pid: int) -> bool:
    """Whether it runs: who has ended and only waits for process 1 to look does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[-1].split()[0] != "Z"


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def write_settings(folder: Path, port: int, more: str = "") -> Path:
    """Settings for one workload, tv/api, from a file of five-minute traffic."""
    path = folder / "preroll.yaml"
    path.write_text(f"""
source: {{file: {{path: traffic.csv.gz, unit: requests}}}}
step: 5m
history: 3d
workloads: [{{namespace: tv, name: api, capacity: 5}}]
server: {{port: {port}}}
store: {{path: preroll.sqlite}}
{more}
""")
    return path


def serve_command(settings: Path) -> list[str]:
    """How it is started."""
    return [sys.executable, "-m", "forecaster.cli", "serve", "--config", str(settings)]


@contextmanager
def running(folder: Path, more: str = "") -> Iterator[Running]:
    """The service on the settings and the traffic in ``folder``; killed if it still runs then."""
    port = free_port()
    log = folder / f"log-{port}.jsonl"
    with log.open("wb") as file:
        process = subprocess.Popen(
            serve_command(write_settings(folder, port, more)),
            stdout=file,
            stderr=file,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            yield Running(process, f"http://127.0.0.1:{port}", log)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def wait_until_stored(store: Path, table: str, seconds: float = 90) -> None:
    """Until a table of the store has a row."""
    began = time.monotonic()
    with closing(sqlite3.connect(store, timeout=5)) as connection:
        while connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,):
            assert time.monotonic() - began < seconds
            time.sleep(0.02)


def sound(store: Path) -> bool:
    """Whether the store's file is a sound database, and in one piece."""
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
