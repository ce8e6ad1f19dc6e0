"""Policies by the names they have in output, each with its usual setting."""

from __future__ import annotations

from datetime import timedelta

from forecaster.backtest.peak_decisions import PeakDecisions
from forecaster.backtest.policies import (
    USUAL_UTILISATION,
    DayAhead,
    Exporter,
    Hpa,
    Policy,
    Preroll,
    Schedule,
)
from forecaster.backtest.replay import POLICY_NAMES
from forecaster.backtest.rivals import holt_winters, prophet, rolling_path
from forecaster.backtest.span import ReplaySpan
from forecaster.events import Event

__all__ = ["choose_policies", "named_policy"]

_RIVALS = {"holt_winters": holt_winters, "prophet": prophet}


def choose_policies(text: str) -> tuple[str, ...]:
    """The names in ``text``, with commas between them, in the order in which they are shown.

    ``all`` is every name. ValueError for a name that there is not.

    >>> choose_policies("preroll, hpa")
    ('hpa', 'preroll')
    """
    names = {part.strip() for part in text.split(",")}
    if names == {"all"}:
        return POLICY_NAMES
    unknown = sorted(names - set(POLICY_NAMES))
    if unknown:
        raise ValueError(
            f"{unknown[0]!r} is not a policy; there are {', '.join(POLICY_NAMES)}; write for "
            "example hpa,preroll"
        )
    return tuple(name for name in POLICY_NAMES if name in names)


def named_policy(
    name: str,
    span: ReplaySpan,
    decisions: PeakDecisions,
    quantile: float,
    *,
    hold_down: timedelta = timedelta(0),
    timezone: str = "UTC",
    utilisation: float = USUAL_UTILISATION,
    events: tuple[Event, ...] = (),
) -> Policy:
    """The policy of that name over the span that ``decisions`` are for.

    ``utilisation`` is what the rivals' HPA aims at, alone and beneath a floor, as a share of a
    replica's capacity; day-ahead forecasts go through the same target. Preroll's stays its own.
    ``events`` are those whose declared floors Preroll serves.

    Day-ahead rivals are trained here, which takes seconds. ValueError for ``oracle``, which decides
    nothing, and for an unknown name; ModuleNotFoundError where prophet is asked and not installed.
    """
    if name == "hpa":
        return Hpa(utilisation)
    if name == "schedule":
        return Schedule(timezone=timezone, utilisation=utilisation)
    if name == "exporter":
        return Exporter(timezone=timezone, utilisation=utilisation)
    if name == "outlook":
        return DayAhead("outlook", decisions.median_rps, 1 / utilisation, utilisation)
    if name in _RIVALS:
        path = rolling_path(span, _RIVALS[name])
        return DayAhead(name, path, 1 / utilisation, utilisation)
    if name == "preroll":
        return Preroll(quantile, decisions.served(quantile), hold_down=hold_down, events=events)
    raise ValueError(f"{name!r} is not a policy that decides; there are {', '.join(POLICY_NAMES)}")
