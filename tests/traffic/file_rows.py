"""Rows of small traffic files for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

HEADER = "timestamp,value"


def table(*lines: str, header: str = HEADER) -> str:
    """A file of ``lines`` below ``header``."""
    return "\n".join([header, *lines]) + "\n"


def rows(
    count: int,
    start: str = "2024-03-01T00:00:00",
    step_seconds: float = 60,
    zone: str = "Z",
    value: Callable[[int], object] = lambda index: 10 + index % 7,
) -> list[str]:
    """``count`` lines "stamp,value", the first at ``start``."""
    first = datetime.fromisoformat(start)
    return [
        f"{(first + timedelta(seconds=step_seconds * index)).isoformat()}{zone},{value(index)}"
        for index in range(count)
    ]
