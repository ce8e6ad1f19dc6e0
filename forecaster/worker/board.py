"""What is known of the fleet right now: messages come in, snapshots go out. No IO, no clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from forecaster.events import Calendar
from forecaster.models.outlook import Outlook
from forecaster.planning.event_floor import NOTHING_DECLARED, Declared
from forecaster.planning.plan import Plan
from forecaster.planning.snapshot import Snapshot, TrainingState, WorkloadState
from forecaster.planning.target import Held
from forecaster.settings import Fleet, WorkloadSettings
from forecaster.store import StoredUplift, TrainingRecord
from forecaster.worker.live_watch import LiveWatch
from forecaster.worker.messages import Foretold, Refreshed, RefreshFailed
from forecaster.worker.plans import Plans
from forecaster.worker.source_watch import SourceWatch
from forecaster.worker.words import stamp

__all__ = ["Board"]


@dataclass(frozen=True)
class _Trouble:
    """A run of the trainer that brought nothing for anybody: when, and why."""

    at: datetime
    reason: str
    next_try: datetime


class Board:
    """The state of every workload.

    Plans are built under the workload's present rule, so a changed capacity or quantile needs no
    training. ``records`` are how trainings went before; ``held`` gives the needs of a workload
    in the steps just past.
    """

    def __init__(
        self,
        fleet: Fleet,
        records: Mapping[str, TrainingRecord],
        held: Callable[[str], tuple[Held, ...]] = lambda _: (),
    ) -> None:
        self._fleet = fleet
        self._held = held
        self._live = LiveWatch(fleet)
        self._notices_beside: tuple[str, ...] = ()
        self._states: dict[str, WorkloadState] = {}
        self._plans = Plans(fleet, held)
        self._source = SourceWatch(fleet)
        self._trouble: _Trouble | None = None
        self._troubles = 0
        self._not_stored: dict[str, str] = {}
        self.records = {name: one for name, one in records.items() if name in self._plans.active}

    @property
    def fleet(self) -> Fleet:
        """What is planned for."""
        return self._fleet

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans of the workloads that have one, ended ones included."""
        return self._plans.all()

    @property
    def untaught(self) -> Iterable[str]:
        """The workloads of which nobody can read any more what past events taught."""
        return self._plans.untaught.keys()

    @property
    def source_failing(self) -> bool:
        """Whether the last question for the latest traffic failed."""
        return self._source.failing

    def plans_for(self, workload: str) -> bool:
        """Whether the workload is configured, and not off."""
        return workload in self._plans.active

    def take_fleet(self, fleet: Fleet) -> list[str]:
        """Other workloads or rules; what is known of those that stay, stays.

        Returns the workloads of which no outlook is known here that makes a plan.
        """
        self._fleet = fleet
        without = self._plans.take_fleet(fleet)
        self._live.take_fleet(fleet)
        names = {one.workload for one in fleet.workloads}
        self._states = {name: one for name, one in self._states.items() if name in names}
        self.records = {n: one for n, one in self.records.items() if n in self._plans.active}
        return without

    def take_outlook(
        self, outlook: Outlook, held: Iterable[Held], uplift: StoredUplift | None = None
    ) -> Plan | None:
        """Plan by this outlook from now on; see ``Plans``."""
        return self._plans.take_outlook(outlook, held, uplift)

    def take_calendar(self, calendar: Calendar, now: datetime) -> list[str]:
        """Plan by another calendar; the workloads whose plans or floors are others now."""
        return self._plans.take_calendar(calendar, now)

    def take_notices(self, notices: tuple[str, ...]) -> bool:
        """What a person should know of events, capacities and the roster; whether that is news."""
        changed = notices != self._notices_beside
        self._notices_beside = notices
        return changed

    def take_record(self, workload: str, record: TrainingRecord) -> None:
        """How the training of a workload went: the trainer is alive, and the source as well."""
        self._trouble = None
        if workload in self._plans.active:
            self.records[workload] = record

    def take_trouble(self, at: datetime, reason: str, next_try: datetime) -> None:
        """A run brought nothing: the source gave no traffic, or the trainer died."""
        self._trouble = _Trouble(at, reason, next_try)
        self._troubles += 1

    def take_refresh(self, result: Refreshed | RefreshFailed) -> None:
        """The latest traffic and its lead peaks, or the reason why there is none."""
        self._source.take(result)
        if isinstance(result, Refreshed):
            self.take_foretold(result.foretold)

    def take_foretold(self, foretold: Foretold) -> None:
        """Lead peaks between two refreshes, of a new model, or from before a restart."""
        self._live.take(foretold)

    def take_store_error(self, what: str, error: str | None) -> None:
        """Why ``what`` cannot be stored, or None where it was."""
        self._not_stored.pop(what, None)
        if error is not None:
            self._not_stored[what] = error

    def snapshot(self, now: datetime) -> Snapshot:
        """The state of everything at ``now``."""
        silence = self._source.silence(now) if self._fleet.workloads else None
        states = {one.workload: self._state(one, now, silence) for one in self._fleet.workloads}
        return Snapshot(states, tuple(self._notices(silence)))

    def states(self, workloads: Iterable[str], now: datetime) -> list[WorkloadState]:
        """The state of some workloads at ``now``."""
        silence, wanted = self._source.silence(now), set(workloads)
        chosen = [one for one in self._fleet.workloads if one.workload in wanted]
        return [self._state(one, now, silence) for one in chosen]

    def _state(
        self, settings: WorkloadSettings, now: datetime, silence: str | None
    ) -> WorkloadState:
        name = settings.workload
        plan = self._plans.get(name)
        usable = plan if plan is not None and plan.covers(now) else None
        live = self._live.live(name, self._held(name))
        reason = self._why_not(name, silence) if usable is None else None
        notices = []
        served = usable is not None or live.fresh(now) is not None
        if (
            served
            and (silence is None or name in self._source.refused)
            and (own_silence := self._source.own_silence(name, now))
        ):
            notices.append(own_silence)
        record = self.records.get(name)
        if usable is not None and record is not None and record.failed_in_a_row:
            notices.append(
                f"training failed {record.failed_in_a_row}× since: {record.state.last_error}; "
                f"serving the plan made at {stamp(usable.outlook.cutoff)}"
            )
        elif served and reason is not None:
            notices.append(f"no outlook to fall back on: {reason}")
        if usable is not None and name in self._plans.untaught:
            notices.append(self._plans.untaught[name])
        state = WorkloadState(
            namespace=settings.namespace,
            name=settings.name,
            rule=settings.rule,
            plan=usable,
            reason=reason,
            observed=self._source.observed(name),
            training=self._training(name),
            notices=tuple(notices),
            live=live,
            declared=self._declared(name, now),
            why_off=settings.why_off,
        )
        before = self._states.get(name)
        if before is not None and before.says_the_same(state):
            return before  # and what was made of it, as an answer, stays good
        self._states[name] = state
        return state

    def _declared(self, workload: str, now: datetime) -> Declared:
        events, seen = self._plans.floors(workload, now), self._source.observed(workload)
        if not events:
            return NOTHING_DECLARED
        step = self._fleet.step
        if seen is None:
            return Declared(events, step)
        return Declared(events, step, seen.rate_rps, seen.start + step)

    def _training(self, workload: str) -> TrainingState:
        record = self.records.get(workload)
        state = TrainingState() if record is None else record.state
        if not self._troubles or workload not in self._plans.active:
            return state
        return dataclasses.replace(
            state,
            runs=state.runs + self._troubles,
            failures=state.failures + self._troubles,
            last_error=self._trouble.reason if self._trouble is not None else state.last_error,
        )

    def _why_not(self, workload: str, silence: str | None) -> str | None:
        """Why there is no usable plan; None while nothing speaks against the first training."""
        if workload not in self._plans.active:
            return None
        plan, reasons = self._plans.get(workload), []
        if plan is not None:
            made, start, end = map(stamp, (plan.outlook.cutoff, plan.start, plan.end))
            reasons.append(f"the plan made at {made} covers {start} to {end}")
        failed = self._training(workload).last_error
        error = self._source.error
        if failed is not None and not _same(failed, error):  # the silence says it, and since when
            reasons.append(failed)
        if silence is not None and (reasons or error is not None):
            reasons.append(silence)
        first = plan is None and workload not in self.records
        return ("not trained yet: " if first and reasons else "") + "; ".join(reasons) or None

    def _notices(self, silence: str | None) -> Iterable[str]:
        if silence is not None:
            yield f"{silence}{self._serving()}"
        if self._trouble is not None:
            yield (
                f"training failed at {stamp(self._trouble.at)}: {self._trouble.reason}; "
                f"next try at {stamp(self._trouble.next_try)}"
            )
        for what, error in self._not_stored.items():
            yield f"{what} cannot be stored, a restart would lose them: {error}"
        if self._live.trouble is not None:
            yield f"lead-peak models cannot be read: {self._live.trouble}"
        for warning in self._source.warnings:
            yield f"the source says: {warning}"
        yield from self._notices_beside

    def _serving(self) -> str:
        made = sorted({stamp(plan.outlook.cutoff) for plan in self.plans})
        if not made:
            return ""
        when = (
            f"plan made at {made[0]}" if len(made) == 1 else f"plans made {made[0]} to {made[-1]}"
        )
        return f": serving the {when}"


def _same(reason: str, error: str | None) -> bool:
    """Whether the trainer and the refresher heard the same, but for how often they tried."""
    return error is not None and (error in reason or reason in error)
