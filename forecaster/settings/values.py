"""The settings as frozen domain values: what the rest of Preroll works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from forecaster.durations import format_duration
from forecaster.events import Calendar, Event, Overlap
from forecaster.events.recurring import Recurring
from forecaster.models.outlook import DEFAULT_QUANTILES
from forecaster.models.peak import STALE_STEPS
from forecaster.planning.capacity import Mode, ScalingRule
from forecaster.planning.limits import PLAN_HORIZON
from forecaster.programme.source import CalendarSource
from forecaster.settings.capacity_values import NO_CAPACITY, CapacitySettings
from forecaster.settings.keda_values import NO_KEDA, KedaSettings
from forecaster.settings.workload_shape import DefaultsShape
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection

__all__ = [
    "NOTHING_MEASURED",
    "NO_CAPACITY",
    "NO_EVENTS",
    "NO_KEDA",
    "NO_KUBERNETES",
    "PLAN_HORIZON",
    "CapacitySettings",
    "EventSettings",
    "FileSettings",
    "Fleet",
    "KedaSettings",
    "KubernetesSettings",
    "LogSettings",
    "Measured",
    "PrometheusSettings",
    "ServerSettings",
    "Settings",
    "WorkloadSettings",
]


@dataclass(frozen=True)
class Measured:
    """What of a rule is measured, ``auto`` in the settings, rather than written down.

    A measured lead time stays between ``lead_time_floor`` and ``lead_time_ceiling``. While the
    capacity is not known yet the workload is off; ``mode`` is its mode from then on.
    """

    lead_time: bool = False
    capacity: bool = False
    mode: Mode = Mode.ACTIVE
    lead_time_floor: timedelta = timedelta(seconds=30)
    lead_time_ceiling: timedelta = timedelta(minutes=15)


NOTHING_MEASURED = Measured()


@dataclass(frozen=True)
class WorkloadSettings:
    """One workload, how it scales, and what events may select it by beside its name.

    ``why_off`` says why a workload is off that nobody switched off; ``target_utilisation`` is at
    which saturation its capacity is measured, None for that of all.
    """

    namespace: str
    name: str
    rule: ScalingRule
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    measured: Measured = NOTHING_MEASURED
    why_off: str = ""
    target_utilisation: float | None = None

    @property
    def workload(self) -> str:
        """``namespace/name``, which is also the id of its series."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Fleet:
    """What is planned for, and from what: the workloads, the grid, the past to learn from.

    ``history`` is how much past traffic a training sees; ``timezone`` is where the audience lives;
    ``train_every`` is the time between two trainings; ``stale_after`` is how old the end of the
    last observed interval may become before the outlook speaks.
    """

    workloads: tuple[WorkloadSettings, ...]
    step: timedelta = timedelta(minutes=1)
    history: timedelta = timedelta(days=28)
    timezone: str = "UTC"
    train_every: timedelta = timedelta(hours=6)
    stale_after: timedelta | None = None

    @property
    def active(self) -> dict[str, WorkloadSettings]:
        """The workloads that are planned for, by name: those that are not off."""
        return {one.workload: one for one in self.workloads if one.rule.mode is not Mode.OFF}

    @property
    def live_age(self) -> timedelta:
        """``stale_after``; where it is not set, three intervals may be missing.

        The one that is under way is a fourth: it has not ended, and is not missed yet.
        """
        default: timedelta = (STALE_STEPS + 1) * self.step
        return default if self.stale_after is None else self.stale_after

    @property
    def longest_hold_down(self) -> timedelta:
        """How far back what was served still counts for some workload."""
        return max((one.rule.hold_down for one in self.workloads), default=timedelta(0))

    def quantiles(self, rule: ScalingRule) -> tuple[float, ...]:
        """The quantiles that the outlook behind ``rule`` offers, the rule's own among them."""
        return tuple(sorted({*DEFAULT_QUANTILES, rule.quantile}))

    def horizon(self, rule: ScalingRule) -> timedelta:
        """How far the outlook behind ``rule`` reaches.

        One lead window beyond the plan's horizon, so that the plan itself covers the whole of it.
        """
        return PLAN_HORIZON + rule.lead_steps(self.step) * self.step

    def training_key(self, rule: ScalingRule) -> str:
        """What a training depends on, as text; with another key a workload is due at once.

        Its lead-peak model is for one lead window, in steps.
        """
        return (
            f"step={format_duration(self.step)} history={format_duration(self.history)} "
            f"timezone={self.timezone} horizon={format_duration(self.horizon(rule))} "
            f"quantiles={','.join(repr(float(one)) for one in self.quantiles(rule))} "
            f"lead-peak={rule.lead_steps(self.step)}"
        )


@dataclass(frozen=True)
class PrometheusSettings:
    """A server with Prometheus' query API, and the query.

    ``connection`` holds the secrets as they were at the start; where they come from files, the
    files are read again when they change.
    """

    connection: PrometheusConnection
    query: FleetQuery
    bearer_token_file: Path | None = None
    password_file: Path | None = None


@dataclass(frozen=True)
class FileSettings:
    """A traffic file: ``unit`` is rps or requests; ``timezone`` is of stamps that carry none."""

    path: Path
    unit: str = "rps"
    timezone: str | None = None


@dataclass(frozen=True)
class ServerSettings:
    """Where KEDA asks, and the tokens that it may use.

    ``events_tokens`` may write events, and read all that ``tokens`` may; without any, nobody
    writes. ``prescaling_metrics``: whether prescaling-exporter's metrics are served as well.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    tokens: tuple[str, ...] = field(default=(), repr=False)
    events_tokens: tuple[str, ...] = field(default=(), repr=False)
    prescaling_metrics: bool = False

    @property
    def open_to_others(self) -> bool:
        """Whether other machines reach the port, and nobody is asked for a token."""
        if self.tokens or self.host == "localhost":
            return False
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:  # a name
            return True


@dataclass(frozen=True)
class EventSettings:
    """What is known ahead: events and rules of the settings, and calendars to be looked at.

    ``overlap`` is for events of different audiences, of whatever source.
    """

    overlap: Overlap = Overlap.ADD
    events: tuple[Event, ...] = ()
    recurring: tuple[Recurring, ...] = ()
    sources: tuple[CalendarSource, ...] = ()

    @property
    def calendar(self) -> Calendar:
        """What stands in the settings themselves."""
        return Calendar(self.events, self.recurring, self.overlap)


NO_EVENTS = EventSettings()


@dataclass(frozen=True)
class KubernetesSettings:
    """Whether the cluster is read, and how: see ``KubernetesShape`` for the meaning of each.

    ``defaults`` hold for what ScaledObjects declare.
    """

    watch: bool = False
    namespaces: tuple[str, ...] = ()
    annotations: bool = True
    nodes: bool = False
    events: bool = True
    node_lead_time: timedelta = timedelta(minutes=5)
    kubeconfig: Path | None = None
    context: str | None = None
    defaults: DefaultsShape = field(default_factory=DefaultsShape)


NO_KUBERNETES = KubernetesSettings()


@dataclass(frozen=True)
class LogSettings:
    """How severe a line must be to be shown, and its form: json or text."""

    level: str = "info"
    format: str = "json"


@dataclass(frozen=True)
class Settings:
    """Everything that ``preroll serve`` needs to know."""

    source: PrometheusSettings | FileSettings
    fleet: Fleet
    store_path: Path
    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()
    events: EventSettings = NO_EVENTS
    kubernetes: KubernetesSettings = NO_KUBERNETES
    keda: KedaSettings = NO_KEDA
    capacity: CapacitySettings = NO_CAPACITY
