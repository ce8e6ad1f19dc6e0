"""What the Dockerfile builds, and how it runs on a read-only root file system."""

from __future__ import annotations

import csv
import http.client
import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecaster.traffic.history import TrafficSeries
from tests.deploy.dockerfile import final, healthcheck
from tests.deploy.documents import TOKEN, pod
from tests.deploy.image import Image, built_image, interpreter

# One group: the image is big, and every worker would build its own.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("image")]

# A mount namespace of its own, where nothing but the folders that are named can be written.
READ_ONLY = """
set -eu
mount --make-rprivate /
for folder in "$STORE" "$TMPDIR"; do mount --bind "$folder" "$folder"; done
mount --bind "$IMAGE" "$IMAGE"
mount -o remount,bind,ro "$IMAGE"
mount -o remount,bind,ro /
if touch "$IMAGE/x" 2>/dev/null; then exit 99; fi
touch "$STORE/x" "$TMPDIR/x"
cd "$STORE"
exec "$@"
"""


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    python = interpreter()
    if python is None:
        pytest.skip("no Python of the image's minor version")
    with built_image(python) as built:
        yield built


@pytest.fixture
def namespace() -> list[str]:
    command = ["unshare", "--mount", "--map-root-user"]
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    probe = [*command, "sh", "-c", "mount --make-rprivate / && mount -o remount,bind,ro /"]
    if subprocess.run(probe, capture_output=True, timeout=20, check=False).returncode:
        pytest.skip("no mount namespaces here")
    return command


@pytest.fixture
def settings_file(tmp_path: Path, tournament: TrafficSeries) -> Path:
    """The last week of the bundled trace as if it ended now, by the quarter of an hour."""
    rates = tournament.rate_rps[-7 * 24 * 60 :].reshape(-1, 15).mean(axis=1)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    now -= timedelta(minutes=now.minute % 15)
    start = now - len(rates) * timedelta(minutes=15)
    with (tmp_path / "traffic.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["series", "timestamp", "value"])
        for index, rate in enumerate(rates):
            stamp = start + index * timedelta(minutes=15)
            rows.writerow(["streaming/player-api", stamp.isoformat(), f"{rate:.4f}"])
    (tmp_path / "tokens").write_text(TOKEN)
    path = tmp_path / "preroll.yaml"
    path.write_text(
        f"""\
source: {{file: {{path: traffic.csv}}}}
step: 15m
workloads: [{{namespace: streaming, name: player-api, capacity: 2}}]
server: {{tokens_file: tokens}}
store: {{path: {tmp_path / "store" / "preroll.sqlite"}}}
"""
    )
    return path


def test_the_command_is_installed_with_its_version(image: Image, tmp_path: Path) -> None:
    done = subprocess.run(
        ["preroll", "--version"],
        cwd=tmp_path,
        env=image.environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    tag = pod()["containers"][0]["image"].partition(":")[2]
    assert done.stdout.split() == ["preroll", tag]


def test_nothing_comes_from_the_checkout_and_nothing_can_be_installed(
    image: Image, tmp_path: Path
) -> None:
    script = (
        "import api.app, forecaster.cli.app, importlib.util as u, json; "
        "from importlib.resources import files; "
        "print(json.dumps([api.app.__file__, forecaster.__file__, bool(u.find_spec('pip')), "
        "sorted(p.name for p in (files('forecaster.traffic') / 'data').iterdir())]))"
    )
    done = subprocess.run(
        [image.python, "-c", script],
        cwd=tmp_path,
        env=image.environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    api, forecaster, pip, data = json.loads(done.stdout)
    assert all(path.startswith(str(image.root)) for path in (api, forecaster))
    assert not pip
    assert any(name.endswith(".csv.gz") for name in data)
    assert any(name.endswith("NOTICE.html") for name in data)


def test_it_trains_serves_and_stops_on_a_read_only_root(
    image: Image, namespace: list[str], settings_file: Path, tmp_path: Path
) -> None:
    port = free_port()
    scratch, store = tmp_path / "scratch", tmp_path / "store"
    scratch.mkdir()
    store.mkdir()
    *serve, config = [*final().command("ENTRYPOINT"), *final().command("CMD")]
    assert config == "/etc/preroll/preroll.yaml"
    environ = {
        **image.environment(scratch),
        "PREROLL_SERVER__PORT": str(port),
        "STORE": str(store),
        "IMAGE": str(image.root),
    }
    log = tmp_path / "log"
    command = [*namespace, "sh", "-c", READ_ONLY, "sh", *serve, str(settings_file)]
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=environ, stdout=output, stderr=output) as process,
    ):
        try:
            body = wait_for_target(port, process, log)
            assert body["planned_replicas"] == body["replicas"] > 0
            healthy = subprocess.run(
                [image.python, *healthcheck()[1:]], env=environ, timeout=30, check=False
            )
            assert healthy.returncode == 0
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert time.monotonic() - began < pod()["terminationGracePeriodSeconds"]
        finally:
            process.kill()
    assert (store / "preroll.sqlite").stat().st_size > 0
    said = log.read_text()
    assert "Read-only file system" not in said and "Traceback" not in said


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for_target(port: int, process: subprocess.Popen[bytes], log: Path) -> dict[str, int]:
    """The first target that is served, to one who has the token."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            connection.request("GET", "/v1/targets/streaming/player-api", headers=headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status == 200:
                return dict(body)
            assert answer.status == 503, body
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.3)
    pytest.fail(f"no target; exit code {process.poll()}\n{log.read_text()[-4000:]}")
