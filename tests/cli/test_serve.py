"""What keeps ``preroll serve`` from starting: one clear message, exit code 2, no traceback."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from forecaster.cli.http_service import listen, url_of
from forecaster.errors import SettingsError
from forecaster.settings import ServerSettings
from forecaster.store import PlanStore
from tests.service.running import free_port, serve_command, write_settings


def test_a_port_in_use_is_named(preroll, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        said = preroll("serve", "--config", write_settings(tmp_path, port))
    assert (said.code, said.out) == (2, "")
    assert f"server.port: cannot listen on 127.0.0.1:{port}: Address already in use" in said.err
    assert not (tmp_path / "preroll.sqlite").exists()


def test_all_problems_of_the_settings_are_listed(preroll, tmp_path):
    settings = write_settings(tmp_path, free_port(), "stp: 1m\nlog: {level: loud}\n")
    said = preroll("serve", "-c", settings)
    assert (said.code, said.out) == (2, "")
    assert "2 problems" in said.err
    assert "stp (line" in said.err
    assert "log.level (line" in said.err


def test_a_missing_settings_file_is_named(preroll, tmp_path):
    said = preroll("serve", "-c", tmp_path / "none.yaml")
    assert (said.code, said.out) == (2, "")
    assert "none.yaml: 1 problem" in said.err


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "preroll.sqlite"
    with PlanStore(path):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE preroll_about SET schema_version = 99")
    done = subprocess.run(
        serve_command(write_settings(tmp_path, free_port())),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "written by a newer Preroll (schema 99" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.exists()


def test_an_endpoint_that_is_open_to_others_is_a_warning_in_the_log(tmp_path):
    settings = write_settings(tmp_path, free_port())
    text = settings.read_text().replace("server: {", "server: {host: '127.1', ")  # a name to us
    (tmp_path / "folder").mkdir()
    settings.write_text(text.replace("path: preroll.sqlite", "path: folder"))  # it ends right there
    done = subprocess.run(
        serve_command(settings),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    line = json.loads(done.stderr.splitlines()[0])
    assert (line["level"], line["host"]) == ("warning", "127.1")
    assert line["event"] == "the endpoint is open: no tokens"


@pytest.mark.parametrize(
    ("host", "place"),
    [("no.such.host.invalid", "server.host"), ("192.0.2.1", "server.host")],
    ids=["unknown", "not ours"],
)
def test_an_address_that_is_not_ours_is_named(host, place):
    with pytest.raises(SettingsError) as caught:
        listen(ServerSettings(host, 0))
    (problem,) = caught.value.problems
    assert problem.place == place
    assert host in problem.message


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_listener_accepts_before_anything_is_served(host):
    try:
        listener = listen(ServerSettings(host, 0))
    except SettingsError:
        pytest.skip(f"{host} is not configured here")
    with closing(listener), closing(socket.create_connection(listener.getsockname()[:2])) as client:
        assert client.getpeername()[1] == listener.getsockname()[1]
        assert url_of(listener).endswith(str(client.getpeername()[1]))
        assert listener.proto == socket.IPPROTO_TCP
