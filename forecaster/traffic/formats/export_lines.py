"""VictoriaMetrics' ``/api/v1/export``: one JSON object a line, each a series or a piece of one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from forecaster.errors import TrafficFileError
from forecaster.traffic.formats.content import Content
from forecaster.traffic.formats.labels import METRIC_NAME, series_ids
from forecaster.traffic.formats.rows import Place, RawSeries, RawTraffic, located
from forecaster.traffic.formats.samples import sample_arrays
from forecaster.traffic.grid import RowError

__all__ = ["EXPORT_EXAMPLE", "read_export_lines"]

EXPORT_EXAMPLE = (
    '{"metric":{"__name__":"requests:rate5m","deployment":"api"},"values":[20.8,21.9,21.4],\n'
    '"timestamps":[1709323500000,1709323560000,1709323620000]}   (all on one line)'
)


def read_export_lines(content: Content) -> RawTraffic:
    """The series of an export; pieces of one series on several lines are joined.

    Raises TrafficFileError with the line that is not such an object.
    """
    pieces: dict[tuple[tuple[str, str], ...], list[tuple[int, dict[str, Any]]]] = {}
    for line, text in enumerate(content.text.split("\n"), start=1):
        if text.strip():
            one = _piece(content, line, text)
            pieces.setdefault(tuple(sorted(one["metric"].items())), []).append((line, one))
    all_labels = [dict(key) for key in pieces]
    series: list[RawSeries] = []
    line_of_row: list[int] = []

    def place(row: int) -> Place:
        return Place(line_of_row[row], f"line {line_of_row[row]}")

    for series_id, labels, parts in zip(
        series_ids(all_labels), all_labels, pieces.values(), strict=True
    ):
        first = len(line_of_row)
        for line, one in parts:
            line_of_row.extend([line] * len(one["values"]))
        try:
            at_us, value = sample_arrays(
                [at for _, one in parts for at in one["timestamps"]],
                [value for _, one in parts for value in one["values"]],
                1000,
            )
        except RowError as problem:
            raise located(
                content.path,
                RowError(f"series {series_id}: {problem.message}", first + problem.row),
                place,
                EXPORT_EXAMPLE,
            ) from problem
        row = np.arange(first, len(line_of_row))
        series.append(RawSeries(series_id, at_us, value, row, series_id, labels.get(METRIC_NAME)))
    return RawTraffic(tuple(series), place, EXPORT_EXAMPLE, stamps_end_interval=True)


def _piece(content: Content, line: int, text: str) -> dict[str, Any]:
    def refusal(message: str) -> TrafficFileError:
        return TrafficFileError(content.path, message, line=line, example=EXPORT_EXAMPLE)

    try:
        one = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise refusal(
            f"this line is not valid JSON ({error}); was the download cut off?"
        ) from error
    if not isinstance(one, dict) or not isinstance(one.get("metric"), dict):
        raise refusal("this line has no 'metric' with labels")
    values, stamps = one.get("values"), one.get("timestamps")
    if not isinstance(values, list) or not isinstance(stamps, list):
        raise refusal("this line has no 'values' and 'timestamps'")
    if len(values) != len(stamps):
        raise refusal(f"this line has {len(values)} values and {len(stamps)} timestamps")
    one["metric"] = {str(key): str(value) for key, value in one["metric"].items()}
    return one
