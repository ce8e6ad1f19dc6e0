"""Log lines that machines can read, and people."""

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from forecaster.worker.logs import JsonFormatter, TextFormatter


def record(message="trained", *, level=logging.INFO, name="forecaster.worker.training", **fields):
    made = logging.getLogger(name).makeRecord(
        name, level, "file.py", 1, message, (), fields.pop("exc_info", None), extra=fields
    )
    made.created = datetime(2026, 5, 4, 18, 0, 0, 123000, UTC).timestamp()
    return made


def test_a_line_is_an_object_with_the_events_fields():
    line = JsonFormatter("trainer").format(record(workload="tv/api", seconds=1.5))
    assert json.loads(line) == {
        "ts": "2026-05-04T18:00:00.123Z",
        "level": "info",
        "process": "trainer",
        "event": "trained",
        "workload": "tv/api",
        "seconds": 1.5,
    }


def test_instants_paths_and_lines_within_a_value_stay_on_one_line():
    line = JsonFormatter("serve").format(record(at=datetime(2026, 5, 4, tzinfo=UTC), said="a\nb"))
    assert "\n" not in line
    assert json.loads(line)["at"] == "2026-05-04T00:00:00Z"
    assert json.loads(line)["said"] == "a\nb"


def test_an_exception_is_a_field():
    try:
        raise ValueError("no luck")
    except ValueError:
        line = JsonFormatter("serve").format(record(level=logging.ERROR, exc_info=sys.exc_info()))
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: no luck")


def test_lines_of_libraries_name_their_logger():
    line = JsonFormatter("serve").format(record("Shutting down", name="uvicorn.error"))
    assert json.loads(line)["logger"] == "uvicorn.error"


def test_a_line_for_people_is_short():
    line = TextFormatter("serve").format(record(workload="tv/api", seconds=1.5))
    assert line == "18:00:00 info    serve   trained workload=tv/api seconds=1.5"


@pytest.mark.parametrize(("level", "expected"), [("info", 3), ("error", 1)])
def test_everything_goes_to_stderr_from_the_chosen_level_on(level, expected):
    script = f"""
import logging, warnings
from forecaster.settings import LogSettings
from forecaster.worker import configure_logging
configure_logging(LogSettings("{level}", "json"), "serve")
logging.getLogger("forecaster.x").info("one", extra={{"n": 1}})
warnings.warn("two")
logging.getLogger("uvicorn.error").error("three %d", 3)
logging.getLogger("httpx").info("a line for every request")
"""
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.stdout == ""
    assert len(lines) == expected
    assert lines[-1]["event"] == "three 3"
