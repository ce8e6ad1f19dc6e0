from collections.abc import Callable
from datetime import timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

import pytest

from forecaster.cli.app import run
from forecaster.traffic.files import ReadOptions, Unit, read_traffic


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def preroll(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """The command line, in this process: ``preroll("plan", path, "--capacity", 12)``."""
    # A test's worker has the width of the terminal it was started from.
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*arguments: object) -> Said:
        code = run([str(one) for one in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture(scope="session")
def hours() -> list[tuple[str, float]]:
    """The last 20 days of the bundled trace: the start of every hour, and its requests."""
    bundled = files("forecaster.traffic") / "data" / "worldcup98-groupstage-1min.csv.gz"
    with as_file(bundled) as path:
        minutes = read_traffic(path, ReadOptions(Unit.REQUESTS)).history.series[0]
    first = len(minutes) - 20 * 24 * 60
    start = minutes.start + first * minutes.step
    sums = (minutes.rate_rps[first:] * 60).reshape(-1, 60).sum(axis=1)
    return [
        (f"{start + n * timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", round(float(value)))
        for n, value in enumerate(sums)
    ]


@pytest.fixture(scope="session")
def traffic_csv(tmp_path_factory: pytest.TempPathFactory, hours: list[tuple[str, float]]) -> Path:
    """Twenty days of hours, in requests per hour."""
    path = tmp_path_factory.mktemp("traffic") / "web.csv"
    path.write_text(table(hours))
    return path


@pytest.fixture(scope="session")
def short_csv(tmp_path_factory: pytest.TempPathFactory, hours: list[tuple[str, float]]) -> Path:
    """Three days of hours: quick to train on."""
    path = tmp_path_factory.mktemp("traffic") / "web.csv"
    path.write_text(table(hours[-72:]))
    return path


def table(rows: list[tuple[str, float]]) -> str:
    """Rows as CSV with a header."""
    return "timestamp,value\n" + "".join(f"{stamp},{value}\n" for stamp, value in rows)
