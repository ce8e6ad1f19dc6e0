"""An outlook with events: the event-free one, lifted by what each event is expected to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from forecaster.events.calendar import Calendar
from forecaster.events.effects import effects_between
from forecaster.events.uplift import UpliftModel
from forecaster.models.outlook import Outlook
from forecaster.traffic.history import FloatArray

__all__ = ["outlook_with_events"]


def outlook_with_events(
    outlook: Outlook, uplift: UpliftModel, calendar: Calendar, now: datetime | None = None
) -> Outlook:
    """The quantiles of ``outlook``, which knows of no event, lifted by the calendar's.

    The distance of a quantile from the middle is the root of the sum of squares of the outlook's
    own and of the event's, both as logarithms. ``now`` is when the examples were known, by default
    the outlook's cutoff. The same outlook comes back where nothing is on.
    """
    known = outlook.cutoff if now is None else now
    effects = effects_between(uplift, calendar, known, outlook.start, outlook.step, len(outlook))
    if not effects.curves:
        return outlook
    middle, *rows, high = effects.log_factor_rows((None, *outlook.quantiles, 0.9))
    touched = np.flatnonzero((high != 0) | (middle != 0))
    rates = np.array(outlook.rate_rps)
    rates[:, touched] = _lifted(outlook, middle[touched], np.array(rows)[:, touched], touched)
    kinds = sorted({one.event.label() for one in effects.curves})
    told = f"events: {', '.join(kinds[:4])}" + (" and more" if len(kinds) > 4 else "")
    return replace(outlook, rate_rps=rates, reasons=(*outlook.reasons, told))


def _lifted(
    outlook: Outlook, middle: FloatArray, event: FloatArray, touched: np.ndarray
) -> FloatArray:
    """The rates of the steps ``touched``; the events' logs are (steps,) and (quantiles, steps)."""
    epsilon = 1.0 / outlook.step.total_seconds()
    half = np.log(outlook.at(0.5)[touched] + epsilon)
    own = np.log(outlook.rate_rps[:, touched] + epsilon) - half
    beyond = event - middle
    quantiles = np.array(outlook.quantiles)[:, None]
    wide = np.sign(quantiles - 0.5) * np.sqrt(own**2 + beyond**2)
    logs = half + middle + np.where((beyond == 0) | (quantiles == 0.5), own, wide)
    rates: FloatArray = np.maximum(np.exp(logs) - epsilon, 0.0)
    crossed = (np.diff(rates, axis=0) < 0).any(axis=0)
    rates[:, crossed] = np.sort(rates[:, crossed], axis=0)
    return rates
