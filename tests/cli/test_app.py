import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

COMMAND = [sys.executable, "-m", "forecaster.cli"]
HEAVY = ("numpy", "pandas", "scipy", "plotly", "statsforecast", "fastapi", "sqlalchemy")


def installed():
    try:
        return version("preroll")
    except PackageNotFoundError:
        return None


@pytest.mark.parametrize("command", ["backtest", "replay"])
def test_help_says_that_a_calendar_is_known_in_hindsight(preroll, command):
    said = " ".join(preroll(command, "--help").out.replace("│", " ").split())
    assert "the whole calendar counts as known all along" in said


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]], ids=["nothing", "--help", "-h"])
def test_help_lists_the_commands_and_an_example(preroll, arguments):
    said = preroll(*arguments)
    assert said.code == 0
    assert "plan" in said.out
    assert "backtest" in said.out
    assert "Example: preroll plan" in said.out
    assert said.err == ""


@pytest.mark.parametrize("command", ["plan", "backtest", "export"])
def test_every_command_has_help_with_an_example(preroll, command):
    said = preroll(command, "--help")
    assert said.code == 0
    assert f"Example: preroll {command}" in said.out


@pytest.mark.skipif(installed() is None, reason="preroll is not installed")
def test_the_version_is_that_of_the_package(preroll):
    assert preroll("--version") == (0, f"preroll {installed()}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "--version",
        "plan --help",
        "backtest --help",
        "export --help",
        "demo --help",
        "events suggest --help",
    ],
)
def test_nothing_heavy_is_imported_to_help(arguments):
    """Start-up time, without a clock: the libraries that cost are not there."""
    script = (
        "import sys; from forecaster.cli.app import run; run(sys.argv[1:]); "
        f"print('HEAVY', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments.split()],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_an_unknown_command_is_refused_with_the_nearest_one(preroll):
    said = preroll("pln")
    assert said.code == 2
    assert said.out == ""
    assert "'pln'" in said.err
    assert "'plan'" in said.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nope"], "--nope"),
        (["plan"], "TRAFFIC"),
        (["plan", "x.csv"], "--capacity"),
        (["plan", "x.csv", "--capacity", "many"], "--capacity"),
        (["backtest", "x.csv", "--test", "soon"], "'soon' is not a duration"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_misuse_is_exit_code_2_and_no_traceback(preroll, arguments, named):
    said = preroll(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert named in re.sub(r"\s+│?\s*│?\s*", " ", said.err)
    assert "Traceback" not in said.err


def test_a_reader_that_goes_away_is_no_error(short_csv):
    asked = ["plan", str(short_csv), "--unit", "requests", "--capacity", "12", "--json", "-"]
    reader = subprocess.Popen(
        [*COMMAND, *asked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    reader.stdout.close()
    said = reader.stderr.read()
    reader.stderr.close()
    assert reader.wait(timeout=120) == 1
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_the_module_is_the_command(short_csv):
    done = subprocess.run(
        [*COMMAND, "plan", str(short_csv.with_name("absent.csv")), "--capacity", "12"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "absent.csv" in done.stderr
    assert "Traceback" not in done.stderr
