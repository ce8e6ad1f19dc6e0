"""How a replayed workload scales: the settings' rule, or what the options say over it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from forecaster.cli.options import (
    UTILISATION_HELP,
    check_lead_time,
    read_duration,
    read_quantile,
    read_utilisation,
)
from forecaster.cli.terminal import print_notice

if TYPE_CHECKING:
    from forecaster.backtest import ReplaySettings
    from forecaster.backtest.night import Night
    from forecaster.events import Calendar
    from forecaster.planning import ScalingRule
    from forecaster.settings import Fleet
    from forecaster.traffic.history import TrafficSeries

__all__ = ["NightRule", "RuleOptions"]

_LONGEST_WITHOUT_TRAINING = timedelta(days=1)
_AUTO = "auto"
_FIELDS = {
    "capacity_rps": "--capacity",
    "lead_time": "--lead-time",
    "price_per_replica_hour": "--price",
}


def _read_capacity(value: str | float) -> str | float:
    if not isinstance(value, str) or value == _AUTO:
        return value
    try:
        return float(value)
    except ValueError as error:
        raise typer.BadParameter(
            f"{value!r} is not a capacity; write for example 120, in requests per second, or auto"
        ) from error


@dataclass(frozen=True)
class RuleOptions:
    """The options that stand above the settings' rule, None where not given; and the rivals'."""

    capacity: Annotated[
        str | None,
        typer.Option(
            parser=_read_capacity,
            metavar="RPS|auto",
            help="Requests per second that one replica serves at the most; what is above is "
            "unserved. auto, which a file has without it: the window's highest traffic needs 100 "
            "replicas.",
            show_default=False,
        ),
    ] = None
    lead_time: Annotated[
        timedelta | None,
        typer.Option(
            parser=read_duration,
            metavar="DURATION",
            help='From "value served" to "pod ready"; otherwise the settings\', or 5m.',
            show_default=False,
        ),
    ] = None
    quantile: Annotated[
        float | None,
        typer.Option(
            parser=read_quantile,
            metavar="0-1",
            help="Preroll's risk; otherwise the settings', or 0.98.",
            show_default=False,
        ),
    ] = None
    utilisation: Annotated[
        float,
        typer.Option(parser=read_utilisation, metavar="RATIO", help=UTILISATION_HELP),
    ] = 0.7
    price: Annotated[
        float | None,
        typer.Option(
            metavar="MONEY",
            help="What a replica costs an hour, for the sums in the summary.",
            show_default=False,
        ),
    ] = None

    def over(self, rule: ScalingRule) -> NightRule:
        """A configured rule with these options in its place; BadParameter for a bad one."""
        lead = self.lead_time or rule.lead_time
        check_lead_time(lead)
        auto = self.capacity == _AUTO
        capacity = rule.capacity_rps if auto or self.capacity is None else float(self.capacity)
        try:
            changed = replace(
                rule,
                capacity_rps=capacity,
                lead_time=lead,
                quantile=self.quantile or rule.quantile,
            )
            return NightRule(changed, auto, self.price, self.utilisation)
        except ValueError as error:
            message = str(error)
            field = message.split(" ", 1)[0]
            raise typer.BadParameter(
                f"{message.removeprefix(field).strip()}; write for example "
                f"{ {'--lead-time': '5m', '--price': '0.05'}.get(_FIELDS[field], '120') }",
                param_hint=_FIELDS[field],
            ) from error

    def alone(self) -> NightRule:
        """A rule where there are no settings; its capacity is automatic unless it is given."""
        from forecaster.planning import ScalingRule
        from forecaster.planning.limits import MOST_REPLICAS

        options = self if self.capacity is not None else replace(self, capacity=_AUTO)
        return options.over(ScalingRule(1.0, max_replicas=MOST_REPLICAS))


@dataclass(frozen=True)
class NightRule:
    """A workload's rule in a replay, and its events.

    ``auto`` takes the capacity from the window's traffic.
    """

    rule: ScalingRule
    auto: bool = False
    price: float | None = None
    utilisation: float = 0.7
    calendar: Calendar | None = None

    def __post_init__(self) -> None:
        self.settings()

    def settings(self) -> ReplaySettings:
        """What all policies share; a replay keeps one replica at least."""
        from forecaster.backtest import ReplaySettings

        rule = self.rule
        return ReplaySettings(
            capacity_rps=rule.capacity_rps,
            lead_time=rule.lead_time,
            min_replicas=max(1, rule.min_replicas),
            max_replicas=rule.max_replicas,
            price_per_replica_hour=self.price,
        )

    def run_in(self, step: timedelta) -> timedelta:
        """How long before the window the replay begins."""
        from forecaster.backtest.night import run_in_time

        return run_in_time(self.settings(), self.rule.hold_down, step)

    def bounds(self, series: TrafficSeries, window: timedelta) -> tuple[datetime, datetime] | None:
        """The earliest and the latest ``--at``; None where there is none."""
        from forecaster.backtest.night import night_bounds

        return night_bounds(series, window, self.settings(), self.rule.hold_down)

    def night(
        self,
        series: TrafficSeries,
        start: datetime,
        window: timedelta,
        zone: ZoneInfo,
        fleet: Fleet | None,
    ) -> Night:
        """The night itself, trained as often and on as much past as ``fleet`` says.

        HistoryTooShort where an automatic capacity finds no traffic; ValueError outside of the
        bounds.
        """
        from forecaster.backtest.night import Night
        from forecaster.events import EMPTY_CALENDAR

        first = series.start + series.index_of(start) * series.step
        end = first + -(-window // series.step) * series.step
        settings = self.settings()
        if self.auto:
            settings = replace(settings, capacity_rps=_capacity(series, first, end))
        schedule = (
            {}
            if fleet is None
            else {
                "train_every": min(fleet.train_every, _LONGEST_WITHOUT_TRAINING),
                "history": fleet.history,
            }
        )
        return Night(
            series=series,
            start=first,
            end=end,
            settings=settings,
            quantile=self.rule.quantile,
            hold_down=self.rule.hold_down,
            timezone=zone.key,
            utilisation=self.utilisation,
            calendar=self.calendar or EMPTY_CALENDAR,
            **schedule,
        )


def _capacity(series: TrafficSeries, start: datetime, end: datetime) -> float:
    """At which the highest traffic from start to end needs 100 replicas, and a word about it."""
    from forecaster.backtest import ReplaySpan, auto_capacity

    try:
        capacity = auto_capacity(ReplaySpan(series.before(end) or series, start))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--capacity") from error
    print_notice(
        f"{series.series_id}: one replica is taken to serve {capacity:.4g} requests per second, so "
        "that the window's highest traffic needs 100; say otherwise with --capacity"
    )
    return capacity
