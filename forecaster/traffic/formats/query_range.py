"""A saved answer of Prometheus' ``query_range``, as its HTTP API gives it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import numpy as np

from forecaster.errors import TrafficFileError
from forecaster.traffic.formats.content import Content
from forecaster.traffic.formats.labels import METRIC_NAME, series_ids
from forecaster.traffic.formats.rows import Place, RawSeries, RawTraffic, located, numbered
from forecaster.traffic.formats.samples import sample_arrays
from forecaster.traffic.grid import RowError

__all__ = ["QUERY_RANGE_EXAMPLE", "read_query_range"]

QUERY_RANGE_EXAMPLE = (
    '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"deployment":"api"},\n'
    '"values":[[1709323500,"20.8"],[1709323560,"21.9"],[1709323620,"21.4"]]}]}}'
)
_TEXT = r'"(?:[^"\\\n]|\\.)*"'
_TOKEN = re.compile(rf"\n|\[\s*(?:{_TEXT}|[\w.+-]+)\s*,|{_TEXT}")


def read_query_range(content: Content, answer: dict[str, Any]) -> RawTraffic:
    """The series of a saved ``query_range`` answer, or of its ``data`` alone.

    Raises TrafficFileError where the answer is an error, of another kind, or empty.
    """
    results = _results(content, answer)
    labels = [_labels(content, one) for one in results]
    count = sum(len(one["values"]) for one in results)

    @cache
    def line_of_samples() -> list[int]:
        return _lines_of_pairs(content.text)

    def place(row: int) -> Place:
        known = line_of_samples()
        return numbered(known[row] if len(known) >= count else None, row)

    series: list[RawSeries] = []
    first = 0
    for series_id, one, label in zip(series_ids(labels), results, labels, strict=True):
        pairs = one["values"]
        try:
            at_us, value = sample_arrays(
                [at for at, _ in pairs], [value for _, value in pairs], 10**6
            )
        except RowError as problem:
            raise located(
                content.path,
                RowError(f"series {series_id}: {problem.message}", first + problem.row),
                place,
                QUERY_RANGE_EXAMPLE,
            ) from problem
        row = np.arange(first, first + len(pairs))
        series.append(RawSeries(series_id, at_us, value, row, series_id, label.get(METRIC_NAME)))
        first += len(pairs)
    return RawTraffic(
        tuple(series), place, QUERY_RANGE_EXAMPLE, _warnings(answer), stamps_end_interval=True
    )


def _lines_of_pairs(text: str) -> list[int]:
    line, found = 1, []
    for match in _TOKEN.finditer(text):
        if match.group().startswith("["):
            found.append(line)
        line += match.group().count("\n")
    return found


def _warnings(answer: dict[str, Any]) -> tuple[str, ...]:
    notices = [f"the answer carries a warning: {text}" for text in answer.get("warnings") or ()]
    if answer.get("isPartial"):
        notices.append("the answer says that it is partial: some storage nodes did not respond")
    return tuple(notices)


def _results(content: Content, answer: dict[str, Any]) -> list[dict[str, Any]]:
    def refusal(message: str) -> TrafficFileError:
        return TrafficFileError(content.path, message, line=1, example=QUERY_RANGE_EXAMPLE)

    if answer.get("status") == "error":
        kind, text = answer.get("errorType", "error"), answer.get("error", "no message")
        raise refusal(f"the query failed and this is the error that it gave: {kind}: {text}")
    data = answer.get("data", answer)
    if not isinstance(data, dict) or "resultType" not in data:
        raise refusal("there is no 'resultType' in it: this is no answer of /api/v1/query_range")
    if data["resultType"] != "matrix":
        raise refusal(
            f"the answer is of type {data['resultType']!r}: one instant, no history. Ask "
            "/api/v1/query_range with start, end and step, not /api/v1/query"
        )
    results = data.get("result")
    if not isinstance(results, list) or not results:
        raise refusal("the query matched no series: 'result' is empty")
    for one in results:
        if not isinstance(one, dict) or not isinstance(one.get("values"), list):
            raise refusal(
                "a result has no 'values' (native histograms?); ask for a rate, as in "
                "sum(rate(http_requests_total[5m]))"
            )
        for pair in one["values"]:
            if not isinstance(pair, list) or len(pair) != 2:
                raise refusal(f'{json.dumps(pair)[:80]} is not a pair [seconds, "value"]')
    return results


def _labels(content: Content, one: dict[str, Any]) -> dict[str, str]:
    labels = one.get("metric", {})
    if not isinstance(labels, dict):
        message = f"'metric' is {json.dumps(labels)[:80]}, where labels belong"
        raise TrafficFileError(content.path, message, line=1, example=QUERY_RANGE_EXAMPLE)
    return {str(key): str(value) for key, value in labels.items()}
