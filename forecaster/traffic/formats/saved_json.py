"""JSON that could hold traffic: which kind it is."""

from __future__ import annotations

import json

from forecaster.errors import TrafficFileError
from forecaster.traffic.formats.content import Content
from forecaster.traffic.formats.export_lines import read_export_lines
from forecaster.traffic.formats.query_range import QUERY_RANGE_EXAMPLE, read_query_range
from forecaster.traffic.formats.rows import RawTraffic

__all__ = ["read_json"]


def read_json(content: Content) -> RawTraffic:
    """The series of a saved ``query_range`` answer or of an export of VictoriaMetrics.

    Raises TrafficFileError where it is neither.
    """
    first_line = content.text.lstrip().partition("\n")[0]
    if '"timestamps"' in first_line and '"metric"' in first_line:
        return read_export_lines(content)
    try:
        answer = json.loads(content.text)
    except json.JSONDecodeError as error:
        message = f"this is not valid JSON ({error.msg}, column {error.colno}); was it cut off?"
        raise TrafficFileError(
            content.path, message, line=error.lineno, example=QUERY_RANGE_EXAMPLE
        ) from error
    except RecursionError as error:
        raise TrafficFileError(
            content.path, "this JSON is nested too deeply", line=1, example=QUERY_RANGE_EXAMPLE
        ) from error
    if isinstance(answer, dict) and {"status", "data", "resultType"} & answer.keys():
        return read_query_range(content, answer)
    known = (
        f"an object with {', '.join(map(repr, list(answer)[:5]))}"
        if isinstance(answer, dict)
        else "a list"
    )
    raise TrafficFileError(
        content.path,
        f"this JSON is {known}; known are a saved answer of Prometheus' /api/v1/query_range and "
        "the lines of VictoriaMetrics' /api/v1/export",
        line=1,
        example=QUERY_RANGE_EXAMPLE,
    )
