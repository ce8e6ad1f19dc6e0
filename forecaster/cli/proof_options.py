"""The options of a backtest that say what is replayed: one value in code, many on the line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecaster.cli.options import (
    UTILISATION_HELP,
    check_lead_time,
    read_duration,
    read_level,
    read_utilisation,
)
from forecaster.durations import parse_duration

if TYPE_CHECKING:
    from forecaster.backtest.proof import ProofSettings

__all__ = ["ProofOptions"]

_PANEL = "Decisions and replays"
# What ReplaySettings and ScalingRule call their fields, and an example for each.
_FIELDS = {
    "capacity_rps": ("--capacity", "120"),
    "lead_time": ("--lead-time", "5m"),
    "min_replicas": ("--min-replicas", "1"),
    "max_replicas": ("--max-replicas", "100"),
    "tolerance_ratio": ("--tolerance", "0.1"),
    "price_per_replica_hour": ("--price", "0.05"),
    "startup": ("--startup", "30s,45s,2m"),
}


def _option(name: str, metavar: str, help_text: str, **more: Any) -> Any:
    return typer.Option(name, metavar=metavar, help=help_text, rich_help_panel=_PANEL, **more)


@dataclass(frozen=True)
class ProofOptions:
    """How decisions become replicas, and which autoscalers are replayed beside."""

    capacity: Annotated[
        str,
        _option(
            "--capacity",
            "RPS|auto",
            "Requests per second that one replica serves at the most, whatever the unit of the "
            "values: what is above is unserved. auto: the test's highest traffic needs 100 "
            "replicas.",
        ),
    ] = "auto"
    lead_time: Annotated[
        timedelta,
        _option(
            "--lead-time",
            "DURATION",
            'From "value served" to "pod ready".',
            parser=read_duration,
            show_default="5m",
        ),
    ] = timedelta(minutes=5)
    quantile: Annotated[
        float,
        _option(
            "--quantile",
            "0-1",
            "The lead peak's quantile that Preroll is replayed at.",
            parser=read_level,
        ),
    ] = 0.98
    policies: Annotated[
        str | None,
        _option(
            "--policies",
            "NAME,NAME,…|all|none",
            "Whom to replay: oracle, hpa, schedule, exporter, outlook, holt_winters, prophet, "
            "preroll; all but holt_winters and prophet where nothing is said.",
            show_default=False,
        ),
    ] = None
    frontier: Annotated[
        bool,
        _option(
            "--frontier",
            None,
            "Find each policy's best setting at 1, 0.5, 0.2 and 0.1 % unserved traffic.",
        ),
    ] = False
    min_replicas: Annotated[int, _option("--min-replicas", "N", "Never fewer.")] = 1
    max_replicas: Annotated[
        int | None, _option("--max-replicas", "N", "Never more; no limit.", show_default=False)
    ] = None
    tolerance: Annotated[
        float, _option("--tolerance", "RATIO", "The HPA's dead band; 0 for none.")
    ] = 0.1
    utilisation: Annotated[
        float,
        _option("--utilisation", "RATIO", UTILISATION_HELP, parser=read_utilisation),
    ] = 0.7
    startup: Annotated[
        str | None,
        _option(
            "--startup",
            "DURATION,…",
            "Start-up times that pods are given at random; otherwise all take the lead time.",
            show_default=False,
        ),
    ] = None
    price: Annotated[
        float | None,
        _option("--price", "MONEY", "What a replica costs an hour.", show_default=False),
    ] = None

    def settings(
        self, *, levels: tuple[float, ...] | None, rivals: bool, timezone: str
    ) -> ProofSettings:
        """What is asked; without ``rivals`` nobody is replayed unless policies are named.

        ``levels`` None are the usual ones and the quantile. Raises BadParameter.
        """
        from forecaster.backtest.proof import DEFAULT_POLICIES, ProofSettings
        from forecaster.backtest.replay_settings import ReplaySettings
        from forecaster.models.peak.training import DEFAULT_LEVELS

        check_lead_time(self.lead_time)
        policies: tuple[str, ...] = DEFAULT_POLICIES if rivals else ()
        if self.policies is not None:
            policies = _policies(self.policies)
        if self.frontier and not set(policies) - {"oracle"}:
            raise typer.BadParameter(
                "there is no policy whose settings could be tried; write for example "
                "--policies hpa,preroll",
                param_hint="--frontier",
            )
        most = ProofSettings.max_replicas if self.max_replicas is None else self.max_replicas
        asked = ProofSettings(
            lead_time=self.lead_time,
            quantile=self.quantile,
            levels=levels or tuple(sorted({*DEFAULT_LEVELS, self.quantile})),
            policies=policies,
            frontier=self.frontier,
            capacity_rps=_capacity(self.capacity),
            min_replicas=self.min_replicas,
            tolerance_ratio=self.tolerance,
            utilisation=self.utilisation,
            startup_seconds=_startup(self.startup),
            price_per_replica_hour=self.price,
            timezone=timezone,
            max_replicas=most,
        )
        try:
            ReplaySettings(
                capacity_rps=1.0 if asked.capacity_rps is None else asked.capacity_rps,
                lead_time=asked.lead_time,
                min_replicas=asked.min_replicas,
                max_replicas=asked.max_replicas,
                tolerance_ratio=asked.tolerance_ratio,
                startup_seconds=asked.startup_seconds,
                price_per_replica_hour=asked.price_per_replica_hour,
            )
        except ValueError as error:
            name, _, said = str(error).partition(" ")
            hint, example = _FIELDS.get(name, ("", ""))
            text = f"{said}; write for example {example}" if hint else str(error)
            raise typer.BadParameter(text, param_hint=hint or None) from error
        return asked


def _capacity(text: str) -> float | None:
    if text.strip().lower() == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise typer.BadParameter(
            f"{text!r} is not a number above 0; write for example 120, or auto",
            param_hint="--capacity",
        )
    return value


def _policies(text: str) -> tuple[str, ...]:
    from forecaster.backtest.named import choose_policies
    from forecaster.backtest.replay import POLICY_NAMES

    if text.strip() == "none":
        return ()
    try:
        return choose_policies(text)
    except ValueError as error:
        unknown = [part.strip() for part in text.split(",") if part.strip() not in POLICY_NAMES]
        near = get_close_matches(unknown[0], POLICY_NAMES, 1) if unknown else []
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise typer.BadParameter(f"{error}{hint}", param_hint="--policies") from error


def _startup(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        return tuple(parse_duration(part).total_seconds() for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--startup") from error
