"""Structured logs on stderr: one JSON object a line, or a line for people.

A call names an event and its fields: ``log.info("trained", extra={"workload": "tv/api"})``.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from forecaster.settings import LogSettings

__all__ = ["JsonFormatter", "TextFormatter", "configure_logging"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def configure_logging(settings: LogSettings, process: str) -> None:
    """Send everything that is logged here to stderr; ``process`` is named in each line."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = JsonFormatter if settings.format == "json" else TextFormatter
    handler.setFormatter(formatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for chatty in ("httpx", "httpcore"):  # a line for every request
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a log that cannot be written ends nothing


class JsonFormatter(logging.Formatter):
    """``{"ts": …, "level": …, "process": …, "event": …}`` and the event's fields."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line = {
            "ts": _stamp(record),
            "level": record.levelname.lower(),
            "process": self._process,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.name.partition(".")[0] not in {"forecaster", "api"}:
            line["logger"] = record.name
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=_plain)


class TextFormatter(logging.Formatter):
    """``12:03:04 info  serve  trained workload=tv/api seconds=1.2``."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it where there is one."""
        fields = "".join(f" {name}={_plain(value)}" for name, value in _fields(record).items())
        line = (
            f"{_stamp(record)[11:19]} {record.levelname.lower():<7} {self._process:<7} "
            f"{record.getMessage()}{fields}"
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _stamp(record: logging.LogRecord) -> str:
    stamp = datetime.fromtimestamp(record.created, UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value if isinstance(value, bool | int | float) else str(value)
