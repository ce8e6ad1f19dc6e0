"""Which nights are replayed: traffic from a file, a server or the settings, and how it scales."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer

from forecaster.cli.calendar_option import of_series, read_events, settings_events
from forecaster.cli.config_option import OptionalConfigOption, find_config, refuse_config
from forecaster.cli.local_instant import read_local_instant
from forecaster.cli.replay_nights import local_text, make_nights
from forecaster.cli.replay_rules import NightRule, RuleOptions
from forecaster.cli.source_options import ServerOptions, SourceOptions
from forecaster.cli.traffic_input import TrafficInput, check_step, check_zone, listed
from forecaster.durations import format_duration

if TYPE_CHECKING:
    from forecaster.backtest.night import Night
    from forecaster.events import Calendar

__all__ = ["Moment", "ReplaySource", "read_nights"]

_FEW = 4
_ALL_DAYS = timedelta(days=36_500)
_HISTORY = timedelta(days=28)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ReplaySource(ServerOptions):
    """A traffic file, a server, or settings that name one of them."""

    traffic: Annotated[
        Path | None,
        typer.Argument(
            metavar="TRAFFIC",
            help="A file of past traffic; or else --prometheus, or the settings' source.",
            show_default=False,
        ),
    ] = None
    config: OptionalConfigOption = None

    def settings_file(self) -> Path | None:
        """The settings to use; None where the command line itself names traffic.

        BadParameter where both do, and where neither does.
        """
        own = "TRAFFIC" if self.traffic is not None else "--prometheus"
        if self.traffic is not None or self.prometheus is not None:
            refuse_config(self.config, own)
            return None
        config = find_config(self.config)
        if config is not None:
            return config
        self.check_server()
        raise typer.BadParameter(
            "where is the traffic? Write for example --config preroll.yaml, or name a file, "
            "traffic.csv",
            param_hint="--config",
        )


class Moment(NamedTuple):
    """What is asked for: ``at`` as it was typed; None where an option was not given."""

    at: str
    window: timedelta
    timezone: str | None = None
    unit: str | None = None
    step: timedelta | None = None
    series: str | None = None
    workload: str | None = None
    events: Path | None = None


def read_nights(source: ReplaySource, asked: Moment, options: RuleOptions) -> list[Night]:
    """The night of each workload; what cannot be replayed is left out with a notice.

    Raises BadParameter for an option, or where nothing is left, and what reading raises.
    """
    config = source.settings_file()
    if config is None:
        return _from_traffic(source, asked, options)
    return _from_settings(config, source, asked, options)


def _from_settings(
    config: Path, source: ReplaySource, asked: Moment, options: RuleOptions
) -> list[Night]:
    from forecaster.cli.configured_source import read_configured
    from forecaster.settings import FileSettings, load_settings

    for value, option in ((asked.unit, "--unit"), (asked.series, "--series")):
        if value is not None:
            hint = "; choose with --workload" if option == "--series" else ""
            raise typer.BadParameter(
                f"goes with a file or --prometheus; {config} says this by itself{hint}",
                param_hint=option,
            )
    settings = load_settings(config, os.environ)
    fleet = settings.fleet
    zone = check_zone(asked.timezone or fleet.timezone)
    start = read_local_instant(asked.at, zone)
    chosen = _chosen(tuple(one.workload for one in fleet.workloads), asked.workload, "--workload")
    rules = {
        one.workload: options.over(one.rule) for one in fleet.workloads if one.workload in chosen
    }
    server = ServerOptions(**{one.name: getattr(source, one.name) for one in fields(ServerOptions)})
    step = asked.step or fleet.step
    if isinstance(settings.source, FileSettings):
        server = replace(server, days=server.days or _ALL_DAYS)
    else:
        server = _spanning(server, start, asked.window, step, fleet.history, rules.values(), zone)
    traffic = read_configured(config, server, asked.step)
    calendar = _calendar(traffic, asked, zone.key)
    if calendar is None:
        calendar = settings_events(settings.events, config, *_bounds(traffic))
    if calendar is not None:
        labels = {one.workload: (one.namespace, one.name, one.labels) for one in fleet.workloads}
        rules = {
            name: replace(rule, calendar=calendar.selecting(*labels[name]))
            for name, rule in rules.items()
        }
    return make_nights(traffic, rules, start, asked.window, zone, fleet)


def _from_traffic(source: ReplaySource, asked: Moment, options: RuleOptions) -> list[Night]:
    from forecaster.cli.traffic_source import read_source

    if asked.workload is not None:
        raise typer.BadParameter(
            "goes with the settings; of a file or a server choose with --series",
            param_hint="--workload",
        )
    zone = check_zone(asked.timezone)
    start = read_local_instant(asked.at, zone)
    rule = options.alone()
    named = {one.name: getattr(source, one.name) for one in fields(SourceOptions)}
    given = SourceOptions(**named)
    if given.traffic is None:
        step = asked.step or timedelta(minutes=1)
        span = _spanning(given, start, asked.window, step, _HISTORY, [rule], zone)
        given = replace(given, days=span.days, until=span.until)
    traffic = read_source(given, unit=asked.unit, step=asked.step, timezone=asked.timezone)
    check_step(traffic, next(iter(traffic.history)).step)
    chosen = _chosen(traffic.history.ids, asked.series, "--series")
    calendar = _calendar(traffic, asked, asked.timezone)
    rules = {
        name: rule
        if calendar is None
        else replace(rule, calendar=of_series(calendar, traffic.history[name]))
        for name in chosen
    }
    return make_nights(traffic, rules, start, asked.window, zone, None)


def _calendar(traffic: TrafficInput, asked: Moment, timezone: str | None) -> Calendar | None:
    """The events that are given, of the time that there is traffic of; None without any."""
    if asked.events is None:
        return None
    return read_events(asked.events, timezone, *_bounds(traffic))


def _bounds(traffic: TrafficInput) -> tuple[datetime, datetime]:
    """From when on, and until when, there is traffic."""
    starts = [one.start for one in traffic.history]
    return min(starts), max(one.end for one in traffic.history)


def _spanning(
    server: ServerOptions,
    start: datetime,
    window: timedelta,
    step: timedelta,
    history: timedelta,
    rules: Iterable[NightRule],
    zone: ZoneInfo,
) -> ServerOptions:
    """The span that a server is asked for: the window, and before it what is learnt from."""
    from forecaster.worker import utc_now
    from forecaster.worker.schedule import settling_time

    latest = utc_now() - settling_time(step) - window
    if start > latest:
        raise typer.BadParameter(
            f"the window of {format_duration(window)} from {local_text(start, zone)} on has not "
            f"all come yet; the latest --at is now {local_text(latest, zone)} ({zone.key})",
            param_hint="--at",
        )
    end = _EPOCH - (_EPOCH - start - window) // step * step  # where a step ends, or later
    before = max(rule.run_in(step) for rule in rules)
    return replace(
        server,
        until=server.until or end,
        days=server.days or history + before + (end - start) + step,
    )


def _chosen(names: tuple[str, ...], wanted: str | None, option: str) -> tuple[str, ...]:
    """The one that is wanted, or all where they are few."""
    if wanted is not None and wanted not in names:
        raise typer.BadParameter(
            f"{wanted!r} is not among them; there are {listed(names)}", param_hint=option
        )
    if wanted is None and len(names) > _FEW:
        raise typer.BadParameter(
            f"there are {len(names)}, {listed(names)}, and at most {_FEW} are replayed at once; "
            f"write for example {option} {names[0]!r}",
            param_hint=option,
        )
    return names if wanted is None else (wanted,)
