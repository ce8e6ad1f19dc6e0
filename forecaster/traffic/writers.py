"""Traffic to a file that ``read_traffic`` reads back."""

from __future__ import annotations

import csv
import gzip
import io
import os
import secrets
from pathlib import Path

import numpy as np

from forecaster.errors import TrafficFileError
from forecaster.traffic.files import Unit
from forecaster.traffic.formats.content import EXAMPLE
from forecaster.traffic.formats.tables import file_stem
from forecaster.traffic.history import TrafficHistory

__all__ = ["write_traffic_csv"]


def write_traffic_csv(path: Path | str, history: TrafficHistory, unit: Unit = Unit.RPS) -> None:
    """Write the observed values of ``history`` to ``path``, gzipped where it ends in ``.gz``.

    The columns are ``timestamp,value`` for one series that is called like the file (that is the id
    such a file is read with), else ``series,timestamp,value``. The file appears whole or not at
    all. Values in requests are rounded to 15 digits.
    Raises TrafficFileError where it cannot be written.
    """
    path = Path(path)
    data = _text(path, history, unit).encode()
    if path.name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise TrafficFileError(
            path, f"cannot be written: {error.strerror}", example=EXAMPLE
        ) from error


def _text(path: Path, history: TrafficHistory, unit: Unit) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    named = history.ids != (file_stem(path),)
    writer.writerow(["series", "timestamp", "value"] if named else ["timestamp", "value"])
    for series in history:
        scale = series.step_seconds if unit is Unit.REQUESTS else 1.0
        for index in np.flatnonzero(~np.isnan(series.rate_rps)):
            value = float(series.rate_rps[index])
            start = series.start + int(index) * series.step
            row = [
                start.isoformat().replace("+00:00", "Z"),
                repr(value) if scale == 1.0 else f"{value * scale:.15g}",
            ]
            writer.writerow([series.series_id, *row] if named else row)
    return text.getvalue()
