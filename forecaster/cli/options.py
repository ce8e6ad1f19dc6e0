"""Options that several commands share, and how their text is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from forecaster.durations import format_duration, parse_duration

__all__ = [
    "UTILISATION_HELP",
    "HtmlOption",
    "JsonOption",
    "SeriesOption",
    "StepOption",
    "TimezoneOption",
    "TrafficArgument",
    "UnitOption",
    "WorkloadsOption",
    "check_lead_time",
    "read_duration",
    "read_instant",
    "read_level",
    "read_levels",
    "read_pause",
    "read_quantile",
    "read_utilisation",
]

UTILISATION_HELP = (
    "What the HPA of all but Preroll aims at, alone and beneath a schedule, exporter or day-ahead "
    "forecast, as a share of the capacity, the most that a replica serves in a replay. Yours: the "
    "requests per second that a replica has when your HPA is content, by the capacity."
)

_Value = TypeVar("_Value")


def _text_only(read: Callable[[str], _Value]) -> Callable[[str | _Value], _Value]:
    """A reader that lets a default through, which typer hands over already read."""

    def read_text(value: str | _Value) -> _Value:
        return read(value) if isinstance(value, str) else value

    return read_text


@_text_only
def read_duration(text: str) -> timedelta:
    """A duration above 0."""
    duration = read_pause(text)
    if duration <= timedelta(0):
        raise typer.BadParameter(f"{text!r} is not above 0; write for example 5m or 14d")
    return duration


def check_lead_time(lead_time: timedelta) -> None:
    """BadParameter where it is longer than can be planned for."""
    from forecaster.planning.limits import LONGEST_LEAD_TIME

    if lead_time > LONGEST_LEAD_TIME:
        raise typer.BadParameter(
            f"must be at most {format_duration(LONGEST_LEAD_TIME)}, not "
            f"{format_duration(lead_time)}; write for example 5m",
            param_hint="--lead-time",
        )


@_text_only
def read_pause(text: str) -> timedelta:
    """A duration that may be 0."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@_text_only
def read_instant(text: str) -> datetime:
    """An instant with its offset from UTC."""
    example = "write for example 2026-05-30T18:00:00Z or 2026-05-30T20:00:00+02:00"
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not an instant; {example}") from error
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset from UTC; {example}")
    return instant.astimezone(UTC)


@_text_only
def read_quantile(text: str) -> float:
    """One quantile that a few weeks of errors can show."""
    return _quantile(text)


@_text_only
def read_level(text: str) -> float:
    """Any quantile there is, for live traffic can tell of rarer ones than past errors can."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < 1:
        raise typer.BadParameter(f"{text!r} is not a quantile; write for example 0.5 or 0.98")
    return value


def read_levels(text: str) -> tuple[float, ...]:
    """Any quantiles, with commas between them; they come back rising, each once."""
    return tuple(sorted({read_level(part) for part in text.split(",")}))


@_text_only
def read_utilisation(text: str) -> float:
    """A share of a replica's capacity, from 0.01 to 10."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.01 <= value <= 10:
        hint = "; 70 % is 0.7" if 10 < value <= 100 or text.strip().endswith("%") else ""
        raise typer.BadParameter(
            f"{text!r} is not a ratio from 0.01 to 10; write for example 0.7{hint}"
        )
    return value


def _quantile(text: str) -> float:
    value = read_level(text)
    from forecaster.planning.limits import LEAST_QUANTILE, MOST_QUANTILE, QUANTILE_REASON

    if not LEAST_QUANTILE <= value <= MOST_QUANTILE:
        raise typer.BadParameter(
            f"{text!r} must lie between {LEAST_QUANTILE} and {MOST_QUANTILE}: {QUANTILE_REASON}; "
            "write for example 0.98"
        )
    return value


def _read_unit(text: str) -> str:
    if text not in ("requests", "rps"):
        raise typer.BadParameter(f"{text!r} is not a unit; write requests (per step) or rps")
    return text


WorkloadsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--workload",
        "-w",
        metavar="NAMESPACE/NAME",
        help="Only this one; can be repeated.",
        show_default=False,
    ),
]

TrafficArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="TRAFFIC",
        help="A file of past traffic, as it was exported; or else --prometheus.",
        show_default=False,
    ),
]
UnitOption = Annotated[
    str | None,
    typer.Option(
        parser=_read_unit,
        metavar="requests|rps",
        help="What the values are: requests per step, or per second (rps, the default).",
        show_default=False,
    ),
]
StepOption = Annotated[
    timedelta | None,
    typer.Option(
        parser=read_duration,
        metavar="DURATION",
        help="The step, for example 1m; otherwise a file's stamps tell, and a server is asked by "
        "the minute.",
        show_default=False,
    ),
]
TimezoneOption = Annotated[
    str | None,
    typer.Option(
        metavar="ZONE",
        help="Where the audience lives, for example Europe/Paris; stamps without an offset are "
        "read in it. Otherwise UTC.",
        show_default=False,
    ),
]
SeriesOption = Annotated[
    str | None,
    typer.Option(metavar="ID", help="One series of a file that has several.", show_default=False),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE", help="Write the result as JSON; - for stdout.", show_default=False
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Write a page with plots that needs no network; - for stdout.",
        show_default=False,
    ),
]
