"""Past traffic for a command: from a file, or from a metrics server that is asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import typer

from forecaster.cli.source_options import ServerOptions, SourceOptions
from forecaster.cli.terminal import print_notice, progress_of_parts
from forecaster.cli.traffic_input import TrafficInput, read_traffic_file
from forecaster.durations import format_duration
from forecaster.errors import HistoryTooShort, SourceAnswerError, SourceUnavailable

if TYPE_CHECKING:
    from forecaster.traffic.history import TrafficHistory, TrafficSeries
    from forecaster.traffic.prometheus import FetchedTraffic, FleetQuery, PrometheusConnection

__all__ = ["Span", "ask_server", "read_server", "read_source"]

_DAYS = timedelta(days=28)
_STEP = timedelta(minutes=1)
_FIELDS = {
    "url": "--prometheus",
    "promql": "--query",
    "namespace_label": "--namespace-label",
    "name_label": "--workload-label",
    "bearer_token": "--bearer-token-file",
}


@dataclass(frozen=True)
class Span:
    """What to ask for: the ``length`` that ends at ``end``, at a step.

    Raises BadParameter where that is too long, too early or too fine.
    """

    end: datetime
    length: timedelta
    step: timedelta

    def __post_init__(self) -> None:
        from forecaster.traffic.grid import MAX_STEPS

        if self.length / self.step > MAX_STEPS:
            raise typer.BadParameter(
                f"{format_duration(self.length)} at a step of {format_duration(self.step)} are "
                f"{self.length / self.step:,.0f} steps; at most {MAX_STEPS:,} are read. Write for "
                "example --days 28 --step 1m",
                param_hint="--days",
            )
        if self.step % timedelta(milliseconds=1):
            raise typer.BadParameter(
                f"{self.step} is not a whole number of milliseconds; write for example 1m",
                param_hint="--step",
            )
        try:
            self.start  # noqa: B018  computed to see whether there is such an instant
        except OverflowError as error:
            raise typer.BadParameter(
                f"{format_duration(self.length)} before {self.end:%Y-%m-%d} there was no calendar; "
                "write for example --days 28",
                param_hint="--days",
            ) from error

    @property
    def start(self) -> datetime:
        """The instant where it begins."""
        return self.end - self.length


def read_source(
    source: SourceOptions, *, unit: str | None, step: timedelta | None, timezone: str | None
) -> TrafficInput:
    """The traffic of the file, or of the server; what is worth knowing of it goes to stderr.

    ``unit`` is of the values, ``timezone`` of stamps in a file that carry none. A server is asked
    at ``step``, or by the minute; its series begin and end with a value, as those of a file do.
    Raises BadParameter for an option, and what TrafficError has beneath it.
    """
    if source.traffic is not None:
        return read_traffic_file(source.traffic, unit=unit, step=step, timezone=timezone)
    return read_server(source, unit=unit, step=step)


def read_server(
    server: ServerOptions, *, unit: str | None, step: timedelta | None, unnamed: str = "traffic"
) -> TrafficInput:
    """The traffic that the server has; a result without labels is called ``unnamed``.

    Raises as :func:`read_source`.
    """
    from forecaster.cli.any_query import AnyQuery
    from forecaster.settings.secret_files import read_secret
    from forecaster.traffic.prometheus import PrometheusConnection

    server.check_server()
    token = None
    try:
        if server.bearer_token_file is not None:
            token = read_secret(server.bearer_token_file)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--bearer-token-file") from error
    try:
        connection = PrometheusConnection(
            server.prometheus or "",
            bearer_token=token,
            ca_file=None if server.ca_file is None else str(server.ca_file),
        )
        query = AnyQuery(
            server.query or "",
            namespace_label=server.namespace_label or "namespace",
            name_label=server.workload_label or "deployment",
            unnamed=unnamed,
            strict=server.workload_label is not None,
        )
    except ValueError as error:
        hint = _FIELDS.get(str(error).split(" ", 1)[0], "--prometheus")
        raise typer.BadParameter(str(error), param_hint=hint) from error
    span = span_of(server, _DAYS, step or _STEP)
    return ask_server(connection, query, span, per_step=unit == "requests")


def span_of(server: ServerOptions, days: timedelta, step: timedelta) -> Span:
    """The span that the options ask for, ``days`` where they do not say how long.

    Without ``until`` it ends now, or rather as long ago as scrapes need to arrive.
    """
    from forecaster.worker import utc_now
    from forecaster.worker.schedule import settling_time

    return Span(server.until or utc_now() - settling_time(step), server.days or days, step)


def ask_server(
    connection: PrometheusConnection,
    query: FleetQuery,
    span: Span,
    *,
    workloads: frozenset[str] | None = None,
    per_step: bool = False,
) -> TrafficInput:
    """The traffic of ``workloads``, or of every result; ``per_step`` where it counts requests.

    Shows how far it is. Raises SourceError, and HistoryTooShort where no series has three values.
    """
    from forecaster.traffic.prometheus import PrometheusSource

    def retrying(failure: SourceUnavailable) -> None:
        print_notice(f"{failure}; trying again")

    with (
        progress_of_parts("reading") as told,
        PrometheusSource(connection, query, workloads=workloads, retrying=retrying) as source,
    ):
        fetched = source.fetch(span.start, span.end, span.step, progress=told)
    return TrafficInput(
        _usable(fetched, query, connection.shown, per_step),
        place=connection.shown,
        title=connection.shown,
    )


def _usable(
    fetched: FetchedTraffic, query: FleetQuery, place: str, per_step: bool
) -> TrafficHistory:
    """What a file would have given: see ``assemble``."""
    from forecaster.traffic.assemble import FEWEST_VALUES
    from forecaster.traffic.history import TrafficHistory

    refused = (f"{name} is left out: {why}" for name, why in fetched.refused.items())
    notices = [*fetched.warnings, *fetched.left_out, *refused]
    if fetched.history is None:
        raise SourceAnswerError(f"{place}: {'; '.join(notices)}. The query was {query.promql}")
    for notice in notices:
        print_notice(notice)
    every = [_trimmed(one, per_step) for one in fetched.history]
    kept = [one for one in every if _values(one) >= FEWEST_VALUES]
    if not kept:
        raise HistoryTooShort(
            f"{place}: at most {max(map(_values, every))} of the steps have a value; at least "
            f"{FEWEST_VALUES} are needed, and a day or more to forecast. The query was "
            f"{query.promql}"
        )
    if len(kept) < len(every):
        names = ", ".join(one.series_id for one in every if one not in kept)
        print_notice(f"left out, for they have fewer than {FEWEST_VALUES} values: {names}")
    for one in kept:
        _refuse_counter(one, place)
    return TrafficHistory(kept)


def _trimmed(series: TrafficSeries, per_step: bool) -> TrafficSeries:
    from forecaster.traffic.history import TrafficSeries

    first, end = series.observed_bounds() or (0, len(series))
    if end - first == len(series) and not per_step:
        return series  # no copy: a fleet's traffic is large
    rates = series.rate_rps[first:end] / (series.step_seconds if per_step else 1.0)
    start = series.start + first * series.step
    return TrafficSeries(series.series_id, start, series.step, rates)


def _values(series: TrafficSeries) -> int:
    return int((series.rate_rps == series.rate_rps).sum())  # NaN is a gap


def _refuse_counter(series: TrafficSeries, place: str) -> None:
    from forecaster.traffic.counters import looks_like_counter, rate_query

    values = series.rate_rps[series.rate_rps == series.rate_rps]
    metric = series.series_id if series.series_id.isidentifier() else None
    if looks_like_counter(values, metric):
        raise SourceAnswerError(
            f"{place}: {series.series_id} only ever grows: it is a counter, not traffic. Ask for "
            f"its rate instead: {rate_query(metric, series.step)}"
        )
