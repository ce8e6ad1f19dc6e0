"""The JSON of a range query, or the reason why it cannot be trusted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.errors import SourceAnswerError
from forecaster.traffic.history import FloatArray
from forecaster.traffic.prometheus.connection import PrometheusConnection
from forecaster.traffic.prometheus.refusal import Reply, html_title, shorten

__all__ = ["RangeAnswer", "RangeSeries", "read_answer"]

_NO_STORE = "no storeapis matched"  # Thanos has no store for this range; an honest gap


@dataclass(frozen=True, eq=False)
class RangeSeries:
    """One result: labels, evaluation times (ms since the epoch) and values, which may be NaN.

    ``fault`` says why it is no traffic at all; there are no values then.
    """

    labels: dict[str, str]
    times_ms: NDArray[np.int64]
    values: FloatArray
    fault: str | None = None


@dataclass(frozen=True, eq=False)
class RangeAnswer:
    """The results of one range query, and what the server said about them."""

    series: tuple[RangeSeries, ...]
    notices: tuple[str, ...]


def read_answer(reply: Reply, connection: PrometheusConnection) -> RangeAnswer:
    """The answer in ``reply``, which has status 200.

    Points become arrays series by series while the JSON is read, so that the memory needed is the
    body, the arrays and one series as Python objects.

    Raises SourceAnswerError where the body is a web page, is no JSON or is cut short, reports an
    error, is not a matrix, or is said to be partial by the server.
    """
    where = connection.shown
    try:
        parsed = json.loads(reply.body, object_hook=_points_to_arrays)
    except (ValueError, TypeError, IndexError, RecursionError) as error:
        raise SourceAnswerError(_unreadable(reply, connection, error)) from error
    if not isinstance(parsed, dict) or parsed.get("status") != "success":
        raise SourceAnswerError(
            f"{where} answered HTTP 200 and no result: {reply.said(connection)}"
        )
    data = parsed.get("data")
    kind = data.get("resultType") if isinstance(data, dict) else None
    if not isinstance(data, dict) or kind != "matrix":
        raise SourceAnswerError(
            f"{where} answered a {kind or 'result of no type'}, and a range query gives a matrix: "
            "is the query a plain number or a string? Write for example "
            "sum by (namespace, deployment) (rate(http_requests_total[1m]))"
        )
    results = data.get("result") or []
    series = tuple(_series(result, where) for result in results)
    return RangeAnswer(series, _notices(parsed, bool(series), connection))


def _points_to_arrays(found: dict[str, Any]) -> dict[str, Any]:
    points = found.get("values")
    if isinstance(points, list):
        times = np.array([point[0] for point in points], float)
        found["times_ms"] = np.rint(times * 1000.0).astype(np.int64)
        found["values"] = np.array([float(point[1]) for point in points], float)
    return found


def _series(result: Any, where: str) -> RangeSeries:
    labels = result.get("metric") if isinstance(result, dict) else None
    if isinstance(labels, dict) and "histograms" in result:
        fault = (
            f"{where} answered native histograms; ask for numbers, for example "
            "sum by (namespace, deployment) (histogram_count(rate(…[1m])))"
        )
        return RangeSeries(labels, np.empty(0, np.int64), np.empty(0), fault)
    if not isinstance(labels, dict) or not isinstance(result.get("values"), np.ndarray):
        raise SourceAnswerError(
            f"{where} answered a result without labels or values: {shorten(str(result), 200)}"
        )
    return RangeSeries(labels, result["times_ms"], result["values"])


def _notices(
    parsed: dict[str, Any], has_series: bool, connection: PrometheusConnection
) -> tuple[str, ...]:
    notices: list[str] = []
    if parsed.get("isPartial") is True:  # VictoriaMetrics cluster: a storage node did not answer
        _partial(connection, "isPartial is true: a storage node did not answer", notices)
    for warning in parsed.get("warnings") or []:
        text = shorten(connection.scrub(str(warning)))
        # The query engine's remarks are about the expression. Any other warning comes from the
        # storage beneath (remote read, Thanos stores, promxy): samples may be missing.
        about_expression = "PromQL info:" in text or "PromQL warning:" in text
        if about_expression or (_NO_STORE in text.lower() and not has_series):
            notices.append(f"the server warns: {text}")
        else:
            _partial(connection, text, notices)
    notices += [
        f"the server remarks: {shorten(connection.scrub(str(info)))}"
        for info in parsed.get("infos") or []
    ]
    return tuple(notices)


def _partial(connection: PrometheusConnection, why: str, notices: list[str]) -> None:
    if not connection.allow_partial:
        raise SourceAnswerError(
            f"the answer of {connection.shown} may be incomplete, and traffic that looks low "
            f"scales down: {why}. Repair the storage behind it, or set allow_partial"
        )
    notices.append(f"the answer may be incomplete: {why}")


def _unreadable(reply: Reply, connection: PrometheusConnection, error: Exception) -> str:
    where = connection.shown
    text = connection.scrub(reply.text)
    title = html_title(text)
    if title is not None:
        return (
            f"{where} answered a web page titled {title!r} instead of JSON: a login page, or the "
            "url of the web interface. Give the address of the API and credentials that need no "
            "browser"
        )
    if not text.strip():
        return f"{where} answered HTTP 200 with an empty body"
    if text.lstrip().startswith("{") and isinstance(error, json.JSONDecodeError):
        return (
            f"{where} answered JSON that is cut short or broken at byte {error.pos:,} of "
            f"{len(reply.body):,}: {error.msg}"
        )
    return f"{where} answered no JSON of the query API: {shorten(text, 200)} ({error})"
