from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from forecaster.cli.app import run
from forecaster.planning.snapshot import Snapshot
from tests.api.service import serving
from tests.deploy.dockerfile import builder, final, healthcheck, stages
from tests.deploy.documents import ROOT, container

HADOLINT = Path(sys.executable).parent / "hadolint"


def lint(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HADOLINT, "--no-color", "-"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )


def check_health(port: int) -> int:
    python, *arguments = healthcheck()
    assert python == "python"
    environ = {**os.environ, "PREROLL_SERVER__PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, *arguments], env=environ, capture_output=True, timeout=30, check=False
    )
    return done.returncode


def test_hadolint_has_nothing_to_say() -> None:
    done = lint((ROOT / "Dockerfile").read_text())
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_hadolint_would_have_something_to_say() -> None:
    done = lint("FROM python\nRUN pip install preroll\n")
    assert done.returncode == 1
    assert {"DL3006", "DL3013", "DL3042"} <= set(re.findall(r"DL\d+", done.stdout))


def test_every_source_of_a_copy_is_in_the_repository_and_in_the_build_context() -> None:
    sources = [
        source
        for stage in stages()
        for copy in stage.all("COPY")
        if copy.option_from is None
        for source in copy.words[:-1]
    ]
    assert "requirements.lock" in sources
    assert [one for one in sources if not (ROOT / one).exists()] == []
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in ignore if line and not line.startswith("#")]
    assert patterns[0] == "*"
    assert sorted(one[1:] for one in patterns if one.startswith("!")) == sorted(
        one.removeprefix("./") for one in sources
    )
    assert "**/__pycache__" in patterns


def test_every_copy_between_stages_names_one_that_is_there() -> None:
    names = {stage.name for stage in stages()}
    taken = {copy.option_from for stage in stages() for copy in stage.all("COPY")} - {None}
    assert taken <= names
    assert {stage.base for stage in stages()} - names == {stages()[0].base}


def test_the_base_is_one_slim_python_that_the_project_supports() -> None:
    base = re.fullmatch(r"python:(\d+\.\d+)-slim", stages()[0].base)
    assert base is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Programming Language :: Python :: {base[1]}" in project["classifiers"]


def test_it_runs_as_a_number_that_is_not_root() -> None:
    (user,) = final().all("USER")
    number, group = user.rest.split(":")
    assert int(number) > 0 < int(group)
    after = final().instructions[final().instructions.index(user) :]
    assert not [one for one in after if one.word in ("RUN", "COPY", "ADD")]


def test_the_dependencies_are_locked_hashed_and_in_a_layer_before_the_sources() -> None:
    words = [(one.word, one.rest) for one in builder().instructions]
    (install,) = (at for at, (_, rest) in enumerate(words) if "--require-hashes" in rest)
    sources = [
        at for at, (word, rest) in enumerate(words) if word == "COPY" and "forecaster" in rest
    ]
    assert install < min(sources)
    assert "--requirement requirements.lock" in words[install][1]
    assert builder().environment["PIP_NO_CACHE_DIR"] == "1"


def test_the_openmp_that_lightgbm_leaves_to_the_system_is_installed_before_it_runs_as_a_user() -> (
    None
):
    assert "\nlightgbm==" in (ROOT / "requirements.lock").read_text()
    words = [(one.word, one.rest) for one in final().instructions]
    (install,) = (at for at, (word, rest) in enumerate(words) if "apt-get install" in rest)
    assert "libgomp1" in words[install][1].split()
    assert "rm -rf /var/lib/apt/lists/*" in words[install][1]
    assert install < [word for word, _ in words].index("USER")


def test_each_numeric_library_has_one_thread() -> None:
    environ = final().environment
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        assert environ[name] == "1"


def test_caches_go_to_the_one_writable_folder() -> None:
    environ = final().environment
    assert environ["HOME"] == "/tmp"
    assert environ["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_image_and_the_deployment_run_the_same_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert final().command("ENTRYPOINT") == ["preroll"]
    assert final().command("CMD") == container()["args"]
    assert "command" not in container()
    command, option, _ = final().command("CMD")
    assert run([command, "--help"]) == 0
    assert option in capsys.readouterr().out


def test_the_health_check_is_content_with_a_service_that_answers() -> None:
    with serving(Snapshot(), tokens=("a-token",)) as service:
        assert check_health(service.port) == 0


def test_the_health_check_fails_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert check_health(taken.getsockname()[1]) != 0


def test_the_health_check_fails_on_another_status() -> None:
    with serving(Snapshot(), max_connections=0) as service:  # 503 for everybody
        assert check_health(service.port) != 0


def test_the_health_check_asks_the_default_port() -> None:
    assert "or 8080" in healthcheck()[-1]
    (exposed,) = final().all("EXPOSE")
    assert exposed.rest == "8080"
