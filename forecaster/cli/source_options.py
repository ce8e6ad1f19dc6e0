"""The options that say where past traffic comes from: one value in code, many on the line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from forecaster.cli.options import TrafficArgument, read_instant
from forecaster.durations import parse_duration

__all__ = [
    "DaysOption",
    "ServerOptions",
    "SourceOptions",
    "UntilOption",
    "spread_options",
]

_PANEL = "Traffic from a metrics server"
_EXAMPLE = "--prometheus http://prometheus:9090 --query 'sum(rate(http_requests_total[1m]))'"


def _read_days(value: str | timedelta) -> timedelta:
    """A number of days, or a duration; what is read already is let through."""
    if isinstance(value, timedelta):
        return value
    try:
        days = timedelta(days=float(value))
    except (ValueError, OverflowError):
        try:
            days = parse_duration(value)
        except ValueError:
            days = timedelta(0)
    if days <= timedelta(0):
        raise typer.BadParameter(f"{value!r} is not a number of days; write for example 28")
    return days


def _option(name: str, metavar: str, help_text: str, **more: Any) -> Any:
    return typer.Option(
        name, metavar=metavar, help=help_text, rich_help_panel=_PANEL, show_default=False, **more
    )


DaysOption = Annotated[
    timedelta | None,
    _option(
        "--days",
        "N",
        "How many days to read; otherwise the settings' history, or 28.",
        parser=_read_days,
    ),
]
UntilOption = Annotated[
    datetime | None,
    _option("--until", "INSTANT", "Where they end; otherwise now.", parser=read_instant),
]


@dataclass(frozen=True)
class ServerOptions:
    """A server that answers PromQL, a query, and the span to ask for; None where not given.

    ``days`` is the length of the span, ``until`` its end.
    """

    prometheus: Annotated[
        str | None,
        _option("--prometheus", "URL", "Prometheus, VictoriaMetrics, Thanos or Mimir."),
    ] = None
    query: Annotated[
        str | None,
        _option("--query", "PROMQL", "Traffic per second; each result is a series."),
    ] = None
    days: DaysOption = None
    until: UntilOption = None
    namespace_label: Annotated[
        str | None,
        _option("--namespace-label", "LABEL", "The label that holds the namespace; namespace."),
    ] = None
    workload_label: Annotated[
        str | None,
        _option("--workload-label", "LABEL", "The label that names the workload; deployment."),
    ] = None
    bearer_token_file: Annotated[
        Path | None,
        _option("--bearer-token-file", "FILE", "A file that holds the server's token."),
    ] = None
    ca_file: Annotated[
        Path | None,
        _option("--ca-file", "FILE", "Trust this CA alone, a PEM file."),
    ] = None

    def given(self) -> list[str]:
        """The options of a server that are set, as they are written."""
        return [
            f"--{one.name.replace('_', '-')}"
            for one in fields(ServerOptions)
            if getattr(self, one.name) is not None
        ]

    def check_server(self) -> None:
        """Raise BadParameter where one of the address and the query lacks."""
        if self.prometheus is None and self.given():
            raise typer.BadParameter(
                f"goes with a server; write for example {_EXAMPLE}", param_hint=self.given()[0]
            )
        if self.prometheus is not None and self.query is None:
            raise typer.BadParameter(
                f"--prometheus needs a query; write for example {_EXAMPLE}", param_hint="--query"
            )


@dataclass(frozen=True)
class SourceOptions(ServerOptions):
    """A traffic file or a server, one of the two; BadParameter for both and for neither."""

    traffic: TrafficArgument = None

    def __post_init__(self) -> None:
        given = self.given()
        if self.traffic is not None and given:
            raise typer.BadParameter(
                f"{given[0]} and the file {self.traffic} exclude each other; give a file, or "
                f"{_EXAMPLE}",
                param_hint=given[0],
            )
        if self.traffic is None and not given:
            raise typer.BadParameter(
                f"where is the traffic? Name a file, for example traffic.csv, or write {_EXAMPLE}",
                param_hint="TRAFFIC",
            )
        self.check_server()


def spread_options(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` as typer wants it: parameters that are values made of options become those."""
    hints = get_type_hints(command, include_extras=True)
    values: dict[str, Any] = {}
    spread: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if is_dataclass(kind):
            values[name] = kind
            inner = get_type_hints(kind, include_extras=True)
            spread += [
                inspect.Parameter(
                    one.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=one.default,
                    annotation=inner[one.name],
                )
                for one in fields(kind)
            ]
        else:
            spread.append(
                parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
            )

    @wraps(command)
    def called(**given: Any) -> None:
        for name, kind in values.items():
            given[name] = kind(**{one.name: given.pop(one.name) for one in fields(kind)})
        command(**given)

    called.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in spread}
    return called
